"""A map of cells: a heatmap under markers that answer clicks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from draw.layers import Theme
from draw.legends import LEGEND_SHARE
from draw.names import Place
from draw.scales import Scale
from draw.theme import EMPTY, FONT, INKS, Ink, halo, plain
from ila_core.landscape.cells import Cells

MAP_HEIGHT = 560
SVG_MARKERS = 2500
"""Most markers drawn as SVG; WebGL beyond (one WebGL map a page)."""


def as_map(
    figure: go.Figure,
    cells: Cells,
    theme: Theme,
    names: Sequence[Place],
    height: int,
) -> None:
    """Give a figure of cells the look of the map, its names, and its answer to clicks."""
    ink = INKS[theme]
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 4},
        paper_bgcolor=EMPTY,
        plot_bgcolor=EMPTY,
        font={"family": FONT, "size": 13, "color": ink.text},
        hoverdistance=-1,
        hoverlabel={"bgcolor": ink.paper, "bordercolor": ink.line,
                    "font": {"family": FONT, "size": 13, "color": ink.text}},
        dragmode="pan",
        clickmode="event+select",
        showlegend=False,
        annotations=[*(figure.layout.annotations or ()), *_labels(names, ink)],
        newselection={"line": {"color": ink.text, "width": 1, "dash": "dot"}},
        activeselection={"fillcolor": EMPTY},
        xaxis=map_axis(cells.frame.columns),
        yaxis={**map_axis(cells.frame.rows), "domain": [LEGEND_SHARE, 1]},
    )  # fmt: skip


def heat(cells: Cells, drawn: Scale, ink: Ink) -> go.Heatmap:
    """Return the heatmap, a byte a cell: 0 is empty and transparent, 1 to 255 run up the scale."""
    (left, right), (low, high) = cells.frame.columns, cells.frame.rows
    span = max(drawn.high - drawn.low, 1e-9)
    share = ((drawn.values - drawn.low) / span).clip(0, 1)
    level = np.zeros((high - low, right - left), dtype=np.uint8)
    known = np.isfinite(share)
    level[cells.row[known] - low, cells.column[known] - left] = 1 + np.rint(254 * share[known])
    gap = 0.5 if right - left <= 40 else 0
    stops = _above_empty(drawn.stops)
    return go.Heatmap(
        z=level, x0=left, y0=low, dx=1, dy=1, zmin=0, zmax=255, colorscale=stops, xgap=gap,
        ygap=gap, hoverinfo="skip", showscale=False,
    )  # fmt: skip


def _above_empty(stops: list[list[object]]) -> list[list[object]]:
    """Return colour stops for bytes: transparent at 0, the given ones from 1 to 255."""
    first = 1 / 255
    moved = [[first + at * (1 - first), colour] for at, colour in stops]  # type: ignore[operator]
    return [[0, EMPTY], [first, EMPTY], *moved]


def targets(cells: Cells, facts: Sequence[np.ndarray], hover: str, ink: Ink) -> go.Scatter:
    """Return one transparent marker a cell that answers clicks and tells facts on hovering."""
    table = np.stack(facts, axis=1)
    small = np.uint16 if table.max(initial=0) < 2**16 else np.uint32
    index = np.uint8 if cells.frame.side <= 256 else np.uint16
    across, up = (end - start for start, end in (cells.frame.columns, cells.frame.rows))
    trace = go.Scatter if len(cells) <= SVG_MARKERS else go.Scattergl
    return trace(
        x=cells.column.astype(index),
        y=cells.row.astype(index),
        mode="markers",
        customdata=table.astype(small),
        marker={
            "symbol": "square-open",
            "size": float(np.clip(min(760 / across, 500 / up), 6, 60)),
            "opacity": 0,
            "color": ink.mark,
            "line": {"width": 2},
        },
        selected={"marker": {"opacity": 1, "color": ink.mark}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate=hover + "<extra></extra>",
    )


def _shore(span: tuple[int, int]) -> int:
    """Return how many cells wide the rim around the drawn cells is."""
    return max(1, round(0.045 * (span[1] - span[0])))


def map_axis(span: tuple[int, int]) -> dict[str, object]:
    rim = _shore(span)
    ends = [span[0] - 0.5 - rim, span[1] - 0.5 + rim]
    return {
        "range": ends,
        "visible": False,
        "fixedrange": False,
        "minallowed": ends[0],
        "maxallowed": ends[1],
    }


def _labels(names: Sequence[Place], ink: Ink) -> list[dict[str, object]]:
    return [
        {
            "x": place.x,
            "y": place.y,
            "text": plain(place.text),
            "showarrow": False,
            "yanchor": "bottom",
            "yshift": 3,
            "font": {
                "size": 12.5,
                "color": ink.text,
                "family": FONT,
                "weight": 600,
                "shadow": halo(ink.paper),
            },
            "captureevents": False,
        }
        for place in names
    ]
