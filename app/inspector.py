"""The inspector: the records behind a click, and the table of patches in place of the map."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import streamlit as st

import cache
import state
import widgets
from cache import Ask
from cells import Cells, Kept
from ila_core.landscape.landscape import Landscape
from ila_core.pool.records import Record
from ila_core.selection.selection import Selection
from widgets import count, decimal, plain, share

MOST_LISTED = 100
TABLE, PATCHES = "inspector_records", "inspector_patches"


def records_panel(
    view: state.View,
    landscape: Landscape,
    selection: Selection,
    ask: Ask,
    cells: Cells,
    kept: Kept,
) -> None:
    """List the records of the chosen cells beside the full text of one of them."""
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
        widgets.empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    listed = rows[:MOST_LISTED]
    if len(rows) > len(listed):
        st.caption(f"The first {count(len(listed))} are listed: chosen ones, then the deepest. "
                   "Zoom in, or choose fewer cells, to see the others.")  # fmt: skip
    taken = landscape.records.take(listed)
    why = cache.reasons(selection, ask, listed)
    left, right = st.columns([1.55, 1], gap="medium")
    with left:
        row = record_table(landscape, selection, listed, taken, why)
    with right:
        at = int(np.flatnonzero(listed == row)[0])
        record_card(landscape, selection, row, taken[at], why[at])


def in_order(selection: Selection, rows: np.ndarray) -> np.ndarray:
    """Return rows with chosen ones first in pick order, then the deepest, missing last."""
    place = np.full(len(selection.landscape), np.iinfo(np.int64).max)
    place[selection.rows] = np.arange(len(selection.rows))
    depth = np.nan_to_num(selection.landscape.relative_depth[rows], nan=-1.0)
    return rows[np.lexsort((rows, -depth, place[rows]))]


def nothing_chosen(view: state.View, cells: Cells) -> None:
    if view.patch:
        title = "No records in the cells of this link"
        todo = "The map has changed since. Click a cell to see its records."
    else:
        title = "Click a cell to read its records"
        todo = (
            "Choose Box or Lasso above the map to list a whole region. Without a mouse: the table "
            "of patches opens the same lists."
        )
    widgets.empty(title, todo)


def record_table(
    landscape: Landscape,
    selection: Selection,
    rows: np.ndarray,
    taken: list[Record],
    why: list[str],
) -> int:
    """List records, one a line, and return the row of the one that is looked at.

    That one stays when a pin or an exclusion puts the lines into another order.
    """
    focus = state.recall("focus")
    start = int(np.flatnonzero(rows == focus)[0]) if focus in rows else 0
    round_of = dict(zip(selection.rows.tolist(), selection.round.tolist(), strict=True))
    frame = pd.DataFrame(
        {
            "": [("●" if row in round_of else "") for row in rows.tolist()],
            "Instruction": [widgets.first_line(record.instruction) for record in taken],
            "Depth": 100 * landscape.relative_depth[rows],
            "Loss": landscape.loss[rows],
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
            "Loss": st.column_config.NumberColumn(format="%.2f", width=60, help="nats per token"),
            "Tokens": st.column_config.NumberColumn(format="%d", width=66,
                                                    help="response tokens"),
            "Round": st.column_config.TextColumn(width=60, help="the round that chose it"),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="Records of the chosen cells",
    )  # fmt: skip
    picked = event.selection.rows
    row = int(rows[picked[0] if picked and picked[0] < len(rows) else start])
    state.remember("focus", row)
    return row


def record_card(
    landscape: Landscape, selection: Selection, row: int, record: Record, why: str
) -> None:
    """Show one record: why it was kept or left, its numbers, its text, and the hand's word."""
    with st.container(border=True):
        st.markdown(f"**{plain(why)}**")
        st.caption(plain(facts(landscape, row, record)))
        lock_buttons(row)
        with st.container(height=330, border=False):
            widgets.record_text(record)


