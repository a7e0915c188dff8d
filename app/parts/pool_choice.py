"""A pool that is uploaded or named."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import session
from ila_core.errors import IlaError
from jobs import folders
from jobs.uploads import store_upload
from parts.landscapes import show
from parts.notices import trouble
from parts.switch import switch

POOL_TYPES = ["jsonl", "json", "csv", "tsv", "parquet", "gz", "zst", "txt"]
WAYS = {"upload": "Upload", "path": "A path on this machine"}


def choose_pool(runs: Path) -> Path | None:
    """Let a pool be uploaded or named; None until there is one."""
    st.subheader("Open a pool", anchor=False)
    given = folders.opened_with()
    start = "path" if given is not None and not folders.is_run(given) else "upload"
    way = switch("way", "From", WAYS, start=start)
    return uploaded(runs) if way == "upload" else named(given if start == "path" else None)


def uploaded(runs: Path) -> Path | None:
    file = st.file_uploader(
        "JSONL, JSON, CSV or Parquet, also compressed (.gz, .zst)",
        type=POOL_TYPES,
        key="upload",
    )
    if file is None:
        st.caption("For more than a few hundred megabytes a path is quicker: nothing is copied.")
        return None
    stored = session.recall("uploaded")
    if stored is None or stored[0] != file.file_id or not stored[1].exists():
        try:
            with st.spinner("Storing the file …"):
                path = store_upload(runs, file.name, file)
        except IlaError as error:
            trouble(error)
            return None
        stored = file.file_id, path
        session.remember("uploaded", stored)
    return stored[1]


def named(given: Path | None) -> Path | None:
    text = st.text_input(
        "Path",
        value=session.recall("path", str(given) if given else ""),
        placeholder=str(Path.home() / "pool.jsonl"),
        key="path",
        help="One file. It must lie under a folder this page was started with: "
        + ", ".join(str(root) for root in folders.roots()),
    )
    session.remember("path", text)
    if not text.strip():
        return None
    try:
        path = folders.allowed(text)
    except IlaError as error:
        trouble(error)
        return None
    if folders.is_run(path):
        st.info("This folder is a finished landscape.", icon=":material/map:")
        if st.button("Open it on the map", type="primary"):
            show(str(path))
        return None
    if path.is_dir():
        trouble(IlaError(f"{path} is a folder, but no landscape; name a pool's file."))
        return None
    return path
