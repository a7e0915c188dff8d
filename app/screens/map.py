"""The Map screen: the landscape, the knobs of the selection, and the records behind a click."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
import session
from ila_core.landscape.cells import Cells, Kept, frame
from ila_core.landscape.landscape import Landscape
from ila_core.selection.selection import Selection
from parts import facets, knobs, my_selection
from parts.cell_table import cells_panel
from parts.inspector import records_panel
from parts.map_panel import map_chart, shows, toolbar
from parts.opening import opened, title_of
from parts.reach import reach
from parts.switch import switch
from parts.texts import count, plain
from view import View


def page() -> None:
    landscape = opened()
    if landscape is None:
        return
    with st.sidebar:
        selection = knobs.draw(session.view(), landscape)
        my_selection.panel(landscape, selection)
    view = session.view()
    headline(view, landscape, selection)
    if selection is None:
        return
    reach(selection)
    landscape = selection.landscape  # with the kind of depth that is asked for
    drawn = frame(landscape, selection.shown_cut, side=view.cells, window=view.box)
    cells = cache.drawn(landscape, drawn)
    kept = cache.kept(cells, selection)
    left, right = st.columns([2.9, 1], gap="medium")
    with left:
        toolbar(view, drawn)
        map_chart(view, selection, cells, kept)
    with right:
        facets.growth(selection)
        facets.histograms(selection)
    panels(view, selection, cells, kept)


def headline(view: View, landscape: Landscape, selection: Selection | None) -> None:
    """Say in one sentence what the map shows; the ways in and out stand above it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(title_of(landscape)), anchor=False, width="stretch")
        if st.button("Open a pool", icon=":material/folder_open:"):
            st.switch_page("screens/data.py")
        if selection is not None and st.button(
            f"Export {count(len(selection.rows))}", type="primary", icon=":material/download:"
        ):
            st.switch_page("screens/export.py")
    keeps = "" if selection is None else f"; {count(len(selection.rows))} are kept"
    st.markdown(
        f"{count(len(landscape))} records, near each other where their instructions are alike: "
        f"{shows(view.layer, landscape if selection is None else selection.landscape)}{keeps}."
    )


def panels(view: View, selection: Selection, cells: Cells, kept: Kept) -> None:
    """Draw the inspector, and beside it the table of patches."""
    names = {"records": "Records", "patches": "Table of patches"}
    if switch("panel", "Below the map", names) == "records":
        if view.patch:
            records_panel(view, selection, cells.rows_of(view.patch), where="of this place")
        else:
            records_panel(view, selection, np.arange(len(selection.landscape)))
    else:
        cells_panel(view, selection.landscape, cells, kept)


page()
