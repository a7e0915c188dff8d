"""Files that are uploaded: on disk at once, and no longer in the page's memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

import session
from ila_core.errors import IlaError
from ila_core.pool.sniffing import PACKED, SUFFIXES
from jobs import folders, space
from jobs.uploads import store_upload
from parts.notices import trouble
from parts.texts import plain

TYPES = [suffix.lstrip(".") for suffix in (*SUFFIXES, ".txt", *PACKED)]
"""What the name of an upload may end in; a .txt is known by what it begins with."""


def uploaded(label: str, what: str) -> tuple[Path, ...]:
    """Let files be uploaded, and return where they lie; they stay so on other screens.

    What was stored is shown in place of the uploader, with the way to more and to others: it is
    Streamlit's uploader that keeps all bytes in memory, so it goes as soon as they are on disk.
    `what` tells several uploaders apart.
    """
    kept: tuple[Path, ...] = session.recall("uploaded", (), of=what)
    if kept and all(map(Path.exists, kept)):
        still_chosen(kept, what)
        if not session.recall("adding", False, of=what):
            return kept
    else:
        kept = ()
    turn = session.recall("uploads", 0, of=what)
    key = f"upload_{what}_{turn}"
    files = st.file_uploader(label, type=TYPES, accept_multiple_files=True, key=key)
    if not files:
        return kept
    try:
        with st.spinner("Storing what was uploaded …"):
            space.check(sum(file.size for file in files))
            stored = [store_upload(folders.runs_folder(), file.name, file) for file in files]
    except IlaError as error:
        trouble(error)
        return kept
    session.remember("uploaded", tuple(dict.fromkeys([*kept, *stored])), of=what)
    session.remember("adding", False, of=what)
    session.remember("uploads", turn + 1, of=what)
    session.drop_uploads(key)
    st.rerun()


def still_chosen(kept: Sequence[Path], what: str) -> None:
    """Say which files were uploaded, with the way to more of them and to others."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        names = ", ".join(path.name for path in kept)
        st.markdown(f":material/upload_file: {plain(names)}", width="stretch")
        st.button("Add files", key=f"add_{what}", on_click=add, args=(what,), type="tertiary")
        st.button("Upload another", key=f"another_{what}", on_click=start_over, args=(what,))


def add(what: str) -> None:
    """Callback: further files come to those that are chosen."""
    session.remember("adding", True, of=what)


def start_over(what: str) -> None:
    """Callback: what was chosen is chosen no more."""
    session.remember("uploaded", (), of=what)
    session.remember("adding", False, of=what)
