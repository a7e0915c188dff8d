"""The landscapes that are there: to open, to follow, and to delete."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import streamlit as st

import session
from ila_core import paths
from ila_core.errors import IlaError
from jobs import builds, folders, process
from jobs.process import Job
from parts.notices import trouble
from parts.texts import count, path, plain, size
from view import SAMPLE

MOST_LISTED = 12


def landscapes(runs: Path) -> None:
    """List the sample and the landscapes built here; say where they lie and how to delete them."""
    st.subheader("Landscapes", anchor=False)
    if went_wrong := session.recall("trouble"):
        trouble(IlaError(went_wrong))
        session.remember("trouble", None)
    with st.container(gap="small"):
        if entry("Sample", "ships with the program", SAMPLE, "sample"):
            show(SAMPLE)
        for folder in elsewhere(runs):
            if entry(folder.name, f"in {path(str(folder.parent))}", str(folder), str(folder)):
                show(str(folder))
        known = builds.every(runs)
        for job in known[:MOST_LISTED]:
            landscape_line(job)
        if len(known) > MOST_LISTED:
            st.caption(f"The latest {MOST_LISTED} of {count(len(known))}; a path opens any other.")
    st.caption(
        f"Uploads and landscapes are stored in {path(str(runs))}. The bin deletes a landscape; "
        "delete the folder to be rid of everything. Nothing leaves this machine, unless you name "
        "a model to download or a server to ask.",
        unsafe_allow_html=True,  # for the path alone
    )


def elsewhere(runs: Path) -> list[Path]:
    """Return the landscapes that this page was started with or shows, and that lie elsewhere."""
    known = [folders.opened_with()]
    with suppress(IlaError):
        known.append(folders.run_of(session.view().landscape))
    whole = dict.fromkeys(one.resolve() for one in known if one is not None)
    places = runs.resolve(), paths.SAMPLE.resolve()
    return [one for one in whole if folders.is_run(one) and one.parent not in places]


def entry(name: str, words: str, landscape: str, key: str) -> bool:
    """Draw a landscape that is not ours to delete; whether it is to be opened.

    `words` are Markdown.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        title(name, words, landscape)
        return open_button(landscape, key)


def title(name: str, words: str, landscape: str) -> None:
    """Draw a landscape's name, and whether it is the one that is open."""
    now = ":green[open now] · " if is_open(landscape) else ""
    st.markdown(f"**{plain(name)}**  \n:small[{now}:gray[{words}]]", width="stretch",
                unsafe_allow_html=True)  # fmt: skip


def open_button(landscape: str, key: str) -> bool:
    """Draw the way to a landscape's map: what is open already is not opened, but shown."""
    return st.button("Show" if is_open(landscape) else "Open", key=f"open_{key}")


def is_open(landscape: str) -> bool:
    """Whether a landscape is the one that the map shows."""
    try:
        return folders.run_of(landscape).samefile(folders.run_of(session.view().landscape))
    except (IlaError, OSError):
        return False


def landscape_line(job: Job) -> None:
    """Draw one landscape: its name, how it stands, and what can be done with it."""
    words = {
        "running": "being built …",
        "done": time.strftime("%d %b %Y, %H:%M", time.localtime(job.changed)),
        "failed": "building it again failed" if job.has_landscape else "failed",
        "stopped": "building it again was stopped" if job.has_landscape else "stopped",
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        title(job.name, words[job.state], str(job.folder))
        whole = job.has_landscape and job.state != "running"  # what failed since has harmed nothing
        if whole and open_button(str(job.folder), job.name):
            show(str(job.folder))
        if job.state != "done" or not whole:
            st.button("Follow", key=f"follow_{job.name}", on_click=session.change,
                      kwargs={"build": job.name})  # fmt: skip
        st.button("", icon=":material/delete:", key=f"delete_{job.name}", type="tertiary",
                  help=f"Delete this landscape ({size(builds.bytes_of(job.folder))})",
                  on_click=session.remember, args=("deleting", job.name),
                  disabled=job.state == "running")  # fmt: skip
    if session.recall("deleting") == job.name:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Delete it for good?")
            st.button("Delete", key="delete_yes", on_click=delete, args=(job,))
            st.button("Keep", key="delete_no", on_click=session.remember, args=("deleting", None))


def delete(job: Job) -> None:
    """Callback: delete a landscape; a view of it goes back to the sample."""
    session.remember("deleting", None)
    try:
        process.delete(job.place, job.name)
    except IlaError as error:
        session.remember("trouble", str(error))
        return
    if session.view().landscape == str(job.folder):
        session.change(landscape=SAMPLE)


def show(landscape: str) -> None:
    """Open a landscape on the map."""
    session.change(landscape=landscape, build="")
    st.switch_page("screens/map.py")
