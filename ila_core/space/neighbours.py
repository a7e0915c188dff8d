"""Exact nearest neighbours by cosine, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ila_core.progress import Progress, no_progress

TILE = 1024
"""Queries, and points, that are multiplied together: their products stay in the cache, in one
piece of memory. A new piece for each takes half as long again as the products."""
TOGETHER = 64
"""Columns that are asked together whether one of them has a new largest entry."""


def nearest(
    queries: np.ndarray, points: np.ndarray, k: int, *, progress: Progress = no_progress
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each query the k most similar points, the most similar first, and how similar.

    `queries` is (m, d) and `points` (n, d), both with rows of length 1; the results are (m, k)
    int32 positions in `points` and (m, k) float32 cosines, ties by position. A point that is
    also a query finds itself. k must not be above n. Time grows with m x n, memory with m x k.

    >>> points = np.array([[1, 0], [0, 1], [0.8, 0.6]], dtype=np.float32)
    >>> rows, cosines = nearest(points[:1], points, 2)
    >>> rows.tolist(), cosines.round(1).tolist()
    ([[0, 2]], [[1.0, 0.800000011920929]])
    """
    m, n = len(queries), len(points)
    rows = np.zeros((m, k), np.int32)
    cosines = np.full((m, k), -np.inf, np.float32)
    keep_largest = _keep_largest()
    room = np.empty(TILE * TILE, np.float32)
    for start in range(0, m, TILE):
        block = slice(start, start + TILE)
        asked = queries[block]
        for first in range(0, n, TILE):
            part = points[first : first + TILE]
            products = room[: len(asked) * len(part)].reshape(len(asked), len(part))
            np.matmul(asked, part.T, out=products)
            keep_largest(products, first, rows[block], cosines[block])
        progress(min(start + TILE, m), m)
    return rows, cosines


def nearest_among(
    points: np.ndarray, k: int, *, progress: Progress = no_progress
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each point what `nearest` finds among all of them, in little over half the time.

    A product tells two points of each other.

    >>> points = np.array([[1, 0], [0, 1], [0.8, 0.6]], dtype=np.float32)
    >>> nearest_among(points, 2)[0].tolist()
    [[0, 2], [1, 2], [2, 0]]
    """
    n = len(points)
    rows = np.zeros((n, k), np.int32)
    cosines = np.full((n, k), -np.inf, np.float32)
    keep_largest, keep_largest_below = _keep_largest(), _keep_largest_below()
    room = np.empty(TILE * TILE, np.float32)
    pairs = 0
    for start in range(0, n, TILE):
        block = slice(start, start + TILE)
        asked = points[block]
        for first in range(start, n, TILE):
            other = slice(first, first + TILE)
            part = points[other]
            products = room[: len(asked) * len(part)].reshape(len(asked), len(part))
            np.matmul(asked, part.T, out=products)
            keep_largest(products, first, rows[block], cosines[block])
            if first > start:
                keep_largest_below(products, start, rows[other], cosines[other])
        pairs += len(asked) * (n - start)
        progress(int(n * pairs / (n * (n + TILE) / 2)), n)
    progress(n, n)
    return rows, cosines


@cache
def _keep_largest() -> Callable[[np.ndarray, int, np.ndarray, np.ndarray], None]:
    """Compile, once, the search for the largest entries of each row of a matrix.

    Its columns are the points from `first` on; `rows` and `values` hold what is known already.
    """
    from numba import njit

    @njit(cache=True, nogil=True)
    def keep_largest(matrix, first, rows, values):  # type: ignore[no-untyped-def]
        k = rows.shape[1]
        for i in range(matrix.shape[0]):
            least = values[i, k - 1]
            for j in range(matrix.shape[1]):
                value = matrix[i, j]
                if value > least:
                    place = k - 1
                    while place > 0 and values[i, place - 1] < value:
                        values[i, place] = values[i, place - 1]
                        rows[i, place] = rows[i, place - 1]
                        place -= 1
                    values[i, place] = value
                    rows[i, place] = first + j
                    least = values[i, k - 1]

    return keep_largest


@cache
def _keep_largest_below() -> Callable[[np.ndarray, int, np.ndarray, np.ndarray], None]:
    """Compile, once, the search for the largest entries of each column of a matrix.

    Its rows are the points from `first` on. It is read along its rows all the same, some columns at
    a time, of which hardly any has a new one among its largest.
    """
    from numba import njit

    @njit(cache=True, nogil=True)
    def keep_largest_below(matrix, first, rows, values):  # type: ignore[no-untyped-def]
        k, width = rows.shape[1], matrix.shape[1]
        least = values[:, k - 1].copy()
        for i in range(matrix.shape[0]):
            for start in range(0, width, TOGETHER):
                end = min(start + TOGETHER, width)
                found = 0
                for j in range(start, end):
                    found += matrix[i, j] > least[j]
                if found == 0:
                    continue
                for j in range(start, end):
                    value = matrix[i, j]
                    if value > least[j]:
                        place = k - 1
                        while place > 0 and values[j, place - 1] < value:
                            values[j, place] = values[j, place - 1]
                            rows[j, place] = rows[j, place - 1]
                            place -= 1
                        values[j, place] = value
                        rows[j, place] = first + i
                        least[j] = values[j, k - 1]

    return keep_largest_below
