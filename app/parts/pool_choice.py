"""A pool that is uploaded or named, and which part of it is read."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import cache_files
import session
from ila_core.errors import IlaError
from ila_core.pool.sniffing import PACKED, WORDS
from ila_core.pool.splits import Splits
from jobs import builds, folders, pools
from jobs.pools import Pool
from parts import reading
from parts.building import progress_panel
from parts.landscapes import show
from parts.notices import trouble
from parts.switch import switch
from parts.uploading import uploaded

WAYS = {"upload": "Upload", "path": "A path on this machine"}


def choose_pool() -> Pool | None:
    """Let a pool be uploaded or named; None until there is one."""
    st.subheader("Open a pool", anchor=False)
    given = folders.opened_with()
    start = "path" if given is not None and not folders.is_run(given) else "upload"
    if session.recall("way") is None:  # a build that ends makes a landscape of what was given:
        session.remember("way", start)  # the way, and what was typed, stay as they are
    way = switch("way", "From", WAYS)
    return upload() if way == "upload" else named(given if start == "path" else None)


def upload() -> Pool | None:
    """Let files be uploaded: several are one pool."""
    *most, last = WORDS.values()
    files = uploaded(
        f"{', '.join(most)} or {last}, also packed ({', '.join(PACKED)}); several are one pool",
        "pool",
    )
    if files:
        return Pool(tuple(map(str, files)))
    st.caption("For more than a few hundred megabytes a path is quicker: nothing is copied.")
    return None


def named(given: Path | None) -> Pool | None:
    text = st.text_input(
        "Path",
        value=session.recall("path", str(given) if given else ""),
        placeholder=str(Path.home() / "pool.jsonl"),
        key="path",
        help="A file, a folder that holds a pool, or a pattern for several files, such as "
        "pool/*.jsonl. It must lie under a folder this page was started with: "
        + ", ".join(str(root) for root in folders.roots()),
    )
    session.remember("path", text)
    if not text.strip():
        return None
    try:
        pool = pools.named(text)
    except IlaError as error:
        trouble(error)
        return None
    begun = builds.unfinished(pool.folder) if pool.folder is not None else None
    if begun is not None:
        stands = "is being built" if begun.state == "running" else "has not been built to its end"
        st.info(f"A landscape {stands} in this folder.", icon=":material/hourglass_top:")
        progress_panel(begun.folder, ours=False)
        return None
    if pool.folder is not None and folders.is_run(pool.folder):
        st.info("This folder is a finished landscape.", icon=":material/map:")
        if st.button("Open it on the map", type="primary"):
            show(str(pool.folder))
        return None
    return pool


def choose_files(pool: Pool) -> tuple[Path, ...] | None:
    """Let one of several splits, lists or sheets be chosen; return the files that are read.

    None while one has to be chosen, and where there is nothing to read.
    """
    how, splits = reading.how_to_read(pool), splits_of(pool)
    if splits.several:
        now = how.split if how.split in splits.names else splits.start
        st.selectbox(
            splits.what.capitalize(),
            splits.names,
            index=splits.names.index(now) if now else None,
            placeholder="Choose the one to open",
            key=f"split_{pool}",
            on_change=split_chosen,
            args=(pool, splits.start),
            width=320,
        )
        if not now:
            st.caption(f"There are several {splits.what}s, and none is plainly the training part.")
            return None
    try:
        return pool.files(how.split)
    except IlaError as error:
        trouble(error)
        return None


def splits_of(pool: Pool) -> Splits:
    """Return what a pool is one of several of; none where it is no pool, which is told later."""
    try:
        with st.spinner("Looking into the pool …"):
            if pool.folder is not None:
                splits = Splits.of_folder(pool.folder)
                if splits.names:
                    return splits
            return cache_files.splits(pool.files()[0])
    except IlaError:
        return Splits()


def split_chosen(pool: Pool, start: str) -> None:
    """Callback: another split is read; the usual one needs no name."""
    name = session.widget(f"split_{pool}")
    reading.change(pool, split="" if name in (start, None) else name)
