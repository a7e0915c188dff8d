"""Quotas on the picks of any method: each sort of records gets its least and keeps to its most.

The method's own picks are taken in their order for as long as the quotas can still be met with
them. Where one more of a kind would make that impossible, the first picks of this kind stay and
the rest of it is excluded, and the method chooses again. Every time at least one kind is settled,
so it ends; a kind is the records that count towards the same quotas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.selection.locks import Locks
from ila_core.selection.quota import Quota
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec

Choose = Callable[[Spec, Locks], Selection]
"""A method without quotas: what it selects of what may be chosen."""


def within(landscape: Landscape, spec: Spec, choose: Choose) -> Selection:
    """Return what a method selects within the quotas of a spec, as many records as these let be.

    Where the method's own choice meets the quotas, it is that. A share is one of the picks. Of a
    budget of tokens as many records are chosen as it holds, which halving finds. The order is the
    method's own among the records that were left to it in the end, so that of a nested one every
    start is the nested choice among them, though it need not meet the quotas itself.
    UsageError says which quotas cannot be met.
    """
    locks = Locks.asked(landscape, spec)
    own = choose(spec, locks)
    if not len(own):
        _check_none(spec)
    if not spec.quotas or not len(own):
        return own
    kinds = Kinds.of(landscape, tuple(map(Quota.parse, spec.quotas)), locks)
    if kinds.met(kinds.counts(own.rows)):
        return own
    if spec.asked.kind == "tokens":
        chosen = _within_tokens(kinds, locks, spec, choose, len(own))
    else:
        chosen = _of_records(kinds, locks, spec, choose, kinds.most(len(own)) or len(own))
    return replace(chosen, spec=spec, unbound=own.rows, notes=_told(kinds, own, chosen))


def _told(kinds: Kinds, own: Selection, chosen: Selection) -> tuple[str, ...]:
    """Return which quotas leave fewer picks than the budget has room for, in a sentence or none.

    A budget of tokens can be used up by fewer records than without quotas: these are not cut.
    """
    everything = int(kinds.size.sum())
    in_tokens = own.spec.asked.kind == "tokens"
    at_end = len(chosen) == kinds.most(everything, leasts=True) and chosen.tokens < own.tokens
    if len(chosen) >= len(own) or (in_tokens and not at_end):
        return ()
    picks = len(own)
    alone = [number for number in range(len(kinds.quotas))
             if kinds._of([one for one in range(len(kinds.quotas)) if one != number]).most(picks)
             > len(chosen)]  # fmt: skip
    cutting = [kinds.quotas[number] for number in alone] or [
        quota for quota in kinds.quotas if quota.most is not None
    ]
    named = " and ".join(map(str, cutting))
    less = f"{picks - len(chosen):,} fewer than without"
    if in_tokens:
        less += f", {own.tokens - chosen.tokens:,.0f} tokens of the budget stay unused"
    return (
        f"The quota{'s' * (len(cutting) > 1)} {named} cut{'s' * (len(cutting) == 1)} the selection "
        f"to {len(chosen):,} record{'s' * (len(chosen) != 1)}, {less}: "
        f"raise {'a' if len(cutting) > 1 else 'its'} most, or lower the budget.",
    )


def _check_none(spec: Spec) -> None:
    """Raise UsageError for a quota that no records do not meet."""
    for quota in map(Quota.parse, spec.quotas):
        least, _ = quota.bounds(0)
        if least:
            raise UsageError(
                f"The quota {quota} asks for {least:,} records, but none can be chosen; let some "
                "in again, or leave the quota out."
            )


def _of_records(kinds: Kinds, locks: Locks, spec: Spec, choose: Choose, picks: int) -> Selection:
    """Return exactly so many records within the quotas; UsageError where there are none."""
    if not kinds.can(kinds.pinned, kinds.size, picks):
        raise UsageError(kinds.why_not(picks))
    lower, upper = kinds.pinned, kinds.size
    asked = replace(spec, budget=str(picks))
    while True:
        chosen = choose(_fitted(asked, int(upper.sum())), locks)
        accepted, settled = _accepted(kinds, chosen.rows, len(locks.pinned), lower, upper, picks)
        if not settled.any():
            return chosen
        counts = kinds.counts(chosen.rows[accepted])
        lower = np.where(settled, counts, lower)
        upper = np.where(settled, counts, upper)
        closed = settled[kinds.of_row] & (kinds.of_row >= 0)
        closed[chosen.rows[accepted]] = False
        locks = locks.without(np.flatnonzero(closed))


def _accepted(
    kinds: Kinds,
    rows: np.ndarray,
    pins: int,
    lower: np.ndarray,
    upper: np.ndarray,
    picks: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the picks can stay, (k,) bool, and which kinds are settled thereby, (g,).

    A pick stays if with it and those before it the quotas can still be met. Of a kind that has
    lost one all further are lost: with more picks there are only fewer ways.
    """
    kind = kinds.of_row[rows]
    stays = np.ones(len(rows), dtype=bool)
    settled = np.zeros(len(kinds.size), dtype=bool)

    def can(end: int) -> bool:
        counts = np.bincount(kind[:end][stays[:end]], minlength=len(lower))
        return kinds.can(np.maximum(lower, counts), upper, picks)

    start = pins
    while not can(len(rows)):
        low, high = start, len(rows)  # the first `low` can stay, the first `high` cannot
        while high - low > 1:
            middle = (low + high) // 2
            if can(middle):
                low = middle
            else:
                high = middle
        settled[kind[low]] = True
        stays[low:] &= kind[low:] != kind[low]
        start = low
    return stays, settled


