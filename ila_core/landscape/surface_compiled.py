"""Points counted into pixels, and the domain that leads in each: compiled loops.

Compiled once and kept on disk; none holds the interpreter's lock. Import this module inside
functions: importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, inline="always")
def _pixel(x, y, scale, width, height):  # type: ignore
    """Return the pixel of a point, row * width + column from the lower left; -1 outside."""
    x0, y0, per_x, per_y = scale
    column = np.floor((np.float64(x) - x0) * per_x)
    row = np.floor((np.float64(y) - y0) * per_y)
    if column < 0.0 or row < 0.0 or column >= width or row >= height:
        return -1
    return np.int32(row) * width + np.int32(column)


@njit(cache=True, nogil=True)
def count_points(x, y, scale, width, height):  # type: ignore
    """Return how many points lie in each pixel, (height, width) float32.

    `scale` is (x0, y0, pixels per unit of x, of y): the low corner of the raster, and its grain.
    """
    count = np.zeros(width * height, np.int32)
    for i in range(len(x)):
        pixel = _pixel(x[i], y[i], scale, width, height)
        if pixel >= 0:
            count[pixel] += 1
    return count.astype(np.float32).reshape(height, width)


@njit(cache=True, nogil=True)
def sum_points(x, y, value, scale, width, height):  # type: ignore
    """Return how many points of each pixel have a value, and the sum of these; NaN is none.

    Both (height, width) float32; added up in float64.
    """
    count = np.zeros(width * height, np.int32)
    total = np.zeros(width * height, np.float64)
    for i in range(len(x)):
        if not np.isnan(value[i]):
            pixel = _pixel(x[i], y[i], scale, width, height)
            if pixel >= 0:
                count[pixel] += 1
                total[pixel] += value[i]
    known = count.astype(np.float32).reshape(height, width)
    return known, total.astype(np.float32).reshape(height, width)


@njit(cache=True, nogil=True)
def count_kinds(x, y, slot, slots, scale, width, height):  # type: ignore
    """Return how many points of each slot lie in each pixel, (slots, height, width) int32.

    `slot` (n,) int32 is below 0 for points that are not counted.
    """
    count = np.zeros((slots, width * height), np.int32)
    for i in range(len(x)):
        if 0 <= slot[i] < slots:
            pixel = _pixel(x[i], y[i], scale, width, height)
            if pixel >= 0:
                count[slot[i], pixel] += 1
    return count.reshape(slots, height, width)


@njit(cache=True, nogil=True)
def points_inside(x, y, x0, y0, x1, y1):  # type: ignore
    """Return the positions of the points of a closed rectangle, ascending, int64."""
    found = 0
    for i in range(len(x)):
        found += x0 <= x[i] and x[i] <= x1 and y0 <= y[i] and y[i] <= y1
    rows = np.empty(found, np.int64)
    at = 0
    for i in range(len(x)):
        if x0 <= x[i] and x[i] <= x1 and y0 <= y[i] and y[i] <= y1:
            rows[at] = i
            at += 1
    return rows


@njit(cache=True, nogil=True)
def scattered(rows, key):  # type: ignore
    """Return a number of each row that looks random and depends on row and key alone, uint64.

    The finalizer of splitmix64 (Steele, Lea and Flood 2014).
    """
    out = np.empty(len(rows), np.uint64)
    for i in range(len(rows)):
        z = np.uint64(rows[i]) + np.uint64(key)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[i] = z ^ (z >> np.uint64(31))
    return out
