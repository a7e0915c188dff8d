"""The map: a heatmap of cells under markers that answer clicks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from draw.layers import Layer, Theme, Tool
from draw.legends import LEGEND_SHARE, domain_legend, scale_legend, two_way_legend
from draw.names import Place, isolated, short_name
from draw.scales import Scale, domain_scale, scale
from draw.theme import EMPTY, FONT, INKS, Ink, halo, plain, rgba
from ila_core.landscape.cells import Cells, Kept, Leading

DRAGS: dict[Tool, str] = {"click": "pan", "box": "select", "lasso": "lasso"}
MAP_HEIGHT = 560
SVG_MARKERS = 2500
"""Most markers drawn as SVG; WebGL beyond (one WebGL map a page)."""
DETAILED = 8192
"""Most markers that tell everything on hovering: hover texts are most of what a map sends."""
LAND_REACH = 1.7
"""How far land is drawn around an occupied cell: a standard deviation, in cells."""


def landscape_map(
    cells: Cells,
    kept: Kept,
    *,
    layer: Layer = "density",
    leading: Leading | None = None,
    theme: Theme = "light",
    names: Sequence[Place] = (),
    marked: Sequence[int] = (),
    tool: Tool = "click",
    height: int = MAP_HEIGHT,
) -> go.Figure:
    """Return the map: a heatmap of the cells under one transparent marker a cell.

    A heatmap alone never answers a click; the markers do, and carry the cell's number first in
    their customdata. Axes count cells, so that positions travel as small integers. `marked` cells
    start out as chosen: give those chosen before the figure last changed, never the present ones.
    `tool` says what a drag does; Streamlit answers clicks only where a drag draws nothing.
    The layer "domain" needs the `leading` domains of the cells.
    """
    ink = INKS[theme]
    if layer == "domain":
        if leading is None:
            raise ValueError("The layer domain needs the leading domains of the cells.")
        drawn = domain_scale(leading, theme)
    else:
        drawn, leading = scale(layer, cells, kept, theme), None
    figure = go.Figure([heat(cells, drawn, ink), _markers(cells, kept, ink, marked, leading)])
    if leading is not None:
        domain_legend(figure, leading, theme)
    elif layer == "both":
        two_way_legend(figure, cells, theme)
    else:
        scale_legend(figure, drawn, theme)
    figure.add_trace(_land(cells, ink))
    as_map(figure, cells, theme, names, tool, height)
    return figure


def as_map(
    figure: go.Figure,
    cells: Cells,
    theme: Theme,
    names: Sequence[Place],
    tool: Tool,
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
        dragmode=DRAGS[tool],
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
    return _layer(level, left, low, zmax=255, colorscale=stops, xgap=gap, ygap=gap)


def _land(cells: Cells, ink: Ink) -> go.Heatmap:
    """Return a tint around the occupied cells, under them: the land that single cells belong to."""
    from scipy.ndimage import gaussian_filter

    across, up = _shore(cells.frame.columns), _shore(cells.frame.rows)
    left, right = cells.frame.columns[0] - across, cells.frame.columns[1] + across
    low, high = cells.frame.rows[0] - up, cells.frame.rows[1] + up
    occupied = np.zeros((high - low, right - left), dtype=np.float32)
    occupied[cells.row - low, cells.column - left] = 1
    alone = 1 / (2 * np.pi * LAND_REACH**2)
    share = np.minimum(gaussian_filter(occupied, LAND_REACH, mode="constant") / alone, 1)
    level = np.rint(100 * share).astype(np.uint8)  # 255 would travel as "/", which JSON escapes
    stops = [[0, rgba(ink.line, 0)], [0.08, rgba(ink.line, 0)], [1, rgba(ink.line, 0.5)]]
    return _layer(level, left, low, zmax=100, colorscale=stops, zsmooth="best", zorder=-1)


def _layer(level: np.ndarray, left: int, low: int, **look: Any) -> go.Heatmap:
    """Return bytes, a cell each, as a layer from a corner on, which no pointer finds."""
    return go.Heatmap(
        z=level, x0=left, y0=low, dx=1, dy=1, zmin=0, hoverinfo="skip", showscale=False, **look
    )


def _above_empty(stops: list[list[object]]) -> list[list[object]]:
    """Return colour stops for bytes: transparent at 0, the given ones from 1 to 255."""
    first = 1 / 255
    moved = [[first + at * (1 - first), colour] for at, colour in stops]  # type: ignore[operator]
    return [[0, EMPTY], [first, EMPTY], *moved]


def _markers(
    cells: Cells, kept: Kept, ink: Ink, marked: Sequence[int], leading: Leading | None = None
) -> go.Scatter:
    """Return one transparent marker a cell; very many of them tell a little less on hovering."""
    kind = "patch" if cells.frame.patches else "cell"
    facts = [cells.number, cells.count, kept.records, _per_cent(cells.best)]
    hover = (
        f"<b>{kind} %{{customdata[0]}}</b><br>"
        "%{customdata[1]:,} records, %{customdata[2]:,} kept<br>"
        "best relative depth %{customdata[3]}%"
    )
    if len(cells) <= DETAILED:
        facts += [_per_cent(cells.mean), _per_cent(kept.share)]
        hover += ", mean %{customdata[4]}%"
        hover += "" if cells.frame.patches else "<br>%{customdata[5]}% of its patches kept"
    if leading is None:
        return targets(cells, facts, hover, ink, marked)
    detailed = len(cells) <= DETAILED
    name = "%{text}" if detailed else "leading domain"
    hover += f"<br>{name}: %{{customdata[{len(facts)}]}}% of its records"
    markers = targets(cells, [*facts, _per_cent(leading.share)], hover, ink, marked)
    if detailed:
        markers.text = [isolated(plain(short_name(leading.names[k]))) for k in leading.domain]
    return markers


def targets(
    cells: Cells, facts: Sequence[np.ndarray], hover: str, ink: Ink, marked: Sequence[int]
) -> go.Scatter:
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
        selectedpoints=np.flatnonzero(np.isin(cells.number, marked)) if len(marked) else None,
        hovertemplate=hover + "<extra></extra>",
    )


def _per_cent(share: np.ndarray) -> np.ndarray:
    return np.nan_to_num(100 * share, nan=0).round()


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
