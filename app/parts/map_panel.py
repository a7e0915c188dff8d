"""The map with its tools: what it shows, of what, and what a hand on it reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import streamlit as st

import cache
import session
from canvas.component import WORDS, Pick, map_canvas, news
from draw.facets import title_of
from draw.ground import extent
from draw.layers import LAYERS, Layer
from draw.marks import MARK_WORDS, cells_data, marks_data, region_data, sample_data
from draw.names import columns
from draw.pictures import spoken
from draw.terrain import terrain
from draw.theme import CONFIG, INKS
from ila_core.errors import IlaError
from ila_core.landscape.cells import SIDES, Cells, Kept, frame
from ila_core.landscape.facets import FIELD, KINDS
from ila_core.landscape.facets import names as facet_names
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.naming import named_regions
from ila_core.measure.baseline import CHANCE
from ila_core.methods import registry as methods
from ila_core.selection.selection import Selection
from parts import scope
from parts.depth_knobs import name_of
from parts.fields import shown_fields
from parts.notices import trouble
from parts.selecting import made
from parts.texts import count, first_line, plain
from view import COLOURED, View

MAP = "map"
LAYER_NAMES: dict[Layer, str] = {
    "density": "Density",
    "depth": "Depth",
    "representation": "Representation",
    "both": "Both",
    "domain": "Facet",
    "difference": "Difference",
    "terrain": "Terrain",
}
POINTS_WHOLE, POINTS_WINDOW = 1_500, 8_000
"""Records on the whole map, and in a window, up to which a sample of them is drawn as points: so
many are told apart."""
LETTERS = 90
"""Of a record's first line in the tooltip; half as many where they are twice as wide."""
TABLE_SIDE = 64
"""Cells a side of the table of patches while none are drawn."""
_SENTENCES: dict[Layer, str] = {
    "density": "colour shows how many records lie there",
    "depth": "colour shows how deep they are, by {kind}, beside others of their domain",
    "representation": "blue places are kept more than the budget's share, orange ones less",
    "both": "orange places are kept too little, blue ones more than the budget's share, grey ones "
    "as they should; the stronger the shade, the deeper they are, by {kind}",
    "domain": "colour shows {facet}",
    "difference": "blue places are kept more by {one}, orange ones by {other}",
    "terrain": "height shows how many records lie there, colour how deep they are, by {kind}",
}


def shows(view: View, landscape: Landscape) -> str:
    """Return what the map's colour shows."""
    return _SENTENCES[view.layer].format(
        kind=name_of(landscape), one=view.spec.method, other=view.against,
        facet=facet_shown(view.colour),
    )  # fmt: skip


def facet_shown(name: str) -> str:
    """Return what the map shows of a facet.

    >>> facet_shown("source")
    'the source that leads around there; neighbours have like colours'
    """
    if KINDS.get(name) == "number":
        return f"the mean around there of {spoken(name)}"
    if name.startswith(FIELD):
        return f"the {title_of(name)} that leads around there, or its mean where it is a number"
    return f"the {name} that leads around there; neighbours have like colours"


def sentence(view: View, landscape: Landscape) -> str:
    """Return what the map shows, as a sentence."""
    words = shows(view, landscape)
    return f"{words[:1].upper()}{words[1:]}."


@st.fragment
def map_panel(selection: Selection) -> None:
    """Draw the map and its tools.

    A look at another layer or window draws this part of the page alone; what the rest shows too is
    noted as stale, and the whole page is drawn.
    """
    if session.taken("stale"):
        st.rerun()
    if session.view().against not in others(session.view()):
        session.change(against=others(session.view())[0])
    view = session.view()
    if view.layer == "domain" and view.colour not in (known := colours(selection.landscape)):
        session.change(colour=known[0])
        view = session.view()
    toolbar(view)
    other = against(view, selection) if view.layer == "difference" else None
    if view.layer == "terrain":
        st.plotly_chart(
            terrain(
                selection.landscape,
                cache.ground(selection.landscape, view.box),
                theme=session.theme(),
            ),
            key="terrain", theme=None, config=CONFIG,
            alt=f"Terrain of the pool: {shows(view, selection.landscape)}.",
        )  # fmt: skip
    choice(view, selection.landscape)
    canvas(view, selection, other)
    st.caption(plain(sentence(view, selection.landscape)))
    session.write_url()


