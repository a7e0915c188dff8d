"""The small charts beside the map: what a budget buys, and how what is kept differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from draw.layers import Theme
from draw.theme import INKS, plain, quiet
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
               "tickvals": _decades(low, high), "tickformat": "~s"},
        yaxis={"range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%",
               "showgrid": True},
    )  # fmt: skip
    return figure


def _decades(low: float, high: float) -> list[float]:
    ticks = [10.0**k for k in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)]
    return [tick for tick in ticks if low <= tick <= high] or [low, high]


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
    quiet(figure, theme, 18 + height * len(parts))
    figure.update_xaxes(showgrid=False, fixedrange=True, zeroline=False,
                        tickfont={"color": ink.muted, "size": 11})  # fmt: skip
    figure.update_yaxes(visible=False, fixedrange=True, rangemode="tozero")
    figure.update_layout(
        margin={"l": 12, "r": 16, "t": 18, "b": 18}, bargap=0, showlegend=False,
        annotations=[
            {"text": plain(part.title), "xref": "paper",
             "yref": "y domain" if k == 1 else f"y{k} domain",
             "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
             "font": {"size": 12, "color": ink.text}}
            for k, part in enumerate(parts, start=1)
        ],
    )  # fmt: skip
    return figure


def _ticks(low: float, high: float, log: bool) -> tuple[list[float], list[str]]:
    """Return three or four round places along an axis, with their labels."""
    if log:
        powers = [float(k) for k in range(int(np.ceil(low)), int(np.floor(high)) + 1)]
        return powers, [f"{10**power:,.0f}" for power in powers]
    if low >= 0 and high <= 1.0001:
        return [0.0, 0.5, 1.0], ["0%", "50%", "100%"]
    step = 10 ** np.floor(np.log10(high - low))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if (high - low) / s <= 5)
    marks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step + 0.0  # no "-0"
    return marks.tolist(), [f"{mark:g}" for mark in marks]
