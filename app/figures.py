"""Landscapes and selections as Plotly figures. Pure: data in, figure out, no Streamlit.

Colours are readable for colour-blind people: along every scale lightness changes in one direction,
from near the page's colour to far from it. They are given as rgb() stops, because Streamlit's
theme rewrites the lowest colour of some named scales.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cells import Cells, Kept, Leading, Place, short_name
from ila_core.measure.describe import Curve

Theme = Literal["light", "dark"]
Layer = Literal["density", "depth", "coverage", "both", "domain"]
Ramp = Literal["density", "depth", "coverage", "difference"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Tool = Literal["click", "box", "lasso"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
DRAGS: dict[Tool, str] = {"click": "pan", "box": "select", "lasso": "lasso"}
CONFIG = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's settings for every figure: the page has tools of its own."""
MAP_HEIGHT = 590
LEGEND_SHARE = 0.12
"""Share of that height that the legend has, under the map."""
SVG_MARKERS = 2500
"""Most markers drawn as SVG; WebGL beyond (one WebGL map a page)."""
DETAILED = 8192
"""Most markers that tell everything on hovering: hover texts are most of what a map sends."""
EMPTY = "rgba(0,0,0,0)"
DOMAIN_COLOURS: dict[Theme, tuple[str, ...]] = {
    "light": ("#3c57c1", "#c8aa18", "#6c8800", "#e471ab", "#2fb1fb", "#6a270b", "#144069",
              "#935b75"),
    "dark": ("#61c6ab", "#fa972e", "#b195fb", "#e7ef5f", "#84fcfd", "#ba5e10", "#825bc9",
             "#059084"),
}  # fmt: skip
"""One for each of the largest domains: far apart for every kind of colour vision."""
OTHER_COLOUR: dict[Theme, str] = {"light": "#c9c7c0", "dark": "#4a545a"}
LAND_REACH = 1.7
"""How far land is drawn around an occupied cell: a standard deviation, in cells."""
STEPS = 5
"""Colours along each side of the two-way scale."""

_FONT = "'Source Sans', 'Source Sans Pro', system-ui, sans-serif"
_RAMPS: dict[tuple[Ramp, Theme], tuple[str, ...]] = {
    ("density", "light"): ("#e3e8d6", "#b4d6c1", "#74b9b0", "#3a94a3", "#1f6c8c", "#1d4468",
                           "#141f42"),
    ("density", "dark"): ("#1b3644", "#1d5a72", "#22839a", "#45ada6", "#8bd0a0", "#cfe8a6",
                          "#fbf8c8"),
    ("depth", "light"): ("#f5e6cd", "#f2c591", "#e8996a", "#d0655f", "#a33d6b", "#6a2868",
                         "#321447"),
    ("depth", "dark"): ("#2c1f45", "#592a68", "#933a73", "#cb5468", "#ee8460", "#f9bd7c",
                        "#fdf0c3"),
    ("coverage", "light"): ("#e6dccb", "#c3d1c8", "#8fbdc0", "#529fae", "#237d93", "#0f586f",
                            "#0a3447"),
    ("coverage", "dark"): ("#4a4338", "#44605f", "#3c7f86", "#3a9fae", "#5fc0cd", "#9fdfe5",
                           "#e6fbfb"),
    ("difference", "light"): ("#7d3408", "#c26a1e", "#e8ac72", "#e6e3da", "#8fb9d3", "#3d7fae",
                              "#143f70"),
    ("difference", "dark"): ("#ffc995", "#e0903f", "#8d5624", "#2c353a", "#2f6b90", "#59a8d6",
                             "#c3e4fb"),
}  # fmt: skip
_CORNERS = {  # (missed, shallow), (missed, deep), (kept, shallow), (kept, deep)
    "light": ((232, 230, 224), (230, 121, 52), (137, 191, 214), (41, 40, 105)),
    "dark": ((44, 52, 57), (214, 106, 44), (46, 118, 148), (222, 234, 246)),
}


@dataclass(frozen=True)
class Ink:
    """The few colours that a figure takes from the theme."""

    text: str
    muted: str
    line: str
    paper: str
    accent: str
    second: str
    mark: str
    """Rings around chosen cells: apart from every scale."""


INKS: dict[Theme, Ink] = {
    "light": Ink("#1f2a30", "#66727a", "#dedad0", "#fcfbf8", "#0b7285", "#b5651d", "#d6336c"),
    "dark": Ink("#e4e8e8", "#95a2a9", "#2f3a40", "#12181c", "#3fb8c9", "#e0a458", "#ff6b9d"),
}


TONES: dict[Theme, tuple[str, str]] = {
    "light": ("#12608f", "#a8501a"),
    "dark": ("#7cc4f0", "#f0a868"),
}
"""Better and worse than random: blue and orange, which colour-blind people tell apart."""


@dataclass(frozen=True)
class Scale:
    """How a layer turns numbers into colours, and what its legend says."""

    values: np.ndarray
    low: float
    high: float
    stops: list[list[object]]
    title: str
    ticks: Sequence[float]
    labels: Sequence[str]


