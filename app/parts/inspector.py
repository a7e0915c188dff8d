"""The inspector: the records of a place, page by page, and the full text of one of them."""

from __future__ import annotations

import zlib

import numpy as np
import streamlit as st

import cache
import hand
import session
from ila_core.landscape.landscape import Landscape
from ila_core.pool.record import Record
from ila_core.selection.selection import Selection
from parts.notices import empty
from parts.record_card import record_card
from parts.record_list import Line, Word, record_list
from parts.scope import Scope
from parts.texts import count, first_line
from view import View

PAGE = 25
"""Records of a page: what a reader looks through before moving on."""
MOST_DOWNLOADED = 200_000
"""Records that are sent to a browser at once."""
LIST = "records"


def records_panel(view: View, selection: Selection, found: Scope) -> None:
    """List the records that are looked at a page at a time, chosen ones first, and show one.

    All of the pool where nothing is asked for.
    """
    landscape = selection.landscape
    if landscape.records is None:
        empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    rows, where = found.rows, f"in {found.why}" if found.asked else ""
    if not found.asked:
        rows = np.arange(len(landscape))
    if not len(rows):
        empty(f"No record {where}", "Choose another place on the map, or take a filter away.")
        return
    order = still_order(view, selection, rows)
    at = place_of(order, view.record)
    headline(selection, rows, where)
    pages(order, at)
    listed = order[at // PAGE * PAGE :][:PAGE]
    taken = cache.texts(landscape, listed)
    row = int(order[at])
    record_list(
        lines(selection, listed, taken),
        row,
        label=f"Records {where}".strip(),
        key=LIST,
        look_at=look_at,
    )
    walk(order, at)
    why = selection.why(row).sentence
    record_card(landscape, row, taken[at % PAGE], why)
    whole(landscape, order, where)


# -- which records, in which order ----------------------------------------------------------------


def in_order(selection: Selection, rows: np.ndarray) -> np.ndarray:
    """Return rows with chosen ones first in pick order, then the deepest, missing last."""
    wanted = np.zeros(len(selection.landscape), dtype=bool)
    wanted[rows] = True
    kept = selection.rows[wanted[selection.rows]]
    wanted[selection.rows] = False
    order = selection.landscape.order
    return np.concatenate([kept, order[wanted[order]]])


def still_order(view: View, selection: Selection, rows: np.ndarray) -> np.ndarray:
    """Return rows in their order, which stands still while records are pinned and excluded.

    Who goes through a list with the keys meets every record of it once.
    """
    content = (view.landscape, view.spec, len(rows), zlib.crc32(np.ascontiguousarray(rows)))
    noted = session.recall("listed")
    if noted is None or noted[0] != content:
        noted = (content, in_order(selection, rows))
        session.remember("listed", noted)
    return noted[1]


def place_of(order: np.ndarray, row: int | None) -> int:
    """Return where a row stands, 0 where it is none of them.

    >>> place_of(np.array([7, 3, 5]), 5), place_of(np.array([7, 3, 5]), None)
    (2, 0)
    """
    found = np.flatnonzero(order == row) if row is not None else ()
    return int(found[0]) if len(found) else 0


def look_at(row: int) -> None:
    """Callback: show this record."""
    session.change(record=row)


# -- what is drawn --------------------------------------------------------------------------------


def headline(selection: Selection, rows: np.ndarray, where: str) -> None:
    """Say how many records there are, and how many of them are kept."""
    kept = int(selection.mask[rows].sum())
    s = "s" * (len(rows) != 1)
    all_of = "All " * (not where and len(rows) > 1)
    st.markdown(f"**{all_of}{count(len(rows))} record{s}, {count(kept)} kept**")
    st.caption(f"{where[:1].upper()}{where[1:]}." if where else "Click the map to read a place.")


def pages(order: np.ndarray, at: int) -> None:
    """Say which page is shown, and offer the one before and the one after."""
    last = (len(order) - 1) // PAGE
    if not last:
        return
    page = at // PAGE
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        first, end = page * PAGE + 1, min((page + 1) * PAGE, len(order))
        st.caption(f"{count(first)} to {count(end)}: chosen ones first, then the deepest",
                   width="stretch")  # fmt: skip
        for label, icon, other, there in (
            ("Page before", ":material/chevron_left:", page - 1, page > 0),
            ("Next page", ":material/chevron_right:", page + 1, page < last),
        ):
            row = int(order[other * PAGE]) if there else 0
            st.button(label, icon=icon, disabled=not there, type="tertiary", on_click=look_at,
                      args=(row,))  # fmt: skip


def lines(selection: Selection, rows: np.ndarray, taken: list[Record]) -> list[Line]:
    """Return what the list says of records."""
    landscape, mine = selection.landscape, session.mine()
    pinned, excluded = set(mine.pinned), set(mine.excluded)
    round_of = {}
    if selection.cut is not None:
        inside = np.flatnonzero(np.isin(selection.rows, rows))
        round_of = dict(zip(selection.rows[inside].tolist(), selection.round[inside].tolist(),
                            strict=True))  # fmt: skip
    found = []
    for row, record in zip(rows.tolist(), taken, strict=True):
        depth = float(landscape.relative_depth[row])
        word: Word = "pinned" if row in pinned else "excluded" if row in excluded else ""
        tokens = int(np.nan_to_num(landscape.tokens[row]))
        found.append(
            Line(
                row,
                first_line(record.instruction) or "(no instruction)",
                bool(selection.mask[row]),
                None if np.isnan(depth) else round(depth, 4),
                f"{count(tokens)} token{'s' * (tokens != 1)}",
                f"round {round_of[row]}" if row in round_of and not word else "",
                word,
            )
        )
    return found


def walk(order: np.ndarray, at: int) -> None:
    """Offer the record before and the one after, and what a hand can say, by button and key."""
    row = int(order[at])
    mine, steps = session.mine(), hand.now().steps
    with st.container(horizontal=True, gap="small"):
        for label, key, to in (("Previous", "K", at - 1), ("Next", "J", at + 1)):
            there = 0 <= to < len(order)
            st.button(label, shortcut=key, disabled=not there, on_click=look_at,
                      args=(int(order[to]) if there else row,))  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        pinned, excluded = row in mine.pinned, row in mine.excluded
        st.button(
            "Unpin" if pinned else "Pin", icon=":material/keep:", shortcut="P",
            on_click=hand.release if pinned else hand.pin, args=([row],),
            help="Keep it whatever the rule says",
        )  # fmt: skip
        st.button(
            "Allow" if excluded else "Exclude", icon=":material/block:", shortcut="X",
            on_click=hand.release if excluded else hand.exclude, args=([row],),
            help="Never choose this record",
        )  # fmt: skip
        st.button(
            "Undo", icon=":material/undo:", shortcut="U", disabled=not steps, on_click=hand.undo,
            help=f"Take back: {steps[-1].did}" if steps else "Nothing to take back",
        )  # fmt: skip


def whole(landscape: Landscape, order: np.ndarray, where: str) -> None:
    """Offer to keep or drop all that are listed, and to download them."""
    n = len(order)
    with st.container(horizontal=True, gap="small"):
        if where:
            every = f"{count(n)} record{'s' * (n != 1)}"
            with st.popover("All of them", icon=":material/select_all:"):
                st.caption(f"A word on all {every} {where} at once; Undo takes it back.")
                st.button(f"Keep all {count(n)}", on_click=hand.pin, args=(order,),
                          key="keep_region")  # fmt: skip
                st.button(f"Drop all {count(n)}", on_click=hand.exclude, args=(order,),
                          key="drop_region")  # fmt: skip
                st.button("Free them", on_click=hand.release, args=(order,), key="free_region",
                          help="Take back every word on them")  # fmt: skip
        part = order[:MOST_DOWNLOADED]
        st.download_button(
            f"Download {count(len(part))}",
            lambda: originals(landscape, part),
            file_name="records.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            on_click="ignore",
            help="The original records, in the order of the list, one a line"
            + ("" if len(part) == n else f"; the first {count(len(part))} of {count(n)}"),
        )


def originals(landscape: Landscape, rows: np.ndarray) -> bytes:
    """Return the original records of rows as JSON lines, in their order."""
    assert landscape.records is not None
    taken = landscape.records.take_originals(rows)
    return b"".join(f"{text}\n".encode() for text in taken)
