"""The map as smooth surfaces: how many records lie where, how deep they are, what is kept of them.

Every surface is a raster over a window of the map: points are counted into pixels, and the counts
smoothed by a Gaussian. Column 0 is the left and row 0 the lowest. Points beyond the window count
as far as the Gaussian reaches, so that a window shows what the whole map shows there.

All surfaces of a view are of one shape, that of the density. A mean or a share needs more records
than a density to tell anything, so that these are smoothed further where records are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.landscape.region import Box, rows_in

REACH = 4.0
"""Bandwidths beyond which a point adds nothing: the Gaussian is below 0.04 % of its height."""
GRAIN = 0.1
"""Bandwidth for a single record, in sides of a square as large as the raster: see `view_of`."""
NARROWEST = 1.2
"""Pixels of the smallest bandwidth: below it the pixels themselves would show."""
WIDEST = 0.05
"""Share of the raster's shorter side that the largest bandwidth is: a wider one shows no place."""
DEPTHS = 64.0
"""Records that a mean depth stands on. A relative depth spreads by 0.29, so their mean by 0.04."""
PICKS = 8.0
"""Picks that a share kept stands on where it is the budget's: by chance it is off by a third."""
PRIOR = 1.0
"""Picks added to those kept and to those expected: that none of a few is kept proves little."""
AIR = 0.03
"""Share of an extent by which the window of the whole map is wider at either end."""
BLOCK_CELLS = 1 << 25
"""Counts by domain and pixel that are held at once: 134 MB."""

Rows = np.ndarray | None
"""Row numbers, or a mask of all rows; None for all."""
Scale = Literal["linear", "sqrt", "log"]
"""How values become bytes: in equal steps of themselves, of their root or of their logarithm."""


class View(NamedTuple):
    """What a raster shows: a window of the map, in how many pixels, and how far it smooths."""

    box: Box
    width: int
    height: int
    bandwidth: float
    """Standard deviation of the Gaussian, in pixels."""


@dataclass(frozen=True, eq=False)
class Raster:
    """A number for every pixel of a window."""

    view: View
    values: np.ndarray
    """(height, width) float32, row 0 the lowest."""
    there: np.ndarray
    """(height, width) bool, where the number means something: records lie there."""


@dataclass(frozen=True, eq=False)
class Leading:
    """The domain that leads at every pixel."""

    view: View
    domain: np.ndarray
    """(height, width) int32, position in the landscape's domain_names; -1 where nothing lies."""
    share: np.ndarray
    """(height, width) float32, its share of all records there; NaN where nothing lies."""


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


@dataclass(frozen=True, eq=False)
class Contour:
    """The lines along which a surface has one value."""

    level: float
    lines: tuple[np.ndarray, ...]
    """Each (m, 2) float32 in map coordinates; a closed one ends where it begins."""


# -- what is looked at ----------------------------------------------------------------------------


def whole(landscape: Landscape) -> Box:
    """Return the window of the whole map, with 3 % of air around it.

    An axis along which all records have one place is as long as the other, or 1.

    >>> whole(Landscape.from_arrays([[0, 7], [100, 7]]))
    Box(x0=-3.0, y0=-46.0, x1=103.0, y1=60.0)
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

    Unless given, the bandwidth is sqrt(width height) / 10 n^(1/4) pixels for n records in the
    window, from 1.2 pixels to a twentieth of the shorter side: 0.6 % of a side for 75,000 records,
    1.5 % for 2,000. That is between Scott's n^(-1/6), right for one smooth hump, and the n^(-1/2)
    at which every Gaussian would stand on equally many records, however large the pool. Zooming in
    on a quarter of the records makes it 1.4 times as many pixels, so that more details show.
    UsageError for a raster without pixels.
    """
    if width < 1 or height < 1:
        raise UsageError(f"A raster has {width} x {height} pixels; it needs one at least.")
    box = window or whole(landscape)
    view = View(box, int(width), int(height), 0.0)
    if bandwidth is None:
        n = max(1, len(rows_in(landscape, box)))
        bandwidth = _bounded(GRAIN * float(np.sqrt(width * height)) * n**-0.25, view)
    return view._replace(bandwidth=float(bandwidth))


def spread(records: int) -> float:
    """Return the bandwidth of a square view of so many records as a share of its side.

    >>> spread(75_000), spread(2)
    (0.006..., 0.05)
    """
    return min(GRAIN * max(1, records) ** -0.25, WIDEST)


def _bounded(bandwidth: float, view: View) -> float:
    return max(NARROWEST, min(bandwidth, WIDEST * min(view.width, view.height)))


