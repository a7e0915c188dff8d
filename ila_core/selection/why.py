"""Why a record was kept or left: the numbers that decided, and one sentence for the inspector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import LEVELS
from ila_core.selection.locks import Locks, fitting
from ila_core.selection.order import nested, queue, rounds_in

if TYPE_CHECKING:
    from ila_core.selection.selection import Selection, Taken


@dataclass(frozen=True)
class Reason:
    """What decided about one record. Ranks and rounds count from 1."""

    row: int
    kept: bool
    method: str
    taken: Taken = "order"
    """How the selection's picks were taken."""
    even: bool = False
    """Whether its patches are even ones."""
    pick: int | None = None
    """Place in the pick order; nested orders place every record, chosen or not."""
    pinned: bool = False
    excluded: bool = False
    outside: str = ""
    """The rule that it does not fit, of those to choose by."""
    quota: str = ""
    """Why quotas have changed what becomes of it, in words; empty where they have not."""
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
        if self.outside:
            return f"{word}: it does not fit {self.outside}."
        if self.quota:
            return f"{word}: {self.quota}."
        if self.taken == "levels":
            return f"{word}: {self._level()}."
        if self.round is None:
            place = f" as pick {self.pick:,}" if self.kept and self.pick else ""
            return f"{word} by {self.method}{place}."
        return f"{word}: {self._turn()}."

    def _level(self) -> str:
        level = self.round or 0
        if self.even:
            where = (
                f"first of a patch at level {level} ({2**level:,} even patch{'es' * (level > 0)})"
            )
        elif level >= LEVELS:
            where = "after the finest level"
        else:
            where = f"first of a patch at level {level} ({2**level:,} x {2**level:,})"
        if self.kept:
            return f"{where}, pick {self.pick:,}"
        return f"{where}, it comes with a budget of {self.pick:,} record{'s' * (self.pick != 1)}"

    def _turn(self) -> str:
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

    Of picks that were not taken by rounds or levels it only says whether the record is among them.
    """
    landscape, spec, row = selection.landscape, selection.spec, int(row)
    if not 0 <= row < len(landscape):
        raise UsageError(f"Row {row} does not exist; rows go from 0 to {len(landscape) - 1}.")
    place = np.flatnonzero(selection.rows == row)
    known = Reason(
        row,
        kept=bool(len(place)),
        method=spec.method,
        taken=selection.taken,
        even=spec.even,
        pick=int(place[0]) + 1 if len(place) else None,
        pinned=row in spec.pinned,
        excluded=row in spec.excluded,
        missing=bool(np.isnan(landscape.by(spec.depth).relative_depth[row])),
    )
    if known.pinned or known.excluded:
        return known if selection.taken == "order" or known.excluded else _placed(selection, known)
    for rule in spec.only:
        if not fitting(selection.landscape, (rule,))[row]:
            return replace(known, outside=rule)
    if words := _by_quota(selection, known):
        return replace(known, quota=words)
    return known if selection.taken == "order" else _placed(selection, known)


def _by_quota(selection: Selection, known: Reason) -> str:
    """Return what quotas have to do with a record's being kept or left; empty where nothing."""
    if selection.unbound is None or selection.locks is None:
        return ""
    was_kept = known.row in selection.unbound
    own = [tally for tally in selection.tallies if tally.members[known.row]]
    if known.kept:
        wanting = [tally.quota for tally in own if tally.picks == tally.least]
        if was_kept:
            return ""
        if wanting:
            return f"the quota {wanting[0]} asks for it"
        return "it takes the place of a record that a quota leaves out"
    full = [tally.quota for tally in own if tally.picks == tally.most]
    closed = np.searchsorted(selection.locks.excluded, known.row)
    if not was_kept and known.row not in selection.locks.excluded[closed : closed + 1]:
        return ""
    if full:
        return f"the quota {full[0]} is full"
    return "the places that are left are for records that a quota asks for"


def _placed(selection: Selection, known: Reason) -> Reason:
    """Return the reason with the place of the record among those of its patch or level."""
    assert selection.locks is not None
    locks = selection.locks
    if selection.taken == "levels":
        return _by_level(selection, locks, known)
    return _by_round(selection, locks, known)


def _by_level(selection: Selection, locks: Locks, known: Reason) -> Reason:
    spec, offset = selection.spec, dict(selection.spec.parameters).get("offset", 0.0)
    landscape = selection.landscape.by(spec.depth)
    order = nested(landscape, spec, locks, offset=offset)
    place = int(np.flatnonzero(order.rows == known.row)[0])
    return replace(known, pick=place + 1, round=int(order.level[place]))


def _by_round(selection: Selection, locks: Locks, known: Reason) -> Reason:
    assert selection.cut is not None
    landscape = selection.landscape.by(selection.spec.depth)
    line = queue(landscape, locks)
    point = line.place_of(known.row)
    patch = int(line.patches(selection.cut, np.array([point]))[0])
    here = line.points_in(selection.cut, patch)
    place = int(np.searchsorted(here, point))
    own = int(rounds_in(line, selection.spec, here)[place])
    if known.pinned:  # pins of a patch have its first rounds, in their order
        pins = [row for row in locks.pinned.tolist() if row in line.rows[here]]
        own = pins.index(known.row) + 1
    return replace(
        known,
        patch=patch,
        count=len(here),
        rank=place + 1,
        round=own,
        last_round=int(selection.round.max(initial=0)),
    )
