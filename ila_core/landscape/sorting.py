"""The rows of a large landscape in the order of a number, several times faster than a comparison
sort: numpy sorts more than 16 bits by comparisons.
"""

from __future__ import annotations

import numpy as np

FEW = 20_000
"""Rows up to which numpy's own sort is as quick."""
_SIGN = np.uint32(1 << 31)


def by_key(keys: np.ndarray) -> np.ndarray:
    """Return the rows of keys (n,) uint32 in ascending order, ties by row, (n,) int32.

    >>> by_key(np.array([7, 3, 7, 0], dtype=np.uint32)).tolist()
    [3, 1, 0, 2]
    """
    if len(keys) <= FEW:
        return np.argsort(keys, kind="stable").astype(np.int32)
    from ila_core.landscape.points_compiled import radix_order

    return radix_order(np.ascontiguousarray(keys))


def by_number(values: np.ndarray, *, falling: bool = False) -> np.ndarray:
    """Return the rows of numbers (n,) float32 in order, ties by row, NaN last, (n,) int32.

    >>> numbers = np.array([2.0, np.nan, 3.0, 2.0, -1.0], dtype=np.float32)
    >>> by_number(numbers).tolist(), by_number(numbers, falling=True).tolist()
    ([4, 0, 3, 2, 1], [2, 0, 3, 4, 1])
    """
    return by_key(_keys(np.asarray(values, np.float32), falling=falling))


def _keys(values: np.ndarray, *, falling: bool) -> np.ndarray:
    """Return whole numbers that are in order where the numbers are; NaN has the largest."""
    bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0: they tie
    keys = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    if falling:
        keys = ~keys
    keys[np.isnan(values)] = np.iinfo(np.uint32).max
    return keys