def sample_of_window(
    landscape: Landscape, box: Box, *, most: int = 2000, seed: int = 0
) -> np.ndarray:
    """Return at most so many rows of a window, drawn at random, ascending, (k,) int64.

    Every record has a chance number of its own, and those with the smallest are drawn: two windows
    that overlap show mostly the same records there, and zooming in only adds some.
    """
    from ila_core.landscape.surface_compiled import scattered

    rows = rows_in(landscape, box)
    if len(rows) > most:
        numbers = scattered(rows, stream(seed, "window sample").integers(2**63))
        rows = np.sort(rows[np.argpartition(numbers, most)[:most]])  # no two numbers are equal
    return frozen(rows)


# -- surfaces -------------------------------------------------------------------------------------


def density(landscape: Landscape, view: View, rows: Rows = None) -> Raster:
    """Return how many records lie at every pixel, smoothed, in records a pixel.

    Something lies where the density is at least that of one record two bandwidths away.

    >>> pool = Landscape.from_arrays([[0, 0], [4, 4]])
    >>> raster = density(pool, View(Box(-2, -2, 6, 6), width=32, height=32, bandwidth=1.5))
    >>> round(float(raster.values.sum()), 2), raster.there[[8, 24, 24], [8, 8, 24]].tolist()
    (2.0, [True, False, True])
    """
    if rows is None:
        return _density_of_all(landscape, view)
    return _as_density(_smoothed(_counted(landscape, view, rows), view), view)


@remembered(most=4, of_map=True)
def _density_of_all(landscape: Landscape, view: View) -> Raster:
    return _as_density(_smoothed(_all_counted(landscape, view), view), view)


def _as_density(count: np.ndarray, view: View) -> Raster:
    return Raster(view, frozen(count), frozen(count >= _least(view)))


def mean_depth(landscape: Landscape, view: View, rows: Rows = None) -> Raster:
    """Return the mean relative depth around every pixel; NaN where no record with one lies.

    The smoothed sum of the depths over the smoothed count of those that have one, smoothed so far
    that about 64 records stand in where the window is as full as on average.
    """
    return mean_of(landscape, view, landscape.relative_depth, rows)


def mean_of(landscape: Landscape, view: View, values: np.ndarray, rows: Rows = None) -> Raster:
    """Return the mean of a number of the records, (n,) float32, around every pixel.

    As `mean_depth` that of the depths; NaN is a record without the number.
    """
    from ila_core.landscape.surface_compiled import sum_points

    there = density(landscape, view, rows).there
    columns = (*landscape.columns, values)
    x, y, depth = (_taken(column, rows) for column in columns)
    wide = _wider(view, DEPTHS, int(np.count_nonzero(~np.isnan(depth[_inside(x, y, view)]))))
    known, total = (_smoothed(sums, wide) for sums in sum_points(x, y, depth, *_raster(wide)))
    there = there & (known >= _least(wide))
    values = np.divide(total, known, out=np.full_like(total, np.nan), where=there)
    return Raster(view, frozen(values), frozen(there))


def representation(
    landscape: Landscape, view: View, kept: np.ndarray, among: Rows = None
) -> Raster:
    """Return log2 of the share that is kept around every pixel over the share of the budget.

    1 where twice as large a share is kept as of all records, -1 where half as large, 0 where it is
    the same; NaN where nothing lies. `kept` are the chosen rows, `among` those that they were
    chosen from (all records). With a and b the smoothed counts of both and s = kept / among, it is
    log2((a + 1 pick) / (s b + 1 pick)), smoothed so far that about 8 picks stand in where the
    window is as full as on average. 2 to this power, weighed with s b + 1 pick, has the mean 1
    over the whole map: what is missed in one place is kept in another.
    """
    there = density(landscape, view, among).there
    share = _size(kept) / max(1, len(landscape) if among is None else _size(among))
    x, y = (_taken(column, kept) for column in landscape.columns)
    wide = _wider(view, PICKS, int(_inside(x, y, view).sum()))
    picks = _smoothed(_counted(landscape, wide, kept), wide)
    expected = share * _smoothed(_counted(landscape, wide, among), wide)
    prior = PRIOR / _records_under(wide)
    values = np.log2((picks + prior) / (expected + prior))
    return Raster(view, frozen(np.where(there, values, np.nan), np.float32), there)


def difference(landscape: Landscape, view: View, one: np.ndarray, other: np.ndarray) -> Raster:
    """Return which of two selections keeps more around every pixel, from -1 to 1.

    With a and b their smoothed counts it is (a - b) / (a + b + 1 pick): near 1 where only `one`
    keeps records, near -1 where only `other` does. NaN where neither keeps any.
    """
    x, y = (np.concatenate([_taken(c, one), _taken(c, other)]) for c in landscape.columns)
    wide = _wider(view, PICKS, int(_inside(x, y, view).sum()))
    a, b = (_smoothed(_counted(landscape, wide, rows), wide) for rows in (one, other))
    there = (a + b >= _least(wide)) & density(landscape, view).there
    values = (a - b) / (a + b + PRIOR / _records_under(wide))
    return Raster(view, frozen(np.where(there, values, np.nan), np.float32), frozen(there))


