"""The Map screen: the landscape, the knobs of the selection, and the records behind a click."""

from __future__ import annotations

from functools import partial

import streamlit as st

import cache
import figures
import inspector
import knobs
import state
import widgets
from cache import Ask
from cells import SIDES, Box, Cells, Frame, Kept
from ila_core.landscape.landscape import Landscape
from ila_core.selection.selection import Selection
from widgets import count, plain

MAP = "map"
LAYER_NAMES = {
    "density": "Density",
    "depth": "Depth",
    "coverage": "Coverage",
    "both": "Both",
    "domain": "Domain",
}
TOOL_NAMES = {
    "click": ":material/ads_click:",
    "box": ":material/select:",
    "lasso": ":material/lasso_select:",
}
LAYER_SENTENCES = {
    "density": "colour shows how many records lie there",
    "depth": "colour shows how deep they are beside others of their domain",
    "coverage": "colour shows how much of a place the selection keeps",
    "both": "orange is deep and missed, blue is kept",
    "domain": "colour shows the domain that most records of a place belong to",
}


def page() -> None:
    opened = widgets.opened()
    if opened is None:
        return
    view, landscape = opened
    with st.sidebar:
        selection = knobs.draw(view, landscape)
    view = state.view()
    headline(view, landscape, selection)
    if selection is None:
        return
    ask = knobs.ask_of(view)
    frame = cache.frame(landscape, selection, view.cells, view.box)
    cells = cache.drawn(landscape, frame)
    kept = cache.kept(cells, selection, ask)
    left, right = st.columns([2.9, 1], gap="medium")
    with left:
        toolbar(view, frame)
        draw_map(view, landscape, cells, kept, ask)
    with right:
        growth(selection, ask)
        facets(landscape, selection)
    panels(view, landscape, selection, ask, cells, kept)


def headline(view: state.View, landscape: Landscape, selection: Selection | None) -> None:
    """Say in one sentence what the map shows; the ways in and out stand above it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(widgets.title_of(landscape)), anchor=False, width="stretch")
        if st.button("Open a pool", icon=":material/folder_open:"):
            st.switch_page("data_view.py")
        if selection is not None and st.button(
            f"Export {count(len(selection.rows))}", type="primary", icon=":material/download:"
        ):
            st.switch_page("export_view.py")
    keeps = "" if selection is None else f"; {count(len(selection.rows))} are kept"
    st.markdown(
        f"{count(len(landscape))} records, near each other where their instructions are alike: "
        f"{LAYER_SENTENCES[view.layer]}{keeps}."
    )


def toolbar(view: state.View, frame: Frame) -> None:
    """Draw what the map shows, and how close."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Layer",
            list(LAYER_NAMES),
            format_func=LAYER_NAMES.get,
            key=state.knob("layer", view.layer),
            on_change=state.follow,
            args=("layer",),
            label_visibility="collapsed",
        )
        st.space("stretch")
        tool = state.recall("tool", "click")
        st.segmented_control(
            "Choose by click, box or lasso",
            figures.TOOLS,
            format_func=TOOL_NAMES.get,
            key=state.knob("tool", tool),
            on_change=lambda: state.remember("tool", state.turned("tool") or tool),
            label_visibility="collapsed",
            required=True,
        )
        st.selectbox(
            "Cells a side",
            SIDES,
            format_func=lambda side: f"{side} cells",
            key=state.knob("cells", view.cells),
            on_change=state.follow,
            args=("cells",),
            label_visibility="collapsed",
            width=112,
        )
        target = zoom_target(view, frame)
        st.button("Zoom in", icon=":material/zoom_in:", disabled=target is None,
                  on_click=state.change, kwargs={"box": target},
                  help="On the box you drew, or around the cell you clicked")  # fmt: skip
        if view.box is not None:
            st.button("Whole map", icon=":material/zoom_out_map:", on_click=state.change,
                      kwargs={"box": None})  # fmt: skip


def zoom_target(view: state.View, frame: Frame) -> Box | None:
    """Return the window to zoom to: the drawn box, else a quarter of the map round the pick."""
    drawn = state.picked_range()
    if drawn is not None:
        return frame.window(*drawn)
    if not view.patch:
        return None
    column, row = divmod(view.patch[0], frame.side)
    reach = [max((end - start) / 8, 1) for start, end in (frame.columns, frame.rows)]
    return frame.window((column - reach[0], column + reach[0]), (row - reach[1], row + reach[1]))


def draw_map(view: state.View, landscape: Landscape, cells: Cells, kept: Kept, ask: Ask) -> None:
    """Draw the map; a click, a box or a lasso on it opens the inspector."""
    theme, tool = state.theme(), state.recall("tool", "click")
    marked = state.still((view.landscape, ask, view.layer, view.cells, view.box, theme, tool))
    figure = figures.landscape_map(
        cells,
        kept,
        layer=view.layer,
        leading=cache.leading(landscape, cells) if view.layer == "domain" else None,
        theme=theme,
        names=cache.names(landscape, cells),
        marked=marked,
        tool=tool,
    )
    st.plotly_chart(
        figure,
        key=MAP,
        on_select=partial(state.pick, MAP),
        config=figures.CONFIG,
        theme=None,
        alt=f"Map of the pool: {LAYER_SENTENCES[view.layer]}. The table of patches below says "
        "the same in numbers.",
    )


def growth(selection: Selection, ask: Ask) -> None:
    """Draw how coverage and fidelity grow with the budget, and where the selection stands."""
    st.markdown("**What a larger budget buys**")
    grown = cache.growth(selection, ask)
    found = cache.numbers(selection, ask)
    st.plotly_chart(
        figures.growth(
            grown.method,
            grown.random,
            now=(len(selection), found.coverage, found.fidelity),
            theme=state.theme(),
        ),
        theme=None,
        key="growth",
        config=figures.CONFIG,
        alt="Coverage and fidelity against the number of records kept",
    )
    st.caption("Records kept, on a log scale. Dotted: random.")


def facets(landscape: Landscape, selection: Selection) -> None:
    """Draw how what is kept differs from the pool."""
    st.markdown("**What is kept**")
    parts = [
        figures.histogram(
            "relative depth", landscape.relative_depth, selection.rows, span=(0.0, 1.0)
        ),
        figures.histogram("response tokens", landscape.tokens, selection.rows, log=True),
        figures.histogram("loss, nats per token", landscape.loss, selection.rows),
    ]
    shown = [part for part in parts if part is not None]
    if not shown:
        st.caption("Nothing to count: these records have no response.")
        return
    st.plotly_chart(
        figures.histograms(shown, state.theme()),
        theme=None,
        key="facets",
        config=figures.CONFIG,
        alt="Histograms of the pool and of the selection: " + ", ".join(p.title for p in shown),
    )
    st.caption("Grey: the pool. Line: the selection.")


def panels(
    view: state.View,
    landscape: Landscape,
    selection: Selection,
    ask: Ask,
    cells: Cells,
    kept: Kept,
) -> None:
    """Draw the inspector, and beside it the table of patches."""
    names = {"records": "Records", "patches": "Table of patches"}
    st.segmented_control(
        "Below the map",
        list(names),
        format_func=names.get,
        key=state.knob("panel", state.recall("panel", "records")),
        on_change=lambda: state.remember("panel", state.turned("panel") or "records"),
        label_visibility="collapsed",
    )
    if state.recall("panel", "records") == "records":
        inspector.records_panel(view, landscape, selection, ask, cells, kept)
    else:
        inspector.patches_panel(view, landscape, cells, kept)


page()
