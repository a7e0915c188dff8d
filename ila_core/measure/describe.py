"""The numbers that describe a selection: one function for page, command line and README.

A selection is perfect on the grid that it was made with, so coverage and fidelity are measured on
*reference grids*: shifted by half a patch, no method selects with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.measure.embedding import embedding_distance, novelsum
from ila_core.selection.selection import Selection

REFERENCE = 256
"""Patches a side of the reference grid, where nothing else is said."""
GRIDS = (32, 64, 128, 256, 512)
"""Reference grids that comparisons show side by side."""
_OF_JSON = (
    "rows", "resolution", "occupied", "rounds", "tokens", "coverage", "reach", "fidelity",
    "mean_relative_depth", "domain_share", "domain_divergence", "embedding_distance_mean",
    "embedding_distance_p95", "reference_grid",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Numbers:
    """What a selection is like. NaN: no record has a depth. None: not measured or not defined."""

    method: str
    budget: str
    """As it was given."""
    knobs: Mapping[str, Any]
    """Those of `Selection.knobs`; "depth" is the kind that the numbers are measured with."""
    rows: int
    resolution: int | None
    """Even patches, or patches a side of the grid, that it was made with."""
    occupied: int | None
    """Patches of these that hold a record of the pool."""
    rounds: int | None
    """Most records that one patch gave."""
    tokens: float
    """Response tokens."""
    coverage: float
    """Share of the pool's occupied reference patches that hold a chosen record."""
    reach: float
    """Share of the pool's records that lie in such a patch."""
    fidelity: float
    """Sum over reference patches of the largest relative depth, beside the pool's sum."""
    mean_relative_depth: float
    domain_share: np.ndarray
    """(domains,) float64, share of the chosen records in each domain."""
    domain_names: tuple[str, ...]
    domain_divergence: float
    """Kullback-Leibler divergence of these shares from the pool's, in nats."""
    reference_grid: int = REFERENCE
    embedding_distance_mean: float | None = None
    """Mean cosine distance from a pool record to the nearest chosen one."""
    embedding_distance_p95: float | None = None
    distance_sample: int | None = None
    """Pool records that these two were measured on, where not on all."""
    novelsum: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what `ila select --json` prints; NaN as None.

        NovelSum stands in it only where measured, the size of the sample that the distances were
        measured on (distance_sample) only where it is a part of the pool.
        """
        numbers = {"method": self.method, "budget": self.budget, **self.knobs}
        numbers |= {name: getattr(self, name) for name in _OF_JSON}
        shares = zip(self.domain_names, self.domain_share.tolist(), strict=True)
        numbers["domain_share"] = dict(shares)
        if self.distance_sample is not None:
            numbers["distance_sample"] = self.distance_sample
        if self.novelsum is not None:
            numbers["novelsum"] = self.novelsum
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in numbers.items()
        }


def describe(
    selection: Selection,
    *,
    reference: int = REFERENCE,
    distances: bool = True,
    novelty: bool = False,
    seed: int = 0,
) -> Numbers:
    """Return the numbers of a selection.

    `distances` (needs vectors) takes up to a second, `novelty` (NovelSum) several; the others are
    instant. `seed` draws the samples that these two use in large pools.

    >>> import ila_core as ila
    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> numbers = describe(ila.select(pool, budget=1))
    >>> round(numbers.coverage, 3), round(numbers.fidelity, 3)
    (0.333, 0.556)
    """
    landscape, spec, rows = selection.landscape, selection.spec, selection.ascending
    on_map = on_grid(landscape, rows, reference)
    share = domain_shares(landscape, rows)
    numbers = Numbers(
        method=spec.method,
        budget=spec.budget,
        knobs=selection.knobs,
        rows=len(rows),
        resolution=selection.resolution,
        occupied=selection.occupied,
        rounds=selection.rounds,
        tokens=selection.tokens,
        coverage=on_map.coverage,
        reach=on_map.reach,
        fidelity=on_map.fidelity,
        mean_relative_depth=_mean_depth(landscape, rows),
        domain_share=share,
        domain_names=tuple(landscape.domain_names),
        domain_divergence=divergence(share, _pool_shares(landscape)),
        reference_grid=reference,
    )
    if landscape.vectors is None or not len(rows):
        return numbers
    if distances:
        away = embedding_distance(landscape, selection.rows, seed=seed)
        numbers = replace(
            numbers,
            embedding_distance_mean=away.mean,
            embedding_distance_p95=away.p95,
            distance_sample=away.measured if away.measured < len(landscape) else None,
        )
    if novelty:
        numbers = replace(numbers, novelsum=novelsum(landscape, selection.rows, seed=seed))
    return numbers


# -- on the map -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference grid over a pool: each record's occupied patch, and the sum of the best."""

    member: np.ndarray
    """(n,) int32."""
    patches: int
    records: np.ndarray
    """(patches,) int64, records of the pool in each."""
    best: float
    """Sum over patches of the largest relative depth of the pool."""


