"""The inspector: the records behind a click, and the full text of one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

import cache
import session
from ila_core.landscape.cells import Cells, Kept
from ila_core.pool.record import Record
from ila_core.selection.selection import Selection
from parts.depth_knobs import name_of, number_of
from parts.notices import empty
from parts.record_card import record_card
from parts.texts import count, first_line
from view import View

MOST_LISTED = 100
TABLE = "inspector_records"


def records_panel(view: View, selection: Selection, cells: Cells, kept: Kept) -> None:
    """List the records of the chosen cells beside the full text of one of them."""
    landscape = selection.landscape
    rows = in_order(selection, cells.rows_of(view.patch))
    if not len(rows):
        nothing_chosen(view, cells)
        return
    chosen = np.isin(cells.number, view.patch)
    kind = "patch" if cells.frame.patches else "cell"
    where = f"{kind.capitalize()} {view.patch[0]}" if len(view.patch) == 1 else (
        f"{count(chosen.sum())} {kind}{'es' if kind == 'patch' else 's'}"
    )  # fmt: skip
    number_kept = int(kept.records[chosen].sum())
    st.subheader(f"{where}: {count(len(rows))} record{'s' * (len(rows) != 1)}, "
                 f"{count(number_kept)} kept", anchor=False)  # fmt: skip
    if landscape.records is None:
        empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    listed = rows[:MOST_LISTED]
    if len(rows) > len(listed):
        st.caption(f"The first {count(len(listed))} are listed: chosen ones, then the deepest. "
                   "Zoom in, or choose fewer cells, to see the others.")  # fmt: skip
    taken = cache.texts(landscape, listed)
    why = cache.reasons(selection, listed)
    left, right = st.columns([1.55, 1], gap="medium")
    with left:
        row = record_table(selection, listed, taken, why)
    with right:
        at = int(np.flatnonzero(listed == row)[0])
        record_card(landscape, row, taken[at], why[at])


def in_order(selection: Selection, rows: np.ndarray) -> np.ndarray:
    """Return rows with chosen ones first in pick order, then the deepest, missing last."""
    place = np.full(len(selection.landscape), np.iinfo(np.int64).max)
    place[selection.rows] = np.arange(len(selection.rows))
    depth = np.nan_to_num(selection.landscape.relative_depth[rows], nan=-1.0)
    return rows[np.lexsort((rows, -depth, place[rows]))]


def nothing_chosen(view: View, cells: Cells) -> None:
    if view.patch:
        title = "No records in the cells of this link"
        todo = "The map has changed since. Click a cell to see its records."
    else:
        title = "Click a cell to read its records"
        todo = (
            "Choose Box or Lasso above the map to list a whole region. Without a mouse: the table "
            "of patches opens the same lists."
        )
    empty(title, todo)


def record_table(
    selection: Selection, rows: np.ndarray, taken: list[Record], why: list[str]
) -> int:
    """List records, one a line, and return the row of the one that is looked at.

    That one stays when a pin or an exclusion puts the lines into another order.
    """
    landscape, focus = selection.landscape, session.recall("focus")
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
    event = st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * max(len(frame), 1), 460),
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [start]}},
        key=f"{TABLE}_{hash(tuple(rows.tolist())) & 0xFFFFFFFF:x}",
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
        alt="Records of the chosen cells",
    )  # fmt: skip
    picked = event.selection.rows
    row = int(rows[picked[0] if picked and picked[0] < len(rows) else start])
    session.remember("focus", row)
    return row
