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
def count_kinds(x, y, kind, slot, slots, scale, width, height):  # type: ignore
    """Return how many points of each slot lie in each pixel, (slots, height, width) int32.

    `slot` is that of each kind, below 0 for the kinds that are not counted.
    """
    count = np.zeros((slots, width * height), np.int32)
    for i in range(len(x)):
        place = slot[kind[i]]
        if place >= 0:
            pixel = _pixel(x[i], y[i], scale, width, height)
            if pixel >= 0:
                count[place, pixel] += 1
    return count.reshape(slots, height, width)


@njit(cache=True, nogil=True)
def lead(counts, kinds, kernel, height, width, best, leader):  # type: ignore
    """Return the largest smoothed count of every pixel so far, and the kind whose it is.

    `counts` (slots, rows, columns) are of the kinds `kinds` (slots,); half a kernel lies around
    the (height, width) pixels of `best` and `leader`, those found before. Ties stay with the first.
    Each kind is smoothed only where it lies: most lie in a small part of the map.
    """
    best, leader = best.copy(), leader.copy()
    reach = len(kernel) // 2
    rows, columns = counts.shape[1:]
    along = np.empty((rows, width), np.float32)
    smooth = np.empty(width, np.float32)
    for slot in range(len(counts)):
        count = counts[slot]
        low, high = rows, -1  # its first and last row, its first and last column of the raster
        left, right = width, -1
        for row in range(rows):
            along[row] = 0
            for column in range(columns):
                if count[row, column]:
                    low, high = min(low, row), row
                    first, last = max(0, column - 2 * reach), min(width - 1, column)
                    left, right = min(left, first), max(right, last)
                    for k in range(first, last + 1):
                        along[row, k] += count[row, column] * kernel[column - k]
        for row in range(max(0, low - 2 * reach), min(height, high + 1)):
            for k in range(left, right + 1):
                smooth[k] = 0
            for at in range(max(low, row), min(high, row + 2 * reach) + 1):
                weight = kernel[at - row]
                for k in range(left, right + 1):
                    smooth[k] += weight * along[at, k]
            for k in range(left, right + 1):
                if smooth[k] > best[row, k]:
                    best[row, k], leader[row, k] = smooth[k], kinds[slot]
    return best, leader


@njit(cache=True, nogil=True, fastmath=True)
def smooth(count, kernel):  # type: ignore
    """Return a count weighted by a kernel along both axes, wherever the whole kernel fits.

    Of (height + m, width + m) float32 and a kernel of m + 1 weights it is (height, width) float32:
    what lies in the margin counts and is cut off. Innermost runs along a row, several pixels at
    once: many times faster than scipy.ndimage, which sums pixel by pixel in float64.
    """
    margin = len(kernel) - 1
    height, width = count.shape[0] - margin, count.shape[1] - margin
    along = np.zeros((count.shape[0], width), np.float32)
    for row in range(count.shape[0]):
        for k in range(len(kernel)):
            weight = kernel[k]
            for column in range(width):
                along[row, column] += weight * count[row, column + k]
    smoothed = np.zeros((height, width), np.float32)
    for row in range(height):
        for k in range(len(kernel)):
            weight = kernel[k]
            for column in range(width):
                smoothed[row, column] += weight * along[row + k, column]
    return smoothed


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
