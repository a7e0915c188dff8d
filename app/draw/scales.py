"""Numbers to colours: the scale of every layer.

Colours are readable for colour-blind people: along every scale lightness changes in one direction,
from near the page's colour to far from it. They are given as rgb() stops, because Streamlit's
theme rewrites the lowest colour of some named scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from draw.layers import Theme
from draw.theme import rgb

Ramp = Literal["density", "depth", "coverage", "difference"]
RAMPS: dict[tuple[Ramp, Theme], tuple[str, ...]] = {
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
    colours = RAMPS[layer, theme]
    return [[k / (len(colours) - 1), rgb(colour)] for k, colour in enumerate(colours)]


def shades(layer: Ramp, theme: Theme, count: int) -> list[str]:
    """Return colours from the middle to the far end of a ramp, nearest the page first."""
    colours = RAMPS[layer, theme][2:-1]
    at = np.linspace(0, len(colours) - 1, max(count, 1)).round().astype(int)
    return [colours[k] for k in at]


def usual_range(values: np.ndarray) -> tuple[float, float]:
    """Range that holds nearly all values, in steps of 5 %, so that the colours are used."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.percentile(finite, [3, 97])
    low, high = np.floor(low * 20) / 20, np.ceil(high * 20) / 20
    return (float(low), float(high)) if high - low >= 0.1 else (0.0, 1.0)


def log_ticks(top: int) -> list[int]:
    """1, 10, 100 ... and the top itself where it is clear of the last."""
    ticks = [10**k for k in range(int(np.log10(top)) + 1)]
    if top >= 2.2 * ticks[-1] or len(ticks) == 1:
        ticks.append(top)
    return ticks