def ramp(layer: Ramp, theme: Theme) -> list[list[object]]:
    """Return a layer's rgb() stops: lightness runs one way, the low end near the page.

    That of a difference runs so from its middle to either side.
    """
    colours = _RAMPS[layer, theme]
    return [[k / (len(colours) - 1), _rgb(colour)] for k, colour in enumerate(colours)]


def scale(layer: Layer, cells: Cells, kept: Kept, theme: Theme) -> Scale:
    """Return a layer's value for every cell, with its colours and its legend."""
    if layer == "density":
        top = max(int(cells.count.max(initial=1)), 2)
        ticks = _log_ticks(top)
        return Scale(
            np.log10(cells.count), 0.0, float(np.log10(top)), ramp(layer, theme),
            "records in a cell (log)", [float(np.log10(t)) for t in ticks],
            [f"{t:,}" for t in ticks],
        )  # fmt: skip
    if layer == "depth":
        low, high = _spread(cells.mean)
        ticks = np.linspace(low, high, 3)
        return Scale(
            cells.mean, low, high, ramp(layer, theme),
            "mean relative depth", list(ticks), [f"{t:.0%}" for t in ticks],
        )  # fmt: skip
    if layer == "coverage":
        return Scale(
            kept.share, 0.0, 1.0, ramp(layer, theme),
            "patches kept", [0, 0.5, 1], ["0%", "50%", "100%"],
        )  # fmt: skip
    low, high = _spread(cells.mean)
    return Scale(two_way(cells.mean, kept.share, low, high), -0.5, STEPS * STEPS - 0.5,
                 two_way_stops(theme), "", [], [])  # fmt: skip


