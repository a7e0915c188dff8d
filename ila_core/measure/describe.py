"""The numbers that describe a selection: one function for page, command line and README.

A selection is perfect on the grid that it was made with, so coverage and fidelity are measured on
*reference grids*: shifted by half a patch, no method selects with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.selection.selection import (
    Budget,
    Locks,
    Rule,
    Selection,
    auto_resolution,
    nested_order,
    select_ila,
    select_nested,
)

REFERENCE = 256
"""Patches a side of the reference grid, where nothing else is said."""
GRIDS = (32, 64, 128, 256, 512)
"""Reference grids that comparisons show side by side."""
POOL_SAMPLE = 10_000
"""Pool records whose distance to the selection is measured, in larger pools."""
NEIGHBOUR_SAMPLE = 20_000
"""Pool records among which NovelSum looks for neighbours, in larger pools."""
_BLOCK = (2048, 4096)
"""Rows and columns of a table of products: large enough for the matrix library, 34 MB."""
_SORTED_ROWS = 256
"""Rows of a table that is sorted in place."""
_OF_JSON = (
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Numbers:
    """What a selection is like. NaN: no record has a depth. None: not measured or not defined."""

    method: str
    budget: str
    """As it was given."""
    rows: int
    resolution: int | None
    """Patches a side of the grid that it was made with."""
    occupied: int | None
    """Patches of that grid that hold a record of the pool."""
    rounds: int | None
    """Most records that one patch gave."""
    tokens: float
    """Response tokens."""
    coverage: float
    """Share of the pool's occupied reference patches that hold a chosen record."""
    fidelity: float
    """Sum over reference patches of the largest relative depth, beside the pool's sum."""
    mean_relative_depth: float
    domain_share: np.ndarray
    """(domains,) float64, share of the chosen records in each domain."""
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
        found = {name: getattr(self, name) for name in _OF_JSON}
        if self.distance_sample is not None:
            found["distance_sample"] = self.distance_sample
        if self.novelsum is not None:
            found["novelsum"] = self.novelsum
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in found.items()
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

    >>> from ila_core.selection.selection import select_ila
    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> numbers = describe(select_ila(pool, 1))
    >>> round(numbers.coverage, 3), round(numbers.fidelity, 3)
    (0.333, 0.556)
    """
    landscape, rows, grid = selection.landscape, selection.rows, selection.grid
    covered, kept = grid_numbers(selection, reference)
    share = domain_shares(landscape, rows)
    numbers = Numbers(
        method=selection.rule.method,
        budget=selection.rule.budget,
        rows=len(rows),
        resolution=None if grid is None else grid.resolution,
        occupied=selection.occupied,
        rounds=selection.rounds,
        tokens=selection.tokens,
        coverage=covered,
        fidelity=kept,
        mean_relative_depth=mean_known(landscape.relative_depth[rows]),
        domain_share=share,
        domain_divergence=divergence(share, domain_shares(landscape)),
        reference_grid=reference,
    )
    if landscape.vectors is None or not len(rows):
        return numbers
    if distances:
        away = embedding_distance(landscape, rows, seed=seed)
        numbers = replace(
            numbers,
            embedding_distance_mean=away.mean,
            embedding_distance_p95=away.p95,
            distance_sample=away.measured if away.measured < len(landscape) else None,
        )
    if novelty:
        numbers = replace(numbers, novelsum=novelsum(landscape, rows, seed=seed))
    return numbers


# -- on the map -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Reference:
    """A reference grid over a pool: each record's occupied patch, and the sum of the best."""

    member: np.ndarray
    patches: int
    best: float


def _reference(landscape: Landscape, resolution: int) -> _Reference:
    from ila_core.landscape import loops as kernels
    from ila_core.landscape.grid import columns

    def measure() -> _Reference:
        grid = landscape.grid(resolution, 0.5)
        member, number = grid.members(*columns(landscape.xy))
        depth = landscape.relative_depth.copy()  # a read-only one would be compiled for anew
        _, best = kernels.best_of_each(member, len(number), depth)
        return _Reference(member, len(number), float(best.sum()))

    return landscape.remember("reference", resolution, measure, most=len(GRIDS) + 1)


