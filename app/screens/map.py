"""The Map screen: the landscape, the knobs of the selection, and the records of a place."""

from __future__ import annotations

import streamlit as st

import session
from ila_core.landscape.landscape import Landscape
from ila_core.selection.selection import Selection
from parts import clean, facets, knobs, my_selection
from parts.cell_table import cells_panel
from parts.filters import filter_row
from parts.first_minute import first_minute
from parts.inspector import records_panel
from parts.map_panel import drawn, map_panel
from parts.opening import opened, title_of
from parts.reach import measured, reach
from parts.scope import Scope, scope
from parts.search import search_box
from parts.selecting import instead
from parts.switch import switch
from parts.texts import count, counted, plain
from view import View

PANELS = {"records": "Records", "facets": "Facets", "budget": "Budget", "table": "Table"}
"""What stands beside the map."""


def page() -> None:
    landscape = opened()
    if landscape is None:
        return
    with st.sidebar:
        selection = knobs.draw(session.view(), landscape)
        my_selection.panel(landscape, selection)
        clean.panel(landscape)
    view = session.view()
    headline(view, landscape, selection)
    if selection is None:
        instead(landscape)
        return
    my_selection.cut_short(selection)
    complete = reach(selection)
    with st.container(key="map_and_panel"):
        left, right = st.columns([1.63, 1], gap="medium")
    with left:
        search_box(view, landscape)
        looked = scope(session.view(), selection)
        filter_row(session.view(), looked)
        map_panel(selection)
        measured(selection)
    with right:
        first_minute(selection)  # beside the map: nothing above it pushes it under the fold
        panel(session.view(), selection, looked)
    complete()


def headline(view: View, landscape: Landscape, selection: Selection | None) -> None:
    """Say in one sentence what the map shows; the ways in and out stand beside it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(title_of(landscape)), anchor=False, width="content")
        st.markdown(what_it_shows(len(landscape), selection), width="stretch")
        if st.button("Open a pool", icon=":material/folder_open:"):
            st.switch_page("screens/data.py")
        if selection is not None and st.button(
            f"Export {count(len(selection.rows))}", type="primary", icon=":material/download:"
        ):
            st.switch_page("screens/export.py")


def what_it_shows(records: int, selection: Selection | None) -> str:
    """Return what the map shows, in a sentence.

    >>> what_it_shows(1, None), what_it_shows(2000, None)
    ('1 record.', '2,000 records, near each other where their instructions are alike.')
    """
    near = ", near each other where their instructions are alike" * (records > 1)
    if selection is None:
        return f"{counted(records, 'record')}{near}."
    kept = len(selection)
    return f"{counted(records, 'record')}{near}; {count(kept)} {'is' if kept == 1 else 'are'} kept."


def panel(view: View, selection: Selection, looked: Scope) -> None:
    """Draw what stands beside the map: records, facets, budget, or the map as a table."""
    shown = switch("panel", "Beside the map", PANELS)
    if shown == "records":
        records_panel(view, selection, looked)
    elif shown == "facets":
        facets.facets(view, selection, looked)
    elif shown == "budget":
        facets.growth(selection)
    else:
        cells_panel(view, selection.landscape, *drawn(view, selection))


page()
