"""What a build will take on this machine; a model of one's own is tried when one asks for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

import cache_files
import session
from ila_core.errors import IlaError
from ila_core.pipeline.settings import BuildSettings
from jobs.pools import Pool
from parts.notices import trouble
from parts.texts import plain


def estimate(pool: Pool, files: tuple[Path, ...], settings: BuildSettings) -> None:
    """Say what the build will take; a model of one's own is tried when one asks for it."""
    if not settings.runs_models:
        quick_estimate(files, settings)
        return
    known = session.recall("tried", {})
    which = pool, replace(settings, map="")  # other fields make the model no slower
    if which in known:
        show_estimate(known[which]["sentence"], known[which]["details"])
        return
    quick_estimate(files, settings.without_models(), but="without the model's own time")
    if st.button(
        "Try how long the model takes here",
        icon=":material/timer:",
        key="try_model",
        help="Loads it and lets it work for some seconds. One that is named by its id is "
        "downloaded first, unless it is on this machine already.",
    ):
        try:
            with st.spinner("Loading the model and trying it …"):
                tried = cache_files.tried(files, pool, settings)
        except IlaError as error:
            trouble(error)
            return
        session.remember("tried", {**known, which: tried})
        st.rerun()


def quick_estimate(files: tuple[Path, ...], settings: BuildSettings, but: str = "") -> None:
    """Say what can be said in a second."""
    try:
        with st.spinner("Trying how fast this machine is …"):
            estimated = cache_files.estimate(files, settings)
    except IlaError:
        return  # the preview has told already, or the build will
    show_estimate(estimated.sentence() + (f", {but}" if but else ""), estimated.details())


def show_estimate(sentence: str, details: list[str]) -> None:
    lines = [f":material/schedule: {plain(sentence[:1].upper() + sentence[1:])}."]
    st.caption("  \n".join([*lines, *map(plain, details)]))