def two_way(depth: np.ndarray, share: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the number of each cell's colour on the two-way scale; NaN where it has no depth."""
    steps = [
        np.clip(np.floor(values * STEPS), 0, STEPS - 1)
        for values in (share, (depth - low) / max(high - low, 1e-9))
    ]
    return steps[0] * STEPS + steps[1]


def two_way_colours(theme: Theme) -> list[str]:
    """Return the colours of the two-way scale: share kept outer, depth inner."""
    corners = np.array(_CORNERS[theme], dtype=float).reshape(2, 2, 3)
    at = np.linspace(0, 1, STEPS)
    colours = []
    for share in at:
        for depth in at:
            ends = corners[0] * (1 - share) + corners[1] * share
            red, green, blue = (ends[0] * (1 - depth) + ends[1] * depth).round().astype(int)
            colours.append(f"rgb({red},{green},{blue})")
    return colours


def two_way_stops(theme: Theme) -> list[list[object]]:
    """Return the two-way scale as flat bands, one a number."""
    colours = two_way_colours(theme)
    size = len(colours)
    return [[end, colour] for k, colour in enumerate(colours) for end in (k / size, (k + 1) / size)]


def domain_scale(leading: Leading, theme: Theme) -> Scale:
    """Return the colour number of every cell's leading domain; the last is that of all others."""
    colours = [*DOMAIN_COLOURS[theme][: len(leading.largest)], OTHER_COLOUR[theme]]
    number = np.full(len(leading.names), len(colours) - 1)
    number[list(leading.largest)[: len(colours) - 1]] = np.arange(len(colours) - 1)
    size = len(colours)
    stops: list[list[object]] = [
        [end, _rgb(colour)]
        for k, colour in enumerate(colours)
        for end in (k / size, (k + 1) / size)
    ]
    return Scale(number[leading.domain], -0.5, size - 0.5, stops, "", [], [])


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
    figure = go.Figure([_heat(cells, drawn, ink), _markers(cells, kept, ink, marked, leading)])
    if leading is not None:
        _domain_legend(figure, leading, theme)
    elif layer == "both":
        _two_way_legend(figure, cells, theme)
    else:
        _legend(figure, drawn, theme)
    figure.add_trace(_land(cells, ink))
    _as_map(figure, cells, theme, names, tool, height)
    return figure


def difference_map(
    cells: Cells,
    first: Kept,
    second: Kept,
    *,
    names: tuple[str, str],
    what: Literal["share", "records"] = "records",
    theme: Theme = "light",
    places: Sequence[Place] = (),
    height: int = MAP_HEIGHT,
) -> go.Figure:
    """Return the map of how much more of every cell one selection keeps than another.

    `what` is the share of a cell's patches that are kept, or its records kept (log). 0 is in the
    middle of the scale, with the same reach to either side. Cells are clicked as on the map itself.
    """
    ink = INKS[theme]
    drawn = _difference_scale(first, second, names, what, theme)
    told = (
        f"<b>{'patch' if cells.frame.patches else 'cell'} %{{customdata[0]}}</b><br>"
        "%{customdata[1]:,} records<br>"
        f"{_plain(names[0])} keeps %{{customdata[2]:,}}, "
        f"{_plain(names[1])} %{{customdata[3]:,}}"
    )
    facts = [cells.number, cells.count, first.records, second.records]
    figure = go.Figure([_heat(cells, drawn, ink), _targets(cells, facts, told, ink, ())])
    _legend(figure, drawn, theme)
    figure.update_layout(xaxis2_domain=[0.05, 0.47])  # the label under its left end is longer
    figure.layout.annotations[0].x = 0.05
    _as_map(figure, cells, theme, places, "click", height)
    return figure


def _difference_scale(
    first: Kept, second: Kept, names: tuple[str, str], what: str, theme: Theme
) -> Scale:
    """Return what one keeps less what the other keeps; nearly all cells lie within its reach."""
    stops = ramp("difference", theme)
    title = f"← more by {_plain(names[1])} · more by {_plain(names[0])} →"
    if what == "share":
        gap = first.share - second.share
        reach = _reach(gap, step=0.1)
        labels = [f"−{reach:.0%}", "0", f"+{reach:.0%} of patches"]
        return Scale(gap, -reach, reach, stops, title, [-reach, 0, reach], labels)
    gap = first.records.astype(np.int64) - second.records
    most = int(_reach(gap, step=1))
    bent = np.sign(gap) * np.log1p(np.abs(gap))
    end = float(np.log1p(most))
    return Scale(bent, -end, end, stops, title, [-end, 0, end],
                 [f"−{most:,}", "0", f"+{most:,} records (log)"])  # fmt: skip


def _reach(values: np.ndarray, step: float) -> float:
    """Return how far a scale around 0 goes: 98 % of the values lie within, in whole steps."""
    if not len(values):
        return step
    return float(max(np.ceil(np.percentile(np.abs(values), 98) / step - 1e-9), 1) * step)


def _as_map(
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
        font={"family": _FONT, "size": 13, "color": ink.text},
        hoverdistance=-1,
        hoverlabel={"bgcolor": ink.paper, "bordercolor": ink.line,
                    "font": {"family": _FONT, "size": 13, "color": ink.text}},
        dragmode=DRAGS[tool],
        clickmode="event+select",
        showlegend=False,
        annotations=[*(figure.layout.annotations or ()), *_labels(names, ink)],
        newselection={"line": {"color": ink.text, "width": 1, "dash": "dot"}},
        activeselection={"fillcolor": EMPTY},
        xaxis=_axis(cells.frame.columns),
        yaxis={**_axis(cells.frame.rows), "domain": [LEGEND_SHARE, 1]},
    )  # fmt: skip


def _heat(cells: Cells, drawn: Scale, ink: Ink) -> go.Heatmap:
    """Return the heatmap, a byte a cell: 0 is empty and transparent, 1 to 255 run up the scale."""
    (left, right), (low, high) = cells.frame.columns, cells.frame.rows
    span = max(drawn.high - drawn.low, 1e-9)
    share = ((drawn.values - drawn.low) / span).clip(0, 1)
    level = np.zeros((high - low, right - left), dtype=np.uint8)
    known = np.isfinite(share)
    level[cells.row[known] - low, cells.column[known] - left] = 1 + np.rint(254 * share[known])
    gap = 0.5 if right - left <= 40 else 0
    return go.Heatmap(
        z=level,
        x0=left,
        y0=low,
        dx=1,
        dy=1,
        zmin=0,
        zmax=255,
        colorscale=_above_empty(drawn.stops),
        hoverinfo="skip",
        xgap=gap,
        ygap=gap,
        showscale=False,
    )


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
    return go.Heatmap(
        z=np.rint(100 * share).astype(np.uint8),  # 255 would travel as "/", which JSON escapes
        x0=left,
        y0=low,
        dx=1,
        dy=1,
        zmin=0,
        zmax=100,
        zsmooth="best",
        zorder=-1,
        colorscale=[[0, _rgba(ink.line, 0)], [0.08, _rgba(ink.line, 0)], [1, _rgba(ink.line, 0.5)]],
        hoverinfo="skip",
        showscale=False,
    )


def _above_empty(stops: list[list[object]]) -> list[list[object]]:
    """Return colour stops for bytes: transparent at 0, the given ones from 1 to 255."""
    first = 1 / 255
    moved = [[first + at * (1 - first), colour] for at, colour in stops]  # type: ignore[operator]
    return [[0, EMPTY], [first, EMPTY], *moved]


def _legend(figure: go.Figure, drawn: Scale, theme: Theme) -> None:
    """Add a one-way scale as a strip under the map, with its unit and its ticks."""
    ink = INKS[theme]
    hidden = {"fixedrange": True, "showgrid": False, "zeroline": False}
    span = max(drawn.high - drawn.low, 1e-9)
    ticks = [(tick - drawn.low) / span for tick in drawn.ticks]
    figure.add_trace(
        go.Heatmap(
            z=np.arange(256, dtype=np.uint8)[None, :], x0=1 / 512, dx=1 / 256, xaxis="x2",
            yaxis="y2", colorscale=drawn.stops, showscale=False, hoverinfo="skip",
        )
    )  # fmt: skip
    figure.update_layout(
        xaxis2={**hidden, "domain": [0.022, 0.442], "anchor": "y2", "range": [0, 1], "ticks": "",
                "tickvals": ticks, "ticktext": list(drawn.labels),
                "tickfont": {"size": 12, "color": ink.muted}},
        yaxis2={**hidden, "domain": [0.045, 0.06], "anchor": "x2", "visible": False},
        annotations=[
            {"text": drawn.title, "xref": "paper", "yref": "paper", "x": 0.022, "y": 0.066,
             "xanchor": "left", "yanchor": "bottom", "showarrow": False,
             "font": {"size": 12, "color": ink.muted}}
        ],
    )  # fmt: skip


def _markers(
    cells: Cells, kept: Kept, ink: Ink, marked: Sequence[int], leading: Leading | None = None
) -> go.Scatter:
    """Return one transparent marker a cell; very many of them tell a little less on hovering."""
    kind = "patch" if cells.frame.patches else "cell"
    facts = [cells.number, cells.count, kept.records, _per_cent(cells.best)]
    told = (
        f"<b>{kind} %{{customdata[0]}}</b><br>"
        "%{customdata[1]:,} records, %{customdata[2]:,} kept<br>"
        "best relative depth %{customdata[3]}%"
    )
    if len(cells) <= DETAILED:
        facts += [_per_cent(cells.mean), _per_cent(kept.share)]
        told += ", mean %{customdata[4]}%"
        told += "" if cells.frame.patches else "<br>%{customdata[5]}% of its patches kept"
    if leading is None:
        return _targets(cells, facts, told, ink, marked)
    detailed = len(cells) <= DETAILED
    name = "%{text}" if detailed else "leading domain"
    told += f"<br>{name}: %{{customdata[{len(facts)}]}}% of its records"
    markers = _targets(cells, [*facts, _per_cent(leading.share)], told, ink, marked)
    if detailed:
        markers.text = [_plain(short_name(leading.names[k])) for k in leading.domain]
    return markers


def _targets(
    cells: Cells, facts: Sequence[np.ndarray], told: str, ink: Ink, marked: Sequence[int]
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
        hovertemplate=told + "<extra></extra>",
    )


def _per_cent(share: np.ndarray) -> np.ndarray:
    return np.nan_to_num(100 * share, nan=0).round()


def _shore(span: tuple[int, int]) -> int:
    """Return how many cells wide the rim around the drawn cells is."""
    return max(1, round(0.045 * (span[1] - span[0])))


def _axis(span: tuple[int, int]) -> dict[str, object]:
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
            "text": _plain(place.text),
            "showarrow": False,
            "yanchor": "bottom",
            "yshift": 3,
            "font": {
                "size": 12.5,
                "color": ink.text,
                "family": _FONT,
                "weight": 600,
                "shadow": _halo(ink.paper),
            },
            "captureevents": False,
        }
        for place in names
    ]


