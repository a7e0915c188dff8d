"""The students a study trains, and what each of them is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ila_core.errors import IlaError
from ila_core.measure.describe import grid_coverage, mean_known
from ila_core.methods import find, select
from ila_core.methods.inputs import check_inputs
from ila_core.pipeline.store import key_of
from ila_core.selection.budget import Budget
from ila_core.studies.settings import StudySettings

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

DEV_SHARE, DEV_LEAST, DEV_MOST = 0.04, 200, 3_000
SUBSET_SHARE = 0.04
REGRESSION_GRID = 128
_NARROWEST_BAND = 0.2
_MOST_REGIONS = 32  # a side


class Split(NamedTuple):
    """Row numbers of the pool: what students may be trained on, and what they are judged by."""

    train: np.ndarray
    dev: np.ndarray


@dataclass(frozen=True, eq=False)
class Job:
    """One student to train: what it is, and about how many records it will be trained on."""

    about: dict[str, Any]
    records: int

    @property
    def key(self) -> str:
        return key_of(self.about)


@dataclass(frozen=True, eq=False)
class Lesson:
    """The rows of the pool for one student, and what is to be told of them."""

    rows: np.ndarray
    split: Split
    found: dict[str, Any]


def split(landscape: Landscape, seed: int) -> Split:
    """Hold out 4 % of the records that have a response, at least 200 and at most 3,000.

    IlaError for a pool of which so much cannot be spared.
    """
    answered = np.flatnonzero(np.nan_to_num(landscape.tokens) > 0)
    size = int(np.clip(DEV_SHARE * len(answered), DEV_LEAST, DEV_MOST))
    if len(answered) < 3 * size:
        raise IlaError(
            f"A study holds out {size} records and needs at least {3 * size} with a response; "
            f"this pool has {len(answered):,}."
        )
    # A stream of its own: `random` permutes the rest with the bare seed, and permutations of one
    # seed resemble each other, whatever their lengths.
    dev = np.sort(np.random.default_rng([seed, 1]).permutation(answered)[:size])
    return Split(np.setdiff1d(np.arange(len(landscape)), dev), dev)


def plan(landscape: Landscape, settings: StudySettings) -> list[Job]:
    """Return the students of a study in the order in which they are trained, seed by seed.

    Nothing is selected yet: a plan costs nothing, however large the pool. IlaError for a method
    that lacks an input: better now than when its turn comes.
    """
    for method in settings.methods:
        check_inputs(method, find(method).needs, landscape)
    jobs: list[Job] = []
    for seed in range(settings.seed, settings.seed + settings.seeds):
        jobs += _curves(landscape, settings, seed)
        if seed == settings.seed:
            records = int(SUBSET_SHARE * len(landscape))
            jobs += [
                Job({"kind": "regression", "subset": number, "seed": seed}, records)
                for number in range(settings.subsets)
            ]
    return jobs


def _curves(landscape: Landscape, settings: StudySettings, seed: int) -> Iterator[Job]:
    variants = [(method, 1.0) for method in settings.methods]
    variants += [("ila", q) for q in settings.depth_targets if "ila" in settings.methods and q < 1]
    for budget in settings.budgets:
        asked = Budget.parse(budget)
        for unit in ("tokens",) if asked.kind == "tokens" else ("records", "tokens"):
            for method, depth_target in variants:
                about = {
                    "kind": "curve",
                    "method": method,
                    "depth_target": depth_target,
                    "budget": budget,
                    "unit": unit,
                    "seed": seed,
                }
                yield Job(about, asked.records(landscape))


class Teacher:
    """Makes the selections of one split, one at a time.

    The depths are ranked without the held-out records, and these are never selected.
    """

    def __init__(self, landscape: Landscape, settings: StudySettings, seed: int) -> None:
        self.seed = seed
        self.split = split(landscape, seed)
        self.pool = landscape.subset(self.split.train, rerank=True)
        sizes = [Budget.parse(budget).records(self.pool) for budget in settings.budgets]
        self.most = max(sizes, default=1)
        self.ranking: dict[str, np.ndarray] = {}

    def lesson(self, job: Job) -> Lesson:
        """Return what one student is trained on."""
        pool, about = self.pool, job.about
        if about["kind"] == "curve":
            budget = self.budget(about["budget"], about["unit"])
            rows = self.rows(about["method"], budget, about["depth_target"])
            more = {}
        else:
            rows = random_subset(pool, np.random.default_rng([self.seed, about["subset"]]))
            more = {
                "coverage": grid_coverage(pool, rows, REGRESSION_GRID),
                "mean_relative_depth": mean_known(pool.relative_depth[rows]),
            }
        tokens = float(np.nansum(pool.tokens[rows], dtype=np.float64))
        found = {"records": len(rows), "tokens": tokens, **more}
        return Lesson(self.split.train[rows], self.split, found)

    def budget(self, text: str, unit: str) -> Budget:
        """Return a budget as it was given, or in as many tokens as random picks would have."""
        given = Budget.parse(text)
        if unit == "records" or given.kind == "tokens":
            return given
        tokens = round(self.pool.total_tokens * given.records(self.pool) / len(self.pool))
        return Budget.parse(f"{max(tokens, 1)}-tokens")

    def rows(self, method: str, budget: Budget, depth_target: float) -> np.ndarray:
        """Return a method's rows; one whose picks extend each other is asked once for all."""
        if not find(method).prefix:
            return select(
                self.pool,
                budget=budget,
                method=method,
                seed=self.seed,
                depth_target=depth_target,
            ).rows
        if method not in self.ranking:
            self.ranking[method] = self.asked(method, self.most)
        rows = self.ranking[method]
        fits = budget.cut(self.pool, rows)
        if budget.kind == "tokens" and fits == len(rows) < len(self.pool):
            return self.asked(method, budget)  # short responses: more rows than any other budget
        return rows[:fits]

    def asked(self, method: str, budget: int | Budget) -> np.ndarray:
        return select(self.pool, budget=budget, method=method, seed=self.seed).rows


def random_subset(pool: Landscape, rng: np.random.Generator) -> np.ndarray:
    """Return 4 % of a pool's scored rows, from random regions of the map and a band of depth.

    Regions are a random share of the occupied patches of a random coarse grid, 2 to 32 a side;
    the band is at least a fifth of the relative depths wide. A draw that holds too few records is
    drawn again. No selection method has a part in it. IlaError for a pool without depths.
    """
    wanted = int(SUBSET_SHARE * pool.scored)
    if wanted < 1:
        raise IlaError(
            f"The regression draws subsets by depth, and {pool.scored} records of this pool have "
            "one; build it with a loss, or leave the regression out with --subsets 0."
        )
    coarse = [2**k for k in range(1, _MOST_REGIONS.bit_length())]
    while True:
        patch = pool.grid(int(rng.choice(coarse))).patches(pool.xy)
        occupied = np.unique(patch)
        few = max(1, round(rng.uniform(0.05, 1.0) * len(occupied)))
        width = rng.uniform(_NARROWEST_BAND, 1.0)
        low = rng.uniform(0.0, 1.0 - width)
        inside = np.isin(patch, rng.choice(occupied, few, replace=False))
        inside &= (pool.relative_depth >= low) & (pool.relative_depth <= low + width)
        rows = np.flatnonzero(inside)
        if len(rows) >= wanted:
            return np.sort(rng.choice(rows, wanted, replace=False))
