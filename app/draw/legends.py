"""Legends of the map, as strips and squares under it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from draw.layers import Theme
from draw.names import isolated, short_name
from draw.scales import DOMAIN_COLOURS, OTHER_COLOUR, STEPS, Scale, two_way_stops, usual_range
from draw.theme import INKS, plain
from ila_core.landscape.cells import Cells, Leading

LEGEND_SHARE = 0.12
"""Share of that height that the legend has, under the map."""


def scale_legend(figure: go.Figure, drawn: Scale, theme: Theme) -> None:
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


def two_way_legend(figure: go.Figure, cells: Cells, theme: Theme) -> None:
    """Add the two-way scale as a small square of its own under the map."""
    ink = INKS[theme]
    low, high = usual_range(cells.mean)
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


def domain_legend(figure: go.Figure, leading: Leading, theme: Theme) -> None:
    """Name the coloured domains in three columns under the map, and say how many are grey."""
    entries = [
        (colour, isolated(short_name(leading.names[k], letters=34)))
        for k, colour in zip(leading.largest, DOMAIN_COLOURS[theme], strict=False)
    ]
    if others := leading.others:
        entries.append((OTHER_COLOUR[theme], f"{others} other domain{'s' * (others > 1)}"))
    figure.update_layout(
        annotations=[
            {"text": f'<span style="color:{colour};font-size:17px">■</span> {plain(name)}',
             "xref": "paper", "yref": "paper", "x": 0.022 + 0.32 * (k // 3),
             "y": 0.112 - 0.035 * (k % 3), "xanchor": "left", "yanchor": "top",
             "showarrow": False, "font": {"size": 12, "color": INKS[theme].muted}}
            for k, (colour, name) in enumerate(entries)
        ]
    )  # fmt: skip
