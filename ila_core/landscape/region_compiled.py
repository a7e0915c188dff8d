"""Which points lie in a region: compiled loops, kept on disk, without the interpreter's lock.

Import this module inside functions: importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def within_box(x, y, box):  # type: ignore
    """Return whether each point lies in (x0, y0, x1, y1), its border included, (n,) bool."""
    x0, y0, x1, y1 = box
    inside = np.empty(len(x), np.bool_)
    for i in range(len(x)):
        inside[i] = x0 <= x[i] and x[i] <= x1 and y0 <= y[i] and y[i] <= y1
    return inside


@njit(cache=True, nogil=True)
def within_outline(x, y, box, corners, strips):  # type: ignore
    """Return whether each point lies inside a closed outline by the even-odd rule, (n,) bool.

    `corners` is (m, 2) and `box` the rectangle around them. The box is cut into `strips` bands;
    a point is held against the edges that pass through its own.
    """
    x0, y0, x1, y1 = box
    height = (y1 - y0) / strips
    edges = len(corners)
    first = np.empty(edges, np.int64)
    last = np.empty(edges, np.int64)
    end = np.zeros(strips + 1, np.int64)
    for k in range(edges):
        low = min(corners[k, 1], corners[(k + 1) % edges, 1])
        high = max(corners[k, 1], corners[(k + 1) % edges, 1])
        first[k] = _strip(low, y0, height, strips)
        last[k] = _strip(high, y0, height, strips)
        for strip in range(first[k], last[k] + 1):
            end[strip + 1] += 1
    for strip in range(strips):
        end[strip + 1] += end[strip]
    place = end[:-1].copy()
    edge = np.empty(end[strips], np.int64)
    for k in range(edges):
        for strip in range(first[k], last[k] + 1):
            edge[place[strip]] = k
            place[strip] += 1

    inside = np.zeros(len(x), np.bool_)
    for i in range(len(x)):
        a, b = np.float64(x[i]), np.float64(y[i])
        if a < x0 or a > x1 or b < y0 or b > y1:
            continue
        odd = False
        strip = _strip(b, y0, height, strips)
        for j in range(end[strip], end[strip + 1]):
            k = edge[j]
            after = k + 1 if k + 1 < edges else 0
            if (corners[k, 1] > b) != (corners[after, 1] > b):
                share = (b - corners[k, 1]) / (corners[after, 1] - corners[k, 1])
                if a < corners[k, 0] + share * (corners[after, 0] - corners[k, 0]):
                    odd = not odd
        inside[i] = odd
    return inside


@njit(cache=True, nogil=True, inline="always")
def _strip(y, y0, height, strips):  # type: ignore
    """Return the strip of a height; an outline without any has one strip."""
    return min(max(np.int64((y - y0) / height), 0), strips - 1) if height > 0 else np.int64(0)