def _fitted(spec: Spec, records: int) -> Spec:
    """Return the spec with no more even patches than records that may still be chosen."""
    if spec.even and not isinstance(spec.resolution, str):
        return replace(spec, resolution=min(spec.resolution, max(records, 1)))
    return spec


def _within_tokens(kinds: Kinds, locks: Locks, spec: Spec, choose: Choose, near: int) -> Selection:
    """Return a selection within quotas and a budget of tokens, with as many records as it holds.

    The search starts at `near` records.
    """
    low, high = kinds.fewest(), kinds.most(int(kinds.size.sum()), leasts=True)
    if not low:
        raise UsageError(kinds.why_not(near))
    best: Selection | None = None
    middle = min(max(low, near), high)
    while low <= high:
        fitting = (k for k in range(middle, low - 1, -1) if kinds.can(kinds.pinned, kinds.size, k))
        picks = next(fitting, None)  # a share of few records may be no whole number
        if picks is None:
            low = middle + 1
        else:
            found = _of_records(kinds, locks, spec, choose, picks)
            if found.tokens <= float(spec.asked.value):
                best, low = found, middle + 1
            else:
                high = picks - 1
        middle = (low + high) // 2
    if best is None:
        raise UsageError(
            f"The budget {spec.budget} does not hold what the quotas ask for, "
            f"{kinds.fewest():,} records at least; raise it or loosen a quota."
        )
    return best


