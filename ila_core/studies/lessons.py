"""What each student of a study is trained on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ila_core.chance import stream
from ila_core.landscape.kinds import AUTO
from ila_core.landscape.landscape import Landscape
from ila_core.measure.describe import grid_numbers, mean_known, reach
from ila_core.methods.registry import find
from ila_core.methods.select import select_by
from ila_core.selection.budget import Budget
from ila_core.selection.spec import Spec
from ila_core.studies.plan import (
    CurveJob,
    Job,
    Split,
    UntrainedJob,
    fewest_scored,
    split,
    subset_size,
)
from ila_core.studies.settings import StudySettings
from ila_core.studies.variant import Unit

REGRESSION_GRID = 128
_NARROWEST_BAND = 0.2
_MOST_REGIONS = 32  # a side


@dataclass(frozen=True, eq=False)
class Lesson:
    """The rows of the pool for one student, and what is to be noted of them."""

    rows: np.ndarray
    split: Split
    tokens: float
    """Response tokens of the rows; where there are none, nothing is learnt."""
    inputs: dict[str, float | None] = field(default_factory=dict)
    """Of a subset: what the regression explains the loss by."""


class Teacher:
    """Makes the selections of one split, one at a time.

    Depths of every kind are ranked without the held-out records, and these are never selected.
    """

    def __init__(self, landscape: Landscape, settings: StudySettings, seed: int) -> None:
        self.seed = seed
        self.split = split(landscape, seed)
        self.pool = landscape.subset(self.split.train, rerank=True)
        sizes = [Budget.parse(budget).records(self.pool) for budget in settings.budgets]
        self.most = max(sizes, default=1)
        self.ranking: dict[Spec, np.ndarray] = {}

    def lesson(self, job: Job) -> Lesson:
        """Return what one student is trained on."""
        pool, inputs = self.pool, dict[str, float | None]()
        if isinstance(job, UntrainedJob):
            rows = np.zeros(0, dtype=np.int64)
        elif isinstance(job, CurveJob):
            budget = self.budget(job.spec.asked, job.unit)
            rows = self.rows(replace(job.spec, budget=budget.text))
        else:
            kinds = pool.kinds or (pool.kind,)
            kind = kinds[job.subset % len(kinds)]
            rows = random_subset(pool, stream(self.seed, "regression subset", job.subset), kind)
            inputs = {
                "coverage": grid_numbers(pool, rows, REGRESSION_GRID)[0],
                "reach": reach(pool, rows, REGRESSION_GRID),
            }
            for name in kinds:
                depth = mean_known(pool.by(name).relative_depth[rows])
                inputs[depth_column(name)] = None if np.isnan(depth) else depth
        tokens = float(np.nansum(pool.tokens[rows], dtype=np.float64))
        return Lesson(self.split.train[rows], self.split, tokens, inputs)

    def budget(self, given: Budget, unit: Unit) -> Budget:
        """Return a budget as it was given, or in as many tokens as random picks would have."""
        if unit == "records" or given.kind == "tokens":
            return given
        tokens = round(self.pool.total_tokens * given.records(self.pool) / len(self.pool))
        return Budget.parse(f"{max(tokens, 1)}-tokens")

    def rows(self, spec: Spec) -> np.ndarray:
        """Return the rows that a spec selects, of the training part.

        A method whose picks extend each other is asked once for all budgets.
        """
        if not find(spec.method).prefix:
            return select_by(self.pool, spec).rows
        largest = replace(spec, budget=str(self.most))
        if largest not in self.ranking:
            self.ranking[largest] = select_by(self.pool, largest).rows
        rows, budget = self.ranking[largest], spec.asked
        fits = budget.cut(self.pool, rows)
        if budget.kind == "tokens" and fits == len(rows) < len(self.pool):
            return select_by(self.pool, spec).rows  # short responses: more than any other budget
        return rows[:fits]


def depth_column(kind: str) -> str:
    """Return the column of regression.parquet that has the mean relative depth of a kind.

    >>> depth_column("loss-reduction")
    'mean_relative_depth_loss_reduction'
    """
    return f"mean_relative_depth_{kind.replace('-', '_')}"


def random_subset(pool: Landscape, rng: np.random.Generator, kind: str = AUTO) -> np.ndarray:
    """Return 4 % of a pool's scored rows, from random regions and a band of depth of a kind.

    Regions are a random share of the occupied patches of a random coarse grid, 2 to 32 a side;
    the band is at least a fifth of the relative depths wide. A draw that holds too few records is
    drawn again. No selection method has a part in it. IlaError for a pool without depths.
    """
    wanted, ranks = subset_size(fewest_scored(pool)), pool.by(kind).relative_depth
    coarse = [2**k for k in range(1, _MOST_REGIONS.bit_length())]
    while True:
        patch = pool.grid(int(rng.choice(coarse))).patches(pool.xy)
        occupied = np.unique(patch)
        few = max(1, round(rng.uniform(0.05, 1.0) * len(occupied)))
        width = rng.uniform(_NARROWEST_BAND, 1.0)
        low = rng.uniform(0.0, 1.0 - width)
        inside = np.isin(patch, rng.choice(occupied, few, replace=False))
        inside &= (ranks >= low) & (ranks <= low + width)
        rows = np.flatnonzero(inside)
        if len(rows) >= wanted:
            return np.sort(rng.choice(rows, wanted, replace=False))