def _two_way_legend(figure: go.Figure, cells: Cells, theme: Theme) -> None:
    """Add the two-way scale as a small square of its own under the map."""
    ink = INKS[theme]
    low, high = _spread(cells.mean)
    square = np.arange(STEPS * STEPS).reshape(STEPS, STEPS)
    figure.add_trace(
        go.Heatmap(z=square, xaxis="x2", yaxis="y2", colorscale=two_way_stops(theme), zmin=-0.5,
                   zmax=STEPS * STEPS - 0.5, showscale=False, hoverinfo="skip", xgap=1, ygap=1)
    )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True}
    figure.update_layout(
        xaxis2={**hidden, "domain": [0, 0.085], "anchor": "y2"},
        yaxis2={**hidden, "domain": [0, LEGEND_SHARE - 0.02], "anchor": "x2"},
    )
    note = {"xref": "paper", "yref": "paper", "showarrow": False, "x": 0.095, "xanchor": "left",
            "align": "left", "font": {"size": 12, "color": ink.muted}}  # fmt: skip
    figure.update_layout(
        annotations=[
            {**note, "text": "↑ patches kept, 0% to 100%", "y": 0.055, "yanchor": "bottom"},
            {**note, "text": f"→ mean relative depth, {low:.0%} to {high:.0%}", "y": 0.045,
             "yanchor": "top"},
        ]
    )  # fmt: skip