@remembered(most=len(GRIDS) + 1)
def reference_grid(landscape: Landscape, resolution: int = REFERENCE) -> Reference:
    """Return the grid to measure with: shifted by half a patch, so no method selects with it."""
    from ila_core.measure.picks_compiled import best_of_each

    member, number = landscape.grid(resolution, 0.5).members(*landscape.columns)
    everything = np.arange(len(landscape))
    _, best = best_of_each(member, len(number), landscape.relative_depth, everything)
    return Reference(member, len(number), np.bincount(member), float(best.sum()))


class OnGrid(NamedTuple):
    """What rows are on a reference grid."""

    coverage: float
    """Share of the pool's occupied patches that hold one of the rows."""
    fidelity: float
    """The QD-score ratio of quality-diversity search: the sum over patches of the largest relative
    depth there (0 where none is), divided by the same sum for the pool; NaN where no record of the
    pool has a depth."""
    reach: float
    """Share of the pool's records that lie in a patch with one of the rows: coverage weighted by
    records, for a grid flattens density and reach does not."""


def on_grid(landscape: Landscape, rows: np.ndarray, resolution: int = REFERENCE) -> OnGrid:
    """Return coverage, landscape fidelity and reach of rows on a reference grid.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 0], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> [round(number, 3) for number in on_grid(pool, np.array([0]))]
    [0.5, 0.125, 0.667]
    """
    from ila_core.measure.picks_compiled import best_of_each

    grid = reference_grid(landscape, resolution)
    reached, best = best_of_each(grid.member, grid.patches, landscape.relative_depth, rows)
    return OnGrid(
        int(np.count_nonzero(reached)) / grid.patches,
        float(best.sum()) / grid.best if grid.best > 0 else math.nan,
        float(grid.records[reached].sum() / len(landscape)),
    )


def grid_numbers(
    landscape: Landscape, rows: np.ndarray, resolution: int = REFERENCE
) -> tuple[float, float]:
    """Return coverage and landscape fidelity of rows on a reference grid: see `OnGrid`."""
    coverage, fidelity, _ = on_grid(landscape, rows, resolution)
    return coverage, fidelity


def reach(landscape: Landscape, rows: np.ndarray, resolution: int = REFERENCE) -> float:
    """Return the share of the pool's records that lie in a reference patch with a chosen one.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 0], [1, 1]])
    >>> round(reach(pool, np.array([0])), 3)
    0.667
    """
    return on_grid(landscape, rows, resolution).reach


def mean_known(values: np.ndarray) -> float:
    """Return the mean of the values that are not NaN; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else math.nan


def _mean_depth(landscape: Landscape, rows: np.ndarray) -> float:
    """Return the mean relative depth of rows, those without one aside; NaN where none has one."""
    from ila_core.landscape.points_compiled import sum_known

    total, known = sum_known(landscape.relative_depth, rows)
    return total / known if known else math.nan


def domain_shares(landscape: Landscape, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the share of each domain among rows (all rows where None), (domains,) float64."""
    from ila_core.landscape.points_compiled import count_codes

    rows = np.arange(len(landscape)) if rows is None else rows
    return count_codes(landscape.domain, len(landscape.domain_names), rows) / max(len(rows), 1)


@remembered(most=1, of_map=True)
def _pool_shares(landscape: Landscape) -> np.ndarray:
    return frozen(domain_shares(landscape))


def divergence(share: np.ndarray, pool: np.ndarray) -> float:
    """Return the Kullback-Leibler divergence sum p ln(p / q) of shares p from the pool's q, nats.

    Nothing is smoothed: a selection is a part of the pool, so q is positive wherever p is. 0 for
    an empty selection.

    >>> round(divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])), 4)
    0.6931
    """
    held = share > 0
    return float(np.sum(share[held] * np.log(share[held] / pool[held])))
