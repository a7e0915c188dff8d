"""The Study screen: does a selection train a better model than chance does?"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import cache_files
import session
from ila_core.errors import IlaError
from jobs import folders, studies
from parts import following
from parts.findings import findings, switches
from parts.following import STUDY
from parts.notices import empty, trouble
from parts.opening import opened
from parts.study_choice import SAMPLE_STUDY, choose, chosen, open_path
from parts.study_form import run_here
from parts.texts import plain


def page() -> None:
    landscape = opened()
    if landscape is None:
        return
    view, runs, identity = session.view(), folders.runs_folder(), cache_files.identity(landscape)
    headline()
    known = studies.of_landscape(runs, identity, SAMPLE_STUDY)
    entry = chosen(view, runs, landscape, known)
    ended = entry is not None and entry.job.has_study and entry.job.state != "running"
    with st.sidebar:
        choose(known, entry)
        open_path()
        if ended:
            switches()
    if ended:
        findings(landscape, entry)
    elif entry is not None:
        progress_panel(runs, str(entry.folder), identity)
    elif not view.study:
        empty(
            "No study of this landscape yet",
            "Start one below: it runs beside this page and takes minutes, not hours. Or open "
            "the folder of one that was run elsewhere, in the sidebar.",
        )
    run_here(runs, landscape, open=entry is None)


def headline() -> None:
    """Say what a study is, and what went wrong with the last thing that was asked."""
    st.header("Does it train a better model?", anchor=False)
    st.markdown(
        "A study trains many small models, each on what one method keeps of this pool at one "
        "budget, and measures their loss on records that were held out before anything was "
        "selected. Lower is better; random is always among them, and when it wins this page says "
        "so."
    )
    if went_wrong := session.recall("study trouble"):
        trouble(IlaError(went_wrong))
        session.remember("study trouble", None)


@st.fragment(run_every=1.0)
def progress_panel(runs: Path, folder: str, identity: str) -> None:
    """Show how far a study is; once a second, without touching the rest of the page."""
    entry = studies.look(runs, Path(folder), identity)
    if entry is None:
        empty("This study is gone", "Start another below.")
        return
    following.follow(entry.job, STUDY)
    st.subheader(plain(entry.job.name), anchor=False)
    if entry.job.state == "running":
        following.running(entry.job, STUDY)
    else:
        following.ended(entry.job, STUDY, ours=entry.ours)


page()
