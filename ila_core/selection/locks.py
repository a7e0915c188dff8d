"""Rows that are chosen first, and rows that are never chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.selection.budget import Budget
from ila_core.selection.rules import matching

if TYPE_CHECKING:
    from ila_core.selection.spec import Spec

Picked = TypeVar("Picked", bound=tuple[np.ndarray, Any])
"""Rows in pick order, and what else is known of them."""


@dataclass(frozen=True, eq=False)
class Locks:
    """Rows that are chosen first, and rows that are never chosen."""

    pinned: np.ndarray
    """int64, in the order given, repetitions dropped."""
    excluded: np.ndarray
    """int64, ascending."""
    outside: np.ndarray
    """Those of the excluded that count as no part of the pool, int64, ascending: what a rule or a
    quota leaves out. Patches are cut as if they were not there; a record that is excluded by hand
    keeps its place in a patch, so that no pick moves but its own."""

    @classmethod
    def of(cls, pinned: Iterable[int], excluded: Iterable[int], n: int) -> Locks:
        """Return checked locks for a pool of n records.

        UsageError for a row that does not exist, is no whole number, or is in both.
        """
        first, never = _rows("pinned", pinned, n), _distinct(_rows("excluded", excluded, n))
        if len(both := _distinct(first[np.isin(first, never)])):
            raise UsageError(
                f"Row {both[0]} is both pinned and excluded"
                + (f", and so are {len(both) - 1:,} more" if len(both) > 1 else "")
                + "; take it from one of the two."
            )
        _, place = np.unique(first, return_index=True)
        return cls(first[np.sort(place)], never, np.zeros(0, np.int64))

    @classmethod
    def asked(cls, landscape: Landscape, spec: Spec) -> Locks:
        """Return the locks of a request: what does not fit its rules is outside, unless pinned.

        UsageError as from `of`, and where the landscape has not what a rule goes by.
        """
        locks = cls.of(spec.pinned, spec.excluded, len(landscape))
        if not spec.only:
            return locks
        fits = np.array(fitting(landscape, spec.only))
        fits[locks.pinned] = True
        return locks.without(np.flatnonzero(~fits))

    def without(self, rows: np.ndarray) -> Locks:
        """Return locks with further rows outside, int64, none of them pinned."""
        excluded, outside = (
            _distinct(np.concatenate([known, rows])) for known in (self.excluded, self.outside)
        )
        return Locks(self.pinned, excluded, outside)

    def free(self, n: int) -> np.ndarray:
        """Return which of a pool's n records may be chosen, (n,) bool; the pinned are of them."""
        may = np.ones(n, dtype=bool)
        may[self.excluded] = False
        return may

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        """What tells these locks from others, hashable."""
        return self.pinned.tobytes(), self.excluded.tobytes(), self.outside.tobytes()

    def fitted(
        self, budget: Budget, landscape: Landscape, most: int, pick: Callable[[int], Picked]
    ) -> tuple[Picked, int]:
        """Return what `pick(count)` gives, and how many of its rows the budget holds.

        The rows are the first of what it gives, pinned ones before the others. A budget of tokens
        may hold more than its estimate: `pick` is asked for a third more, up to `most`, until it is
        used up. UsageError where the budget does not hold all pins.
        """
        count = min(budget.records(landscape), most)
        while True:
            picked = pick(count)
            size = budget.cut(landscape, picked[0])
            if budget.kind != "tokens" or size < len(picked[0]) or count >= most:
                return picked, self.checked_cut(budget, landscape, picked[0])
            count = min(most, count + max(1, count // 3))

    def checked_cut(self, budget: Budget, landscape: Landscape, rows: np.ndarray) -> int:
        """Return how many of `rows`, pinned first, the budget holds; UsageError if not all pins."""
        size = budget.cut(landscape, rows)
        if size < len(self.pinned):
            raise UsageError(
                f"{len(self.pinned):,} records are pinned, but the budget {budget.text} holds only "
                f"{size:,} of them; raise the budget or unpin some."
            )
        return size


@remembered(most=8)
def fitting(landscape: Landscape, rules: tuple[str, ...]) -> np.ndarray:
    """Return which records fit all rules, (n,) bool.

    UsageError where the landscape has not what a rule goes by.
    """
    return frozen(matching(landscape, rules))


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


def _distinct(rows: np.ndarray) -> np.ndarray:
    """Return rows ascending, each once; by sorting, which is quicker than numpy's own unique."""
    ordered = np.sort(rows)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]


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
