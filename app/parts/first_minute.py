"""The first minute: ten kept records beside ten left ones, for a visitor who is here first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

import cache
import session
from ila_core.landscape.landscape import Landscape
from ila_core.measure.pairs import Pair, pairs_there
from ila_core.selection.selection import Selection
from jobs import folders
from parts.recipe import words
from parts.texts import counted, first_line, plain, share

SEEN = "first-minute-seen"
"""A file in the runs folder: whoever waved it away is not asked again, after a restart either."""
LETTERS = 180


def first_minute(selection: Selection) -> None:
    """Offer ten kept and ten left records to judge by, in one line, until it is waved away."""
    if selection.landscape.records is None or not wanted():
        return
    number = pairs_there(selection)
    if not number:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="guide"):
        each = "each beside one" if number > 1 else "beside one"
        st.markdown(
            ":material/waving_hand: **First time here?** Judge the selection by "
            f"{counted(number, 'record')} that it keeps, {each} that it leaves.",
            width="stretch",
        )
        if st.button("Show me", key="guide_show"):
            show(selection)
        st.button("", icon=":material/close:", key="guide_close", type="tertiary",
                  on_click=wave_away, help="Do not offer this again")  # fmt: skip


def wanted() -> bool:
    """Whether nobody has waved it away, in this session or before on this machine."""
    return not (session.recall("guide") or (folders.runs_folder() / SEEN).exists())


def wave_away() -> None:
    """Callback: it is not offered again."""
    session.remember("guide", True)
    runs: Path = folders.runs_folder()
    try:
        runs.mkdir(parents=True, exist_ok=True)
        (runs / SEEN).touch()
    except OSError:
        pass  # a folder that cannot be written: it is offered again by the next page


@st.dialog("Kept, and left beside it", width="large", icon=":material/balance:")
def show(selection: Selection) -> None:
    """Show the pairs: what is kept and left, why, and what to turn if one does not agree."""
    landscape, pairs = selection.landscape, cache.pairs(selection)
    st.markdown(
        f"This selection keeps {share(len(selection) / len(landscape))} of "
        f"{counted(len(landscape), 'record')} by {plain(words(selection))}. Each line is a kept "
        "record and the nearest one on the map that is left. Would you have chosen so?"
    )
    with st.expander("Why these?", icon=":material/help:"):
        st.markdown(
            "The map is cut into patches, and each gives the record at the depth target: one "
            "that there is much to learn from, but not the outlier. So what is left is mostly "
            "what is near to something kept. The pairs are spread over the map as the picks are; "
            "none was chosen to please."
            if selection.cut is not None
            else "The rule of this method decided, not the map: the sentence under each record "
            "says why. The pairs are spread over the map as the picks are."
        )
    heads = st.columns(2, gap="medium")
    heads[0].markdown(":green[:material/check:] **Kept**")
    heads[1].markdown(":gray[:material/remove:] **Left beside it**")
    for pair in pairs:
        pair_line(selection, landscape, pair)
    st.caption(
        "Where you do not agree, turn the depth target or the budget beside the map; click any "
        "place on the map to read more of its records; pin or exclude single ones."
    )
    with st.container(horizontal=True):
        if st.button("To the export", type="primary", icon=":material/download:"):
            wave_away()
            st.switch_page("screens/export.py")
        if st.button("Done, do not offer this again"):
            wave_away()
            st.rerun()


def pair_line(selection: Selection, landscape: Landscape, pair: Pair) -> None:
    """Draw a kept record and a left one, side by side."""
    records = cache.texts(landscape, np.array(pair))
    with st.container(border=True):
        for slot, row, record in zip(st.columns(2, gap="medium"), pair, records, strict=True):
            with slot:
                st.markdown(plain(first_line(record.instruction, LETTERS)))
                if record.response:
                    st.caption(f"→ {plain(first_line(record.response, LETTERS))}")
                depth = share(landscape.relative_depth[row], 0)
                st.caption(f"Relative depth {depth}. {plain(selection.why(row).sentence)}")