def _domain_legend(figure: go.Figure, leading: Leading, theme: Theme) -> None:
    """Name the coloured domains in three columns under the map, and say how many are grey."""
    entries = [
        (colour, short_name(leading.names[k], letters=34))
        for k, colour in zip(leading.largest, DOMAIN_COLOURS[theme], strict=False)
    ]
    if others := leading.others:
        entries.append((OTHER_COLOUR[theme], f"{others} other domain{'s' * (others > 1)}"))
    figure.update_layout(
        annotations=[
            {"text": f'<span style="color:{colour};font-size:17px">■</span> {_plain(name)}',
             "xref": "paper", "yref": "paper", "x": 0.022 + 0.32 * (k // 3),
             "y": 0.112 - 0.035 * (k % 3), "xanchor": "left", "yanchor": "top",
             "showarrow": False, "font": {"size": 12, "color": INKS[theme].muted}}
            for k, (colour, name) in enumerate(entries)
        ]
    )  # fmt: skip


def growth(
    method: Curve,
    random: Curve,
    *,
    now: tuple[int, float, float],
    theme: Theme = "light",
    height: int = 200,
) -> go.Figure:
    """Return coverage and fidelity against the number of records; `random` is drawn dotted.

    `now` is the present number of records, its coverage and its fidelity.
    """
    ink = INKS[theme]
    figure = go.Figure()
    parts = (("coverage", ink.accent, now[1]), ("fidelity", ink.second, now[2]))
    for name, colour, _ in parts:
        figure.add_scatter(
            x=random.records, y=getattr(random, name), mode="lines", showlegend=False,
            hoverinfo="skip", line={"color": colour, "width": 1.2, "dash": "dot"},
        )  # fmt: skip
    for name, colour, value in parts:
        figure.add_scatter(
            x=method.records, y=getattr(method, name), mode="lines", name=name,
            line={"color": colour, "width": 2.2},
            hovertemplate="%{x:,} records: " + name + " %{y:.1%}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=[now[0]], y=[value], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"size": 10, "color": colour, "line": {"color": ink.paper, "width": 2}},
        )  # fmt: skip
    low, high = max(int(random.records[0]), 1), int(random.records[-1])
    _quiet(figure, theme, height)
    figure.update_layout(
        margin={"l": 36, "r": 8, "t": 26, "b": 22},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left",
                "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False},
        hovermode="x",
        xaxis={"type": "log", "range": [np.log10(low), np.log10(max(high, low + 1)) + 0.02],
               "tickvals": _decades(low, high), "tickformat": "~s"},
        yaxis={"range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%",
               "showgrid": True},
    )  # fmt: skip
    return figure


@dataclass(frozen=True)
class Histogram:
    """Shares of the pool and of the selection by the value of something."""

    title: str
    middles: np.ndarray
    width: float
    pool: np.ndarray
    kept: np.ndarray
    ticks: Sequence[float]
    labels: Sequence[str]


def histogram(
    title: str,
    values: np.ndarray,
    rows: np.ndarray,
    *,
    log: bool = False,
    span: tuple[float, float] | None = None,
    bins: int = 24,
) -> Histogram | None:
    """Count values of the pool and of chosen rows in equal bins; None where there are none.

    A logarithmic one leaves out values below 1. What lies outside `span` (all but the outermost
    half per cent at either end, unless given) is put into the outermost bins.
    """
    numbers = np.asarray(values, dtype=np.float64)
    usable = np.isfinite(numbers) & ((numbers >= 1) if log else True)
    if not usable.any():
        return None
    scaled = np.full(len(numbers), np.nan)
    scaled[usable] = np.log10(numbers[usable]) if log else numbers[usable]
    low, high = span or np.nanpercentile(scaled, [0.5, 99.5])
    if high <= low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    chosen = scaled[rows]
    counts = [
        np.histogram(part[np.isfinite(part)].clip(low, high), edges)[0] for part in (scaled, chosen)
    ]
    pool, kept = (count / max(count.sum(), 1) for count in counts)
    ticks, labels = _ticks(low, high, log)
    middles = (edges[:-1] + edges[1:]) / 2
    return Histogram(title, middles, (high - low) / bins, pool, kept, ticks, labels)


def histograms(parts: Sequence[Histogram], theme: Theme = "light", height: int = 100) -> go.Figure:
    """Return small histograms one under the other: the pool filled, the selection as a line."""
    ink = INKS[theme]
    figure = make_subplots(rows=len(parts), cols=1, vertical_spacing=0.42 / max(len(parts), 1))
    for index, part in enumerate(parts, start=1):
        figure.add_bar(
            x=part.middles, y=part.pool, width=part.width, row=index, col=1,
            marker={"color": ink.line, "line": {"width": 0}}, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=part.middles, y=part.kept, mode="lines", row=index, col=1, hoverinfo="skip",
            line={"color": ink.accent, "width": 2, "shape": "hvh"},
        )  # fmt: skip
        ends = [part.middles[0] - part.width / 2, part.middles[-1] + part.width / 2]
        figure.update_xaxes(tickvals=list(part.ticks), ticktext=list(part.labels), range=ends,
                            row=index, col=1)  # fmt: skip
    _quiet(figure, theme, 18 + height * len(parts))
    figure.update_xaxes(showgrid=False, fixedrange=True, zeroline=False,
                        tickfont={"color": ink.muted, "size": 11})  # fmt: skip
    figure.update_yaxes(visible=False, fixedrange=True, rangemode="tozero")
    figure.update_layout(
        margin={"l": 12, "r": 16, "t": 18, "b": 18}, bargap=0, showlegend=False,
        annotations=[
            {"text": _plain(part.title), "xref": "paper",
             "yref": "y domain" if k == 1 else f"y{k} domain",
             "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
             "font": {"size": 12, "color": ink.text}}
            for k, part in enumerate(parts, start=1)
        ],
    )  # fmt: skip
    return figure


# -- methods side by side --------------------------------------------------------------------------

MAPS_ACROSS = 5
"""Small maps in a row."""
MAPS_GAP = 0.06
"""Between two of them, in widths of one."""


def small_maps(
    cells: Cells,
    kept: Sequence[tuple[str, Kept]],
    *,
    what: Literal["share", "records"] = "share",
    theme: Theme = "light",
    height: int = 178,
) -> go.Figure:
    """Return one small map a method, all on one scale, under titles that tell whose it is.

    `what` is the share of a cell's patches that are kept, or its records kept (log).
    """
    ink = INKS[theme]
    down = -(-len(kept) // MAPS_ACROSS)
    values = [_kept_values(part, what) for _, part in kept]
    top = max((int(part.records.max(initial=0)) for _, part in kept), default=1)
    drawn = _kept_scale(what, max(top, 1), theme)
    legend, title = 46, 26
    total = down * (height + title) + legend
    layout: dict[str, object] = _look(theme, total)
    heats, titles = [], []
    for index, ((name, part), shown) in enumerate(zip(kept, values, strict=True)):
        row, column = divmod(index, MAPS_ACROSS)
        axis = "" if index == 0 else str(index + 1)
        left = column * (1 + MAPS_GAP) / (MAPS_ACROSS + (MAPS_ACROSS - 1) * MAPS_GAP)
        width = 1 / (MAPS_ACROSS + (MAPS_ACROSS - 1) * MAPS_GAP)
        low = 1 - (row * (height + title) + height) / (total - legend - title)
        share = height / (total - legend - title)
        layout[f"xaxis{axis}"] = {**_axis(cells.frame.columns), "fixedrange": True,
                                  "domain": [left, min(left + width, 1)],
                                  "anchor": f"y{axis}"}  # fmt: skip
        layout[f"yaxis{axis}"] = {**_axis(cells.frame.rows), "fixedrange": True,
                                  "domain": [max(low, 0), min(low + share, 1)],
                                  "anchor": f"x{axis}"}  # fmt: skip
        heats.append(_small_heat(cells, shown, part, what, axis))
        titles.append({"text": _plain(name), "xref": f"x{axis} domain", "yref": f"y{axis} domain",
                       "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom",
                       "showarrow": False, "font": {"size": 12.5, "color": ink.text}})  # fmt: skip
    layout |= {
        "margin": {"l": 0, "r": 0, "t": title, "b": legend}, "annotations": titles,
        "dragmode": False,
        "coloraxis": {
            "colorscale": drawn.stops, "cmin": drawn.low, "cmax": drawn.high,
            "colorbar": {
                "orientation": "h", "x": 0.015, "xanchor": "left", "y": 0, "yanchor": "top",
                "ypad": 8, "xpad": 0, "len": 0.42, "thickness": 8, "outlinewidth": 0,
                "tickvals": list(drawn.ticks), "ticktext": list(drawn.labels), "ticks": "",
                "tickfont": {"size": 12, "color": ink.muted},
                "title": {"text": drawn.title, "side": "top",
                          "font": {"size": 12, "color": ink.muted}},
            },
        },
    }  # fmt: skip
    return go.Figure(heats, layout)  # at once: changing many axes one by one is slow


def _kept_values(part: Kept, what: str) -> np.ndarray:
    return part.share if what == "share" else np.log10(1 + part.records)


def _kept_scale(what: str, top: int, theme: Theme) -> Scale:
    stops = ramp("coverage", theme)
    if what == "share":
        return Scale(np.zeros(0), 0.0, 1.0, stops, "patches kept", [0, 0.5, 1],
                     ["0%", "50%", "100%"])  # fmt: skip
    ticks = [0, *_log_ticks(top)]
    return Scale(np.zeros(0), 0.0, float(np.log10(1 + top)), stops, "records kept in a cell (log)",
                 [float(np.log10(1 + tick)) for tick in ticks],
                 [f"{tick:,}" for tick in ticks])  # fmt: skip


def _small_heat(cells: Cells, values: np.ndarray, part: Kept, what: str, axis: str) -> go.Heatmap:
    """Return a heatmap of the cells, NaN where there is none; values travel as two bytes."""
    (left, right), (low, high) = cells.frame.columns, cells.frame.rows
    place = cells.row - low, cells.column - left
    level = np.full((high - low, right - left), np.nan, dtype=np.float32)
    level[place] = values.round(3)
    told = "%{z:.0%} of its patches kept"
    if what == "records":
        told = "%{customdata:,} records kept"
    number = np.zeros(level.shape, dtype=np.uint16)
    number[place] = part.records.clip(max=65_535)
    return go.Heatmap(
        z=level, x0=left, y0=low, dx=1, dy=1, coloraxis="coloraxis", hoverongaps=False,
        customdata=number if what == "records" else None, hovertemplate=told + "<extra></extra>",
        xaxis=f"x{axis}", yaxis=f"y{axis}",
    )  # fmt: skip


def overlap(shares: Mapping[str, Mapping[str, float]], theme: Theme = "light") -> go.Figure:
    """Return which share of a row's records the column keeps too, as a table of colours."""
    ink = INKS[theme]
    names = list(shares)
    table = np.array([[shares[a][b] for b in names] for a in names], dtype=np.float32)
    table = table.reshape(len(names), len(names))
    shown = table.copy()
    np.fill_diagonal(shown, np.nan)
    texts = [[f"{100 * v:.0f}" if np.isfinite(v) else "" for v in row] for row in shown]
    stops = ramp("density", theme)
    figure = go.Figure(
        go.Heatmap(
            z=shown, x=names, y=names, text=texts, texttemplate="%{text}", zmin=0, zmax=1,
            colorscale=stops, showscale=False, xgap=2, ygap=2, hoverongaps=False,
            textfont={"size": 12},
            hovertemplate="%{z:.1%} of what %{y} keeps<br>%{x} keeps too<extra></extra>",
        )
    )  # fmt: skip
    _quiet(figure, theme, 70 + max(30 * len(names), 120))
    ticks = {"tickfont": {"size": 12, "color": ink.text}, "ticks": "", "showgrid": False}
    figure.update_xaxes(**ticks, side="top", tickangle=-50)
    figure.update_yaxes(**ticks, autorange="reversed")
    figure.update_layout(margin={"l": 104, "r": 44, "t": 92, "b": 4})
    return figure


# -- studies ---------------------------------------------------------------------------------------

_MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
_LINES: dict[Theme, tuple[str, ...]] = {
    "light": ("#0b7285", "#b5651d", "#7a3e9d", "#1b7f5c", "#c2255c", "#3b5bdb", "#8a6d00"),
    "dark": ("#3fb8c9", "#e0a458", "#c79bea", "#63c7a1", "#ff86ae", "#8ea6ff", "#d8c25a"),
}


@dataclass(frozen=True)
class Series:
    """A line of a chart: where it goes, and how far its points spread."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    spread: Sequence[float] = ()
    notes: Sequence[str] = ()
    """What each point is called, such as its budget."""


def series_style(names: Sequence[str], theme: Theme) -> dict[str, dict[str, object]]:
    """Return a colour, a mark and a dash for every name: random grey, the others in order.

    A variant of a method, such as "ila q=0.5", has its method's colour and a dash of its own.
    """
    styles: dict[str, dict[str, object]] = {}
    colours = iter(_LINES[theme] * (len(names) + 1))
    marks = iter(_MARKS * (len(names) + 1))
    colour_of: dict[str, str] = {"random": INKS[theme].muted}
    for name in ("ila", *names):
        base, _, variant = name.partition(" ")
        if base not in colour_of:
            colour_of[base] = next(colours)
        if name in names and name not in styles:
            dash = "dash" if name == "random" else "dot" if variant else "solid"
            styles[name] = {"color": colour_of[base], "symbol": next(marks), "dash": dash}
    return styles


def scaling(
    lines: Sequence[Series], *, axis: str, theme: Theme = "light", height: int = 430
) -> go.Figure:
    """Return loss against budget, one line a method, with bars of one deviation; x is log.

    `axis` says what is counted along x.
    """
    figure = go.Figure()
    styles = series_style([line.name for line in lines], theme)
    for line in lines:
        style = styles[line.name]
        figure.add_scatter(
            x=list(line.x), y=list(line.y), name=_plain(line.name), mode="lines+markers",
            line={"color": style["color"], "dash": style["dash"],
                  "width": 2.6 if line.name in ("random", "ila") else 1.6},
            marker={"symbol": style["symbol"], "size": 8, "color": style["color"]},
            error_y={"type": "data", "array": [0 if np.isnan(v) else v for v in line.spread],
                     "thickness": 1.2, "width": 3, "color": style["color"]},
            customdata=list(line.notes),
            hovertemplate=f"<b>{_plain(line.name)}</b> at %{{customdata}}<br>"
            f"%{{x:,.0f}} {axis}, loss %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    _chart(figure, theme, height)
    ends = [value for line in lines for value in line.x]
    ticks = _round_marks(min(ends, default=1), max(ends, default=10))
    figure.update_xaxes(type="log", title=f"{axis} (log)", tickvals=ticks,
                        ticktext=[_short(tick) for tick in ticks])  # fmt: skip
    figure.update_yaxes(title="loss on held-out records, nats per token")
    return figure


def depth_sweep(lines: Sequence[Series], theme: Theme = "light", height: int = 300) -> go.Figure:
    """Return how far ILA is from random by depth target, a line a budget; below 0 it is better."""
    figure = go.Figure()
    ink = INKS[theme]
    reached = sorted({value for line in lines for value in line.x})
    colours = _shades("depth" if theme == "light" else "density", theme, len(lines))
    for colour, mark, line in zip(colours, _MARKS * len(lines), lines, strict=False):
        figure.add_scatter(
            x=list(line.x), y=list(line.y), name=_plain(line.name), mode="lines+markers",
            line={"color": colour, "width": 2}, marker={"symbol": mark, "size": 8},
            hovertemplate=f"{_plain(line.name)}, q = %{{x:g}}: %{{y:+.3f}}<extra></extra>",
        )  # fmt: skip
    _chart(figure, theme, height)
    figure.add_hline(0, line={"color": ink.muted, "width": 1.4, "dash": "dash"},
                     annotation={"text": "random", "font": {"size": 12, "color": ink.muted}},
                     annotation_position="top right")  # fmt: skip
    figure.update_xaxes(title="depth target q", tickvals=reached)
    figure.update_yaxes(title="loss less random's", tickformat="+.2f")
    return figure


def predictions(
    actual: np.ndarray, predicted: np.ndarray, theme: Theme = "light", height: int = 300
) -> go.Figure:
    """Return the loss of every subset against what the regression predicts for it."""
    ink = INKS[theme]
    both = np.concatenate([actual, predicted])
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 1.0)
    edge = 0.05 * max(high - low, 1e-6)
    span = [low - edge, high + edge]
    figure = go.Figure()
    figure.add_scatter(x=span, y=span, mode="lines", hoverinfo="skip", showlegend=False,
                       line={"color": ink.muted, "width": 1.2, "dash": "dash"})  # fmt: skip
    figure.add_scatter(
        x=predicted.astype(np.float32), y=actual.astype(np.float32), mode="markers",
        showlegend=False,
        marker={"size": 8, "color": ink.accent, "opacity": 0.75,
                "line": {"color": ink.paper, "width": 1}},
        hovertemplate="predicted %{x:.3f}, found %{y:.3f}<extra></extra>",
    )  # fmt: skip
    _chart(figure, theme, height)
    figure.update_xaxes(title="predicted by coverage and depth", range=span)
    figure.update_yaxes(title="loss found", range=span)
    return figure


def _shades(layer: Ramp, theme: Theme, count: int) -> list[str]:
    """Return colours from the middle to the far end of a ramp, nearest the page first."""
    colours = _RAMPS[layer, theme][2:-1]
    at = np.linspace(0, len(colours) - 1, max(count, 1)).round().astype(int)
    return [colours[k] for k in at]


def _chart(figure: go.Figure, theme: Theme, height: int) -> None:
    """Give a chart with axes the page's look: grid lines, titles, a legend above."""
    ink = INKS[theme]
    _quiet(figure, theme, height)
    axis = {"showgrid": True, "gridcolor": ink.line, "ticks": "", "title": {"standoff": 8},
            "tickfont": {"size": 12, "color": ink.muted}, "automargin": True}  # fmt: skip
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(
        margin={"l": 8, "r": 12, "t": 8, "b": 8}, hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
                "font": {"size": 12.5, "color": ink.text}},
    )  # fmt: skip


def _round_marks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten between two numbers."""
    powers = range(int(np.floor(np.log10(max(low, 1)))), int(np.ceil(np.log10(max(high, 10)))) + 1)
    marks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    return [mark for mark in marks if 0.8 * low <= mark <= 1.25 * high]


def _short(number: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def _quiet(figure: go.Figure, theme: Theme, height: int) -> None:
    """Give a small chart the page's look: no frame, no tools, muted text."""
    figure.update_layout(_look(theme, height))
    figure.update_xaxes(showgrid=False, fixedrange=True, zeroline=False)
    figure.update_yaxes(showgrid=False, gridcolor=INKS[theme].line, fixedrange=True, zeroline=False)


def _look(theme: Theme, height: int) -> dict[str, object]:
    """Return the layout that every small chart has."""
    ink = INKS[theme]
    return {
        "template": "none",
        "height": height,
        "paper_bgcolor": EMPTY,
        "plot_bgcolor": EMPTY,
        "font": {"family": _FONT, "size": 12, "color": ink.muted},
        "hoverlabel": {
            "bgcolor": ink.paper,
            "bordercolor": ink.line,
            "font": {"color": ink.text},
        },
    }


def _ticks(low: float, high: float, log: bool) -> tuple[list[float], list[str]]:
    """Return three or four round places along an axis, with their labels."""
    if log:
        powers = [float(k) for k in range(int(np.ceil(low)), int(np.floor(high)) + 1)]
        return powers, [f"{10**power:,.0f}" for power in powers]
    if low >= 0 and high <= 1.0001:
        return [0.0, 0.5, 1.0], ["0%", "50%", "100%"]
    step = 10 ** np.floor(np.log10(high - low))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if (high - low) / s <= 5)
    marks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return marks.tolist(), [f"{mark:g}" for mark in marks]


