"""The inspector: the records behind a click, and the full text of one of them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

import cache
import session
from ila_core.pool.record import Record
from ila_core.selection.selection import Selection
from parts.clicks import line_of
from parts.depth_knobs import name_of, number_of
from parts.notices import empty
from parts.record_card import record_card
from parts.scope import Scope
from parts.texts import count, first_line
from view import View

MOST_LISTED = 100
TABLE = "inspector_records"


def records_panel(view: View, selection: Selection, scope: Scope) -> None:
    """List the records of a scope, and under them the full text of one of them."""
    landscape = selection.landscape
    rows = listed_rows(selection, scope)
    if not len(rows):
        nothing_chosen(scope)
        return
    number_kept = int(selection.mask[rows].sum())
    st.subheader(f"{count(len(rows))} record{'s' * (len(rows) != 1)}, "
                 f"{count(number_kept)} kept", anchor=False)  # fmt: skip
    if landscape.records is None:
        empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    listed = rows[:MOST_LISTED]
    if view.record in rows and view.record not in listed:
        listed = np.append(listed[:-1], view.record)
    if len(rows) > len(listed):
        st.caption(f"The first {count(len(listed))} are listed: {order_of(scope)}. "
                   "Choose a smaller place, or narrow further, to see the others.")  # fmt: skip
    taken = cache.texts(landscape, listed)
    why = cache.reasons(selection, listed)
    row = record_table(view, selection, listed, taken, why)
    at = int(np.flatnonzero(listed == row)[0])
    record_card(landscape, row, taken[at], why[at])


def listed_rows(selection: Selection, scope: Scope) -> np.ndarray:
    """Return the rows of a scope in the order in which they are listed.

    Chosen ones come first, then the deepest, or those that fit a search best; what a search by
    likeness found comes in its own order.
    """
    if scope.ranked is None:
        return in_order(selection, scope.rows)
    if scope.nearest:
        return scope.ranked
    return scope.ranked[np.argsort(~selection.mask[scope.ranked], kind="stable")]


def order_of(scope: Scope) -> str:
    """Say in what order records are listed."""
    if scope.nearest and scope.ranked is not None:
        return "the nearest"
    return f"chosen ones, then {'the deepest' if scope.ranked is None else 'the best matches'}"


def in_order(selection: Selection, rows: np.ndarray) -> np.ndarray:
    """Return rows with chosen ones first in pick order, then the deepest, missing last."""
    place = np.full(len(selection.landscape), np.iinfo(np.int64).max)
    place[selection.rows] = np.arange(len(selection.rows))
    depth = np.nan_to_num(selection.landscape.relative_depth[rows], nan=-1.0)
    return rows[np.lexsort((rows, -depth, place[rows]))]


def nothing_chosen(scope: Scope) -> None:
    if scope.asked:
        empty(f"No record in {scope.why}", "Click another place of the map, or zoom out first.")
        return
    empty(
        "Click the map to read its records",
        "Drag to move, scroll to zoom; box and lasso list a whole region. Without a mouse: the "
        "table opens the same lists.",
    )


def record_table(
    view: View, selection: Selection, rows: np.ndarray, taken: list[Record], why: list[str]
) -> int:
    """List records, one a line, and return the row of the one that is looked at.

    That one stays when a pin or an exclusion puts the lines into another order.
    """
    landscape, focus = selection.landscape, view.record
    start = int(np.flatnonzero(rows == focus)[0]) if focus in rows else 0
    title, nats = number_of(landscape)
    round_of = dict(zip(selection.rows.tolist(), selection.round.tolist(), strict=True))
    frame = pd.DataFrame(
        {
            "": [("●" if row in round_of else "") for row in rows.tolist()],
            "Instruction": [first_line(record.instruction) for record in taken],
            "Depth": 100 * landscape.relative_depth[rows],
            title: nats[rows],
            "Tokens": landscape.tokens[rows],
            "Round": [str(round_of.get(row, "")) for row in rows.tolist()],
            "Why": why,
        }
    )
    key = f"{TABLE}_{hash(tuple(rows.tolist())) & 0xFFFFFFFF:x}"
    st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * max(len(frame), 1), 300),
        on_select=partial(open_record, key, tuple(rows.tolist())),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [start]}},
        key=key,
        column_config={
            "": st.column_config.TextColumn(width=24, help="● kept"),
            "Instruction": st.column_config.TextColumn(width=290),
            "Depth": st.column_config.ProgressColumn(
                format="%.0f%%", min_value=0.0, max_value=100.0, width=92,
                help="Relative depth: rank of the depth within its domain",
            ),
            title: st.column_config.NumberColumn(
                format="%.2f", width=76, help=f"{name_of(landscape)}, nats per token"),
            "Tokens": st.column_config.NumberColumn(format="%d", width=66,
                                                    help="response tokens"),
            "Round": st.column_config.TextColumn(width=60, help="the round that chose it"),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="Records of the chosen place",
    )  # fmt: skip
    return int(rows[start])


def open_record(key: str, rows: tuple[int, ...]) -> None:
    """Callback: read the record of the selected line."""
    line = line_of(session.event_of(key))
    if line is not None and line < len(rows):
        session.change(record=rows[line])
