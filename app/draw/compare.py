"""Several selections of one landscape: small maps, the difference of two, and what they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from draw.layers import Theme
from draw.legends import scale_legend
from draw.map import MAP_HEIGHT, as_map, heat, map_axis, targets
from draw.names import Place
from draw.pictures import FOURFOLD, FOURFOLD_TICKS
from draw.scales import Scale, ramp
from draw.theme import INKS, look, plain, quiet
from ila_core.landscape import surface
from ila_core.landscape.cells import Cells, Kept
from ila_core.landscape.landscape import Landscape

MAPS_ACROSS = 6
"""Small maps in a row."""
SMALL = 96
"""Pixels a side of a small map: some 150 on the screen, and sixteen weigh less than 300 kB."""
MAPS_GAP = 0.06
"""Between two of them, in widths of one."""


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
    hover = (
        f"<b>{'patch' if cells.frame.patches else 'cell'} %{{customdata[0]}}</b><br>"
        "%{customdata[1]:,} records<br>"
        f"{plain(names[0])} keeps %{{customdata[2]:,}}, "
        f"{plain(names[1])} %{{customdata[3]:,}}"
    )
    facts = [cells.number, cells.count, first.records, second.records]
    figure = go.Figure([heat(cells, drawn, ink), targets(cells, facts, hover, ink)])
    scale_legend(figure, drawn, theme)
    figure.update_layout(xaxis2_domain=[0.05, 0.47])  # the label under its left end is longer
    figure.layout.annotations[0].x = 0.05
    as_map(figure, cells, theme, places, height)
    return figure


def _difference_scale(
    first: Kept, second: Kept, names: tuple[str, str], what: str, theme: Theme
) -> Scale:
    """Return what one keeps less what the other keeps; nearly all cells lie within its reach."""
    stops = ramp("difference", theme)
    title = f"← more by {plain(names[1])} · more by {plain(names[0])} →"
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
                 [f"−{most:,}", "0", f"+{most:,} record{'s' * (most != 1)} (log)"])  # fmt: skip


def _reach(values: np.ndarray, step: float) -> float:
    """Return how far a scale around 0 goes: 98 % of the values lie within, in whole steps."""
    if not len(values):
        return step
    return float(max(np.ceil(np.percentile(np.abs(values), 98) / step - 1e-9), 1) * step)


def small_maps(
    landscape: Landscape,
    kept: Sequence[tuple[str, np.ndarray]],
    *,
    theme: Theme = "light",
    height: int = 156,
) -> go.Figure:
    """Return one small map a method, all on one scale, under titles that tell whose it is.

    `kept` is each title with the rows that are kept. Colour is the share of every place that is
    kept beside the budget's share, as on the map's own layer of representation.
    """
    ink = INKS[theme]
    down = -(-len(kept) // MAPS_ACROSS)
    view = surface.view_of(landscape, width=SMALL, height=SMALL)
    legend, title = 46, 40  # of two lines
    total = down * (height + title) + legend
    layout: dict[str, object] = look(theme, total)
    heats, titles = [], []
    for index, (name, rows) in enumerate(kept):
        row, column = divmod(index, MAPS_ACROSS)
        axis = "" if index == 0 else str(index + 1)
        left = column * (1 + MAPS_GAP) / (MAPS_ACROSS + (MAPS_ACROSS - 1) * MAPS_GAP)
        width = 1 / (MAPS_ACROSS + (MAPS_ACROSS - 1) * MAPS_GAP)
        low = 1 - (row * (height + title) + height) / (total - legend - title)
        share = height / (total - legend - title)
        layout[f"xaxis{axis}"] = {**map_axis((0, SMALL)), "fixedrange": True,
                                  "domain": [left, min(left + width, 1)],
                                  "anchor": f"y{axis}"}  # fmt: skip
        layout[f"yaxis{axis}"] = {**map_axis((0, SMALL)), "fixedrange": True,
                                  "domain": [max(low, 0), min(low + share, 1)],
                                  "anchor": f"x{axis}"}  # fmt: skip
        raster = surface.representation(landscape, view, rows)
        level = surface.to_pixels(raster, low=-FOURFOLD, high=FOURFOLD).bytes
        heats.append(go.Heatmap(z=level, coloraxis="coloraxis", hoverinfo="skip",
                                xaxis=f"x{axis}", yaxis=f"y{axis}"))  # fmt: skip
        titles.append({"text": plain(name).replace("\n", "<br>"), "align": "left",
                       "xref": f"x{axis} domain", "yref": f"y{axis} domain",
                       "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom",
                       "showarrow": False, "font": {"size": 12.5, "color": ink.text}})  # fmt: skip
    layout |= {
        "margin": {"l": 0, "r": 0, "t": title, "b": legend}, "annotations": titles,
        "dragmode": False,
        "coloraxis": {
            "colorscale": _over_nothing(ramp("difference", theme)), "cmin": 0, "cmax": 255,
            "colorbar": {
                "orientation": "h", "x": 0.035, "xanchor": "left", "y": 0, "yanchor": "top",
                "ticklabeloverflow": "allow",
                "ypad": 8, "xpad": 0, "len": 0.42, "thickness": 8, "outlinewidth": 0,
                "tickvals": [1 + 254 * at for at, _ in FOURFOLD_TICKS],
                "ticktext": [label for _, label in FOURFOLD_TICKS], "ticks": "",
                "tickfont": {"size": 12, "color": ink.muted},
                "title": {"text": "kept, beside the budget's share", "side": "top",
                          "font": {"size": 12, "color": ink.muted}},
            },
        },
    }  # fmt: skip
    return go.Figure(heats, layout)  # at once: changing many axes one by one is slow


def _over_nothing(stops: list[list[object]]) -> list[list[object]]:
    """Return a scale of bytes: nothing is drawn at 0, and the colours go from 1 to 255."""
    first = 1 / 255
    nothing = "rgba(0,0,0,0)"
    colours = [[first + (1 - first) * float(str(at)), colour] for at, colour in stops]
    return [[0, nothing], [first, nothing], *colours]


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
    quiet(figure, theme, 70 + max(30 * len(names), 120))
    ticks = {"tickfont": {"size": 12, "color": ink.text}, "ticks": "", "showgrid": False}
    figure.update_xaxes(**ticks, side="top", tickangle=-50)
    figure.update_yaxes(**ticks, autorange="reversed")
    figure.update_layout(margin={"l": 104, "r": 44, "t": 92, "b": 4})
    return figure
