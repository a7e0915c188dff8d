"""The map as smooth surfaces: how many records lie where, how deep they are, what is kept of them.

Every surface is a raster over a window of the map: points are counted into pixels and the counts
smoothed by a Gaussian. Pixels stand as on paper: column 0 is the left, row 0 the lowest. Points
beyond the window, as far as the Gaussian reaches, count too, so that a window shows what the whole
map shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ila_core.chance import stream
from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.landscape.region import Box

REACH = 4.0
"""Bandwidths beyond which a point adds nothing."""
SUPPORT = 16.0
"""Records that a Gaussian should stand on where the window is as full as on average."""
NARROWEST = 1.2
"""Pixels of the smallest bandwidth: below it the pixels themselves would show."""
WIDEST = 0.05
"""Share of the raster's shorter side that the largest bandwidth is."""
PRIOR = 1.0
"""Picks that are added to those kept and to those expected: one alone proves little."""
AIR = 0.03
"""Share of an extent by which the whole map's window is wider at either end."""

Rows = np.ndarray | None
"""Row numbers, or a mask of all rows; None for all."""


class View(NamedTuple):
    """What a raster shows: a window of the map, in how many pixels, and how far it smooths."""

    box: Box
    width: int
    height: int
    bandwidth: float
    """Standard deviation of the Gaussian in pixels."""


@dataclass(frozen=True, eq=False)
class Raster:
    """A number for every pixel of a window."""

    view: View
    values: np.ndarray
    """(height, width) float32, row 0 the lowest; NaN where nothing lies."""
    there: np.ndarray
    """(height, width) bool, where records lie: see `density`."""


