"""The map with its tools: what it shows, how close, and what a drag does."""

from __future__ import annotations

from functools import partial

import streamlit as st

import cache
import session
from draw.layers import Layer
from draw.map import landscape_map
from draw.theme import CONFIG
from ila_core.landscape.cells import SIDES, Cells, Frame, Kept
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box
from ila_core.selection.selection import Selection
from parts import clicks
from parts.depth_knobs import name_of
from parts.switch import switch
from view import View

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
_SENTENCES = {
    "density": "colour shows how many records lie there",
    "depth": "colour shows how deep they are, by {kind}, beside others of their domain",
    "coverage": "colour shows how much of a place the selection keeps",
    "both": "orange is deep, by {kind}, and missed; blue is kept",
    "domain": "colour shows the domain that most records of a place belong to",
}


def shows(layer: Layer, landscape: Landscape) -> str:
    """Return what the map's colour shows."""
    return _SENTENCES[layer].format(kind=name_of(landscape))


def toolbar(view: View, frame: Frame) -> None:
    """Draw what the map shows, and how close."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Layer",
            list(LAYER_NAMES),
            format_func=LAYER_NAMES.get,
            key=session.knob("layer", view.layer),
            on_change=session.follow,
            args=("layer",),
            label_visibility="collapsed",
        )
        st.space("stretch")
        switch("tool", "Choose by click, box or lasso", TOOL_NAMES)
        st.selectbox(
            "Cells a side",
            SIDES,
            format_func=lambda side: f"{side} cells",
            key=session.knob("cells", view.cells),
            on_change=session.follow,
            args=("cells",),
            label_visibility="collapsed",
            width=112,
        )
        target = zoom_target(view, frame)
        st.button("Zoom in", icon=":material/zoom_in:", disabled=target is None,
                  on_click=session.change, kwargs={"box": target},
                  help="On the box you drew, or around the cell you clicked")  # fmt: skip
        if view.box is not None:
            st.button("Whole map", icon=":material/zoom_out_map:", on_click=session.change,
                      kwargs={"box": None})  # fmt: skip


def zoom_target(view: View, frame: Frame) -> Box | None:
    """Return the window to zoom to: the drawn box, else a quarter of the map round the pick."""
    drawn = session.recall("range")
    if drawn is not None:
        return frame.window(*drawn)
    if not view.patch:
        return None
    column, row = divmod(view.patch[0], frame.side)
    reach = [max((end - start) / 8, 1) for start, end in (frame.columns, frame.rows)]
    return frame.window((column - reach[0], column + reach[0]), (row - reach[1], row + reach[1]))


def map_chart(view: View, selection: Selection, cells: Cells, kept: Kept) -> None:
    """Draw the map; a click, a box or a lasso on it opens the inspector."""
    landscape, theme, tool = selection.landscape, session.theme(), session.recall("tool", "click")
    marked = clicks.still(
        (view.landscape, selection.spec, view.layer, view.cells, view.box, theme, tool)
    )
    figure = landscape_map(
        cells,
        kept,
        layer=view.layer,
        leading=cache.leading(landscape, cells) if view.layer == "domain" else None,
        theme=theme,
        names=cache.places(landscape, cells),
        marked=marked,
        tool=tool,
    )
    st.plotly_chart(
        figure,
        key=MAP,
        on_select=partial(clicks.pick, MAP),
        config=CONFIG,
        theme=None,
        alt=f"Map of the pool: {shows(view.layer, landscape)}. The table of patches below says "
        "the same in numbers.",
    )
