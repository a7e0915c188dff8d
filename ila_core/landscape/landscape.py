"""The landscape of a pool: where its records lie and how deep each of them is.

The one object that everybody reads. Its arrays are read-only, its row order is the pool's, and
what follows from it (bounds, order, counts) is computed once, on first use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape.depth import depth as depth_of
from ila_core.landscape.depth import relative_depth as ranks_of
from ila_core.landscape.grid import Grid, bounds, columns, frozen
from ila_core.landscape.memory import Memory

if TYPE_CHECKING:
    from ila_core.pool.records import Records

TUNED = "tuned_rows.txt"
"""The file of a run that lists the rows which its tuned model has learned from."""
LABELS = "labels.parquet"
"""The file of a run that holds the labels which its build gave."""


@dataclass(frozen=True, eq=False, repr=False)
class Landscape:
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
    tokens: np.ndarray
    """(n,) float32, response tokens before any truncation."""
    skills: np.ndarray
    """(n,) float32, number of labels, at least 1."""
    depth: np.ndarray
    """(n,) float32."""
    relative_depth: np.ndarray
    """(n,) float32, rank of the depth in its domain, in (0, 1)."""
    domain: np.ndarray
    """(n,) int32, position in domain_names."""
    domain_names: tuple[str, ...]
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

        Depth is loss x skills unless given, relative depth the rank of the depth in its domain,
        the domain one for all. A loss or depth that is not finite makes the depth missing, NaN,
        and a record without labels counts one skill. IlaError names an array of a wrong shape and
        a place that is not finite.
        """
        place = _places(xy)
        n = len(place)
        known_loss = _column("loss", loss, n)
        known_skills = _column("skills", skills, n, missing=1)
        if depth is None:
            known_depth = frozen(depth_of(known_loss, known_skills))
        else:
            known_depth = frozen(depth_of(_column("depth", depth, n)))
        known_domain, names = _domains(domain, domain_names, n)
        if relative_depth is None:
            relative_depth = ranks_of(known_depth, known_domain)
        relative = _column("relative_depth", relative_depth, n)
        if vectors is not None and (np.ndim(vectors) != 2 or len(vectors) != n):
            raise IlaError(
                f"vectors have shape {np.shape(vectors)}; {n} records need ({n}, dimensions)."
            )
        columns = {
            name: _column(name, column, n, dtype=None) for name, column in (scores or {}).items()
        }
        return cls(
            xy=place,
            loss=known_loss,
            tokens=_column("tokens", tokens, n),
            skills=known_skills,
            depth=known_depth,
            relative_depth=relative,
            domain=known_domain,
            domain_names=names,
            vectors=vectors,
            run=None if run is None else Path(run),
            files=MappingProxyType(dict(files or {})),
            fingerprint=fingerprint or _fingerprint(place, relative),
            scores=MappingProxyType(columns),
            manifest=MappingProxyType(dict(manifest or {})),
            given_records=records,
        )

    def __len__(self) -> int:
        return len(self.xy)

    def __repr__(self) -> str:
        domains = len(self.domain_names)
        place = f", {self.run}" if self.run else ""
        return f"Landscape({len(self):,} records, {domains} domain{'s' * (domains != 1)}{place})"

    @cached_property
    def records(self) -> Records | None:
        """The texts, read from the run folder when they are asked for; None without one."""
        if self.given_records is not None or self.run is None:
            return self.given_records
        from ila_core.pool.records import Records

        return Records.open(self.files.get("records.parquet", self.run / "records.parquet"))

    def labels_of(self, rows: Any) -> list[tuple[str, ...]]:
        """Return the labels that counted for these rows: none where the build counted none.

        They are the pool's own, a column's, a server's or a list's, as the build was asked.
        IlaError for a damaged file.
        """
        if self._labels is not None:
            given = self._labels.take(np.asarray(rows, dtype=np.int64)).to_pylist()
            return [tuple(labels or ()) for labels in given]
        if self.records is not None and self.manifest.get("settings", {}).get("labels") == "auto":
            return [record.labels or () for record in self.records.take(rows)]
        return [()] * len(rows)

    @cached_property
    def _labels(self) -> Any:
        """The column of a run's labels file, as Arrow holds it."""
        if self.run is None or "labels" not in self.manifest.get("stages", {}):
            return None
        import pyarrow.parquet as pq

        path = self.files.get(LABELS, self.run / LABELS)
        try:
            return pq.read_table(path, columns=["labels"]).column("labels")
        except (OSError, ValueError) as error:
            raise IlaError(
                f"{path} cannot be read ({error}); build the landscape again."
            ) from error

    @cached_property
    def tuned_rows(self) -> np.ndarray:
        """The rows that the tuned model of `loss-reduction` has learned from, (k,) int64.

        They look deeper for it. Empty without such a model, or where they are not known.
        """
        if self.run is None or not (self.manifest.get("loss") or {}).get("tuned_rows"):
            return frozen(np.zeros(0, dtype=np.int64))
        path = self.files.get(TUNED, self.run / TUNED)
        try:
            return frozen(np.array(path.read_text("utf-8").split(), dtype=np.int64))
        except (OSError, ValueError) as error:
            raise IlaError(
                f"{path} cannot be read ({error}); build the landscape again."
            ) from error

    @cached_property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Lower left and upper right corner of the map."""
        return bounds(self.xy)

    @cached_property
    def order(self) -> np.ndarray:
        """All rows, (n,) int64: deepest first, ties by row number, those without a depth last."""
        return frozen(np.argsort(-self.relative_depth, kind="stable"), np.int64)

    @cached_property
    def scored(self) -> int:
        """Number of records that have a relative depth."""
        return int(np.count_nonzero(~np.isnan(self.relative_depth)))

    @property
    def missing(self) -> int:
        """Number of records without a relative depth."""
        return len(self) - self.scored

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
        place = _places(xy)
        if len(place) != len(self):
            raise IlaError(
                f"xy holds {len(place):,} places; the landscape has {len(self):,} records."
            )
        return replace(self, xy=place, fingerprint=_fingerprint(place, self.relative_depth))

    def subset(self, rows: np.ndarray, *, rerank: bool = False) -> Landscape:
        """Return the landscape of these records alone, in the order of `rows`.

        Their relative depths stay those of the whole pool, unless `rerank` asks for their ranks
        among themselves. The map's bounds become those of the rows.
        """
        rows = np.asarray(rows, dtype=np.int64)
        return Landscape.from_arrays(
            self.xy[rows],
            loss=self.loss[rows],
            tokens=self.tokens[rows],
            skills=self.skills[rows],
            depth=self.depth[rows],
            relative_depth=None if rerank else self.relative_depth[rows],
            domain=self.domain[rows],
            domain_names=self.domain_names,
            vectors=None if self.vectors is None else self.vectors[rows],
            scores={name: column[rows] for name, column in self.scores.items()},
        )


def _places(xy: Any) -> np.ndarray:
    place = np.asarray(xy, dtype=np.float32)
    if place.ndim != 2 or place.shape[1] != 2:
        raise IlaError(f"xy has shape {place.shape}; it must be (records, 2).")
    if not len(place):
        raise IlaError("A landscape needs at least one record; xy is empty.")
    if not (finite := np.isfinite(place).all(axis=1)).all():
        row = int(np.argmin(finite))
        raise IlaError(
            f"{np.count_nonzero(~finite):,} of {len(place):,} places are not finite, row {row} the "
            f"first: ({place[row, 0]}, {place[row, 1]}). Project these records anew."
        )
    return frozen(place)


def _column(
    name: str, values: Any, n: int, *, missing: float = np.nan, dtype: Any = np.float32
) -> np.ndarray:
    if values is None:
        return frozen(np.full(n, missing, dtype=dtype))
    if np.shape(values) != (n,):
        raise IlaError(f"{name} has shape {np.shape(values)}; {n:,} records need ({n},).")
    return frozen(values, dtype)


def _domains(
    domain: Any, names: Sequence[str] | None, n: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    if domain is None:
        return frozen(np.zeros(n, dtype=np.int32)), tuple(names or ("all",))
    number = _column("domain", domain, n, dtype=np.int32)
    top = int(number.max())
    if names is None:
        names = [str(k) for k in range(top + 1)]
    if number.min() < 0 or top >= len(names):
        worst = int(number.min()) if number.min() < 0 else top
        raise IlaError(
            f"domain holds {worst}; with {len(names)} names it must be 0 to {len(names) - 1}."
        )
    return number, tuple(map(str, names))


def _fingerprint(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
