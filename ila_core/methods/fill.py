"""How a method's picks become a selection: pins first, filled up where it runs dry, cut to fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def fill(
    name: str,
    pick: Callable[..., np.ndarray],
    landscape: Landscape,
    spec: Spec,
    locks: Locks,
    parameters: Mapping[str, Any],
    *,
    vectors: bool = True,
) -> Selection:
    """Return the selection of a method that knows of no locks and may run dry.

    It chooses among the records that are neither pinned nor excluded, as if these were the pool;
    their `vectors` are taken along only for a method that may look at them. What it leaves of the
    budget is filled with the highest relative depth among the rest. IlaError says what is wrong
    with rows that are none.
    """
    free = _free(locks, len(landscape))
    most = len(landscape) if free is None else len(locks.pinned) + len(free)
    pool = landscape
    if free is not None and len(free):
        pool = _free_pool(landscape, vectors, *locks.key[:2])

    def ranked(count: int) -> tuple[np.ndarray, int]:
        """Return the pins and then picks, `count` in all, and how many of them only fill up."""
        wanted = count - len(locks.pinned)
        if wanted <= 0:
            return locks.pinned[:count], 0
        own = _checked(name, pick(pool, wanted, spec.seed, **parameters), wanted, len(pool))
        rest = pool.order[:0]
        if len(own) < wanted:
            rest = pool.order[~np.isin(pool.order, own)][: wanted - len(own)]
        if free is not None:
            own, rest = free[own], free[rest]
        return np.concatenate([locks.pinned, own, rest]), len(rest)

    (rows, filled), size = locks.fitted(spec.asked, landscape, most, ranked)
    filled = max(filled - (len(rows) - size), 0)
    return Selection.of_rows(landscape, spec, rows[:size], filled=filled)


@remembered(most=1)
def _free_pool(landscape: Landscape, vectors: bool, pinned: bytes, excluded: bytes) -> Landscape:
    """Return the landscape of what is neither pinned nor excluded; chance asks five times."""
    rows = (np.frombuffer(one, dtype=np.int64) for one in (pinned, excluded))
    may = np.ones(len(landscape), dtype=bool)
    may[np.concatenate([*rows])] = False
    return landscape.subset(np.flatnonzero(may), vectors=vectors)


def _free(locks: Locks, n: int) -> np.ndarray | None:
    """Return the rows that are neither pinned nor excluded, ascending; None for all n."""
    if not len(locks.pinned) + len(locks.excluded):
        return None
    may = locks.free(n)
    may[locks.pinned] = False
    return np.flatnonzero(may)


def _checked(name: str, answer: Any, wanted: int, n: int) -> np.ndarray:
    """Return a method's answer as row numbers, or say what is wrong with it."""
    from ila_core.landscape.points_compiled import first_wrong

    rows = np.asarray(answer)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise IlaError(
            f"Method {name} returned {rows.dtype} of shape {rows.shape}; a method returns a flat "
            "array of row numbers."
        )
    rows = rows.astype(np.int64, copy=False)
    if len(rows) > wanted:
        raise IlaError(f"Method {name} returned {len(rows)} rows where {wanted} were asked.")
    wrong = int(first_wrong(rows, n))
    if wrong < len(rows):
        told = "a row twice" if 0 <= rows[wrong] < n else f"rows outside 0 to {n - 1}"
        raise IlaError(f"Method {name} returned {told}.")
    return rows
