"""The Data screen: choose a pool, see how it will be read, and build its landscape."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import cache_files
import session
from ila_core.errors import IlaError
from ila_core.pipeline.settings import BuildSettings
from jobs import builds, folders, process
from jobs.pools import Pool
from parts import build_options, following, pool_preview, reading
from parts.building import progress_panel
from parts.estimates import estimate
from parts.landscapes import landscapes
from parts.notices import trouble
from parts.pool_choice import choose_files, choose_pool
from parts.texts import plain


def page() -> None:
    runs = folders.runs_folder()
    st.header("Data", anchor=False)
    st.markdown(
        "A pool is instructions with their responses, in one file or several. Open one, see how "
        "it will be read, and build its landscape."
    )
    with st.sidebar:
        landscapes(runs)
    followed = session.view().build
    if followed and followed == process.slug(followed) and process.look(runs, followed):
        follow_build(runs, followed)
        return
    under_way(runs)
    pool = choose_pool()
    files = choose_files(pool) if pool is not None else None
    if pool is not None and files is not None:
        read_and_build(runs, pool, files)


def read_and_build(runs: Path, pool: Pool, files: tuple[Path, ...]) -> None:
    """Show how a pool will be read, offer the options, and start the build."""
    how, scorable = reading.how_to_read(pool), reading.has_responses(pool)
    try:
        with st.spinner("Reading the first records …"):
            preview = cache_files.preview(files, how, require_response=scorable)
    except IlaError as error:
        trouble(error)
        reading.mend(pool, files, error)
        return
    pool_preview.what_it_is(preview)
    if not scorable:
        reading.without_responses(pool)
    nothing = scorable and pool_preview.unanswered(pool, preview)
    pool_preview.fields(pool, files, preview)
    pool_preview.first_records(preview)
    pool_preview.rejected(preview)
    if nothing:
        return
    asked = build_options.choose(preview, how, bare=not scorable)
    if asked is not None:
        estimate(pool, files, asked)
        begin(runs, pool, asked)


def begin(runs: Path, pool: Pool, asked: BuildSettings) -> None:
    """Name the landscape and start."""
    suggested = session.recall("name", of=pool)
    if suggested is None:
        suggested = builds.free_name(runs, pool.name)
        session.remember("name", suggested, of=pool)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = left.text_input("Name of the landscape", value=suggested, key=f"naming_{pool}")
    if right.button("Build the landscape", type="primary", width="stretch", key="build"):
        try:
            pool.files(asked.split)  # none of them has become a way out of the folders
            builds.start(runs, name, pool.given, asked)
        except (IlaError, OSError) as error:
            trouble(error)
            return
        session.change(build=name)
        session.remember("name", None, of=pool)
        st.rerun()


def follow_build(runs: Path, name: str) -> None:
    """Follow a build until it ends, then open what it made."""
    st.subheader(plain(name), anchor=False)
    progress_panel(runs / name)
    st.button("Open another pool", icon=":material/arrow_back:", type="tertiary",
              on_click=session.change, kwargs={"build": ""})  # fmt: skip


def under_way(runs: Path) -> None:
    """Say what is being built, whoever started it: a page that was closed finds it again."""
    for job in builds.every(runs):
        if job.state == "running":
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/hourglass_top: **{plain(job.name)}** is being built"
                            f"{following.how_far(job)}.", width="stretch")  # fmt: skip
                st.button("Show it", key=f"show_{job.name}", on_click=session.change,
                          kwargs={"build": job.name})  # fmt: skip


page()
