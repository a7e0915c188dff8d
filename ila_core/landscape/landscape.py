"""The landscape of a pool: where its records lie and how deep each of them is.

The one object that everybody reads. Its arrays are read-only, its row order is the pool's, and
what follows from it (bounds, order, counts) is computed once, on first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape.arrays import (
    as_column,
    as_domains,
    as_places,
    check_vectors,
    fingerprint_of,
)
from ila_core.landscape.grid import Grid, bounds, columns, frozen
from ila_core.landscape.kinds import AUTO, KINDS, Depths
from ila_core.landscape.memory import Memory
from ila_core.landscape.run_files import RunFiles

if TYPE_CHECKING:
    from ila_core.pool.records import Records


@dataclass(frozen=True, eq=False, repr=False)
class Landscape(Depths, RunFiles):
    """n records on a map. NaN says that a number is missing.

    >>> landscape = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> landscape
    Landscape(3 records, 1 domain)
    >>> landscape.order.tolist()
    [1, 2, 0]
    >>> landscape.relative_depth.tolist()[2]
    0.5
    """

    xy: np.ndarray
    """(n, 2) float32, place on the map."""
    loss: np.ndarray
    """(n,) float32, nats per response token."""
    loss_reduction: np.ndarray
    """(n,) float32, nats per response token that learning from the pool takes off the loss."""
    tokens: np.ndarray
    """(n,) float32, response tokens before any truncation."""
    skills: np.ndarray
    """(n,) float32, number of labels, at least 1."""
    domain: np.ndarray
    """(n,) int32, position in domain_names."""
    domain_names: tuple[str, ...]
    given_depth: np.ndarray | None = None
    """(n,) float32, a depth that came with the pool."""
    given_ranks: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Relative depths by kind, of records that keep their ranks in a larger pool."""
    asked_kind: str = AUTO
    """The kind of depth that is read: "auto" for the best there is."""
    vectors: np.ndarray | None = None
    """(n, d) float32 unit rows, usually memory-mapped."""
    run: Path | None = None
    """The folder that it was read from."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Where the files of its build lie, by name."""
    fingerprint: str = ""
    """Tells one pool from another."""
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Further columns by name, each (n,)."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """How it was built."""
    given_records: Records | None = None
    whole: Landscape | None = None
    """Where the kind of depth is not the one read unasked, the landscape that it is of."""
    memory: Memory = field(default_factory=dict, init=False)
    """Results that `memory.remembered` functions keep."""

    @classmethod
    def from_arrays(
        cls,
        xy: Any,
        *,
        depth: Any = None,
        relative_depth: Any = None,
        loss: Any = None,
        loss_reduction: Any = None,
        tokens: Any = None,
        skills: Any = None,
        domain: Any = None,
        domain_names: Sequence[str] | None = None,
        vectors: Any = None,
        run: str | Path | None = None,
        files: Mapping[str, Path] | None = None,
        fingerprint: str = "",
        scores: Mapping[str, Any] | None = None,
        manifest: Mapping[str, Any] | None = None,
        records: Records | None = None,
    ) -> Landscape:
        """Return a landscape of arrays, n rows each; all but the places may be left out.

        The domain is one for all unless given, and a record without labels counts one skill. A
        loss or depth that is not finite makes the depth missing, NaN. `depth` is one that came
        with the pool, a kind beside those that follow from the losses; `relative_depth` gives the
        ranks of the kind that is read, instead of having them counted. IlaError names an array of
        a wrong shape and a place that is not finite.
        """
        place = as_places(xy)
        n = len(place)
        known_domain, names = as_domains(domain, domain_names, n)
        check_vectors(vectors, n)
        given = {name: as_column(name, one, n, dtype=None) for name, one in (scores or {}).items()}
        landscape = cls(
            xy=place,
            loss=as_column("loss", loss, n),
            loss_reduction=as_column("loss_reduction", loss_reduction, n),
            tokens=as_column("tokens", tokens, n),
            skills=as_column("skills", skills, n, missing=1),
            given_depth=None if depth is None else as_column("depth", depth, n),
            domain=known_domain,
            domain_names=names,
            vectors=vectors,
            run=None if run is None else Path(run),
            files=MappingProxyType(dict(files or {})),
            fingerprint=fingerprint,
            scores=MappingProxyType(given),
            manifest=MappingProxyType(dict(manifest or {})),
            given_records=records,
        )
        if relative_depth is not None:
            ranks = as_column("relative_depth", relative_depth, n)
            kinds = landscape.kinds or (KINDS[-1],)
            landscape = replace(landscape, given_ranks=dict.fromkeys(kinds, ranks))
        if not fingerprint:
            fingerprint = fingerprint_of(place, landscape.relative_depth)
            landscape = replace(landscape, fingerprint=fingerprint)
        return landscape

    def __len__(self) -> int:
        return len(self.xy)

    def __repr__(self) -> str:
        domains = len(self.domain_names)
        place = f", {self.run}" if self.run else ""
        return f"Landscape({len(self):,} records, {domains} domain{'s' * (domains != 1)}{place})"

    @cached_property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Lower left and upper right corner of the map."""
        return bounds(self.xy)

    @cached_property
    def total_tokens(self) -> float:
        """Response tokens of all records; those without a response count 0."""
        return float(np.nansum(self.tokens, dtype=np.float64))

    @cached_property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """The coordinates x and y, (n,) float32 each, as the compiled loops take them."""
        return columns(self.xy)

    def grid(self, resolution: int, offset: float = 0.0) -> Grid:
        """Return the grid of a resolution over the whole map."""
        return Grid(*self.bounds, resolution, offset)

    def count_occupied(self, grid: Grid, limit: int | None = None) -> int:
        """Return how many patches of a grid hold a record; counting stops at limit + 1."""
        return grid.count_occupied(*self.columns, limit)

    def moved(self, xy: Any) -> Landscape:
        """Return the same records at other places, as another projection seed puts them."""
        place = as_places(xy)
        if len(place) != len(self):
            raise IlaError(
                f"xy holds {len(place):,} places; the landscape has {len(self):,} records."
            )
        fingerprint = fingerprint_of(place, self.relative_depth)
        return replace(self, xy=place, whole=None, fingerprint=fingerprint)

    def subset(self, rows: np.ndarray, *, rerank: bool = False, vectors: bool = True) -> Landscape:
        """Return the landscape of these records alone, in the order of `rows`.

        Their relative depths stay those of the whole pool, unless `rerank` asks for their ranks
        among themselves. The map's bounds become those of the rows. Vectors, most of a landscape,
        are left out where they are not asked for.
        """
        rows = np.asarray(rows, dtype=np.int64)
        ranks = {} if rerank else {k: self.by(k).relative_depth for k in {*self.kinds, self.kind}}
        return replace(
            self,
            xy=frozen(self.xy[rows]),
            loss=frozen(self.loss[rows]),
            loss_reduction=frozen(self.loss_reduction[rows]),
            tokens=frozen(self.tokens[rows]),
            skills=frozen(self.skills[rows]),
            given_depth=None if self.given_depth is None else frozen(self.given_depth[rows]),
            given_ranks={kind: frozen(column[rows]) for kind, column in ranks.items()},
            domain=frozen(self.domain[rows]),
            vectors=self.vectors[rows] if vectors and self.vectors is not None else None,
            scores={name: column[rows] for name, column in self.scores.items()},
            run=None,
            files={},
            whole=None,
            manifest={},
            given_records=None,
            fingerprint=fingerprint_of(self.xy[rows], self.relative_depth[rows]),
        )