def grid_numbers(selection: Selection, resolution: int = REFERENCE) -> tuple[float, float]:
    """Return coverage and fidelity of a selection on a reference grid."""
    return _on_grid(selection.landscape, selection.rows, resolution)


def coverage(selection: Selection, resolution: int = REFERENCE) -> float:
    """Return the share of the pool's occupied reference patches that hold a chosen record."""
    return grid_numbers(selection, resolution)[0]


def fidelity(selection: Selection, resolution: int = REFERENCE) -> float:
    """Return the landscape fidelity: the QD-score ratio of quality-diversity search.

    The sum over reference patches of the largest relative depth chosen there (0 where none is),
    divided by the same sum for the pool; NaN where no record of the pool has a depth.
    """
    return grid_numbers(selection, resolution)[1]


def grid_coverage(landscape: Landscape, rows: np.ndarray, resolution: int = REFERENCE) -> float:
    """Return the coverage of any rows of a landscape, as `coverage` does for a selection."""
    return _on_grid(landscape, rows, resolution)[0]


def _on_grid(landscape: Landscape, rows: np.ndarray, resolution: int) -> tuple[float, float]:
    from ila_core.landscape import loops as kernels

    reference = _reference(landscape, resolution)
    count, best = kernels.best_of_each(
        reference.member[rows], reference.patches, landscape.relative_depth[rows]
    )
    kept = float(best.sum()) / reference.best if reference.best > 0 else math.nan
    return count / reference.patches, kept


def mean_known(values: np.ndarray) -> float:
    """Return the mean of the values that are not NaN; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else math.nan


def domain_shares(landscape: Landscape, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the share of each domain among rows (all rows where None), (domains,) float64."""
    domain = landscape.domain if rows is None else landscape.domain[rows]
    count = np.bincount(domain, minlength=len(landscape.domain_names))
    return count / max(len(domain), 1)


def divergence(share: np.ndarray, pool: np.ndarray) -> float:
    """Return the Kullback-Leibler divergence sum p ln(p / q) of shares p from the pool's q, nats.

    Nothing is smoothed: a selection is a part of the pool, so q is positive wherever p is. 0 for
    an empty selection.

    >>> round(divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])), 4)
    0.6931
    """
    held = share > 0
    return float(np.sum(share[held] * np.log(share[held] / pool[held])))


# -- in the embedding space -----------------------------------------------------------------------


@dataclass(frozen=True)
class Distances:
    """Cosine distance from pool records to the nearest chosen one."""

    mean: float
    p95: float
    measured: int
    """Pool records measured: all, or a seeded sample."""


def embedding_distance(
    landscape: Landscape, rows: np.ndarray, *, sample: int = POOL_SAMPLE, seed: int = 0
) -> Distances:
    """Return how far pool records lie from the nearest chosen one, in the embedding space.

    Chosen records have distance 0. Above `sample` records a seeded sample of the pool is measured.
    IlaError without vectors or without rows.

    >>> pool = Landscape.from_arrays([[0, 0], [1, 1]], vectors=[[1.0, 0.0], [0.0, 1.0]])
    >>> embedding_distance(pool, np.array([0])).mean
    0.5
    """
    vectors = _vectors(landscape)
    if not len(rows):
        raise IlaError(
            "The distance to the nearest chosen record needs at least one chosen record."
        )
    n = len(landscape)
    measured = np.arange(n)
    if n > sample:
        measured = np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
    away = np.zeros(len(measured), dtype=np.float32)
    left = np.flatnonzero(~np.isin(measured, rows))
    chosen = vectors[np.sort(rows)]
    for part, block in _blocks(vectors, measured[left], _BLOCK[0]):
        away[left[part]] = 1 - _largest_product(block, chosen)
    away = away.clip(0, 2)
    mean, p95 = float(away.mean(dtype=np.float64)), float(np.percentile(away, 95))
    return Distances(mean, p95, len(measured))


