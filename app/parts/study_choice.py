"""Which study is open: those of this landscape, the link's, or a folder that is named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

import cache_files
import session
from ila_core import paths
from ila_core.artifacts import FINDINGS
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from jobs import folders, process, studies
from jobs.studies import Entry
from parts.notices import trouble
from parts.texts import path, plain
from view import View

SAMPLE_STUDY = paths.SAMPLE / "study"


def chosen(view: View, runs: Path, landscape: Landscape, known: Sequence[Entry]) -> Entry | None:
    """Return the study of the link, else the latest of this landscape; None where there is none."""
    if not view.study and not known:
        return None
    try:
        folder = folders.allowed(view.study or str(known[0].folder))
        if not view.study:
            return known[0]
        entry = studies.look(runs, folder, cache_files.identity(landscape))
        if entry is None:
            raise UsageError(
                f"{folder} holds no study (no {FINDINGS}); name the folder that ila study wrote "
                "with --out."
            )
    except IlaError as error:
        trouble(error)
        if known:
            st.button("Show the latest study", on_click=session.change, kwargs={"study": ""})
        return None
    return entry


def choose(known: Sequence[Entry], entry: Entry | None) -> None:
    """Draw the studies to choose from."""
    entries = {str(one.folder): one for one in known}
    if entry is not None:
        entries.setdefault(str(entry.folder), entry)
    if not entries:
        return
    st.selectbox(
        "Study",
        list(entries),
        format_func=titles_of(list(entries.values())).get,
        key=session.knob("study", str(entry.folder) if entry else next(iter(entries))),
        on_change=session.follow,
        args=("study",),
    )
    if entry is None:
        return
    parts = [] if entry.folder == SAMPLE_STUDY else [stands(entry)]
    if entry.settings is not None:
        parts += studies.names_of(entry.settings)
    st.caption(plain(" · ".join(parts)))
    st.caption(path(str(entry.folder)), unsafe_allow_html=True)
    if entry.ours and entry.job.state != "running":
        delete_button(entry)


def titles_of(entries: Sequence[Entry]) -> dict[str, str]:
    """Return a name for every study's folder; the same however it stands, and no two alike."""
    names = [entry.folder.name for entry in entries]
    titles = {}
    for entry in entries:
        folder = entry.folder
        alone = names.count(folder.name) == 1
        titles[str(folder)] = folder.name if alone else f"{folder.parent.name}/{folder.name}"
    if str(SAMPLE_STUDY) in titles:
        titles[str(SAMPLE_STUDY)] = "Sample study"
    return titles


def stands(entry: Entry) -> str:
    """Return how a study stands."""
    return {
        "running": "running …",
        "done": time.strftime("%d %b %Y, %H:%M", time.localtime(entry.job.changed)),
        "failed": "failed",
        "stopped": "stopped",
    }[entry.job.state]


def delete_button(entry: Entry) -> None:
    """Offer to delete a study of ours, after a second word."""
    if session.recall("deleting study") != entry.folder:
        st.button("Delete this study", icon=":material/delete:", type="tertiary",
                  on_click=session.remember, args=("deleting study", entry.folder))  # fmt: skip
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Delete it for good?")
        st.button("Delete", key="delete_study", on_click=delete, args=(entry,))
        st.button(
            "Keep", key="keep_study", on_click=session.remember, args=("deleting study", None)
        )


def delete(entry: Entry) -> None:
    """Callback: delete a study of ours."""
    session.remember("deleting study", None)
    try:
        process.delete(entry.job.place, entry.job.name)
    except IlaError as error:
        session.remember("study trouble", str(error))
        return
    session.change(study="")


def open_path() -> None:
    """Let a study's folder be named."""
    with st.expander("Open a study's folder", icon=":material/folder_open:"):
        st.text_input(
            "Folder that ila study wrote",
            key="study_path",
            placeholder=str(Path.home() / "study"),
            on_change=lambda: session.change(study=session.widget("study_path").strip()),
            help="It must lie under a folder this page was started with: "
            + ", ".join(str(root) for root in folders.roots()),
        )
