"""Exact nearest neighbours by cosine, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ila_core.progress import Progress, no_progress

BLOCK = 1024
"""Queries at a time, fewer where the products would take more than 256 MB."""


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
    m = len(queries)
    rows = np.empty((m, k), np.int32)
    cosines = np.empty((m, k), np.float32)
    keep_largest = _keep_largest()
    size = max(1, min(BLOCK, 2**26 // max(len(points), 1)))
    for start in range(0, m, size):
        block = slice(start, start + size)
        keep_largest(queries[block] @ points.T, rows[block], cosines[block])
        progress(min(start + size, m), m)
    return rows, cosines


@cache
def _keep_largest() -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """Compile, once, the search for the largest entries of each row of a matrix."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def keep_largest(matrix, rows, values):  # type: ignore[no-untyped-def]
        k = rows.shape[1]
        values[:] = -np.inf
        for i in range(matrix.shape[0]):
            for j in range(matrix.shape[1]):
                value = matrix[i, j]
                if value > values[i, k - 1]:
                    place = k - 1
                    while place > 0 and values[i, place - 1] < value:
                        values[i, place] = values[i, place - 1]
                        rows[i, place] = rows[i, place - 1]
                        place -= 1
                    values[i, place] = value
                    rows[i, place] = j

    return keep_largest