def _largest_product(block: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return each row's largest dot product with any other; no larger table than a block's."""
    best = np.full(len(block), -np.inf, dtype=np.float32)
    for start in range(0, len(others), _BLOCK[1]):
        products = block @ others[start : start + _BLOCK[1]].T
        np.maximum(best, products.max(axis=1), out=best)
    return best


def novelsum(
    landscape: Landscape,
    rows: np.ndarray,
    *,
    neighbours: int = 10,
    sample: int = NEIGHBOUR_SAMPLE,
    seed: int = 0,
) -> float:
    """Return NovelSum (arXiv 2502.17184) of chosen rows: the larger, the more diverse.

    The mean over chosen rows of their density times the 1/rank-weighted mean of their cosine
    distances to all chosen rows, nearest (the row itself) first. The density is the mean squared
    Euclidean distance to the 10 nearest other distinct records of the pool, plus 1e-9, to the
    power -0.5, as in the authors' program. Neighbours are looked for in a seeded sample of pools
    above `sample` records, and the mean runs over 2,000 seeded rows of selections above it.
    """
    vectors = _vectors(landscape)
    rng = np.random.default_rng(seed)
    n, chosen = len(landscape), np.sort(rows)
    if not len(chosen):
        raise IlaError("NovelSum needs at least one chosen record.")
    among = np.arange(n) if n <= sample else np.sort(rng.choice(n, sample, replace=False))
    over = chosen
    if len(chosen) > sample:
        over = np.sort(rng.choice(chosen, min(2_000, len(chosen)), replace=False))
    pool, others = _distinct(vectors[among]), vectors[chosen]
    weight = 1 / np.arange(1, len(chosen) + 1)
    weight = (weight / weight.sum()).astype(np.float32)
    total = 0.0
    for _, block in _blocks(vectors, over, _SORTED_ROWS):
        away = block @ others.T
        np.subtract(1, away, out=away)
        away.clip(0, 2, out=away).sort(axis=1)
        total += float((away @ weight) @ _density(block, pool, neighbours))
    return total / len(over)


def _density(block: np.ndarray, pool: np.ndarray, neighbours: int) -> np.ndarray:
    """Return (mean squared distance to the nearest other pool vectors + 1e-9) ** -0.5."""
    count = min(neighbours + 1, len(pool))
    product = block @ pool.T
    product.partition(len(pool) - count, axis=1)
    largest = np.sort(product[:, len(pool) - count :].astype(np.float64), axis=1)[:, ::-1]
    nearest = (2 - 2 * largest).clip(0, 4)
    itself = nearest[:, 0] < 1e-6  # absent where the pool is a sample without this record
    first = np.where(itself[:, None], nearest[:, 1:], nearest[:, : count - 1])
    mean = first.mean(axis=1) if count > 1 else np.zeros(len(block))
    return (mean + 1e-9) ** -0.5


def _distinct(vectors: np.ndarray) -> np.ndarray:
    """Return each different row once."""
    packed = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.shape[1] * 4)))
    _, first = np.unique(packed.reshape(-1), return_index=True)
    return vectors[np.sort(first)]


def _vectors(landscape: Landscape) -> np.ndarray:
    if landscape.vectors is None:
        raise IlaError("This landscape has no vectors; distances in the embedding space need them.")
    return np.asarray(landscape.vectors, dtype=np.float32)


def _blocks(vectors: np.ndarray, rows: np.ndarray, size: int) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        yield part, vectors[rows[part]]


# -- beside chance, over budgets, under shifts ----------------------------------------------------


@dataclass(frozen=True)
class Baseline:
    """Mean and standard deviation of the numbers of random selections."""

    mean: Numbers
    std: Numbers
    seeds: int


def random_baseline(
    landscape: Landscape, budget: object, *, seeds: int = 5, reference: int = REFERENCE
) -> Baseline:
    """Describe random selections of a budget, without distances in the embedding space.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> round(random_baseline(pool, 1).mean.coverage, 3)
    0.333
    """
    asked = Budget.parse(budget)
    drawn = []
    for seed in range(seeds):
        rows = np.random.default_rng(seed).permutation(len(landscape))
        rule = Rule("random", asked.text, seed=seed)
        chosen = Selection.of_rows(landscape, rows[: asked.cut(landscape, rows)], rule)
        drawn.append(describe(chosen, reference=reference, distances=False))
    return Baseline(_over(drawn, np.mean), _over(drawn, _deviation), seeds)


def _over(drawn: Sequence[Numbers], function: Callable[..., Any]) -> Numbers:
    """Return Numbers in which every measured one is a function of those drawn."""
    found = {}
    for field in fields(Numbers):
        values = [getattr(numbers, field.name) for numbers in drawn]
        if isinstance(values[0], np.ndarray):
            found[field.name] = function(values, axis=0)
        elif isinstance(values[0], float):
            found[field.name] = float(function(values))
    return replace(drawn[0], **found)


def _deviation(values: Sequence[Any], axis: int | None = None) -> Any:
    return np.std(values, axis=axis, ddof=1) if len(values) > 1 else np.zeros_like(values[0])


@dataclass(frozen=True, eq=False)
class Curve:
    """How numbers grow with the budget; all arrays are (budgets,)."""

    records: np.ndarray
    """int64, ascending."""
    tokens: np.ndarray
    coverage: np.ndarray
    fidelity: np.ndarray
    reference_grid: int = REFERENCE

    def __len__(self) -> int:
        return len(self.records)


def growth(landscape: Landscape, rows: np.ndarray, resolution: int = REFERENCE) -> Curve:
    """Return the numbers of every prefix of rows in pick order, in one pass.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> growth(pool, np.array([1, 2])).coverage.round(3).tolist()
    [0.333, 0.667]
    """
    from ila_core.landscape import loops as kernels

    reference = _reference(landscape, resolution)
    covered, gained = kernels.growth(
        reference.member[rows], reference.patches, landscape.relative_depth[rows]
    )
    tokens = np.cumsum(np.nan_to_num(landscape.tokens[rows]), dtype=np.float64)
    kept = gained / reference.best if reference.best > 0 else np.full(len(rows), np.nan)
    records = np.arange(1, len(rows) + 1)
    return Curve(records, tokens, covered / reference.patches, kept.clip(max=1.0), resolution)


def curve(
    landscape: Landscape,
    *,
    method: Literal["ila", "nested"] = "nested",
    budgets: Iterable[int] | None = None,
    resolution: int | str = "auto",
    depth_target: float = 1.0,
    pin: Iterable[int] = (),
    exclude: Iterable[int] = (),
    reference: int = REFERENCE,
) -> Curve:
    """Return coverage, fidelity and tokens against the number of records.

    `budgets` are about twenty between 1 and the pool unless given. The nested order is measured
    once for all of them; a grid is selected anew for each.
    """
    n = len(landscape)
    locks = Locks.of(pin, exclude, n)
    most = n - len(locks.excluded)
    wanted = np.array(sorted(set(round_budgets(n) if budgets is None else budgets)), np.int64)
    wanted = np.unique(wanted.clip(max(1, len(locks.pinned)), max(1, most)))
    if method == "nested":
        rows, _ = nested_order(landscape, depth_target, locks)
        whole = growth(landscape, rows, reference)
        at = wanted[wanted <= len(rows)] - 1
        return Curve(
            whole.records[at], whole.tokens[at], whole.coverage[at], whole.fidelity[at], reference
        )
    found = []
    for budget in wanted.tolist():
        chosen = select_ila(
            landscape,
            budget,
            resolution=resolution,
            depth_target=depth_target,
            pin=locks.pinned,
            exclude=locks.excluded,
        )
        found.append((len(chosen), chosen.tokens, *grid_numbers(chosen, reference)))
    records, tokens, covered, kept = np.array(found, dtype=np.float64).T
    return Curve(records.astype(np.int64), tokens, covered, kept, reference)


def round_budgets(n: int, count: int = 20) -> list[int]:
    """Return about `count` budgets from a thousandth of n records (at least 1) to all.

    >>> round_budgets(5)
    [1, 2, 3, 4, 5]
    """
    marks = np.geomspace(max(1, n // 1000), n, count)
    return np.unique(np.rint(marks).astype(np.int64)).tolist()


def solve(
    landscape: Landscape,
    *,
    coverage: float | None = None,
    budget: object = None,
    method: Literal["ila", "nested"] = "nested",
    depth_target: float = 1.0,
    pin: Iterable[int] = (),
    exclude: Iterable[int] = (),
    reference: int = REFERENCE,
) -> Selection:
    """Return the selection with fewest records for a coverage, or most coverage for a budget.

    Give one of the two. For a coverage, `nested` finds the shortest prefix of its order; `ila`
    halves between budgets, on grids of automatic resolution. For a budget (records, percent or
    tokens), `ila` also tries grids half to twice as fine as the automatic one. UsageError for a
    coverage that cannot be reached.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> solve(pool, coverage=0.5).rows.tolist()
    [1, 2]
    """
    if (coverage is None) == (budget is None):
        raise UsageError("Solve for one of the two: coverage=0.9, or budget=10000.")
    locks = Locks.of(pin, exclude, len(landscape))
    settings: dict[str, Any] = {
        "depth_target": depth_target,
        "pin": locks.pinned,
        "exclude": locks.excluded,
    }
    if coverage is None:
        if method == "nested":
            return select_nested(landscape, budget, **settings)
        return _most_coverage(landscape, budget, reference, settings)
    if not 0 < coverage <= 1:
        raise UsageError(f"Coverage {coverage!r} is not a share above 0 and up to 1.")
    rows, _ = nested_order(landscape, depth_target, locks)
    reached = growth(landscape, rows, reference).coverage
    if not len(rows) or reached[-1] < coverage:
        top = reached[-1] if len(rows) else 0.0
        raise UsageError(
            f"Coverage {coverage:.1%} cannot be reached: all records that may be chosen cover "
            f"{top:.1%} of {reference} x {reference} patches."
        )
    fewest = max(int(np.searchsorted(reached, coverage)) + 1, len(locks.pinned), 1)
    if method == "nested":
        return select_nested(landscape, fewest, **settings)
    return _fewest_by_grid(landscape, coverage, len(rows), reference, settings)


def _most_coverage(
    landscape: Landscape, budget: object, reference: int, settings: dict[str, Any]
) -> Selection:
    auto = auto_resolution(landscape, Budget.parse(budget).records(landscape))
    finer = {round(auto * step) for step in (0.5, 0.71, 0.84, 1.0, 1.19, 1.41, 2.0)}
    tried = [
        select_ila(landscape, budget, resolution=min(max(side, 1), 8192), **settings)
        for side in sorted(finer)
    ]
    return max(tried, key=lambda chosen: grid_numbers(chosen, reference)[0])


def _fewest_by_grid(
    landscape: Landscape, wished: float, most: int, reference: int, settings: dict[str, Any]
) -> Selection:
    low, high = max(1, len(settings["pin"])), most
    while low < high:
        middle = (low + high) // 2
        if grid_numbers(select_ila(landscape, middle, **settings), reference)[0] >= wished:
            high = middle
        else:
            low = middle + 1
    return select_ila(landscape, low, **settings)


Reselect = Callable[[Landscape, float], Selection]
"""Selects again from a landscape, with grids shifted by an offset."""


def stability(
    selection: Selection,
    *,
    offsets: Sequence[float] = (0.25, 0.5, 0.75),
    places: Iterable[np.ndarray] = (),
    reselect: Reselect | None = None,
) -> dict[str, float]:
    """Return the mean share of a selection that survives another place of grid or map.

    "offset": the grid shifted by these fractions of a patch; "projection": the map that other
    projection seeds give, `places` being their xy arrays, (n, 2). `reselect` makes the selection
    again; `ila` and `nested` know how, others without it give nothing.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> stability(select_nested(pool, 2), places=[pool.xy[:, ::-1]])
    {'offset': 1.0, 'projection': 1.0}
    """
    again = reselect or _again(selection)
    if again is None or not len(selection):
        return {}
    landscape, found = selection.landscape, {}
    if shifted := [_survives(selection, again(landscape, offset)) for offset in offsets]:
        found["offset"] = float(np.mean(shifted))
    if moved := [_survives(selection, again(landscape.moved(xy), 0.0)) for xy in places]:
        found["projection"] = float(np.mean(moved))
    return found


def _again(selection: Selection) -> Reselect | None:
    rule = selection.rule
    settings: dict[str, Any] = {
        "depth_target": rule.depth_target,
        "pin": rule.pinned,
        "exclude": rule.excluded,
    }
    if rule.method == "ila":
        settings["resolution"] = rule.resolution
        return lambda pool, offset: select_ila(pool, rule.budget, offset=offset, **settings)
    if rule.method == "nested":
        return lambda pool, offset: select_nested(pool, rule.budget, offset=offset, **settings)
    return None


def _survives(selection: Selection, other: Selection) -> float:
    return float(other.mask[selection.rows].mean())
