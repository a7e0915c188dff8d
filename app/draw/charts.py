"""The small chart beside the map: what a budget buys."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from draw.layers import Theme
from draw.theme import INKS, quiet
from draw.ticks import decades
from ila_core.measure.curve import Curve


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
    quiet(figure, theme, height)
    figure.update_layout(
        margin={"l": 36, "r": 8, "t": 26, "b": 22},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left",
                "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False},
        hovermode="x",
        xaxis={"type": "log", "range": [np.log10(low), np.log10(max(high, low + 1)) + 0.02],
               "tickvals": decades(low, high) or [low, high], "tickformat": "~s"},
        yaxis={"range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%",
               "showgrid": True},
    )  # fmt: skip
    return figure
