"""Why a record was kept or left: the numbers that decided, and one sentence for the inspector."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import LEVELS, Grid
from ila_core.selection.selection import Locks, Selection, nested_order


@dataclass(frozen=True)
class Reason:
    """What decided about one record. Ranks and rounds count from 1."""

    row: int
    kept: bool
    method: str
    pick: int | None = None
    """Place in the pick order; nested orders place every record, chosen or not."""
    pinned: bool = False
    excluded: bool = False
    missing: bool = False
    """It has no depth, so it comes after those that have one."""
    patch: int | None = None
    count: int = 0
    """Records of its patch that could be chosen; 0 without a grid."""
    rank: int | None = None
    """By depth in its patch, 1 the deepest."""
    round: int | None = None
    """When its turn comes in its patch; for nested, its level."""
    last_round: int | None = None
    """The round in which the budget ended."""

    @property
    def sentence(self) -> str:
        """One sentence for the inspector."""
        word = "Kept" if self.kept else "Left"
        if self.pinned or self.excluded:
            return f"{word}: {'pinned' if self.pinned else 'excluded'} by hand."
        if self.method == "nested":
            return f"{word}: {self._nested()}."
        if self.round is None:
            place = f" as pick {self.pick:,}" if self.kept and self.pick else ""
            return f"{word} by {self.method}{place}."
        return f"{word}: {self._grid()}."

    def _nested(self) -> str:
        level = self.round or 0
        where = (
            "after the finest level"
            if level >= LEVELS
            else f"first of a patch at level {level} ({2**level:,} x {2**level:,})"
        )
        if self.kept:
            return f"{where}, pick {self.pick:,}"
        return f"{where}, it comes with a budget of {self.pick:,} records"

    def _grid(self) -> str:
        if self.count == 1:
            return "the only record of its patch" + ("" if self.kept else ", past the budget")
        which = f"{ordinal(self.round or 1)} of the {self.count:,} records of its patch"
        if self.missing:
            which += ", for it has no depth"
        elif self.round == 1 and self.rank == 1:
            which = f"the deepest of the {self.count:,} records of its patch"
        if self.kept:
            return which
        return f"{which}, and the budget ended in round {self.last_round}"


def ordinal(number: int) -> str:
    """Return a number as a place in a row.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 112)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '21st', '112th']
    """
    teen = 10 <= number % 100 <= 20
    return f"{number:,}" + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))


def reason(selection: Selection, row: int) -> Reason:
    """Return what decided about a record; UsageError for a row that does not exist.

    Rules that do not take from patches by depth say only whether the record is kept.
    """
    landscape, rule, row = selection.landscape, selection.rule, int(row)
    if not 0 <= row < len(landscape):
        raise UsageError(f"Row {row} does not exist; rows go from 0 to {len(landscape) - 1}.")
    found = np.flatnonzero(selection.rows == row)
    known = Reason(
        row,
        kept=bool(len(found)),
        method=rule.method,
        pick=int(found[0]) + 1 if len(found) else None,
        pinned=row in rule.pinned,
        excluded=row in rule.excluded,
        missing=bool(np.isnan(landscape.relative_depth[row])),
    )
    if known.excluded:
        return known
    if rule.method == "nested":
        return _nested_reason(selection, known)
    if rule.method == "ila" and selection.grid is not None:
        return _grid_reason(selection, selection.grid, known)
    return known


def _nested_reason(selection: Selection, known: Reason) -> Reason:
    landscape, rule = selection.landscape, selection.rule
    locks = Locks.of(rule.pinned, rule.excluded, len(landscape))
    offset = rule.parameters.get("offset", 0.0)
    rows, level = nested_order(landscape, rule.depth_target, locks, offset)
    place = int(np.flatnonzero(rows == known.row)[0])
    return replace(known, pick=place + 1, round=int(level[place]))


def _grid_reason(selection: Selection, grid: Grid, known: Reason) -> Reason:
    landscape, rule, queue = selection.landscape, selection.rule, selection.landscape.queue
    patch = int(grid.patches(landscape.xy[known.row])[0])
    here = queue.rows[grid.locate(queue.x, queue.y) == patch]
    here = here[~np.isin(here, rule.excluded)]
    turn = turn_order(here, landscape.relative_depth, rule.depth_target)
    pinned = np.array([row for row in rule.pinned if row in here], dtype=np.int64)
    turn = np.concatenate([pinned, turn[~np.isin(turn, pinned)]])
    return replace(
        known,
        patch=patch,
        count=len(here),
        rank=int(np.flatnonzero(here == known.row)[0]) + 1,
        round=int(np.flatnonzero(turn == known.row)[0]) + 1,
        last_round=int(selection.round.max(initial=0)),
    )


def turn_order(here: np.ndarray, depth: np.ndarray, depth_target: float) -> np.ndarray:
    """Return one patch's rows, given deepest first, in the order in which they are taken."""
    scored = here[~np.isnan(depth[here])]
    position = np.arange(len(scored))
    away = np.round(np.abs(position - (1.0 - depth_target) * (len(scored) - 1)), 9)
    return np.concatenate([scored[np.lexsort((position, away))], here[len(scored) :]])
