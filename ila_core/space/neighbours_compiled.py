"""The largest entries of the rows and of the columns of a matrix that comes in pieces, compiled.

Compiled once and kept on disk; none holds the interpreter's lock or starts threads. Import this
module inside functions: importing numba takes half a second.
"""

from __future__ import annotations

from numba import njit

TOGETHER = 64
"""Columns that are asked together whether one of them has a new largest entry."""


@njit(cache=True, nogil=True, inline="always")
def _take_in(row, value, rows, values):  # type: ignore
    """Put a row and its value among the k largest, before none that is as large."""
    place = len(values) - 1
    while place > 0 and values[place - 1] < value:
        values[place] = values[place - 1]
        rows[place] = rows[place - 1]
        place -= 1
    values[place] = value
    rows[place] = row


@njit(cache=True, nogil=True)
def keep_largest(matrix, first, rows, values):  # type: ignore
    """Take in the largest entries of each row of a matrix; its columns are points from `first` on.

    `rows` (m, k) int32 and `values` (m, k) float32, falling, hold what is known already.
    """
    k = rows.shape[1]
    for i in range(matrix.shape[0]):
        least = values[i, k - 1]
        for j in range(matrix.shape[1]):
            if matrix[i, j] > least:
                _take_in(first + j, matrix[i, j], rows[i], values[i])
                least = values[i, k - 1]


@njit(cache=True, nogil=True)
def keep_largest_below(matrix, first, rows, values):  # type: ignore
    """Take in the largest entries of each column of a matrix; its rows are points from `first` on.

    It is read along its rows all the same, some columns at a time, of which hardly any has a new
    one among its largest.
    """
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
                if matrix[i, j] > least[j]:
                    _take_in(first + i, matrix[i, j], rows[j], values[j])
                    least[j] = values[j, k - 1]
