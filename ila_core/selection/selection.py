"""A selection: rows of a landscape in the order in which they were picked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.even import Even
from ila_core.landscape.grid import Grid, frozen
from ila_core.landscape.landscape import Landscape
from ila_core.selection.locks import Locks
from ila_core.selection.order import Cut
from ila_core.selection.quota import Quota
from ila_core.selection.spec import Spec

if TYPE_CHECKING:
    from ila_core.selection.why import Reason

Taken = Literal["rounds", "levels", "order"]
"""How picks were taken: by rounds of patches, by levels of the quadtree, or in an order of the
method's own, of which nothing more is known."""


FEW = 32
"""A selection of less than one record in so many is sorted: of more, a pass over all is quicker."""


@dataclass(frozen=True, eq=False)
class Tally:
    """How many picks count towards a quota."""

    quota: str
    members: np.ndarray
    """(n,) bool, which records of the pool do."""
    picks: int
    least: int
    """As a count, among the picks that were made."""
    most: int


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """k rows of a landscape, in the order in which they were picked.

    >>> import ila_core as ila
    >>> pool = ila.Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> selection = ila.select(pool, budget=2)
    >>> selection
    Selection(2 of 3 records by ila, 2 even patches)
    >>> selection.rows.tolist(), selection.round.tolist()
    ([1, 2], [1, 1])
    """

    landscape: Landscape
    spec: Spec
    """What was asked for: enough to make it again."""
    rows: np.ndarray
    """(k,) int64, pick order."""
    round: np.ndarray
    """(k,) int32. Taken by rounds: which of its patch's records it is, from 1. By levels: the
    level that chose it, from 0, one more than the last for what none chose, -1 for the pinned.
    Else 0."""
    patch: np.ndarray
    """(k,) int64, patch of each pick; -1 without patches."""
    cut: Cut | None = None
    """The patches that gave the picks, of a method that cuts the map."""
    taken: Taken = "order"
    filled: int = 0
    """Picks that only fill the budget, of a method that ran dry."""
    seconds: float = 0.0
    locks: Locks | None = None
    """What could be chosen: hands, rules and quotas have excluded the rest. None where the rows
    were given."""
    unbound: np.ndarray | None = None
    """(u,) int64, what the same request keeps without its quotas, in pick order; None where that
    is the selection itself."""
    notes: tuple[str, ...] = ()
    """What whoever asked for it should be told, a sentence each."""

    @classmethod
    def of_rows(cls, landscape: Landscape, spec: Spec, rows: Any, *, filled: int = 0) -> Selection:
        """Return a selection that has no patches, of rows in pick order."""
        picks = frozen(rows, np.int64)
        nowhere = frozen(np.full(len(picks), -1, np.int64))
        return cls(
            landscape, spec, picks, frozen(np.zeros(len(picks), np.int32)), nowhere, filled=filled
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        cut = ""
        if isinstance(self.cut, Grid):
            cut = f", {self.cut.resolution} x {self.cut.resolution}"
        elif self.cut is not None:
            cut = f", {self.cut.count:,} even patches"
        return (
            f"Selection({len(self):,} of {len(self.landscape):,} records by {self.spec.method}"
            f"{cut})"
        )

    @cached_property
    def mask(self) -> np.ndarray:
        """(n,) bool, whether each record of the pool is chosen."""
        chosen = np.zeros(len(self.landscape), dtype=bool)
        chosen[self.rows] = True
        return chosen

    @cached_property
    def ascending(self) -> np.ndarray:
        """The rows by number, (k,) int32: in the pool's order, which a large one is read in several
        times faster."""
        from ila_core.landscape.points_compiled import ascending

        if len(self) < len(self.landscape) // FEW:
            return frozen(np.sort(self.rows.astype(np.int32)))
        return frozen(ascending(self.rows, len(self.landscape)))

    @property
    def resolution(self) -> int | None:
        """Even patches, or patches a side of the grid; None without patches."""
        if self.cut is None:
            return None
        return self.cut.count if isinstance(self.cut, Even) else self.cut.resolution

    @cached_property
    def occupied(self) -> int | None:
        """Patches that hold a record of the pool; None without patches."""
        if isinstance(self.cut, Grid):
            return self.landscape.count_occupied(self.cut)
        return self.resolution

    @property
    def rounds(self) -> int | None:
        """Most records that one patch gave; None without patches."""
        return None if self.cut is None else int(self.round.max(initial=0))

    @property
    def knobs(self) -> dict[str, Any]:
        """The knobs that a study turns, by name; None for those that had no part in it."""
        made_by = {"patches": self.cut is not None, "target": self.taken != "order"}
        return self.spec.numbered(self.landscape.kind, **made_by)

    @cached_property
    def tokens(self) -> float:
        """Response tokens of the chosen records."""
        from ila_core.landscape.points_compiled import sum_known

        return float(sum_known(self.landscape.tokens, self.ascending)[0])

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """How its picks stand to each of the quotas that it was asked for, in their order."""
        found = []
        for text in self.spec.quotas:
            quota = Quota.parse(text)
            members = quota.members(self.landscape)
            picks = int(np.count_nonzero(members[self.rows]))
            found.append(Tally(text, members, picks, *quota.bounds(len(self))))
        return tuple(found)

    @property
    def shown_cut(self) -> Cut:
        """The patches; for a method without any, as many even patches as there are picks."""
        return self.cut or Even(max(1, len(self)))

    def nonempty(self) -> Selection:
        """Return the selection itself; UsageError that says why where it holds no record."""
        n = len(self.landscape)
        if len(self):
            return self
        if len(set(self.spec.excluded)) == n:
            raise UsageError(f"All {n:,} records are excluded; exclude fewer.")
        if self.locks is not None and len(self.locks.excluded) == n:
            rules = " and ".join(f"--only {rule}" for rule in self.spec.only)
            raise UsageError(
                f"No record is left of {n:,} that fits {rules} and is not excluded; take a rule "
                "away."
            )
        raise UsageError(
            f"Budget {self.spec.budget} is less than the first record takes; raise it."
        )

    @property
    def choosable(self) -> int:
        """How many records could be chosen in the end: hands, rules and quotas leave so many."""
        return len(self.landscape) - (0 if self.locks is None else len(self.locks.excluded))

    def first(self, size: int) -> Selection:
        """Return the selection of the first picks; of a nested one, that of a smaller budget."""
        return replace(
            self,
            rows=self.rows[:size],
            round=self.round[:size],
            patch=self.patch[:size],
            filled=max(0, self.filled - max(0, len(self) - size)),
            notes=(),
            spec=replace(self.spec, budget=str(max(1, min(size, len(self))))),
        )

    def why(self, row: int) -> Reason:
        """Return what decided whether a record of the pool is kept.

        >>> import ila_core as ila
        >>> pool = ila.Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
        >>> ila.select(pool, budget=2).why(0).sentence
        'Left: 2nd of the 2 records of its patch, and the budget ended in round 1.'
        """
        from ila_core.selection.why import reason

        return reason(self, row)
