"""ILA over shards: the same picks, where no process holds the places and depths of all records.

A shard is a run of rows of the pool. Every pass asks all shards something small and puts the
answers together: the corners of the map; which patches are occupied; how many records each patch
has; a few pivots of each patch's depths; and then, of the records of each patch, those that can be
among the picks. So champions are merged and not records: of a patch of m records in s shards about
the square root of m times s travel. Where patches are so small that a shard has a few records of
each, that is all of them: sharding then spares memory and no bytes.

Even patches need ranks along the curve of the whole pool. Their borders are found by a histogram of
the curve's keys; of the bins that a border falls into the keys themselves travel. A shard then gets
how many of its own records, in the order of the curve, lie before each border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import Any, NamedTuple

import numpy as np

from ila_core.blocks import MappedRows, Rows, Spread, here
from ila_core.errors import UsageError
from ila_core.landscape.even import BITS, Even
from ila_core.landscape.grid import LEVELS, Grid, columns, frozen
from ila_core.selection.order import finest_grid
from ila_core.selection.spec import Spec

MOST_BINS = 20
"""Bits of the curve's 32 that tell the bins of its histogram, at most: 4 megabytes a shard."""
FEWEST_SPARED = 4
"""Records to a pivot below which pivots cost what they spare, and none are told."""


@dataclass(frozen=True, eq=False)
class Picks:
    """What was chosen, in pick order."""

    rows: np.ndarray
    """(k,) int64, rows of the pool."""
    round: np.ndarray
    """(k,) int32, from 1."""
    patch: np.ndarray
    """(k,) int64, the patch number."""
    cut: Grid | Even
    travelled: int
    """Bytes of all that the shards were asked and answered."""


def select_on_shards(
    xy: np.ndarray,
    relative_depth: np.ndarray,
    shards: Sequence[Rows],
    spec: Spec,
    *,
    spread: Spread = here,
) -> Picks:
    """Return what the method ila chooses of a pool that lies in shards: what it would choose whole.

    xy: (n, 2) float32 places, relative_depth: (n,) float32, NaN where missing; mapped from .npy
    files, each worker opens them itself. shards: runs of rows that make up all n, in order; of
    any size. UsageError for a spec with another method, a budget of tokens, pins, excluded rows,
    rules or quotas, and for more even patches than records.

    >>> xy, depth = np.array([[0, 0], [0, 1], [1, 1]]), np.array([0.2, 0.9, 0.5], np.float32)
    >>> picks = select_on_shards(xy, depth, [(0, 2), (2, 3)], Spec(budget="2", depth_target=1))
    >>> picks.rows.tolist(), picks.round.tolist()
    ([1, 2], [1, 1])
    """
    _check(spec)
    pool = _Pool(MappedRows.of(xy), MappedRows.of(relative_depth))
    ask = _Asking(pool, [rows for rows in shards if rows[0] < rows[1]], spread)
    n = sum(end - first for first, end in ask.shards)
    asked = spec.asked
    size = int(asked.value if asked.kind == "records" else asked.value * n / 100)
    size = min(max(size, 1), n)
    corners = np.stack(list(ask("corners")))
    box = corners[:, 0].min(axis=0).tolist(), corners[:, 1].max(axis=0).tolist()
    low, high = (tuple(corner) for corner in box)
    cut: Grid | Even
    if spec.even:
        cut = Even(size if isinstance(spec.resolution, str) else spec.resolution)
        cut.check(n)
        borders = _borders(ask, cut.count, n, (*low, *high))
        parts = list(ask("curve_patches", [((*low, *high), one) for one in borders]))
    else:
        cut = Grid(low, high, _resolution(ask, spec, low, high, size))
        parts = list(ask("grid_patches", [(cut,)] * len(ask.shards)))
    return _merged(ask, cut, parts, size, spec)


def _check(spec: Spec) -> None:
    beyond = {
        f"the method {spec.method}": spec.method != "ila",
        "a budget of tokens": spec.asked.kind == "tokens",
        "pinned or excluded rows": bool(spec.pinned or spec.excluded),
        "rules": bool(spec.only),
        "quotas": bool(spec.quotas),
    }
    if found := next((what for what, there in beyond.items() if there), None):
        raise UsageError(
            f"A selection on shards knows the method ila and budgets of records alone, and not "
            f"{found}; select from the whole landscape."
        )


# -- what a shard answers -------------------------------------------------------------------------


class Part(NamedTuple):
    """The patches that a shard has records of."""

    where: tuple[Any, ...]
    """What tells the shard which of its records lie in which patch."""
    number: np.ndarray
    """(p,) int32, ascending."""
    scored: np.ndarray
    """(p,) int32, its records with a depth in each."""
    missing: np.ndarray
    """(p,) int32, those without."""