def leading(landscape: Landscape, view: View, among: Sequence[int] | None = None) -> Leading:
    """Return the domain of which most records lie around every pixel, ties to the first of them.

    `among` names the domains that can lead, all unless given, as those of `largest_domains`; the
    share is always that of all records.
    """
    kinds = range(len(landscape.domain_names)) if among is None else among
    return leading_of(landscape, view, landscape.domain, None, kinds)


def leading_of(
    landscape: Landscape,
    view: View,
    code: np.ndarray,
    row: np.ndarray | None,
    among: Sequence[int],
) -> Leading:
    """Return the kind of which most records lie around every pixel: see `leading`.

    `code` (m,) int32 and `row` (m,) int64 tell the kinds and the records that are of them, as
    `facets.Categories` has both; the position itself is the record where `row` is None. `among`
    names the kinds that can lead.
    """
    from ila_core.landscape.surface_compiled import count_kinds, lead

    domains = np.array(among, int)
    kinds = 1 + max(int(code.max(initial=0)), int(domains.max(initial=0)))
    x, y = (column if row is None else frozen(column[row]) for column in landscape.columns)
    scale, wide, tall = _raster(view)
    best = np.zeros((view.height, view.width), np.float32)
    leader = np.full(best.shape, -1, np.int32)
    size = max(1, BLOCK_CELLS // (wide * tall))
    for start in range(0, len(domains), size):
        block = domains[start : start + size].astype(np.int32)
        slot = np.full(kinds, -1, np.int32)
        slot[block] = np.arange(len(block), dtype=np.int32)
        counts = count_kinds(x, y, code, slot, len(block), scale, wide, tall)
        best, leader = lead(counts, block, _kernel(view), view.height, view.width, best, leader)
    total = density(landscape, view)
    shown = total.there & (leader >= 0)
    share = np.divide(best, total.values, out=np.full_like(best, np.nan), where=shown)
    return Leading(view, frozen(np.where(shown, leader, -1), np.int32), frozen(share.clip(max=1)))


def largest_domains(landscape: Landscape, box: Box | None = None, most: int = 12) -> list[int]:
    """Return the domains with most records in a window, the largest first, without empty ones.

    The whole map where it is None; ties to the first.
    """
    domain = landscape.domain if box is None else landscape.domain[rows_in(landscape, box)]
    count = np.bincount(domain, minlength=len(landscape.domain_names))
    return [int(k) for k in np.argsort(-count, kind="stable")[:most] if count[k]]


# -- lines and bytes ------------------------------------------------------------------------------


def contour_levels(
    raster: Raster, shares: Sequence[float] = (0.9, 0.7, 0.5, 0.3, 0.1)
) -> list[float]:
    """Return the densities above which these shares of the window's records lie, ascending.

    Empty where nothing lies.
    """
    values = np.sort(raster.values[raster.there].astype(np.float64))[::-1]
    if not len(values):
        return []
    above = np.cumsum(values)
    at = np.searchsorted(above, np.array(sorted(shares, reverse=True)) * above[-1])
    return [float(values[min(k, len(values) - 1)]) for k in at]


def contours(raster: Raster, levels: Sequence[float]) -> tuple[Contour, ...]:
    """Return the lines where a surface crosses these levels; none goes through NaN.

    They have a corner about every half bandwidth: between, a smooth surface hardly bends.
    """
    from contourpy import contour_generator

    view = raster.view
    step = max(1, int(view.bandwidth / 2))
    columns, rows = (_every(step, size) for size in (view.width, view.height))
    if len(columns) < 2 or len(rows) < 2:
        return tuple(Contour(float(level), ()) for level in levels)
    box = view.box
    x = box.x0 + (columns + 0.5) * (box.x1 - box.x0) / view.width
    y = box.y0 + (rows + 0.5) * (box.y1 - box.y0) / view.height
    found = contour_generator(x, y, raster.values[np.ix_(rows, columns)])
    return tuple(
        Contour(float(level), tuple(frozen(line, np.float32) for line in found.lines(level)))
        for level in levels
    )


def _every(step: int, size: int) -> np.ndarray:
    """Return every so manieth position, and the last."""
    return np.append(np.arange(0, size - 1, step), size - 1)


def to_pixels(
    raster: Raster,
    *,
    low: float | None = None,
    high: float | None = None,
    scale: Scale = "linear",
) -> Pixels:
    """Return a raster in bytes; low and high are its own smallest and largest where not given.

    Where both are equal, all that is there is 128. UsageError for a scale of logarithms from 0.

    >>> pool = Landscape.from_arrays([[0, 0], [4, 4], [4, 4]])
    >>> raster = density(pool, View(Box(-2, -2, 6, 6), width=32, height=32, bandwidth=1.5))
    >>> to_pixels(raster, low=0, scale="sqrt").bytes[[8, 24, 24], [8, 8, 24]].tolist()
    [181, 0, 255]
    """
    values = raster.values.astype(np.float64)
    shown = raster.there & np.isfinite(values)
    seen = values[shown]
    if low is None:
        low = seen.min() if len(seen) else 0.0
    if high is None:
        high = seen.max() if len(seen) else 1.0
    low, high = float(low), float(high)
    if scale == "log" and low <= 0:
        raise UsageError(f"A scale of logarithms cannot begin at {low:g}; give a low above 0.")
    first, last = _step(np.array([low, high]), scale)
    part = np.full(len(seen), 0.5)
    if last > first:
        part = (_step(seen.clip(low, high), scale) - first) / (last - first)
    out = np.zeros(values.shape, np.uint8)
    out[shown] = 1 + np.rint(254 * part)
    return Pixels(raster.view, frozen(out), low, high, scale)


def _step(values: np.ndarray, scale: Scale) -> np.ndarray:
    if scale == "linear":
        return values
    return np.sqrt(values) if scale == "sqrt" else np.log(values)


# -- counting and smoothing -----------------------------------------------------------------------


def _margin(view: View) -> int:
    """Return how many pixels a Gaussian reaches, as scipy.ndimage has it."""
    return int(REACH * view.bandwidth + 0.5)


def _raster(view: View) -> tuple[tuple[float, float, float, float], int, int]:
    """Return low corner and pixels a unit of a view's raster with its margin, and its size."""
    x0, y0, x1, y1 = map(float, view.box)
    per_x, per_y = view.width / ((x1 - x0) or 1.0), view.height / ((y1 - y0) or 1.0)
    more = _margin(view)
    scale = (x0 - more / per_x, y0 - more / per_y, per_x, per_y)
    return scale, view.width + 2 * more, view.height + 2 * more


def _counted(landscape: Landscape, view: View, rows: Rows) -> np.ndarray:
    """Return how many points each pixel of a view and its margin holds."""
    if rows is None:
        return _all_counted(landscape, view)
    from ila_core.landscape.surface_compiled import count_points

    x, y = (_taken(column, rows) for column in landscape.columns)
    return count_points(x, y, *_raster(view))


@remembered(most=4, of_map=True)
def _all_counted(landscape: Landscape, view: View) -> np.ndarray:
    from ila_core.landscape.surface_compiled import count_points

    x, y = landscape.columns
    return frozen(count_points(x, y, *_raster(view)))


def _taken(column: np.ndarray, rows: Rows) -> np.ndarray:
    return column if rows is None else frozen(column[rows])


def _size(rows: np.ndarray) -> int:
    return int(np.count_nonzero(rows)) if rows.dtype == bool else len(rows)


def _inside(x: np.ndarray, y: np.ndarray, view: View) -> np.ndarray:
    from ila_core.landscape.region_compiled import within_box

    return within_box(frozen(x), frozen(y), tuple(map(float, view.box)))


def _wider(view: View, support: float, records: int) -> View:
    """Return a view smoothed so far that the Gaussian stands on so many records, if it can."""
    full = support * view.width * view.height / (4 * np.pi * max(1, records))
    return view._replace(bandwidth=max(view.bandwidth, _bounded(float(np.sqrt(full)), view)))


def _records_under(view: View) -> float:
    """Return how many records the Gaussian stands on where one lies at every pixel.

    The variance of a smoothed count is that of a mean over so many.
    """
    return 4 * np.pi * view.bandwidth**2


def _least(view: View) -> float:
    """Return the density two bandwidths away from a record: below it nothing lies."""
    return float(np.exp(-2.0) / (2 * np.pi * view.bandwidth**2))


def _smoothed(count: np.ndarray, view: View) -> np.ndarray:
    """Return the smoothed counts of the view without its margin, (height, width) float32."""
    from ila_core.landscape.surface_compiled import smooth

    return smooth(count, _kernel(view))


def _kernel(view: View) -> np.ndarray:
    """Return the weights of the Gaussian along an axis, over a margin on either side."""
    at = np.arange(-_margin(view), _margin(view) + 1)
    weights = np.exp(-0.5 * (at / view.bandwidth) ** 2)
    return frozen(weights / weights.sum(), np.float32)
