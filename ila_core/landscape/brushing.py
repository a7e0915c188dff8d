"""Several conditions on the records at once, each of which leaves the others to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ila_core.landscape.facets import Facet


@dataclass(frozen=True, eq=False)
class Counted:
    """The records of every bar of a facet; arrays as its `counts` gives them."""

    pool: np.ndarray
    shown: np.ndarray
    """Of those that all conditions leave but the facet's own."""
    kept: np.ndarray
    """Of these the chosen ones."""
    among: int
    """Records that all conditions leave but the facet's own."""
    chosen: int
    """Of these the chosen ones."""


@dataclass(frozen=True, eq=False)
class Brushing:
    """Conditions on n records by name, each a mask (n,) bool.

    >>> import numpy as np
    >>> brushing = Brushing(3, {"loss": np.array([True, True, False]),
    ...                         "source": np.array([False, True, True])})
    >>> brushing.all.tolist(), brushing.but("loss").tolist()
    ([False, True, False], [False, True, True])
    """

    n: int
    conditions: Mapping[str, np.ndarray]

    @cached_property
    def misses(self) -> np.ndarray:
        """(n,) uint8, how many conditions a record does not meet."""
        misses = np.zeros(self.n, dtype=np.uint8)
        for mask in self.conditions.values():
            misses += ~mask
        return misses

    @cached_property
    def all(self) -> np.ndarray:
        """(n,) bool, whether a record meets them all."""
        return self.misses == 0

    def but(self, name: str) -> np.ndarray:
        """Return which records meet them all, that of one name left out, (n,) bool."""
        mask = self.conditions.get(name)
        return self.all if mask is None else self.misses == ~mask

    def count(self, facet: Facet, chosen: np.ndarray) -> Counted:
        """Count the bars of a facet; `chosen` (n,) bool are the records of a selection."""
        pool = facet.counts()
        if not self.conditions.keys() - {facet.name}:
            return Counted(
                pool, pool, facet.counts(np.flatnonzero(chosen)), self.n, int(chosen.sum())
            )
        mask = self.but(facet.name)
        kept = np.flatnonzero(mask & chosen)
        return Counted(
            pool, facet.counts(mask), facet.counts(kept), int(np.count_nonzero(mask)), len(kept)
        )
