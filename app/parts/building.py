"""A build while it runs, and what it made."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import cache
from jobs import process
from parts import following
from parts.following import BUILD
from parts.landscapes import show
from parts.notices import empty
from parts.texts import plain


@st.fragment(run_every=1.0)
def progress_panel(folder: Path, *, ours: bool = True) -> None:
    """Show stage, rate and time left; once a second, without touching the rest of the page.

    A build that is not `ours` was started elsewhere: it is followed, but not stopped.
    """
    job = process.look(folder.parent, folder.name)
    if job is None:
        empty("This landscape is gone", "Open a pool to build another.")
        return
    following.follow(job, BUILD)
    if job.state == "running":
        following.running(job, BUILD, ours=ours)
    elif job.state == "done":
        st.success("The landscape is ready.", icon=":material/check_circle:")
        for note in cache.landscape(job.folder).manifest.get("notes", []):
            st.caption(plain(note))
        if st.button("Open it on the map", type="primary", key="open_built"):
            show(str(job.folder))
    else:
        following.ended(job, BUILD, ours=ours)
