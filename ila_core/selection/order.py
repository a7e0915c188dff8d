"""In which order the patches of the map give their records: by rounds, or by levels.

The pool is read as a queue, deepest first. In *rounds* every patch of a grid gives its first
record, then its second. By *levels* of a quadtree, ever finer patches that hold no chosen record
give one: a single order of the whole pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ila_core.landscape.grid import LEVELS, MAX_RESOLUTION, Grid, columns, frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.selection.locks import Locks


@dataclass(frozen=True, eq=False)
class Queue:
    """Points in the order in which a patch gives them at depth target 1: deepest first.

    Ties stand by row number; those without a depth stand last, by row number.
    """

    rows: np.ndarray
    """(m,) int64, rows of the pool."""
    x: np.ndarray
    """(m,) float32."""
    y: np.ndarray
    scored: int
    """How many have a depth: the first so many."""
    pinned: np.ndarray
    """(m,) bool, or empty where nothing is pinned."""

    def __len__(self) -> int:
        return len(self.rows)

    def locked(self, locks: Locks) -> Queue:
        """Return the queue without the excluded rows, the pinned ones marked."""
        if not len(locks.pinned) and not len(locks.excluded):
            return self
        kind = np.zeros(int(self.rows.max(initial=-1)) + 1, dtype=np.int8)
        kind[locks.pinned], kind[locks.excluded] = 1, 2
        kinds = kind[self.rows]
        keep = kinds != 2
        return Queue(
            frozen(self.rows[keep]),
            frozen(self.x[keep]),
            frozen(self.y[keep]),
            int(np.count_nonzero(keep[: self.scored])),
            frozen((kinds == 1)[keep]) if len(locks.pinned) else self.pinned,
        )


@remembered(most=1)
def queue(landscape: Landscape) -> Queue:
    """Return the points of a landscape, deepest first, laid out for the compiled loops.

    >>> queue(Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1, 3, 2])).rows.tolist()
    [1, 2, 0]
    """
    x, y = columns(landscape.xy[landscape.order])
    nothing = frozen(np.zeros(0, dtype=np.bool_))
    return Queue(frozen(landscape.order), x, y, landscape.scored, nothing)


# -- rounds ---------------------------------------------------------------------------------------


class Rounds(NamedTuple):
    """When every record that may be chosen has its turn in its patch; arrays in queue order."""

    queue: Queue
    round: np.ndarray
    """(m,) int32, from 1; 0 for the pinned."""
    patch: np.ndarray
    """(m,) int32, the patch number."""

    def first(self, limit: int) -> np.ndarray:
        """Return the first `limit` queue positions by (round, position), the pinned left out."""
        from ila_core.selection.loops import by_round

        return by_round(self.round, limit)


def rounds(landscape: Landscape, grid: Grid, depth_target: float, locks: Locks) -> Rounds:
    """Return the round of every record in its patch of a grid over the whole map.

    Inside a patch the record at the depth target comes first, then its neighbours in depth,
    outwards; of two equally far the deeper one. Pinned records use up their patch's first rounds.
    The latest rounds stay with the landscape.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> rounds(pool, pool.grid(1), 0.5, Locks.of((), (), 3)).round.tolist()
    [2, 1, 3]
    """
    return _rounds(landscape, grid.resolution, grid.offset, depth_target, *locks.key)


@remembered(most=4)
def _rounds(
    landscape: Landscape,
    resolution: int,
    offset: float,
    depth_target: float,
    pinned: bytes,
    excluded: bytes,
) -> Rounds:
    from ila_core.landscape.loops import compact
    from ila_core.selection.loops import rounds

    line, grid = _locked(landscape, pinned, excluded), landscape.grid(resolution, offset)
    patch = grid.locate(line.x, line.y)
    member, number = compact(patch, grid.side * grid.side)
    turn = rounds(member, len(number), line.scored, 1.0 - depth_target, line.pinned)
    return Rounds(line, frozen(turn), frozen(patch))


@remembered(most=2)
def _locked(landscape: Landscape, pinned: bytes, excluded: bytes) -> Queue:
    first, never = (np.frombuffer(rows, dtype=np.int64) for rows in (pinned, excluded))
    return queue(landscape).locked(Locks(first, never))


def turns(patch: np.ndarray) -> np.ndarray:
    """Return for each entry the how-manieth of its patch it is, from 1.

    >>> turns(np.array([7, 3, 7])).tolist()
    [1, 1, 2]
    """
    from ila_core.selection import loops

    if not len(patch):
        return np.zeros(0, np.int32)
    _, member = np.unique(patch, return_inverse=True)
    return loops.turns(member.reshape(-1).astype(np.int32), int(member.max()) + 1)


# -- levels ---------------------------------------------------------------------------------------


class Nested(NamedTuple):
    """One order of all records that may be chosen, the pinned first."""

    rows: np.ndarray
    """(m,) int64."""
    level: np.ndarray
    """(m,) int32: the level that chose it, 0 to 13; 14 after the last, -1 for the pinned."""


def nested(landscape: Landscape, depth_target: float, locks: Locks, offset: float = 0.0) -> Nested:
    """Return all records that may be chosen in nested order: the start of it is any budget's.

    At each level, 1 to 8192 patches a side, every patch that holds no chosen record gives its
    record at the depth target; a level's picks stand deepest first. The latest orders stay with
    the landscape.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> nested(pool, 1.0, Locks.of((), (), 3)).rows.tolist()
    [1, 2, 0]
    """
    return _nested(landscape, depth_target, offset, *locks.key)


@remembered(most=4)
def _nested(
    landscape: Landscape, depth_target: float, offset: float, pinned: bytes, excluded: bytes
) -> Nested:
    from ila_core.selection.loops import by_round, levels

    line, first = _locked(landscape, pinned, excluded), np.frombuffer(pinned, dtype=np.int64)
    x0, y0, width, height, *_ = landscape.grid(1, offset).scale
    share = 1.0 - depth_target
    level = levels(
        line.x, line.y, x0, y0, width, height, offset, line.scored, share, line.pinned
    ).astype(np.int32)
    position = by_round(level + 1, len(line))
    rows = np.concatenate([first, line.rows[position]])
    chosen = np.concatenate([np.full(len(first), -1, np.int32), level[position]])
    return Nested(frozen(rows), frozen(chosen))


# -- resolution -----------------------------------------------------------------------------------


@remembered(most=4096)
def auto_resolution(landscape: Landscape, size: int) -> int:
    """Return the resolution of a grid about as fine as a budget of `size` records.

    The number of occupied patches is at most `size`. It need not be the finest such grid, for
    the number does not only grow with the resolution; it is the one that this search finds: the
    largest power of two that fits, then halving between it and the next.

    >>> auto_resolution(Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1, 2, 3]), 2)
    1
    """
    low = max((2**k for k, n in enumerate(dyadic_occupied(landscape)) if n <= size), default=1)
    high = min(2 * low - 1, MAX_RESOLUTION)
    while low < high:
        middle = (low + high + 1) // 2
        if landscape.count_occupied(landscape.grid(middle), limit=size) <= size:
            low = middle
        else:
            high = middle - 1
    return low


@remembered(most=1)
def dyadic_occupied(landscape: Landscape) -> tuple[int, ...]:
    """Return how many patches hold a record at 1, 2, 4 ... 8192 patches a side."""
    return tuple(landscape.count_occupied(landscape.grid(2**level)) for level in range(LEVELS))
