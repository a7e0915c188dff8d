"""Which depth is read: a landscape's kinds of depth, their ranks, and the order they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.depth import depth as depth_of
from ila_core.landscape.depth import relative_depth as ranks_of
from ila_core.landscape.grid import frozen
from ila_core.landscape.kept import NUMBERS, ROWS, kept_arrays
from ila_core.landscape.memory import remembered
from ila_core.landscape.sorting import by_number

RANKS = 1
"""Version of the rule by which relative depths are counted and ordered."""
AUTO = "auto"
KINDS = ("column", "loss-reduction", "loss")
"""Kinds of depth, in the order in which they are read where none is asked for."""
_REMEDY = {
    "loss-reduction": "Build it again with this version (--loss ngram), or with --tuned-lm.",
    "loss": "Build it with a loss (--loss ngram, lm or column:NAME).",
    "column": "Build it with --depth-column NAME.",
}


class Depths:
    """The depths of a landscape's records, of the kind that is read."""

    loss: np.ndarray
    loss_reduction: np.ndarray
    skills: np.ndarray
    domain: np.ndarray
    given_depth: np.ndarray | None
    given_ranks: Mapping[str, np.ndarray]
    asked_kind: str
    whole: Any

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of depth that at least one record has, the one that is read unasked first."""
        columns = {
            "column": self.given_depth,
            "loss-reduction": self.loss_reduction,
            "loss": self.loss,
        }
        return tuple(
            kind
            for kind in KINDS
            if (column := columns[kind]) is not None and bool(np.isfinite(column).any())
        )

    @property
    def kind(self) -> str:
        """The kind of depth that is read; where no record has a depth of any kind, "loss"."""
        if self.asked_kind != AUTO:
            return self.asked_kind
        return self.kinds[0] if self.kinds else KINDS[-1]

    def by(self, kind: str) -> Self:
        """Return the same landscape with another kind of depth to read; UsageError if it has none.

        >>> from ila_core import Landscape
        >>> pool = Landscape.from_arrays([[0, 0]] * 2, loss=[1, 2], loss_reduction=[0.5, 0.1])
        >>> pool.kind, pool.by("loss").order.tolist(), pool.order.tolist()
        ('loss-reduction', [1, 0], [0, 1])
        """
        if kind in (AUTO, self.kind):
            return self
        if kind not in self.kinds:
            have = ", ".join(self.kinds) or "none"
            raise UsageError(
                f"This landscape has no depth of the kind {kind!r}; it has {have}. "
                + _REMEDY.get(kind, f"Kinds are {', '.join(KINDS)}.")
            )
        return _by(self.base, kind)

    @property
    def base(self) -> Self:
        """The landscape that this one differs from in the kind of depth alone."""
        return self.whole or self

    @cached_property
    def depth(self) -> np.ndarray:
        """(n,) float32, the depth of the kind that is read; NaN where it is missing."""
        if self.kind == "column" and self.given_depth is not None:
            return frozen(depth_of(self.given_depth))
        nats = self.loss_reduction if self.kind == "loss-reduction" else self.loss
        return frozen(depth_of(nats, self.skills))

    @cached_property
    def relative_depth(self) -> np.ndarray:
        """(n,) float32, rank of the depth in its domain, in (0, 1)."""
        return self._ranked[0]

    @cached_property
    def order(self) -> np.ndarray:
        """All rows, (n,) int64: deepest first, ties by row number, those without a depth last."""
        return self._ranked[1]

    @cached_property
    def _ranked(self) -> tuple[np.ndarray, np.ndarray]:
        """The relative depths, and the order that they give."""
        if (given := self.given_ranks.get(self.kind)) is not None:
            return given, frozen(by_number(given, falling=True), np.int64)

        def made() -> dict[str, np.ndarray]:
            ranks = ranks_of(self.depth, self.domain)
            return {"relative_depth": ranks, "order": by_number(ranks, falling=True)}

        landscape: Any = self
        types = {"relative_depth": NUMBERS, "order": ROWS}
        kept = kept_arrays(landscape, f"depth-{self.kind}", RANKS, types, made)
        return frozen(kept["relative_depth"]), frozen(kept["order"], np.int64)

    @cached_property
    def scored(self) -> int:
        """Number of records that have a relative depth."""
        return int(np.count_nonzero(~np.isnan(self.relative_depth)))

    @property
    def missing(self) -> int:
        """Number of records without a relative depth."""
        return len(self.loss) - self.scored


@remembered(most=len(KINDS))
def _by(landscape: Any, kind: str) -> Any:
    return replace(landscape, asked_kind=kind, whole=landscape)
