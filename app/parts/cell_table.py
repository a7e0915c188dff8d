"""The map as a table: one line a cell, sortable, and each opens its records."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import cache
import session
from ila_core.landscape.cells import Cells, Kept, Leading
from ila_core.landscape.landscape import Landscape
from parts.clicks import line_of
from parts.texts import count, csv_bytes
from view import View


def cells_panel(view: View, landscape: Landscape, cells: Cells, kept: Kept) -> None:
    """Show the map as a table: one line a cell, sortable, downloadable, each opens its records."""
    frame = cell_table(cells, kept, cache.leading(landscape, cells))
    st.caption(
        f"{count(len(frame))} occupied cells of the map as drawn. Click a column to sort; select a "
        "line to open its records."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button("Download CSV", lambda: csv_bytes(frame), file_name="patches.csv",
                           mime="text/csv", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
    key = f"patches_{hash((view.box, view.cells)) & 0xFFFFFF:x}"
    st.dataframe(
        frame,
        hide_index=True,
        height=460,
        on_select=lambda: open_line(key, cells),
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


def cell_table(cells: Cells, kept: Kept, leading: Leading) -> pd.DataFrame:
    """Return one line a cell, with the name of the domain that leads it."""
    return pd.DataFrame(
        {
            "Cell": cells.number,
            "Region": [leading.names[domain] for domain in leading.domain.tolist()],
            "Records": cells.count,
            "Kept": kept.records,
            "Patches kept": kept.share,
            "Mean relative depth": cells.mean,
            "Best relative depth": cells.best,
        }
    )


def open_line(key: str, cells: Cells) -> None:
    """Callback: choose the place of the selected line's cell."""
    line = line_of(session.event_of(key))
    if line is not None:
        session.change(region=cells.frame.box_of(int(cells.number[line])), record=None)
        session.remember("panel", "records")
