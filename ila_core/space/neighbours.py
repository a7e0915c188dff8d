"""Exact nearest neighbours by cosine, a block of rows at a time."""

from __future__ import annotations

import numpy as np

from ila_core.progress import Progress, no_progress

TILE = 1024
"""Queries, and points, that are multiplied together: their products stay in the cache, in one
piece of memory. A new piece for each takes half as long again as the products."""


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
    from ila_core.space.neighbours_compiled import keep_largest

    m, n = len(queries), len(points)
    rows = np.zeros((m, k), np.int32)
    cosines = np.full((m, k), -np.inf, np.float32)
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
    from ila_core.space.neighbours_compiled import keep_largest, keep_largest_below

    n = len(points)
    rows = np.zeros((n, k), np.int32)
    cosines = np.full((n, k), -np.inf, np.float32)
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