@dataclass(frozen=True, eq=False)
class Leading:
    """The domain that leads in every pixel; both arrays (height, width), row 0 the lowest."""

    view: View
    domain: np.ndarray
    """int32, position in the landscape's domain_names; -1 where nothing lies."""
    share: np.ndarray
    """float32, its share of the smoothed count of all records there; NaN where nothing lies."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """A raster in bytes: what is sent does not grow with the pool."""

    view: View
    bytes: np.ndarray
    """(height, width) uint8, row 0 the lowest: 0 for nothing, 1 for `low` or less ... 255 for
    `high` or more."""
    low: float
    high: float
    scale: Scale


Scale = Literal["linear", "log"]


@dataclass(frozen=True, eq=False)
class Contour:
    """The lines along which a surface has one value."""

    level: float
    lines: tuple[np.ndarray, ...]
    """Each (m, 2) float32 in map coordinates; a closed one ends where it begins."""


def whole(landscape: Landscape) -> Box:
    """Return the window of the whole map, with 3 % of air around it.

    An axis along which all records have one place is as long as the other, or 1.
    """
    (x0, y0), (x1, y1) = landscape.bounds
    wide, tall = x1 - x0, y1 - y0
    wide, tall = wide or tall or 1.0, tall or wide or 1.0
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    half_x, half_y = wide * (0.5 + AIR), tall * (0.5 + AIR)
    return Box(x - half_x, y - half_y, x + half_x, y + half_y)


def view_of(
    landscape: Landscape,
    window: Box | None = None,
    *,
    width: int = 320,
    height: int = 240,
    bandwidth: float | None = None,
) -> View:
    """Return what a raster of a window shows; the whole map where it is None.

    The bandwidth is such that the Gaussian stands on about 16 records where the window is as full
    as on average: sqrt(16 width height / (4 pi n)) pixels for n records in it, from 1.2 pixels to
    a twentieth of the shorter side.
    """
    box = window or whole(landscape)
    if bandwidth is None:
        n = max(1, len(rows_inside(landscape, box)))
        bandwidth = float(np.sqrt(SUPPORT * width * height / (4 * np.pi * n)))
        bandwidth = min(max(bandwidth, NARROWEST), max(NARROWEST, WIDEST * min(width, height)))
    return View(box, width, height, bandwidth)


def density(landscape: Landscape, view: View, rows: Rows = None) -> Raster:
    """Return how many records lie at every pixel, smoothed, in records a pixel.

    Something lies where the density is at least that of one record two bandwidths away.
    """
    count = _smooth(_counted(landscape, view, rows), view)
    return Raster(view, frozen(_cut(count, view)), frozen(_there(_cut(count, view), view)))


def mean_depth(landscape: Landscape, view: View, rows: Rows = None) -> Raster:
    """Return the mean relative depth around every pixel: smoothed sum over smoothed count."""
    from ila_core.landscape.surface_compiled import sum_points

    x, y, depth = (_taken(one, rows) for one in (*landscape.columns, landscape.relative_depth))
    known, total = sum_points(x, y, depth, *_grain(view))
    known, total = (_cut(_smooth(one, view), view) for one in (known, total))
    there = _there(known, view)
    values = np.divide(total, known, out=np.full_like(total, np.nan), where=there)
    return Raster(view, frozen(values), frozen(there))


def representation(
    landscape: Landscape, view: View, kept: np.ndarray, among: Rows = None
) -> Raster:
    """Return log2 of the share that is kept around every pixel over the budget's share.

    1 where twice as many records are kept as everywhere, -1 where half as many, 0 where the share
    is the budget's. `kept` are the chosen rows; `among` those that they were chosen from (all).
    One pick is added to those kept and to those expected, so that few records tell little.
    """
    share = _size(landscape, kept) / max(1, _size(landscape, among))
    picks = _cut(_smooth(_counted(landscape, view, kept), view), view)
    records = density(landscape, view, among)
    prior = PRIOR / (4 * np.pi * view.bandwidth**2)
    ratio = (picks + prior) / (records.values * share + prior)
    values = np.log2(ratio, out=np.full_like(ratio, np.nan), where=records.there)
    return Raster(view, frozen(values), records.there)


def difference(landscape: Landscape, view: View, one: np.ndarray, other: np.ndarray) -> Raster:
    """Return which of two selections keeps more around every pixel: (a - b) / (a + b).

    1 where only `one` keeps records, -1 where only `other` does; a pick is added below, so that
    a single one does not read as all. NaN where neither keeps any.
    """
    a, b = (_cut(_smooth(_counted(landscape, view, rows), view), view) for rows in (one, other))
    prior = PRIOR / (4 * np.pi * view.bandwidth**2)
    there = _there(a + b, view)
    values = np.where(there, (a - b) / (a + b + prior), np.float32(np.nan))
    return Raster(view, frozen(values), frozen(there))


def leading(landscape: Landscape, view: View, among: Sequence[int] | None = None) -> Leading:
    """Return the domain of which most records lie around every pixel, ties to the first.

    `among` names the domains that can lead (all); the share is always that of all records.
    """
    from ila_core.landscape.surface_compiled import count_kinds

    domains = np.arange(len(landscape.domain_names)) if among is None else np.array(among)
    slot = np.full(len(landscape.domain_names), -1, np.int32)
    slot[domains] = np.arange(len(domains))
    counts = count_kinds(*landscape.columns, slot[landscape.domain], len(domains), *_grain(view))
    total = density(landscape, view)
    best = np.zeros((view.height, view.width), np.float32)
    lead = np.full(best.shape, -1, np.int32)
    for domain, count in zip(domains, counts, strict=True):
        smooth = _cut(_smooth(count.astype(np.float32), view), view)
        more = (smooth > best) & total.there
        best[more], lead[more] = smooth[more], domain
    share = np.divide(best, total.values, out=np.full_like(best, np.nan), where=lead >= 0)
    return Leading(view, frozen(lead), frozen(share))


def largest_domains(landscape: Landscape, box: Box | None = None, most: int = 12) -> list[int]:
    """Return the domains with most records in a window, the largest first, without empty ones."""
    rows = slice(None) if box is None else rows_inside(landscape, box)
    count = np.bincount(landscape.domain[rows], minlength=len(landscape.domain_names))
    return [int(k) for k in np.argsort(-count, kind="stable")[:most] if count[k]]


def contour_levels(raster: Raster, shares: Sequence[float] = (0.9, 0.7, 0.5, 0.3, 0.1)) -> list:
    """Return the densities above which these shares of the window's records lie, ascending."""
    values = np.sort(raster.values[raster.there].astype(np.float64))[::-1]
    if not len(values):
        return []
    mass = np.cumsum(values)
    at = np.searchsorted(mass, np.asarray(sorted(shares, reverse=True)) * mass[-1])
    return [float(values[min(k, len(values) - 1)]) for k in at]


