"""The charts of a study: loss against budget, against depth target, and as predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from draw.layers import Theme
from draw.scales import shades
from draw.theme import INKS, TONES, plain, with_axes
from ila_core.studies.findings import ILA
from ila_core.studies.seeds import Outcome
from ila_core.studies.variant import RANDOM

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
    colour_of = {str(RANDOM): INKS[theme].muted}
    for name in (str(ILA), *names):
        base, _, variant = name.partition(" ")
        if base not in colour_of:
            colour_of[base] = next(colours)
        if name in names and name not in styles:
            dash = "dash" if name == str(RANDOM) else "dot" if variant else "solid"
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
            x=list(line.x), y=list(line.y), name=plain(line.name), mode="lines+markers",
            line={"color": style["color"], "dash": style["dash"],
                  "width": 2.6 if line.name in (str(RANDOM), str(ILA)) else 1.6},
            marker={"symbol": style["symbol"], "size": 8, "color": style["color"]},
            error_y={"type": "data", "array": [0 if np.isnan(v) else v for v in line.spread],
                     "thickness": 1.2, "width": 3, "color": style["color"]},
            customdata=list(line.notes),
            hovertemplate=f"<b>{plain(line.name)}</b> at %{{customdata}}<br>"
            f"%{{x:,.0f}} {axis}, loss %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    with_axes(figure, theme, height)
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
    colours = shades("depth" if theme == "light" else "density", theme, len(lines))
    for colour, mark, line in zip(colours, _MARKS * len(lines), lines, strict=False):
        figure.add_scatter(
            x=list(line.x), y=list(line.y), name=plain(line.name), mode="lines+markers",
            line={"color": colour, "width": 2}, marker={"symbol": mark, "size": 8},
            hovertemplate=f"{plain(line.name)}, q = %{{x:g}}: %{{y:+.3f}}<extra></extra>",
        )  # fmt: skip
    with_axes(figure, theme, height)
    figure.add_hline(0, line={"color": ink.muted, "width": 1.4, "dash": "dash"},
                     annotation={"text": str(RANDOM), "font": {"size": 12, "color": ink.muted}},
                     annotation_position="top right")  # fmt: skip
    figure.update_xaxes(title="depth target q", tickvals=reached)
    figure.update_yaxes(title="loss less random's", tickformat="+.2f")
    return figure


@dataclass(frozen=True)
class Part:
    """What a method loses by one part of it: its loss without the part, less its own."""

    name: str
    worth: float
    half: float
    """Half the width of its interval; 0 where none is known."""
    outcome: Outcome


def parts_taken_back(parts: Sequence[Part], theme: Theme = "light") -> go.Figure:
    """Return what a method loses by each part, a line each; right of 0 the part is worth having."""
    ink, (better, worse) = INKS[theme], TONES[theme]
    colours = {"worse": better, "better": worse, "even": ink.muted}
    figure = go.Figure()
    figure.add_scatter(
        x=[part.worth for part in parts], y=[plain(part.name) for part in parts], mode="markers",
        marker={"size": 10, "color": [colours[part.outcome] for part in parts]},
        error_x={"type": "data", "array": [part.half for part in parts], "thickness": 1.4,
                 "width": 4, "color": ink.muted},
        hovertemplate="%{y}: %{x:+.3f} nats per token<extra></extra>", showlegend=False,
    )  # fmt: skip
    with_axes(figure, theme, 76 + 34 * len(parts))
    figure.add_vline(0, line={"color": ink.muted, "width": 1.4, "dash": "dash"})
    figure.update_xaxes(title="loss less ILA's", tickformat="+.2f", nticks=5)
    figure.update_yaxes(autorange="reversed", showgrid=False)
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
    with_axes(figure, theme, height)
    figure.update_xaxes(title="predicted by coverage and depth", range=span)
    figure.update_yaxes(title="loss found", range=span)
    return figure


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