@dataclass(frozen=True, eq=False)
class _Pool:
    """What a worker has to know: where places and depths lie. It answers by the name of a pass."""

    xy: MappedRows
    depth: MappedRows

    def __call__(self) -> Callable[[tuple[str, Rows, tuple[Any, ...]]], Any]:
        return self._answered

    def _answered(self, question: tuple[str, Rows, tuple[Any, ...]]) -> Any:
        name, (first, end), about = question
        shard = _Shard(first, self.xy.array[first:end], self.depth.array[first:end])
        return getattr(shard, name)(*about)


@dataclass(frozen=True, eq=False)
class _Shard:
    first: int
    xy: np.ndarray
    depth: np.ndarray

    def corners(self) -> np.ndarray:
        """The lower left and the upper right corner, (2, 2)."""
        places = np.asarray(self.xy, np.float32)
        return np.stack([places.min(axis=0), places.max(axis=0)]).astype(np.float64)

    def occupied(self, grid: Grid) -> np.ndarray:
        """Which patches of a grid hold a record: a bit each, in bytes."""
        seen = np.zeros(grid.side * grid.side, bool)
        seen[grid.locate(*columns(self.xy))] = True
        return np.packbits(seen)

    def histogram(self, box: tuple[float, ...], bits: int) -> np.ndarray:
        """How many records have each beginning of the curve's key, (2 ** bits,) int32."""
        first = self._keys(box) >> (2 * BITS - bits)
        return np.bincount(first, minlength=1 << bits).astype(np.int32)

    def keys_in(self, box: tuple[float, ...], bits: int, bins: np.ndarray) -> np.ndarray:
        """The keys in some bins, (k,) uint32, ascending."""
        keys = self._keys(box)
        wanted = np.zeros(1 << bits, bool)
        wanted[bins] = True
        return np.sort(keys[wanted[keys >> (2 * BITS - bits)]])

    def curve_patches(self, box: tuple[float, ...], before: np.ndarray) -> Part:
        """The patches where so many records, along the curve, lie before each border."""
        return self._part((box, before))

    def grid_patches(self, grid: Grid) -> Part:
        """The patches of a grid."""
        return self._part((grid,))

    def pivots(
        self, where: tuple[Any, ...], step: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each patch every `step`-th record with a depth: patch, depth and row, deepest first.

        Patches are counted among those of the shard, rows from its first.
        """
        order, member, place, scored = self._ordered(where)
        kept = (place % step == 0) & scored
        return _small(member[kept]), self.depth[order[kept]], _small(order[kept])

    def candidates(
        self,
        where: tuple[Any, ...],
        bounds: tuple[Bounds, Bounds] | None,
        most: np.ndarray,
        more: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What can be among the picks: patch, depth and row; and how many of each patch are deeper.

        Of each patch the records from a bound to another, of those the first `most` of the shard;
        and `more` of those without a depth.
        """
        order, member, place, scored = self._ordered(where)
        depth, row = self.depth[order], order + self.first
        inside = scored & (place < most[member])
        deeper = np.zeros(len(order), bool)
        if bounds is not None:
            deeper = scored & ~_behind(depth, row, bounds[0], member)
            inside &= ~deeper & ~_behind(depth, row, bounds[1], member)
        skipped = np.bincount(member[deeper], minlength=len(most))
        counted = np.bincount(member[scored], minlength=len(most))
        kept = inside | (~scored & (place - counted[member] < more[member]))
        return _small(member[kept]), depth[kept], _small(order[kept]), _small(skipped)

    def _keys(self, box: tuple[float, ...]) -> np.ndarray:
        from ila_core.landscape.points_compiled import hilbert

        x0, y0, x1, y1 = box
        side = max(x1 - x0, y1 - y0) or np.inf
        return hilbert(*columns(self.xy), x0, y0, side, BITS)

    def _patches(self, where: tuple[Any, ...]) -> np.ndarray:
        """Each record's patch number, (n,) int64."""
        if isinstance(where[0], Grid):
            return where[0].patches(self.xy)
        box, before = where
        patch = np.empty(len(self.xy), np.int64)
        along = np.argsort(self._keys(box), kind="stable")
        patch[along] = np.repeat(np.arange(len(before) - 1), np.diff(before))
        return patch

    def _part(self, where: tuple[Any, ...]) -> Part:
        number, member = np.unique(self._patches(where), return_inverse=True)
        missing = np.isnan(self.depth)
        counts = (
            np.bincount(member[which], minlength=len(number)) for which in (~missing, missing)
        )
        return Part(where, _small(number), *map(_small, counts))

    def _ordered(
        self, where: tuple[Any, ...]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The records patch by patch, deepest first: record, patch, place there, whether scored."""
        _, member = np.unique(self._patches(where), return_inverse=True)
        order = np.lexsort((-self.depth, member))  # missing depths last, ties by row
        member = member[order]
        return order, member, _places(member), ~np.isnan(self.depth[order])


class Bounds(NamedTuple):
    """A record of each patch, by its depth and its row; a row of -1 for none, which is before all,
    and one of `END` for what is behind all.
    """

    depth: np.ndarray
    row: np.ndarray


END = np.iinfo(np.int64).max


def _behind(depth: np.ndarray, row: np.ndarray, bounds: Bounds, member: np.ndarray) -> np.ndarray:
    """Whether records stand at or behind their patch's bound."""
    at, there = bounds.depth[member], bounds.row[member]
    behind = (depth < at) | ((depth == at) & (row >= there))
    return np.where(there < 0, True, np.where(there == END, False, behind))


def _small(numbers: np.ndarray) -> np.ndarray:
    """Numbers as they travel; a shard and its patches are counted in 31 bits."""
    return numbers.astype(np.int32)


def _places(member: np.ndarray) -> np.ndarray:
    """The how-manieth of its patch each entry is, from 0, where patches stand one after another."""
    starts = np.flatnonzero(np.diff(member, prepend=-1))
    return np.arange(len(member)) - np.repeat(starts, np.diff(starts, append=len(member)))


# -- what is made of the answers ------------------------------------------------------------------


@dataclass
class _Asking:
    """Asks all shards, and counts what travels."""

    pool: _Pool
    shards: list[Rows]
    spread: Spread
    travelled: int = field(default=0)

    def __call__(self, name: str, about: Sequence[tuple[Any, ...]] | None = None) -> Iterator[Any]:
        """Yield each shard's answer, in their order; `about` has what each is told."""
        told = about if about is not None else [()] * len(self.shards)
        questions = [(name, rows, one) for rows, one in zip(self.shards, told, strict=True)]
        self.travelled += sum(map(_bytes, told))
        for answer in self.spread(self.pool, questions):
            self.travelled += _bytes(answer)
            yield answer


def _bytes(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    return sum(map(_bytes, value)) if isinstance(value, tuple) and not isinstance(value, str) else 8


def _resolution(
    ask: _Asking, spec: Spec, low: tuple[float, ...], high: tuple[float, ...], size: int
) -> int:
    if not isinstance(spec.resolution, str):
        return spec.resolution

    def occupied(resolution: int) -> int:
        grid = Grid((low[0], low[1]), (high[0], high[1]), resolution)
        seen = np.zeros((resolution * resolution + 7) // 8, np.uint8)
        for bits in ask("occupied", [(grid,)] * len(ask.shards)):
            seen |= bits
        return int(np.unpackbits(seen).sum())

    return finest_grid([occupied(2**level) for level in range(LEVELS)], occupied, size)


def _borders(ask: _Asking, count: int, n: int, box: tuple[float, ...]) -> list[np.ndarray]:
    """How many records of each shard, along the curve, lie before each patch and the end.

    (count + 1,) int64 each. A patch begins at the first rank r with r * count >= patch * n.
    """
    # As many keys as bins travel: count * n / bins of the former, shards * bins of the latter.
    bits = round(np.log2(count * n / len(ask.shards)) / 2)
    bits = min(max(bits, 1), MOST_BINS)
    bins = np.stack(list(ask("histogram", [(box, bits)] * len(ask.shards)))).astype(np.int64)
    before = np.concatenate([np.zeros((len(bins), 1), np.int64), np.cumsum(bins, axis=1)], axis=1)
    begins = before.sum(axis=0)
    ranks = -(-np.arange(count + 1) * n // count)
    at = np.searchsorted(begins, ranks, side="right") - 1
    borders = before[:, at]
    into = ranks - begins[at]  # records of its bin before the border
    split = np.unique(at[into > 0])
    if not len(split):
        return list(borders)
    found = list(ask("keys_in", [(box, bits, split)] * len(ask.shards)))
    shard = np.repeat(np.arange(len(found)), [len(keys) for keys in found])
    shard = shard[np.argsort(np.concatenate(found), kind="stable")]  # ties as rows stand
    starts = np.concatenate([[0], np.cumsum(np.diff(begins)[split])])
    inside = np.flatnonzero(into > 0)
    start = starts[np.searchsorted(split, at[inside])]
    for number, line in enumerate(borders):
        counted = np.concatenate([[0], np.cumsum(shard == number)])
        line[inside] += counted[start + into[inside]] - counted[start]
    return list(borders)


def _merged(ask: _Asking, cut: Grid | Even, parts: Sequence[Part], size: int, spec: Spec) -> Picks:
    from ila_core.selection.patch_rule_compiled import walks

    number = np.unique(np.concatenate([part.number for part in parts])).astype(np.int64)
    mine = [np.searchsorted(number, part.number) for part in parts]
    scored, missing = np.zeros(len(number), np.int64), np.zeros(len(number), np.int64)
    for at, part in zip(mine, parts, strict=True):
        scored[at] += part.scored
        missing[at] += part.missing
    rounds = _rounds_for(scored + missing, size)
    low, high, turn = walks(scored, rounds, spec.passed_over)
    more = np.clip(rounds - scored, 0, missing)

    bounds = _bounds(ask, parts, mine, low, high)
    told = []
    for at, part in zip(mine, parts, strict=True):
        its = (
            None if bounds is None else tuple(Bounds(one.depth[at], one.row[at]) for one in bounds)
        )
        told.append((part.where, its, _small(high[at]), _small(more[at])))
    skipped = np.zeros(len(number), np.int64)
    found = []
    for at, (first, _), answer in zip(mine, ask.shards, ask("candidates", told), strict=True):
        its_member, depth, row, deeper = answer
        skipped[at] += deeper
        found.append((at[its_member], depth, row + np.int64(first)))
    member, depth, rows = _deepest_first(found)

    known = ~np.isnan(depth)
    place = _places(member)
    place[known] += skipped[member[known]]
    counted = np.bincount(member[known], minlength=len(number))
    place[~known] += (scored - counted)[member[~known]]
    inside = np.where(known, (place >= low[member]) & (place < high[member]), place < rounds)
    round = place + 1  # of those without a depth
    round[known & inside] = turn
    member, depth, rows, round = member[inside], depth[inside], rows[inside], round[inside]
    chosen = np.lexsort((rows, -depth, round))[:size]
    return Picks(
        frozen(rows[chosen]),
        frozen(round[chosen], np.int32),
        frozen(number[member[chosen]]),
        cut,
        ask.travelled,
    )


def _deepest_first(
    told: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the shards told, patch after patch: patch, depth and row, missing depths last."""
    member, depth, row = (np.concatenate([one[part] for one in told]) for part in range(3))
    order = np.lexsort((row, -depth, member))
    return member[order], depth[order], row[order]


def _rounds_for(sizes: np.ndarray, wanted: int) -> int:
    """The fewest rounds in which patches of these sizes give so many records."""
    few, many = 1, int(sizes.max())
    while few < many:
        middle = (few + many) // 2
        if np.minimum(sizes, middle).sum() >= wanted:
            many = middle
        else:
            few = middle + 1
    return few


def _bounds(
    ask: _Asking,
    parts: Sequence[Part],
    mine: Sequence[np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[Bounds, Bounds] | None:
    """Of each patch a pivot at or before its place `low`, and one at or behind its place `high`.

    Before a pivot that is the k-th of its patch, from 0, stand at most k * step records; and at
    least as many, less step - 1 for each shard that has told a pivot before it. None where pivots
    spare nothing.
    """
    patches = len(low)
    step = isqrt(sum(int(part.scored.sum()) for part in parts) // (2 * len(parts) * patches))
    if step < FEWEST_SPARED:
        return None
    told, opening = [], []
    answers = ask("pivots", [(part.where, step) for part in parts])
    for at, (begin, _), (its_member, depth, row) in zip(mine, ask.shards, answers, strict=True):
        told.append((at[its_member], depth, row + np.int64(begin)))
        opening.append(told[-1][2][np.diff(its_member, prepend=-1) > 0])
    member, depth, row = _deepest_first(told)
    begins = np.isin(row, np.concatenate(opening))  # the first pivots of their shard and patch
    size = np.bincount(member, minlength=patches)
    start = np.cumsum(size) - size
    shards: np.ndarray = (
        np.cumsum(begins) - begins
    )  # that told one before, of this patch or an earlier one
    shards -= shards[start[member]]
    least = _places(member) * step - shards * (step - 1)
    span = np.int64(1) << 40
    behind = np.searchsorted(member * span + least, np.arange(patches) * span + high)
    first = Bounds(np.zeros(patches, np.float32), np.full(patches, -1))
    last = Bounds(np.zeros(patches, np.float32), np.full(patches, END))
    some = size > 0
    at = start[some] + np.minimum(low[some] // step, size[some] - 1)
    first.depth[some], first.row[some] = depth[at], row[at]
    ends = some & (behind < start + size)
    last.depth[ends], last.row[ends] = depth[behind[ends]], row[behind[ends]]
    return first, last