def _spread(values: np.ndarray) -> tuple[float, float]:
    """Range that holds nearly all values, in steps of 5 %, so that the colours are used."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.percentile(finite, [3, 97])
    low, high = np.floor(low * 20) / 20, np.ceil(high * 20) / 20
    return (float(low), float(high)) if high - low >= 0.1 else (0.0, 1.0)


def _log_ticks(top: int) -> list[int]:
    """1, 10, 100 ... and the top itself where it is clear of the last."""
    ticks = [10**k for k in range(int(np.log10(top)) + 1)]
    if top >= 2.2 * ticks[-1] or len(ticks) == 1:
        ticks.append(top)
    return ticks


def _decades(low: float, high: float) -> list[float]:
    ticks = [10.0**k for k in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)]
    return [tick for tick in ticks if low <= tick <= high] or [low, high]


def _plain(text: str) -> str:
    """Return text that Plotly draws as it is: its labels would read tags and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rgb(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgb({red},{green},{blue})"


def _rgba(colour: str, alpha: float) -> str:
    return f"{_rgb(colour)[:-1]},{alpha})".replace("rgb(", "rgba(")


def _halo(colour: str) -> str:
    """Return a text shadow that lifts a name off whatever lies under it."""
    return ", ".join([f"0 0 2px {colour}"] * 3 + [f"0 0 5px {colour}"] * 2)
