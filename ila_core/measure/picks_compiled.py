"""What chosen records add, patch by patch: compiled loops over picks.

Compiled once and kept on disk; none holds the interpreter's lock or starts threads. Import this
module inside functions: importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def best_of_each(member, patches, value, rows):  # type: ignore
    """Return which patches the rows' points reach and each patch's largest value, 0 without one."""
    best = np.zeros(patches, np.float64)
    reached = np.zeros(patches, np.bool_)
    for row in rows:
        patch = member[row]
        reached[patch] = True
        if value[row] > best[patch]:
            best[patch] = value[row]
    return reached, best


@njit(cache=True, nogil=True)
def growth(member, patches, value):  # type: ignore
    """Return, after each point, the patches reached so far and the sum of their largest values."""
    best = np.zeros(patches, np.float64)
    reached = np.zeros(patches, np.bool_)
    covered = np.empty(len(member), np.int64)
    gained = np.empty(len(member), np.float64)
    count, total = 0, 0.0
    for i in range(len(member)):
        patch = member[i]
        if not reached[patch]:
            reached[patch] = True
            count += 1
        if value[i] > best[patch]:
            total += value[i] - best[patch]
            best[patch] = value[i]
        covered[i] = count
        gained[i] = total
    return covered, gained