def facts(landscape: Landscape, row: int, record: Record) -> str:
    """Return a record's numbers and labels in one line."""
    labels = landscape.labels_of([row])[0] or record.labels
    parts = [
        f"row {row}",
        f"relative depth {share(float(landscape.relative_depth[row]))}",
        f"loss {decimal(float(landscape.loss[row]))} nats per token",
        f"{count(np.nan_to_num(landscape.tokens[row]))} response tokens",
        landscape.domain_names[landscape.domain[row]] if landscape.domain_names else "",
        f"labels {', '.join(labels)}" if labels else "",
        f"from {record.source}" if record.source else "",
    ]
    return " · ".join(part for part in parts if part)


def lock_buttons(row: int) -> None:
    """Offer to pin or exclude a record, and to take that back."""
    word = next((entry.action for entry in state.locks() if entry.row == row), None)
    with st.container(horizontal=True, gap="small"):
        st.button("Pin", icon=":material/keep:", on_click=state.lock, args=("pin", row),
                  disabled=word == "pin", help="Keep it whatever the rule says")  # fmt: skip
        st.button("Exclude", icon=":material/block:", on_click=state.lock, args=("exclude", row),
                  disabled=word == "exclude", help="Never choose this record")  # fmt: skip
        if word is not None:
            st.button("Undo", icon=":material/undo:", on_click=state.unlock, args=(row,))


# -- the table of patches -------------------------------------------------------------------------


def patches_panel(view: state.View, landscape: Landscape, cells: Cells, kept: Kept) -> None:
    """Show the map as a table: one line a cell, sortable, downloadable, each opens its records."""
    frame = patch_table(landscape, cells, kept)
    note, download = st.columns([3, 1], vertical_alignment="center")
    note.caption(
        f"{count(len(frame))} occupied cells of the map as drawn. Click a column to sort; select a "
        "line to open its records."
    )
    with download.container(horizontal_alignment="right"):
        st.download_button("Download CSV", lambda: csv_of(frame), file_name="patches.csv",
                           mime="text/csv", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
    key = f"{PATCHES}_{hash((view.box, view.cells)) & 0xFFFFFF:x}"
    st.dataframe(
        frame,
        hide_index=True,
        height=460,
        on_select=lambda: open_line(key, cells.number),
        selection_mode="single-row",
        key=key,
        column_config={
            "Mean relative depth": st.column_config.NumberColumn(format="percent"),
            "Best relative depth": st.column_config.NumberColumn(format="percent"),
            "Patches kept": st.column_config.ProgressColumn(
                format="percent", min_value=0.0, max_value=1.0
            ),
        },
        alt="Occupied cells of the map with their records, depth and what is kept",
    )


def patch_table(landscape: Landscape, cells: Cells, kept: Kept) -> pd.DataFrame:
    """Return one line a cell, with the name of the domain that most of its records have."""
    return pd.DataFrame(
        {
            "Cell": cells.number,
            "Region": common_domain(landscape, cells),
            "Records": cells.count,
            "Kept": kept.records,
            "Patches kept": kept.share,
            "Mean relative depth": cells.mean,
            "Best relative depth": cells.best,
        }
    )


def common_domain(landscape: Landscape, cells: Cells) -> list[str]:
    """Return the name of the domain that most records of each cell have."""
    inside = np.flatnonzero((cells.member >= 0) & (landscape.domain >= 0))
    if not len(inside) or not landscape.domain_names:
        return [""] * len(cells)
    pairs, counts = np.unique(
        np.stack([cells.member[inside], landscape.domain[inside]]), axis=1, return_counts=True
    )
    order = np.lexsort((counts, pairs[0]))
    last = np.append(np.diff(pairs[0][order]) > 0, True)
    names = [""] * len(cells)
    for cell, domain in pairs[:, order[last]].T.tolist():
        names[cell] = landscape.domain_names[domain]
    return names


def open_line(key: str, numbers: np.ndarray) -> None:
    """Callback: choose the cell of the selected line."""
    lines = state.chart_event(key).get("selection", {}).get("rows", [])
    if lines:
        state.change(patch=(int(numbers[lines[0]]),))
        state.remember("panel", "records")


def csv_of(frame: pd.DataFrame) -> bytes:
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    return buffer.getvalue().encode("utf-8")
