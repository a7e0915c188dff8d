"""The records that only one of two methods keeps, and what each of the two says to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

import cache
import session
from ila_core.landscape.landscape import Landscape
from ila_core.selection.selection import Selection
from parts import terms
from parts.clicks import line_of
from parts.notices import empty
from parts.record_card import facts, record_text
from parts.texts import count, first_line, plain

MOST_LISTED = 100
LONG_TEXT = 1_200
"""Characters from which on a record's text scrolls in a box of its own."""


@dataclass(frozen=True, eq=False)
class Two:
    """Two methods and what each of them selects."""

    names: tuple[str, str]
    selections: tuple[Selection, Selection]

    @property
    def landscape(self) -> Landscape:
        return self.selections[0].landscape

    @property
    def only(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows that the first keeps and the second leaves, and the reverse, in pick order."""
        one, other = self.selections
        return one.rows[~other.mask[one.rows]], other.rows[~one.mask[other.rows]]


def lists(landscape: Landscape, two: Two, only: tuple[np.ndarray, np.ndarray], cells: int) -> None:
    """List what only one and what only the other keeps; one record of them stands below.

    `cells` is the number of chosen cells that `only` was narrowed to, 0 for the whole map.
    """
    if landscape.records is None:
        empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    where = f" in {cells} chosen cell{'s' * (cells != 1)}" if cells else ""
    for slot, name, rows in zip(st.columns(2, gap="medium"), two.names, only, strict=True):
        with slot:
            st.markdown(f"**Only {name}{where}: {count(len(rows))}**")
            record_list(landscape, name, rows)
    if not cells:
        st.caption("In the order of the picks. Click a cell of the map to list that place alone; "
                   "a double click there lists all again.")  # fmt: skip
    shown = [row for part in only for row in part[:MOST_LISTED].tolist()]
    if shown:
        seen = session.recall("compared record")
        card(landscape, two, seen if seen in shown else shown[0])


def record_list(landscape: Landscape, name: str, rows: np.ndarray) -> None:
    """List records, one a line; a selected line opens below."""
    if not len(rows):
        st.caption("None.")
        return
    listed = rows[:MOST_LISTED]
    frame = pd.DataFrame(
        {
            "Depth": 100 * landscape.relative_depth[listed],
            "Tokens": landscape.tokens[listed],
            "Instruction": [first_line(text) for text in cache.beginnings(landscape, listed)],
        }
    )
    key = f"only_{name}_{hash(tuple(listed.tolist())) & 0xFFFFFFFF:x}"
    st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * len(frame), 330),
        on_select=partial(look_at, key, tuple(listed.tolist())),
        selection_mode="single-row",
        key=key,
        column_config={
            "Instruction": st.column_config.TextColumn(width=320),
            "Depth": st.column_config.NumberColumn(
                format="%.1f%%", width=66,
                help=terms.RELATIVE_DEPTH,
            ),
            "Tokens": st.column_config.NumberColumn(format="%d", width=66,
                                                    help="response tokens"),
        },
        alt=f"Records that only {name} keeps",
    )  # fmt: skip
    if len(rows) > len(listed):
        st.caption(f"The first {count(len(listed))} of {count(len(rows))}.")


def look_at(key: str, rows: tuple[int, ...]) -> None:
    """Callback: remember the record of the selected line."""
    line = line_of(session.event_of(key))
    if line is not None and line < len(rows):
        session.remember("compared record", rows[line])


def card(landscape: Landscape, two: Two, row: int) -> None:
    """Show one record: what each of the two says to it, its numbers, its text."""
    record = cache.texts(landscape, np.array([row]))[0]
    with st.container(border=True, key="record"):
        for name, selection in zip(two.names, two.selections, strict=True):
            st.markdown(f"**{name}** · {plain(selection.why(row).sentence)}")
        st.caption(plain(facts(landscape, row, record)))
        long = sum(len(turn.text) for turn in record.turns) > LONG_TEXT
        with st.container(height=380 if long else "content", border=False):
            record_text(record)
