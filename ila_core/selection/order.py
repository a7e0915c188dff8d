"""In which order the patches of the map give their records: by rounds, or by levels.

The pool is read as a queue, deepest first. In *rounds* every patch gives its first record, then
its second. By *levels*, ever more and smaller patches that hold no chosen record give one: a
single order of the whole pool. Patches are those of a grid or even ones; which record a patch
gives is the same rule for both, and `patch_rule_compiled` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ila_core.landscape.even import Even, curve_rows
from ila_core.landscape.grid import LEVELS, Grid, frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.selection.locks import Locks
from ila_core.selection.spec import Spec
from ila_core.twos import by_two

Cut = Grid | Even
"""How the map is cut into patches."""
DIRECT = 1024 * 1024
"""Patches of a grid up to which each has a counter of its own, where there are as many points."""


@dataclass(frozen=True, eq=False)
class Queue:
    """Points in the order in which a patch gives them at depth target 1: deepest first.

    Ties stand by row number; those without a depth stand last, by row number.
    """

    rows: np.ndarray
    """(m,) int64, rows of the pool."""
    scored: int
    """How many have a depth: the first so many."""
    pinned: np.ndarray
    """(m,) bool, or empty where nothing is pinned."""
    curve: np.ndarray
    """(ranked,) int64, rows of the pool along the curve of even patches: those of the queue, and
    what is excluded by hand."""
    pool_places: tuple[np.ndarray, np.ndarray]
    """The coordinates x and y of all rows of the pool, (n,) float32 each."""
    pool_tokens: np.ndarray
    """(n,) float32, NaN where there are none."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ranked(self) -> int:
        """How many records have a rank along the curve."""
        return len(self.curve)

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """The points' coordinates x and y, (m,) float32 each; only a grid asks for them."""
        x, y = by_two(lambda column: np.take(column, self.rows), self.pool_places)
        return frozen(x), frozen(y)

    @cached_property
    def tokens(self) -> np.ndarray:
        """(m,) float64, response tokens, 0 where there are none."""
        return frozen(np.nan_to_num(np.take(self.pool_tokens, self.rows)), np.float64)

    @cached_property
    def queued(self) -> np.ndarray:
        """(ranked,) int32, the point of every rank, -1 for what is excluded."""
        point = np.full(len(self.pool_tokens), -1, np.int32)
        point[self.rows] = np.arange(len(self), dtype=np.int32)
        return frozen(point[self.curve])

    @cached_property
    def rank(self) -> np.ndarray:
        """(m,) int32, rank along the curve of even patches."""
        ranks = np.empty(len(self), np.int32)
        there = np.flatnonzero(self.queued >= 0) if len(self) < self.ranked else slice(None)
        ranks[self.queued[there]] = np.arange(self.ranked, dtype=np.int32)[there]
        return frozen(ranks)

    def patches(self, cut: Cut, points: np.ndarray | None = None) -> np.ndarray:
        """Return the patch number of points, of all (m,) int32."""
        if isinstance(cut, Grid):
            if points is None:
                return cut.locate(*self.places)
            return cut.locate(*(column[self.rows[points]] for column in self.pool_places))
        return cut.of_ranks(self.rank if points is None else self.rank[points], self.ranked)

    def points_in(self, cut: Cut, patch: int) -> np.ndarray:
        """Return the points of a patch, ascending."""
        if isinstance(cut, Grid):
            return np.flatnonzero(self.patches(cut) == patch)
        points = self.queued[cut.ranks_in(patch, self.ranked)]
        return np.sort(points[points >= 0])

    def place_of(self, row: int) -> int:
        """Return the point of a row of the pool that may be chosen."""
        return int(np.flatnonzero(self.rows == row)[0])

    def positions(self, rows: np.ndarray) -> np.ndarray:
        """Return the places of pinned rows in the queue, in the order of `rows`."""
        if not len(rows):
            return np.zeros(0, np.int64)
        places = np.flatnonzero(self.pinned)
        places = places[np.argsort(self.rows[places])]
        return places[np.searchsorted(self.rows[places], rows)]

    def members(self, cut: Cut, patch: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the points' patches numbered without gaps, and how many patches there are."""
        from ila_core.landscape.points_compiled import compact

        if isinstance(cut, Even):
            return patch, cut.count + (cut.offset > 0)
        member, number = compact(patch, cut.side * cut.side)
        return member, len(number)


def queue(landscape: Landscape, locks: Locks) -> Queue:
    """Return the points that may be chosen, deepest first, laid out for the compiled loops.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1, 3, 2])
    >>> queue(pool, Locks.of((), [2], 3)).rows.tolist()
    [1, 0]
    """
    return _queue(landscape, *locks.key)


@remembered(most=3)
def _queue(landscape: Landscape, pinned: bytes, excluded: bytes, outside: bytes) -> Queue:
    first, never = (np.frombuffer(rows, dtype=np.int64) for rows in (pinned, excluded))
    rows, scored = landscape.order, landscape.scored
    if len(never):
        may = np.ones(len(landscape), dtype=bool)
        may[never] = False
        keep = may[rows]
        rows, scored = rows[keep], int(np.count_nonzero(keep[:scored]))
    is_pinned = np.zeros(0, dtype=np.bool_)
    if len(first):
        chosen = np.zeros(len(landscape), dtype=bool)
        chosen[first] = True
        is_pinned = chosen[rows]

    return Queue(
        frozen(rows),
        scored,
        frozen(is_pinned),
        frozen(curve_rows(landscape, outside)),
        landscape.columns,
        landscape.tokens,
    )


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
        from ila_core.selection.patch_rule_compiled import by_round

        return by_round(self.round, limit)


def rounds(landscape: Landscape, spec: Spec, cut: Cut, locks: Locks) -> Rounds:
    """Return the round of every record in its patch, in the order of the queue: deepest first.

    Inside a patch the record at the depth target comes first, then its neighbours in depth,
    outwards; of two equally far the deeper one. Pinned records use up their patch's first rounds.
    The latest rounds stay with the landscape.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> rounds(pool, Spec(depth_target=0.5), pool.grid(1), Locks.of((), (), 3)).round.tolist()
    [2, 1, 3]
    """
    return _rounds(landscape, cut, spec.passed_over, *locks.key)


@remembered(most=4)
def _rounds(
    landscape: Landscape,
    cut: Cut,
    passed_over: float,
    pinned: bytes,
    excluded: bytes,
    outside: bytes,
) -> Rounds:
    from ila_core.selection.patch_rule_compiled import rounds

    line = _queue(landscape, pinned, excluded, outside)
    patch = line.patches(cut)
    turn = rounds(*line.members(cut, patch), line.scored, passed_over, line.pinned)
    return Rounds(line, frozen(turn), frozen(patch))


def rounds_in(line: Queue, spec: Spec, points: np.ndarray) -> np.ndarray:
    """Return the rounds of the points of one patch, (k,) int32: see `rounds`."""
    from ila_core.selection.patch_rule_compiled import rounds

    scored = int(np.searchsorted(points, line.scored))
    pinned = line.pinned[points] if len(line.pinned) else line.pinned
    return rounds(np.zeros(len(points), np.int32), 1, scored, spec.passed_over, pinned)


class Turns(NamedTuple):
    """Some points of a queue, by round and then by place in the queue."""

    point: np.ndarray
    """(k,) int32 or int64, places in the queue."""
    round: np.ndarray
    """(k,) int32, from 1."""


def first_turns(landscape: Landscape, spec: Spec, cut: Cut, locks: Locks, limit: int) -> Turns:
    """Return the first `limit` turns of all patches, the pinned left out.

    Without pins that is a few passes over the pool, however many rounds it takes; with them all
    rounds are worked out.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> turns = first_turns(pool, Spec(depth_target=0.5), Even(1), Locks.of((), (), 3), 2)
    >>> turns.point.tolist(), turns.round.tolist()
    ([1, 0], [1, 2])
    """
    from ila_core.selection.patch_rule_compiled import first_rounds

    if len(locks.pinned):
        turn = rounds(landscape, spec, cut, locks)
        points = turn.first(limit)
        return Turns(points, turn.round[points])
    line = queue(landscape, locks)
    if isinstance(cut, Even) and line.ranked:
        cut.check(line.ranked)
        if limit <= cut.count + (cut.offset > 0):
            points = _even_firsts(landscape, cut, spec.passed_over, *locks.key)
            if limit <= len(points):
                return Turns(points[:limit], np.ones(limit, np.int32))
    member, patches = _members(landscape, cut, *locks.key)
    return Turns(*first_rounds(member, patches, line.scored, spec.passed_over, limit))


@remembered(most=1)
def _members(
    landscape: Landscape, cut: Cut, pinned: bytes, excluded: bytes, outside: bytes
) -> tuple[np.ndarray, int]:
    """Return the patch of every point, (m,) int32, and how many patches there are.

    Those of a grid are numbered without gaps, unless there are fewer than points.
    """
    line = _queue(landscape, pinned, excluded, outside)
    patch = line.patches(cut)
    if isinstance(cut, Grid) and cut.side**2 <= min(DIRECT, len(line)):
        return frozen(patch), cut.side**2
    member, patches = line.members(cut, patch)
    return frozen(member), patches


@remembered(most=4)
def _even_firsts(
    landscape: Landscape,
    cut: Even,
    passed_over: float,
    pinned: bytes,
    excluded: bytes,
    outside: bytes,
) -> np.ndarray:
    """Return the points that even patches give first, ascending, (k,) int32."""
    from ila_core.selection.patch_rule_compiled import even_firsts

    line = _queue(landscape, pinned, excluded, outside)
    shift = int(np.floor(cut.offset * line.ranked))
    found = even_firsts(line.queued, cut.count, shift, line.scored, passed_over)
    return frozen(np.sort(found[found >= 0]))


def places_in_patch(patch: np.ndarray) -> np.ndarray:
    """Return for each entry the how-manieth of its patch it is, from 1.

    >>> places_in_patch(np.array([7, 3, 7])).tolist()
    [1, 1, 2]
    """
    from ila_core.selection import patch_rule_compiled

    if not len(patch):
        return np.zeros(0, np.int32)
    _, member = np.unique(patch, return_inverse=True)
    return patch_rule_compiled.places_in_patch(
        member.reshape(-1).astype(np.int32), int(member.max()) + 1
    )


def first_round_tokens(line: Queue, spec: Spec, cut: Cut) -> float:
    """Return the response tokens of the pinned records and of the first that each patch gives."""
    from ila_core.selection.patch_rule_compiled import first_round_sum

    member, patches = line.members(cut, line.patches(cut))
    passed_over = spec.passed_over
    return first_round_sum(member, patches, line.scored, passed_over, line.pinned, line.tokens)


# -- levels ---------------------------------------------------------------------------------------


class Nested(NamedTuple):
    """One order of all records that may be chosen, the pinned first."""

    rows: np.ndarray
    """(m,) int64."""
    level: np.ndarray
    """(m,) int32: the level that chose it, from 0; one more than the last for what none chose, -1
    for the pinned."""


def nested(landscape: Landscape, spec: Spec, locks: Locks, *, offset: float = 0.0) -> Nested:
    """Return all records that may be chosen in nested order: the start of it is any budget's.

    At each level, 1, 2, 4 ... even patches or 1, 4, 16 ... of a grid, every patch that holds no
    chosen record gives its record at the depth target; a level's picks stand deepest first. The
    latest orders stay with the landscape.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> nested(pool, Spec(patches="grid").deepest_first, Locks.of((), (), 3)).rows.tolist()
    [1, 2, 0]
    """
    return _nested(landscape, spec.passed_over, spec.even, offset, *locks.key)


@remembered(most=4)
def _nested(
    landscape: Landscape,
    passed_over: float,
    even: bool,
    offset: float,
    pinned: bytes,
    excluded: bytes,
    outside: bytes,
) -> Nested:
    from ila_core.selection.patch_rule_compiled import by_round, take_level

    line = _queue(landscape, pinned, excluded, outside)
    first = np.frombuffer(pinned, dtype=np.int64)
    chosen = np.full(len(line), 127, np.int8)
    chosen[: len(line.pinned)][line.pinned] = -1
    level = 0
    for level, cut in enumerate(_cuts(landscape, line.ranked, even, offset)):
        member, patches = line.members(cut, line.patches(cut))
        take_level(chosen, level, member, patches, line.scored, passed_over)
    chosen[chosen == 127] = level + 1
    position = by_round(chosen.astype(np.int32) + 1, len(line))
    rows = np.concatenate([first, line.rows[position]])
    levels = np.concatenate([np.full(len(first), -1), chosen[position]])
    return Nested(frozen(rows), frozen(levels, np.int32))


def _cuts(landscape: Landscape, n: int, even: bool, offset: float) -> Iterator[Cut]:
    """Yield the patches of each level; even ones end where every record has its own."""
    if not even:
        yield from (landscape.grid(2**level, offset) for level in range(LEVELS))
        return
    count = 1
    while count < n:
        yield Even(count, offset=offset)
        count *= 2
    if n:
        yield Even(n, offset=offset)


# -- resolution -----------------------------------------------------------------------------------


def finest(fits: Callable[[int], bool], most: int) -> int:
    """Return the number that halving between 1 and `most` ends at: the largest that fits, if what
    fits does so at every smaller number too.

    >>> finest(lambda number: number**2 <= 50, 100)
    7
    """
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


@remembered(most=4096, of_map=True)
def auto_resolution(landscape: Landscape, size: int) -> int:
    """Return the resolution of a grid about as fine as a budget of `size` records.

    The number of occupied patches is at most `size`. It need not be the finest such grid, for
    the number does not only grow with the resolution; it is the one that this search finds: the
    largest power of two that fits, then halving between it and the next.

    >>> auto_resolution(Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1, 2, 3]), 2)
    1
    """
    return finest_grid(
        dyadic_occupied(landscape),
        lambda resolution: landscape.count_occupied(landscape.grid(resolution), limit=size),
        size,
    )


def finest_grid(dyadic: Sequence[int], occupied: Callable[[int], int], size: int) -> int:
    """Return the resolution that the search of `auto_resolution` ends at.

    `dyadic` has the occupied patches at 1, 2, 4 ... a side, `occupied` counts those at any number;
    it may stop counting above `size`.

    >>> finest_grid([1, 4, 9], lambda resolution: 2 * resolution, 6)
    3
    """
    low = max((2**k for k, n in enumerate(dyadic) if n <= size), default=1)
    high = min(2 * low - 1, 2 ** (LEVELS - 1))
    while low < high:
        middle = (low + high + 1) // 2
        if occupied(middle) <= size:
            low = middle
        else:
            high = middle - 1
    return low


@remembered(most=1, of_map=True)
def dyadic_occupied(landscape: Landscape) -> tuple[int, ...]:
    """Return how many patches hold a record at 1, 2, 4 ... 8192 patches a side."""
    from ila_core.landscape.points_compiled import count_dyadic

    place = landscape.grid(2 ** (LEVELS - 1)).scale[:4]
    return tuple(count_dyadic(*landscape.columns, *place, LEVELS).tolist())
