"""Some rows of every part of a pool, compiled.

Compiled once and kept on disk; it holds no lock of the interpreter and starts no threads. Import
this module inside functions: importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def some_of_each(domain, part, step, ends):  # type: ignore
    """Return every `step`-th row of each part from its first, part after part, (ends[-1],) int64.

    `part` (domains,) is the part of each domain, `step` (parts,) how far apart a part's rows are
    taken, `ends` (parts,) where those of a part end.
    """
    found = np.empty(ends[-1], np.int64)
    wait = np.zeros(len(step), np.int64)
    place = np.zeros(len(step), np.int64)
    place[1:] = ends[:-1]
    for row in range(len(domain)):
        one = part[domain[row]]
        if wait[one] == 0:
            found[place[one]] = row
            place[one] += 1
            wait[one] = step[one]
        wait[one] -= 1
    return found
