"""The legend of a map of cells: a strip under it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from draw.layers import Theme
from draw.scales import Scale
from draw.theme import INKS

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
