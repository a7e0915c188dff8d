"""Which records to keep: by grid, by the automatic grid, or in the nested order.

A selection is a list of rows in pick order. Every rule reads the pool as a queue, deepest first;
patches take from it in rounds (grid) or levels of a quadtree (nested).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import (
    MAX_RESOLUTION,
    Grid,
    Queue,
    check_resolution,
    first_by_round,
    frozen,
)
from ila_core.landscape.landscape import Landscape

if TYPE_CHECKING:
    from ila_core.selection.why import Reason

_FORMS = 'a count such as 10000, a share such as "5%", or response tokens such as "2M-tokens"'
_BUDGET = re.compile(
    r"(?P<number>\d[\d_,]{0,23}(?:\.\d{1,23})?)\s*(?P<scale>[kKmM]?)[\s-]*(?P<unit>%|tokens?|records?)?",
    re.ASCII,
)
_SCALES = {"": 1, "k": 1_000, "m": 1_000_000}


@dataclass(frozen=True)
class Budget:
    """How much to choose: records, a percentage of the pool, or response tokens.

    >>> Budget.parse("500k-tokens")
    Budget(kind='tokens', value=500000, text='500k-tokens')
    >>> Budget.parse(10_000).records(Landscape.from_arrays([[0, 0], [1, 1]], depth=[1, 2]))
    2
    """

    kind: Literal["records", "percent", "tokens"]
    value: int | Fraction
    text: str
    """As it was given."""

    @classmethod
    def parse(cls, given: object) -> Budget:
        """Return a budget from 10000, "10000", "10k", "5%", "500k-tokens" or "2M-tokens".

        UsageError, naming the value and the accepted forms, for anything else.
        """
        if isinstance(given, Budget):
            return given
        text = str(given).strip()
        whole = isinstance(given, (int, np.integer)) and not isinstance(given, bool)
        found = _BUDGET.fullmatch(text) if whole or isinstance(given, str) else None
        if found is None:
            raise UsageError(f"Budget {given!r} is not understood; give {_FORMS}.")
        number = Fraction(re.sub("[_,]", "", found["number"])) * _SCALES[found["scale"].lower()]
        if number <= 0:
            raise UsageError(f"Budget {given!r} chooses nothing; give {_FORMS}.")
        if found["unit"] == "%":
            if number > 100:
                raise UsageError(f"Budget {given!r} is more than the whole pool; give {_FORMS}.")
            return cls("percent", number, text)
        if number.denominator != 1:
            raise UsageError(f"Budget {given!r} is not a whole number; give {_FORMS}.")
        tokens = (found["unit"] or "").startswith("token")
        return cls("tokens" if tokens else "records", int(number), text)

    def records(self, landscape: Landscape) -> int:
        """Return the number of records it stands for, from 1 to n.

        For tokens that is an estimate, from the pool's mean: it fixes the resolution.
        """
        n = len(landscape)
        if self.kind == "records":
            size = int(self.value)
        elif self.kind == "percent":
            size = int(self.value * n / 100)
        else:
            if not landscape.total_tokens > 0:
                raise UsageError(
                    f"Budget {self.text!r} counts response tokens, but none of the {n:,} records "
                    "has any; give a number of records or a percentage."
                )
            size = int(self.value * n / Fraction(landscape.total_tokens))
        return min(max(size, 1), n)

    def cut(self, landscape: Landscape, rows: np.ndarray) -> int:
        """Return how many of `rows`, in order, fit: all before the first that would exceed it."""
        size = self.records(landscape)
        if self.kind != "tokens":
            return min(size, len(rows))
        spent = np.cumsum(np.nan_to_num(landscape.tokens[rows]), dtype=np.float64)
        return int(np.searchsorted(spent, float(self.value), side="right"))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Rule:
    """What made a selection: enough to make it again."""

    method: str
    budget: str
    """As it was given."""
    seed: int = 0
    resolution: int | str = "auto"
    """As it was given; the selection's grid has the one that was used."""
    depth_target: float = 1.0
    pinned: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """k rows of a landscape, in the order in which they were picked.

    >>> landscape = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> chosen = select_ila(landscape, 2)
    >>> chosen
    Selection(2 of 3 records by ila, 1 x 1)
    >>> chosen.rows.tolist(), chosen.round.tolist()
    ([1, 2], [1, 2])
    """

    landscape: Landscape
    rows: np.ndarray
    """(k,) int64, pick order."""
    round: np.ndarray
    """(k,) int32. Grid: which of its patch's records it is, from 1. Nested: the level that chose
    it, 0 to 13, 14 after the last, -1 for the pinned. Other methods: 0."""
    patch: np.ndarray
    """(k,) int64, patch of each pick on the grid; -1 without a grid."""
    grid: Grid | None
    rule: Rule
    filled: int = 0
    """Picks that only fill the budget, of a method that ran dry."""
    seconds: float = 0.0

    @classmethod
    def of_rows(
        cls,
        landscape: Landscape,
        rows: Any,
        rule: Rule,
        *,
        filled: int = 0,
        seconds: float = 0.0,
    ) -> Selection:
        """Return a selection that has no grid, of rows in pick order."""
        picks = frozen(rows, np.int64)
        return cls(
            landscape,
            picks,
            frozen(np.zeros(len(picks), np.int32)),
            frozen(np.full(len(picks), -1, np.int64)),
            None,
            rule,
            filled,
            seconds,
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        grid = f", {self.grid.resolution} x {self.grid.resolution}" if self.grid else ""
        return (
            f"Selection({len(self):,} of {len(self.landscape):,} records by {self.rule.method}"
            f"{grid})"
        )

    @cached_property
    def mask(self) -> np.ndarray:
        """(n,) bool, whether each record of the pool is chosen."""
        chosen = np.zeros(len(self.landscape), dtype=bool)
        chosen[self.rows] = True
        return chosen

    @cached_property
    def occupied(self) -> int | None:
        """Patches of the grid that hold a record of the pool; None without a grid."""
        return None if self.grid is None else self.landscape.count_occupied(self.grid)

    @property
    def rounds(self) -> int | None:
        """Most records that one patch gave; None without a grid."""
        return None if self.grid is None else int(self.round.max(initial=0))

    @cached_property
    def tokens(self) -> float:
        """Response tokens of the chosen records."""
        return float(np.nansum(self.landscape.tokens[self.rows], dtype=np.float64))

    @cached_property
    def shown_grid(self) -> Grid:
        """The selection's grid; for a method without one, the automatic grid of its size."""
        if self.grid is not None:
            return self.grid
        return self.landscape.grid(auto_resolution(self.landscape, max(1, len(self))))

    def nonempty(self) -> Selection:
        """Return the selection itself; UsageError that says why where it holds no record."""
        n = len(self.landscape)
        if not len(self):
            raise UsageError(
                f"All {n:,} records are excluded; exclude fewer."
                if len(self.rule.excluded) == n
                else f"Budget {self.rule.budget} is less than the first record takes; raise it."
            )
        return self

    def first(self, size: int) -> Selection:
        """Return the selection of the first picks; of a nested one, that of a smaller budget."""
        return replace(
            self,
            rows=self.rows[:size],
            round=self.round[:size],
            patch=self.patch[:size],
            rule=replace(self.rule, budget=str(min(size, len(self)))),
        )

    def kept_share(self, display: Grid) -> KeptShare:
        """Return, for every cell of a display grid, the share of its patches that are kept.

        A patch of the selection's grid belongs to the cell that holds its centre.
        """
        queue = self.landscape.queue
        member, number = self.shown_grid.members(queue.x, queue.y)
        kept = np.zeros(len(number), dtype=bool)
        kept[member[self.mask[queue.rows]]] = True
        cell, belongs = np.unique(
            display.patches(self.shown_grid.centres(number)), return_inverse=True
        )
        patches = np.bincount(belongs, minlength=len(cell))
        return KeptShare(cell, patches, np.bincount(belongs[kept], minlength=len(cell)))

    def why(self, row: int) -> Reason:
        """Return what decided whether a record of the pool is kept.

        >>> landscape = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
        >>> select_ila(landscape, 2).why(0).sentence
        'Left: 3rd of the 3 records of its patch, and the budget ended in round 2.'
        """
        from ila_core.selection.why import reason

        return reason(self, row)


@dataclass(frozen=True, eq=False)
class KeptShare:
    """How much of each display cell a selection keeps; cells without a patch are left out."""

    cell: np.ndarray
    """(m,) int64, cell numbers, ascending."""
    patches: np.ndarray
    """(m,) occupied patches of the selection's grid whose centre lies in the cell."""
    kept: np.ndarray
    """(m,) those of them that hold a chosen record."""

    @property
    def share(self) -> np.ndarray:
        return self.kept / self.patches


# -- the three rules ------------------------------------------------------------------------------


def select_ila(
    landscape: Landscape,
    budget: object,
    *,
    resolution: int | str = "auto",
    depth_target: float = 1.0,
    pin: Iterable[int] = (),
    exclude: Iterable[int] = (),
    offset: float = 0.0,
) -> Selection:
    """Choose the deepest record of every patch, then the second deepest, until the budget is met.

    Picks stand by (round, relative depth descending, row). `resolution` "auto" takes a grid about
    as fine as the budget. `depth_target` 1 takes the deepest record of a patch first, 0.5 the
    median one. `offset` shifts the grid by a fraction of a patch.

    >>> landscape = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> select_ila(landscape, 2, resolution=2, depth_target=0.5).rows.tolist()
    [1, 2]
    """
    started = time.perf_counter()
    asked, share = Budget.parse(budget), check_depth_target(depth_target)
    locks = Locks.of(pin, exclude, len(landscape))
    size = asked.records(landscape)
    auto = isinstance(resolution, str) and resolution == "auto"
    used = auto_resolution(landscape, size) if auto else check_resolution(resolution)
    grid = landscape.grid(used, offset)
    queue = landscape.queue.locked(locks.pinned, locks.excluded)
    rounds, patch = queue.rounds(grid, share)
    position, fits = _picks(asked, landscape, queue, rounds, locks)
    pinned_patch = grid.patches(landscape.xy[locks.pinned])
    return Selection(
        landscape,
        frozen(np.concatenate([locks.pinned, queue.rows[position]])[:fits]),
        frozen(np.concatenate([_turns(pinned_patch), rounds[position]])[:fits]),
        frozen(np.concatenate([pinned_patch, patch[position]])[:fits]),
        grid,
        _rule("ila", asked, share, locks, offset, "auto" if auto else used),
        seconds=time.perf_counter() - started,
    )


def select_nested(
    landscape: Landscape,
    budget: object,
    *,
    depth_target: float = 1.0,
    pin: Iterable[int] = (),
    exclude: Iterable[int] = (),
    offset: float = 0.0,
) -> Selection:
    """Choose by the levels of a quadtree: the selection for a budget starts every larger one.

    At each level, 1 to 8192 patches a side, every patch that holds no chosen record gives its
    deepest (or the one at the depth target); a level's picks stand deepest first. The order of
    the whole pool is kept with the landscape, so that another budget costs nothing.

    >>> landscape = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> [select_nested(landscape, budget).rows.tolist() for budget in (1, 2, 3)]
    [[1], [1, 2], [1, 2, 0]]
    """
    started = time.perf_counter()
    asked, share = Budget.parse(budget), check_depth_target(depth_target)
    locks = Locks.of(pin, exclude, len(landscape))
    rows, level = nested_order(landscape, share, locks, offset)
    size = locks.checked_cut(asked, landscape, rows)
    return Selection(
        landscape,
        rows[:size],
        level[:size],
        frozen(np.full(size, -1, np.int64)),
        None,
        _rule("nested", asked, share, locks, offset),
        seconds=time.perf_counter() - started,
    )


def _picks(
    asked: Budget, landscape: Landscape, queue: Queue, rounds: np.ndarray, locks: Locks
) -> tuple[np.ndarray, int]:
    """Return queue positions by round, and how many rows the budget holds, the pinned included."""
    limit = asked.records(landscape)
    while True:
        position = first_by_round(rounds, max(0, limit - len(locks.pinned)))
        rows = np.concatenate([locks.pinned, queue.rows[position]])
        fits = locks.checked_cut(asked, landscape, rows)
        if asked.kind != "tokens" or fits < len(rows) or limit >= len(queue):
            return position, fits
        limit *= 4  # a token budget may take more records than its estimate


def _rule(
    method: str,
    asked: Budget,
    depth_target: float,
    locks: Locks,
    offset: float,
    resolution: int | str = "auto",
) -> Rule:
    return Rule(
        method,
        asked.text,
        resolution=resolution,
        depth_target=depth_target,
        pinned=tuple(locks.pinned.tolist()),
        excluded=tuple(locks.excluded.tolist()),
        parameters={"offset": offset} if offset else {},
    )


def nested_order(
    landscape: Landscape, depth_target: float, locks: Locks, offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return all selectable rows in nested order, (m,) int64, and the level of each, (m,) int32.

    The latest orders are kept with the landscape.
    """

    def compute() -> tuple[np.ndarray, np.ndarray]:
        queue = landscape.queue.locked(locks.pinned, locks.excluded)
        level = queue.levels(landscape.grid(1, offset), depth_target).astype(np.int32)
        position = first_by_round(level + 1, len(queue))
        rows = np.concatenate([locks.pinned, queue.rows[position]])
        chosen = np.concatenate([np.full(len(locks.pinned), -1, np.int32), level[position]])
        return frozen(rows), frozen(chosen)

    key = (depth_target, offset, locks.pinned.tobytes(), locks.excluded.tobytes())
    return landscape.remember("nested", key, compute, most=4)


def auto_resolution(landscape: Landscape, size: int) -> int:
    """Return the resolution of a grid about as fine as a budget of `size` records.

    The number of occupied patches is at most `size`. It need not be the finest such grid, for
    the number does not only grow with the resolution; it is the one that this search finds: the
    largest power of two that fits, then halving between it and the next.

    >>> auto_resolution(Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1, 2, 3]), 2)
    1
    """

    def search() -> int:
        fits = [2**k for k, count in enumerate(landscape.dyadic_occupied) if count <= size]
        low = max(fits, default=1)
        high = min(2 * low - 1, MAX_RESOLUTION)
        while low < high:
            middle = (low + high + 1) // 2
            if landscape.count_occupied(landscape.grid(middle), limit=size) <= size:
                low = middle
            else:
                high = middle - 1
        return low

    return landscape.remember("auto", int(size), search, most=4096)


def check_depth_target(value: object) -> float:
    """Return a depth target as float; UsageError unless it is a number from 0 to 1.

    >>> check_depth_target(1.5)
    Traceback (most recent call last):
    ila_core.errors.UsageError: Depth target 1.5 is not a number from 0 to 1.
    """
    try:
        target = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        target = np.nan
    if not 0 <= target <= 1:
        raise UsageError(f"Depth target {value!r} is not a number from 0 to 1.")
    return target


# -- locks ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Locks:
    """Rows that are chosen first, and rows that are never chosen."""

    pinned: np.ndarray
    """int64, in the order given, repetitions dropped."""
    excluded: np.ndarray
    """int64, ascending."""

    @classmethod
    def of(cls, pin: Iterable[int], exclude: Iterable[int], n: int) -> Locks:
        """Return checked locks for a pool of n records.

        UsageError for a row that does not exist, is no whole number, or is in both.
        """
        pinned, excluded = _rows("pinned", pin, n), np.unique(_rows("excluded", exclude, n))
        if len(both := np.intersect1d(pinned, excluded)):
            raise UsageError(
                f"Row {both[0]} is both pinned and excluded"
                + (f", and so are {len(both) - 1:,} more" if len(both) > 1 else "")
                + "; take it from one of the two."
            )
        _, first = np.unique(pinned, return_index=True)
        return cls(pinned[np.sort(first)], excluded)

    def checked_cut(self, budget: Budget, landscape: Landscape, rows: np.ndarray) -> int:
        """Return how many of `rows`, pinned first, the budget holds; UsageError if not all pins."""
        size = budget.cut(landscape, rows)
        if size < len(self.pinned):
            raise UsageError(
                f"{len(self.pinned):,} records are pinned, but the budget {budget.text} holds only "
                f"{size:,} of them; raise the budget or unpin some."
            )
        return size


def read_locks(path: str | Path, n: int) -> np.ndarray:
    """Return the row numbers of a file, one a line, counted from 0, as (k,) int64 in file order.

    Blank lines are passed over. UsageError names the line that is no row of a pool of n records.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{path} cannot be read ({why}); write row numbers to it, one a line."
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        digits = text.lstrip("0") or "0"  # Python refuses to read thousands of digits
        if not (text.isascii() and text.isdigit()) or len(digits) > 18 or int(digits) >= n:
            raise UsageError(
                f"{path}, line {number}: {text[:40]!r} is no row of this pool; rows are whole "
                f"numbers from 0 to {n - 1}."
            )
        rows.append(int(digits))
    return np.array(rows, dtype=np.int64)


def _rows(what: str, given: Iterable[int], n: int) -> np.ndarray:
    rows = np.asarray(given if isinstance(given, np.ndarray) else list(given))
    if not rows.size:
        return np.zeros(0, dtype=np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise UsageError(f"{what.capitalize()} rows must be whole numbers; got {rows.flat[0]}.")
    outside = (rows < 0) | (rows >= n)
    if outside.any():
        raise UsageError(
            f"Row {rows[outside][0]} is {what}, but does not exist; rows go from 0 to {n - 1}."
        )
    return rows.astype(np.int64)


def _turns(patch: np.ndarray) -> np.ndarray:
    """Return for each entry the how-manieth of its patch it is, from 1."""
    if not len(patch):
        return np.zeros(0, np.int32)
    from ila_core.landscape import loops as kernels

    _, member = np.unique(patch, return_inverse=True)
    return kernels.turns(member.reshape(-1).astype(np.int32), int(member.max()) + 1)
