"""The map as pictures of a page: pixels in the colours of light and dark, lines, and names."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import category, east_asian_width

import numpy as np

from ila_core.landscape.landscape import Landscape
from ila_core.landscape.naming import named_regions
from ila_core.landscape.region import Box
from ila_core.landscape.surface import (
    Pixels,
    View,
    contour_levels,
    contours,
    density,
    representation,
    to_pixels,
    view_of,
    whole,
)
from ila_core.report.png import png
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
Ramp = Literal["density", "representation"]
RAMPS: dict[tuple[Ramp, Theme], tuple[str, ...]] = {
    ("density", "light"): ("#e3e8d6", "#b4d6c1", "#74b9b0", "#3a94a3", "#1f6c8c", "#1d4468",
                           "#141f42"),
    ("density", "dark"): ("#1b3644", "#1d5a72", "#22839a", "#45ada6", "#8bd0a0", "#cfe8a6",
                          "#fbf8c8"),
    ("representation", "light"): ("#7d3408", "#c26a1e", "#e8ac72", "#e6e3da", "#8fb9d3",
                                  "#3d7fae", "#143f70"),
    ("representation", "dark"): ("#ffc995", "#e0903f", "#8d5624", "#2c353a", "#2f6b90",
                                 "#59a8d6", "#c3e4fb"),
}  # fmt: skip
"""From the lowest to the highest, with the contrast of the page's own map."""
WIDTH, HEIGHT = 460, 400
"""Pixels of a picture: about as many as a page of two columns shows."""
ENDS = 2.0
"""Of a representation, log2 at which the colours end: four times as many kept as chance would."""
SHARES = (0.9, 0.6, 0.3)
"""Of the records, that lie within the contour lines: more lines would hide what is small."""
LEVEL = 1
"""Of the regions that are named: the middle one of three."""
NAMED = 14
"""Names on a picture at most."""
WORDS = 3
"""Of a region's name that are shown."""
COLUMN = 6.3
"""Pixels that a Latin letter of a name takes on average; a Chinese sign takes two of them."""
LINE = 16.0
"""Pixels of a line of names."""


@dataclass(frozen=True)
class Name:
    """A name on a picture, where its middle is, in its pixels from the upper left."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Picture:
    """A picture of the map."""

    files: Mapping[Theme, str]
    """The pixels as a PNG in a data URI, by theme."""
    ramps: Mapping[Theme, Sequence[str]]
    """Colours of the legend, from the lowest on."""
    low: str
    """What the lowest colour means."""
    high: str


def density_picture(landscape: Landscape) -> Picture:
    """Return where the records of a pool lie."""
    raster = density(landscape, _view(landscape))
    return _picture(to_pixels(raster, low=0.0, scale="sqrt"), "density", "few records", "many")


def representation_picture(selection: Selection) -> Picture:
    """Return what a selection keeps more and less of than chance would."""
    landscape = selection.landscape
    among = Locks.asked(landscape, selection.spec).free(len(landscape))
    raster = representation(landscape, _view(landscape), selection.rows, among)
    pixels = to_pixels(raster, low=-ENDS, high=ENDS)
    return _picture(pixels, "representation", "a quarter of its share is kept", "four times it")


def lines(landscape: Landscape) -> str:
    """Return the contour lines of the density, as the path of an SVG of a picture's size."""
    view = _view(landscape)
    raster = density(landscape, view)
    found = contours(raster, contour_levels(raster, SHARES))
    return "".join(_path(line, view.box) for level in found for line in level.lines)


def names(landscape: Landscape) -> list[Name]:
    """Return the names of the largest regions that fit on a picture, the largest first."""
    box = whole(landscape)
    taken: list[tuple[float, float, float, float]] = []
    shown: list[Name] = []
    for region in named_regions(landscape).at(LEVEL):
        text = " · ".join(region.words[:WORDS])
        x, y = (float(at) for at in _pixels(np.array([[region.x, region.y]]), box)[0])
        half = COLUMN * columns(text) / 2 + 2
        x = min(max(x, half), max(half, WIDTH - half))
        y = min(max(y, LINE), HEIGHT - LINE)
        own = (x - half, y - LINE / 2, x + half, y + LINE / 2)
        if text and len(shown) < NAMED and not any(_meet(own, other) for other in taken):
            taken.append(own)
            shown.append(Name(text, round(x, 1), round(y, 1)))
    return shown


def columns(text: str) -> int:
    """Return how wide a text is in Latin letters: Chinese signs are two, marks on letters none.

    >>> columns("poem"), columns("诗歌"), columns("กี่")
    (4, 4, 1)
    """
    wide = sum(east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(category(sign) in ("Mn", "Me", "Cf") for sign in text)


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _view(landscape: Landscape) -> View:
    return view_of(landscape, width=WIDTH, height=HEIGHT)


def _picture(pixels: Pixels, ramp: Ramp, low: str, high: str) -> Picture:
    upright = pixels.bytes[::-1]
    files = {theme: _uri(png(upright, colours(RAMPS[ramp, theme]))) for theme in THEMES}
    return Picture(files, {theme: RAMPS[ramp, theme] for theme in THEMES}, low, high)


def _uri(file: bytes) -> str:
    return f"data:image/png;base64,{b64encode(file).decode()}"


def colours(stops: Sequence[str]) -> np.ndarray:
    """Return the colours of the values 1 to 255 along a ramp, (256, 3) uint8; 0 is black.

    >>> colours(("#000000", "#ff8000"))[[0, 1, 255]].tolist()
    [[0, 0, 0], [0, 0, 0], [255, 128, 0]]
    """
    known = np.array([[int(stop[k : k + 2], 16) for k in (1, 3, 5)] for stop in stops], float)
    at = np.linspace(0, len(stops) - 1, 255)
    table = np.zeros((256, 3), np.uint8)
    for k in range(3):
        table[1:, k] = np.rint(np.interp(at, np.arange(len(stops)), known[:, k]))
    return table


def _pixels(points: np.ndarray, box: Box) -> np.ndarray:
    """Return places of the map in pixels of a picture, from its upper left, (m, 2)."""
    low, high = np.array([box.x0, box.y0], float), np.array([box.x1, box.y1], float)
    part = (points - low) / (high - low)
    return np.stack([part[:, 0] * WIDTH, (1 - part[:, 1]) * HEIGHT], axis=1)


def _path(line: np.ndarray, box: Box) -> str:
    corners = [f"{x:.1f} {y:.1f}" for x, y in _pixels(line, box).tolist()]
    return f"M{corners[0]}L{' '.join(corners[1:])}" if len(corners) > 1 else ""