def colours(landscape: Landscape) -> tuple[str, ...]:
    """Return the facets that the map can show of a landscape, its domains if there is no other."""
    found = [name for name in facet_names(landscape) if name in COLOURED]
    return (*(found or ["domain"]), *shown_fields(landscape))


def toolbar(view: View) -> None:
    """Draw what the map shows in one row, the cells over it behind a button."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Layer",
            LAYERS,
            format_func=LAYER_NAMES.get,
            key=session.knob("layer", view.layer),
            on_change=session.follow,
            args=("layer",),
            label_visibility="collapsed",
            wrap=True,
        )
        with st.popover("", icon=":material/grid_4x4:", help="Cells drawn over the map"):
            st.selectbox(
                "Cells a side",
                (0, *SIDES),
                format_func=lambda side: f"{side} cells" if side else "No cells",
                key=session.knob("cells", view.cells),
                on_change=change_cells,
                help="Cells drawn over the map, that many along each side",
            )


def choice(view: View, landscape: Landscape) -> None:
    """Offer whose colours the map shows, or what it is set against, over its corner.

    In the row above, where there is no room left, a choice that comes and goes with the layer
    would move the map.
    """
    if view.layer not in ("domain", "difference"):
        return
    with st.container(key="map_choice"):
        if view.layer == "domain":
            st.selectbox(
                "Facet",
                colours(landscape),
                format_func=lambda name: title_of(name).partition(",")[0],
                key=session.knob("colour", view.colour),
                on_change=session.follow,
                args=("colour",),
                label_visibility="collapsed",
                width=160,
            )
        else:
            st.selectbox(
                "Set against",
                others(view),
                key=session.knob("against", view.against),
                on_change=session.follow,
                args=("against",),
                label_visibility="collapsed",
                width=160,
            )


def change_cells() -> None:
    """Callback: another number of cells; the table beside the map counts them too."""
    session.change(cells=session.turned("cells"))
    session.remember("stale", session.recall("panel") == "table")


def others(view: View) -> list[str]:
    """Return the methods that the present one can be set against, random first."""
    known = [CHANCE, *sorted(set(methods.names()) - {CHANCE})]
    return [name for name in known if name != view.spec.method]


def against(view: View, selection: Selection) -> Selection | None:
    """Return what the map sets the selection against, None where that cannot be selected."""
    asked = replace(selection.spec, parameters=())
    try:
        spec = methods.find(view.against).applied(asked)
        other = made(selection.landscape, replace(spec, depth=asked.depth))
    except IlaError as error:
        with st.container(key="no_map"):
            trouble(error)
        return None
    if other is None:
        st.container(key="no_map").info(
            f"{plain(view.against)} takes long on this pool and has not run for this budget. "
            "Choose it as the method and run it there: from then on it can be set against others."
        )
    return other


def canvas(view: View, selection: Selection, other: Selection | None) -> None:
    """Draw the canvas; while another chart stands in its place it stays, unseen."""
    hidden = view.layer == "terrain" or (view.layer == "difference" and other is None)
    data = {"hidden": True} if hidden else map_data(view, selection, other)
    map_canvas({**data, "turn": turn(data)}, key=MAP, on_told=listen)


def turn(data: Mapping[str, Any]) -> int:
    """Return a number that grows whenever the map differs from the last one.

    Streamlit does not send again what a browser says it holds, and fails where the browser has
    dropped it by the time a waiting run comes to it. A map is thus never the same as one before
    the last: only an unchanged one is not sent again.
    """
    sign = hash(json.dumps(data))
    last, number = session.recall("turn", (sign, 0))
    number += sign != last
    session.remember("turn", (sign, number))
    return number


def map_data(view: View, selection: Selection, other: Selection | None) -> dict[str, Any]:
    """Return all that the map draws."""
    landscape, theme = selection.landscape, session.theme()
    lies = cache.ground(landscape, view.box)
    picture = cache.picture(selection, view.layer, view.box, theme, other, view.colour)
    rows, there = cache.sample(landscape, view.box)
    told = there <= (POINTS_WHOLE if view.box is None else POINTS_WINDOW)
    marks = scope.marks(view, selection)
    signs = [[kind, MARK_WORDS[kind]] for kind, marked in marks.items() if len(marked)]
    if told and there:
        signs = [["kept", "kept"], ["left", "left"], *signs]
    look = [view.landscape, landscape.kind, view.layer, theme]
    if view.layer == "domain":
        look.append(view.colour)
    if view.layer in ("representation", "both", "difference"):
        look += [repr(selection.spec), repr(other.spec) if other else ""]
    return {
        "words": WORDS | {"label": label(view, landscape)},
        "theme": asdict(INKS[theme]),
        "extent": list(extent(landscape)),
        "window": None if view.box is None else list(view.box),
        "picture": {
            "key": repr((look, lies.box)),
            "look": repr(look),
            "box": list(lies.box),
            "ground": lies.as_data(),
            "contours": lies.lines,
            **picture.as_data(),
        },
        "names": names(landscape),
        "cells": cells_data(*drawn(view, selection)) if view.cells else None,
        "points": points(selection, rows) if told else None,
        "marks": marks_data(landscape, marks),
        "region": region_data(view.region),
        "legend": {**picture.legend, "signs": signs},
        "note": note(len(rows), there) if told else "",
    }


def names(landscape: Landscape) -> list[tuple[tuple[str, ...], float, float, int]]:
    """Return words, place and level of every named region, the largest of a level first."""
    return [
        (region.words, region.x, region.y, region.level)
        for region in named_regions(landscape).regions
        if region.words
    ]


def label(view: View, landscape: Landscape) -> str:
    """Return what the map is, for those who do not see it."""
    return (
        f"Map of the pool: {shows(view, landscape)}. Arrow keys move it, plus and minus zoom, "
        "Enter chooses the middle, Escape lets go. The table beside it says the same in numbers."
    )


def points(selection: Selection, rows: np.ndarray) -> dict[str, Any]:
    """Return a sample of a window's records as points."""
    begun = cache.beginnings(selection.landscape, rows)
    texts = [first_line(text, LETTERS // 2 if wide(text) else LETTERS) for text in begun]
    return sample_data(selection.landscape, rows, selection.mask[rows], texts)


def wide(text: str) -> bool:
    """Return whether a text is mostly of wide letters, such as Chinese."""
    return columns(text[:LETTERS]) > 1.5 * len(text[:LETTERS])


def note(drawn: int, there: int) -> str:
    """Say which records are drawn as points.

    >>> note(500, 4321), note(60, 60)
    ('500 of 4,321 records, drawn by chance', 'all 60 records')
    """
    if drawn == there:
        return f"all {count(there)} records" if there > 2 else ""
    return f"{count(drawn)} of {count(there)} records, drawn by chance"


def drawn(view: View, selection: Selection) -> tuple[Cells, Kept]:
    """Return the cells of the window, and what is kept of them."""
    landscape = selection.landscape
    shown = frame(landscape, selection.shown_cut, side=view.cells or TABLE_SIDE, window=view.box)
    cells = cache.drawn(landscape, shown)
    return cells, cache.kept(cells, selection)


def listen() -> None:
    """Callback: another window of the map, or a place of it that was chosen or let go."""
    seen = session.recall("told", {})
    found = news(session.event_of(MAP), seen)
    session.remember("told", {**seen, **{part: at for part, (at, _) in found.items()}})
    if "window" in found:
        session.change(box=found["window"][1])
        session.remember("stale", session.recall("panel") == "table")
    if "pick" in found:
        pick: Pick = found["pick"][1]
        session.change(region=pick.region, record=pick.record)
        if pick.region is not None:
            session.remember("panel", "records")
        session.remember("stale", True)
