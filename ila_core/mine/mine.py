"""A hand's own part in a selection: pins, exclusions, rules and quotas, under a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ila_core.landscape.landscape import Landscape
from ila_core.selection.locks import Locks
from ila_core.selection.quota import Quota
from ila_core.selection.rules import Rule
from ila_core.selection.spec import Spec


@dataclass(frozen=True)
class Mine:
    """What a hand has settled of a pool's records; every change returns a new one.

    >>> mine = Mine().pin([3, 1]).exclude([1, 2]).choose_only("language=zh")
    >>> mine.pinned, mine.excluded, mine.summary
    ((3,), (1, 2), '1 pinned, 2 excluded, 1 rule')
    """

    name: str = ""
    pinned: tuple[int, ...] = ()
    """Rows, in the order in which they were pinned."""
    excluded: tuple[int, ...] = ()
    """Rows, in the order in which they were excluded."""
    only: tuple[str, ...] = ()
    quotas: tuple[str, ...] = ()
    pool: str = ""
    """Fingerprint of the records that the rows are of; empty before it is saved."""
    records: int = 0
    """How many those are."""
    made: str = ""
    """When it was saved last, in local time."""

    def pin(self, rows: Iterable[int]) -> Mine:
        """Return it with these rows pinned, after those that are."""
        free = self.release(rows)
        return replace(free, pinned=(*free.pinned, *_distinct(rows)))

    def exclude(self, rows: Iterable[int]) -> Mine:
        """Return it with these rows excluded."""
        free = self.release(rows)
        return replace(free, excluded=(*free.excluded, *_distinct(rows)))

    def release(self, rows: Iterable[int]) -> Mine:
        """Return it without a word on these rows."""
        gone = set(_distinct(rows))
        return replace(
            self,
            pinned=tuple(row for row in self.pinned if row not in gone),
            excluded=tuple(row for row in self.excluded if row not in gone),
        )

    def choose_only(self, rule: str) -> Mine:
        """Return it with one more rule; UsageError for a text that is none."""
        return replace(self, only=tuple(dict.fromkeys((*self.only, str(Rule.parse(rule))))))

    def without_rule(self, rule: str) -> Mine:
        """Return it without a rule."""
        return replace(self, only=tuple(one for one in self.only if one != rule))

    def ask(self, quota: str) -> Mine:
        """Return it with a quota, in place of one on the same value; UsageError for no quota."""
        asked = Quota.parse(quota)
        others = (one for one in self.quotas if Quota.parse(one).rule != asked.rule)
        return replace(self, quotas=(*others, str(asked)))

    def without_quota(self, quota: str) -> Mine:
        """Return it without a quota."""
        return replace(self, quotas=tuple(one for one in self.quotas if one != quota))

    @property
    def empty(self) -> bool:
        """Whether nothing is settled."""
        return not (self.pinned or self.excluded or self.only or self.quotas)

    @property
    def summary(self) -> str:
        """What is settled, counted; "nothing yet" where nothing is."""
        parts = [f"{len(rows):,} {word}" for rows, word in
                 ((self.pinned, "pinned"), (self.excluded, "excluded")) if rows]  # fmt: skip
        for texts, word in ((self.only, "rule"), (self.quotas, "quota")):
            if texts:
                parts.append(f"{len(texts):,} {word}{'s' * (len(texts) != 1)}")
        return ", ".join(parts) or "nothing yet"

    def added_to(self, spec: Spec) -> Spec:
        """Return a request with all that is settled here added to it."""
        return replace(
            spec,
            pinned=tuple(dict.fromkeys((*spec.pinned, *self.pinned))),
            excluded=tuple(dict.fromkeys((*spec.excluded, *self.excluded))),
            only=(*spec.only, *self.only),
            quotas=(*spec.quotas, *self.quotas),
        )

    def of(self, landscape: Landscape) -> Mine:
        """Return it as one of this landscape's pool; UsageError for rows that it has not."""
        return replace(self, pool=pool_of(landscape), records=len(landscape)).checked()

    def checked(self) -> Mine:
        """Return it; UsageError where a row is none of its pool's, or two words are on one."""
        Locks.of(self.pinned, self.excluded, self.records)
        return self

    @property
    def content(self) -> tuple[object, ...]:
        """What is settled, without name and date: equal where two settle the same."""
        return self.pinned, self.excluded, self.only, self.quotas


def pool_of(landscape: Landscape) -> str:
    """Return what tells one pool from another: the fingerprint of the records.

    Rows stay those records when the pool is built anew with another encoder or projection, so what
    a hand has said of them stays good. A landscape without records is its own pool.
    """
    return str(landscape.manifest.get("fingerprint") or landscape.fingerprint)


def _distinct(rows: Any) -> tuple[int, ...]:
    """Return rows as plain numbers, each once, in their order."""
    listed = rows.tolist() if isinstance(rows, np.ndarray) else rows
    return tuple(dict.fromkeys(map(int, listed)))