def contours(raster: Raster, levels: Sequence[float]) -> tuple[Contour, ...]:
    """Return the lines where a surface crosses these levels; NaN is where no line goes."""
    from contourpy import contour_generator

    view = raster.view
    x = view.box.x0 + (np.arange(view.width) + 0.5) * (view.box.x1 - view.box.x0) / view.width
    y = view.box.y0 + (np.arange(view.height) + 0.5) * (view.box.y1 - view.box.y0) / view.height
    found = contour_generator(x, y, raster.values)
    return tuple(
        Contour(float(level), tuple(frozen(line, np.float32) for line in found.lines(level)))
        for level in levels
    )


def to_pixels(
    raster: Raster,
    *,
    low: float | None = None,
    high: float | None = None,
    scale: Scale = "linear",
) -> Pixels:
    """Return a raster in bytes; low and high are its own smallest and largest where not given."""
    values = raster.values.astype(np.float64)
    seen = values[raster.there & np.isfinite(values)]
    low = float(seen.min() if len(seen) else 0.0) if low is None else low
    high = float(seen.max() if len(seen) else 1.0) if high is None else high
    ends = np.array([low, high])
    if scale == "log":
        tiny = np.finfo(np.float32).tiny
        values, ends = np.log(np.maximum(values, tiny)), np.log(np.maximum(ends, tiny))
    part = (values - ends[0]) / ((ends[1] - ends[0]) or 1.0)
    shown = raster.there & np.isfinite(part)
    out = np.zeros(values.shape, np.uint8)
    out[shown] = 1 + np.round(part[shown].clip(0, 1) * 254)
    return Pixels(raster.view, frozen(out), low, high, scale)


def rows_inside(landscape: Landscape, box: Box) -> np.ndarray:
    """Return the rows of a window, its border with it, ascending, (k,) int64."""
    from ila_core.landscape.surface_compiled import points_inside

    x0, y0, x1, y1 = map(float, box)
    return points_inside(*landscape.columns, x0, y0, x1, y1)


def sample_of_window(
    landscape: Landscape, box: Box, *, most: int = 2000, seed: int = 0
) -> np.ndarray:
    """Return at most so many rows of a window, drawn at random, ascending.

    Every record has its own chance number: a window inside another, or beside it, shows the same
    records as that one does and further ones.
    """
    from ila_core.landscape.surface_compiled import scattered

    rows = rows_inside(landscape, box)
    if len(rows) <= most:
        return frozen(rows)
    numbers = scattered(rows, stream(seed, "window sample").integers(2**63))
    return frozen(np.sort(rows[np.argpartition(numbers, most)[:most]]))


# -- counting and smoothing -----------------------------------------------------------------------


def _margin(view: View) -> int:
    return int(REACH * view.bandwidth + 0.5)


def _grain(view: View) -> tuple[tuple[float, float, float, float], int, int]:
    """Return the low corner, pixels a unit and size of a view's raster with its margin."""
    x0, y0, x1, y1 = view.box
    per_x, per_y = view.width / ((x1 - x0) or 1.0), view.height / ((y1 - y0) or 1.0)
    more = _margin(view)
    scale = (x0 - more / per_x, y0 - more / per_y, per_x, per_y)
    return scale, view.width + 2 * more, view.height + 2 * more


def _counted(landscape: Landscape, view: View, rows: Rows) -> np.ndarray:
    """Return the number of points of each pixel, with the margin."""
    if rows is None:
        return _all_counted(landscape, view)
    from ila_core.landscape.surface_compiled import count_points

    return count_points(*(_taken(one, rows) for one in landscape.columns), *_grain(view))


@remembered(most=4, of_map=True)
def _all_counted(landscape: Landscape, view: View) -> np.ndarray:
    from ila_core.landscape.surface_compiled import count_points

    return frozen(count_points(*landscape.columns, *_grain(view)))


def _taken(column: np.ndarray, rows: Rows) -> np.ndarray:
    return column if rows is None else frozen(column[rows])


def _size(landscape: Landscape, rows: Rows) -> int:
    if rows is None:
        return len(landscape)
    return int(np.count_nonzero(rows)) if rows.dtype == bool else len(rows)


def _smooth(count: np.ndarray, view: View) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(count, view.bandwidth, mode="constant", truncate=REACH)


def _cut(smooth: np.ndarray, view: View) -> np.ndarray:
    more = _margin(view)
    return smooth[more : more + view.height, more : more + view.width]


def _there(count: np.ndarray, view: View) -> np.ndarray:
    """Return where a smoothed count is at least that of one record two bandwidths away."""
    return count >= np.exp(-2.0) / (2 * np.pi * view.bandwidth**2)