@dataclass(frozen=True, eq=False)
class Kinds:
    """Records that may be chosen, by the quotas that they count towards."""

    quotas: tuple[Quota, ...]
    of_row: np.ndarray
    """(n,) int64, the kind of each record; -1 for those that may not be chosen."""
    member: np.ndarray
    """(q, g) bool, whether a kind's records count towards a quota."""
    size: np.ndarray
    """(g,) int64, records of each kind."""
    pinned: np.ndarray
    """(g,) int64, those of them that must be chosen."""

    @classmethod
    def of(cls, landscape: Landscape, quotas: Sequence[Quota], locks: Locks) -> Kinds:
        """Return the kinds of what locks leave. UsageError for what no quota can go by."""
        may = locks.free(len(landscape))
        of_row, signs = np.zeros(len(landscape), np.int64), np.zeros((1, 0), dtype=bool)
        for quota in quotas:
            of_row = 2 * of_row + quota.members(landscape)
            there = np.bincount(of_row[may], minlength=2 * len(signs)) > 0
            signs = np.column_stack(
                [np.repeat(signs, 2, axis=0), np.tile([False, True], len(signs))]
            )
            signs = signs[there]
            of_row = (np.cumsum(there) - 1)[of_row]
        of_row[~may] = -1
        size = np.bincount(of_row[may], minlength=len(signs))
        pinned = np.bincount(of_row[locks.pinned], minlength=len(signs))
        return cls(tuple(quotas), of_row, signs.T, size, pinned)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return how many of some rows each kind has, (g,)."""
        return np.bincount(self.of_row[rows], minlength=len(self.size))

    def bounds(self, picks: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the most of every quota among so many picks, (q,) each."""
        both = np.array([quota.bounds(picks) for quota in self.quotas], dtype=np.int64)
        return both[:, 0], both[:, 1]

    def met(self, counts: np.ndarray) -> bool:
        """Tell whether picks of the kinds meet all quotas."""
        least, most = self.bounds(int(counts.sum()))
        values = self.member @ counts
        return bool(((values >= least) & (values <= most)).all())

    def can(self, lower: np.ndarray, upper: np.ndarray, picks: int) -> bool:
        """Tell whether so many picks, of each kind from `lower` to `upper`, can meet all quotas."""
        least, most = self.bounds(picks)
        if (lower > upper).any() or (least > most).any():
            return False
        if max(self.member.sum(axis=0).max(), self.member.sum(axis=1).max()) <= 1:
            # then a quota bounds one kind alone, and a kind has one quota at most
            lower, upper = lower.copy(), upper.copy()
            for quota, member in enumerate(self.member):
                if not member.any() and least[quota] > 0:
                    return False
                lower[member] = np.maximum(lower[member], least[quota])
                upper[member] = np.minimum(upper[member], most[quota])
            return bool((lower <= upper).all() and lower.sum() <= picks <= upper.sum())
        rows = np.vstack([self.member, np.ones(len(lower))])
        ends = np.append(least, picks), np.append(most, picks)
        return self._solved(np.zeros(len(lower)), lower, upper, rows, *ends) is not None

    def most(self, picks: int, *, leasts: bool = False) -> int:
        """Return how many of so many picks the upper ends of the quotas leave, the lower ones
        aside unless asked for; 0 where none."""
        return self._extreme(-1, picks, leasts=leasts)

    def fewest(self) -> int:
        """Return the fewest picks that can meet the quotas, 0 where none can."""
        return self._extreme(1, int(self.size.sum()), leasts=True)

    def _extreme(self, sign: int, picks: int, *, leasts: bool) -> int:
        """Return the most (-1) or fewest (1) picks from 1 on that meet the ends."""
        rows: list[np.ndarray] = [np.ones(len(self.size))]
        low, high = [1.0], [float(picks)]
        for quota, member in zip(self.quotas, self.member.astype(float), strict=True):
            for end, is_least in ((quota.least, True), (quota.most, False)):
                if end is None or (is_least and not leasts):
                    continue
                count = float(end.number)
                if end.is_share:  # so many of the picks: their number is unknown here
                    member_of = end.number.denominator * member - end.number.numerator
                    row, count = member_of, 0.0
                else:
                    row = member
                rows.append(row)
                low.append(count if is_least else -np.inf)
                high.append(np.inf if is_least else count)
        values = self._solved(
            np.full(len(self.size), float(sign)), self.pinned, self.size,
            np.vstack(rows), np.array(low), np.array(high),
        )  # fmt: skip
        return 0 if values is None else int(values.sum())

    def _solved(
        self,
        cost: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        rows: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
    ) -> np.ndarray | None:
        """Return the cheapest counts (g,) from lower to upper with low <= rows @ counts <= high.

        None where there are none.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp

        found = milp(
            cost,
            integrality=np.ones(len(cost)),
            bounds=Bounds(lower.astype(float), upper.astype(float)),
            constraints=LinearConstraint(rows, low, high),
        )
        return None if found.x is None else np.rint(found.x).astype(np.int64)

    # -- why not ----------------------------------------------------------------------------------

    def why_not(self, picks: int) -> str:
        """Return the sentence that says which quotas so many picks cannot meet."""
        for number in range(len(self.quotas)):
            alone = self._of([number])
            if not alone.can(self.pinned, self.size, picks):
                return alone._alone(picks)
        culprits = list(range(len(self.quotas)))
        for number in list(culprits):
            fewer = [one for one in culprits if one != number]
            if not self._of(fewer).can(self.pinned, self.size, picks):
                culprits = fewer
        named = self._of(culprits)
        least, _ = named.bounds(picks)
        *head, last = (f"{quota}" for quota in named.quotas)
        listed = f"{', '.join(head)} and {last}"
        if least.sum() > picks and named.member.sum(axis=0).max() <= 1:
            return (
                f"The quotas {listed} ask for {least.sum():,} records together, and {picks:,} are "
                "chosen; raise the budget or lower a least."
            )
        return f"The quotas {listed} cannot all be met by {picks:,} records; loosen one of them."

    def _of(self, numbers: Sequence[int]) -> Kinds:
        """Return the same with some of the quotas alone."""
        chosen = tuple(self.quotas[number] for number in numbers)
        return replace(self, quotas=chosen, member=self.member[list(numbers)])

    def _alone(self, picks: int) -> str:
        """Return why its only quota cannot be met."""
        (quota,), (member,) = self.quotas, self.member
        (least,), (most,) = self.bounds(picks)
        there, pins = int(self.size[member].sum()), int(self.pinned[member].sum())
        if least > there:
            return (
                f"The quota {quota} asks for {least:,} records, but only {there:,} such may be "
                "chosen; lower its least."
            )
        if pins > most:
            return (
                f"The quota {quota} allows {most:,} records, but {pins:,} such are pinned; unpin "
                "some or raise its most."
            )
        if least > picks:
            return (
                f"The quota {quota} asks for {least:,} records, and {picks:,} are chosen; raise "
                "the budget or lower its least."
            )
        if least > most:
            return (
                f"The quota {quota} cannot be met by {picks:,} record{'s' * (picks != 1)}: no "
                "whole number lies between its ends; widen it or raise the budget."
            )
        return (
            f"The quota {quota} cannot be met by {picks:,} records beside those that are pinned; "
            "loosen it or unpin some."
        )
