"""The students that a study trains, and what has to be there for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.files import key_of
from ila_core.landscape.kinds import AUTO
from ila_core.landscape.landscape import Landscape
from ila_core.methods.needs import check_needs
from ila_core.methods.registry import find
from ila_core.selection.spec import Spec
from ila_core.studies.settings import DEPTHS, SUBJECT, StudySettings
from ila_core.studies.variant import Unit, Variant

EDITION = 4
"""Changes whenever students would come out otherwise; those of another edition are trained anew."""
DEV_SHARE, DEV_LEAST, DEV_MOST = 0.04, 200, 3_000
SUBSET_SHARE = 0.04


class Split(NamedTuple):
    """Row numbers of the pool: what students may be trained on, and what they are judged by."""

    train: np.ndarray
    dev: np.ndarray


@dataclass(frozen=True)
class CurveJob:
    """A student to train on a selection of the split that the spec's seed makes."""

    spec: Spec
    """Its budget is as it was given; `unit` says what of it is equal for all methods."""
    unit: Unit
    records: int
    """About how many records it will be trained on."""

    @property
    def seed(self) -> int:
        return self.spec.seed

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return f"{self.spec.method} at {self.spec.budget} and equal {self.unit}"

    @property
    def about(self) -> dict[str, Any]:
        """What tells it from the others, as its row in study.json has it."""
        return self.row(AUTO)

    def row(self, kind: str) -> dict[str, Any]:
        """Return `about`, where the depth that is read unasked is of this kind."""
        place = {"budget": self.spec.budget, "unit": self.unit}
        return {**Variant(self.spec).as_row(kind), **place, "seed": self.seed}

    @property
    def key(self) -> str:
        return key_of({"edition": EDITION, "kind": "curve", **self.about})


@dataclass(frozen=True)
class SubsetJob:
    """A student to train on a subset that no method has selected: one point of the regression."""

    subset: int
    """Its number, from 0."""
    seed: int
    records: int

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return f"subset {self.subset}"

    @property
    def about(self) -> dict[str, Any]:
        """What tells it from the others, as its row in regression.parquet has it."""
        return {"subset": self.subset, "seed": self.seed}

    @property
    def key(self) -> str:
        return key_of({"edition": EDITION, "kind": "regression", **self.about})


@dataclass(frozen=True)
class UntrainedJob:
    """A student as it is before it learns: what a pre-trained one knows already."""

    seed: int
    records: int = 0

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return f"seed {self.seed} untrained"

    @property
    def about(self) -> dict[str, Any]:
        """What tells it from the others, as its row in study.json has it."""
        return {"seed": self.seed}

    @property
    def key(self) -> str:
        return key_of({"edition": EDITION, "kind": "untrained", **self.about})


Job = CurveJob | SubsetJob | UntrainedJob


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
    held_out = np.zeros(len(landscape), dtype=bool)
    held_out[stream(seed, "dev split").permutation(answered)[:size]] = True
    return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out))


def plan(landscape: Landscape, settings: StudySettings) -> list[Job]:
    """Return the students of a study in the order in which they are trained, seed by seed.

    Nothing is selected yet: a plan costs little, however large the pool. IlaError for what would
    fail when its turn comes: a method that lacks an input, a regression without depths.
    """
    _check(landscape, settings)
    jobs: list[Job] = []
    for seed in _seeds(settings):
        if settings.student == "lm":
            jobs.append(UntrainedJob(seed))
        jobs += _curve_jobs(landscape, settings, seed)
        if seed == settings.seed:
            records = int(SUBSET_SHARE * len(landscape))
            jobs += [SubsetJob(number, seed, records) for number in range(settings.subsets)]
    return jobs


def fewest_scored(pool: Landscape) -> int:
    """Return how many records have a depth of the kind that the fewest have."""
    return min(pool.by(kind).scored for kind in pool.kinds or (pool.kind,))


def subset_size(scored: int) -> int:
    """Return how many records a subset of the regression has, of so many that have a depth.

    IlaError where they are too few.

    >>> subset_size(1_800)
    72
    """
    if scored * SUBSET_SHARE < 1:
        raise IlaError(
            f"The regression draws subsets by depth, and {scored} records of this pool have one; "
            "build it with a loss, or leave the regression out with --subsets 0."
        )
    return int(SUBSET_SHARE * scored)


def _seeds(settings: StudySettings) -> range:
    return range(settings.seed, settings.seed + settings.seeds)


def _check(landscape: Landscape, settings: StudySettings) -> None:
    """Raise what the first student of a kind would raise when its turn comes."""
    for method in settings.methods:
        check_needs(method, find(method).needs, landscape)
    without_vectors = replace(landscape, vectors=None)  # the one input that takes long to copy
    curves = variants(landscape, settings)
    for seed in _seeds(settings):
        pool = without_vectors.subset(split(landscape, seed).train, rerank=True)
        for method in settings.methods:
            needs = [name for name in find(method).needs if name != "vectors"]
            check_needs(method, needs, pool)
        for variant in curves:
            pool.by(variant.spec.depth)
        if settings.subsets and seed == settings.seed:
            subset_size(fewest_scored(pool))


def _curve_jobs(landscape: Landscape, settings: StudySettings, seed: int) -> Iterator[CurveJob]:
    for budget in settings.budgets:
        for unit in _units(budget, settings):
            for variant in variants(landscape, settings):
                spec = replace(variant.spec, budget=budget, seed=seed)
                yield CurveJob(spec, unit, spec.asked.records(landscape))


def variants(landscape: Landscape, settings: StudySettings) -> list[Variant]:
    """Return the curves of a study: every method, then ILA with one knob turned at a time.

    A kind of depth that the landscape has not is left out, unless it was asked for: UsageError.

    >>> pool = Landscape.from_arrays([[0, 0]] * 2, loss=[1, 2], loss_reduction=[0.5, 0.1])
    >>> print(*variants(pool, StudySettings(methods=["ila"])), sep=", ")
    ila, ila grid, ila loss, ila q=1, ila q=0.5
    """
    asked = [Spec(method) for method in settings.methods]
    if SUBJECT in settings.methods:
        if settings.depths != DEPTHS:
            for kind in settings.depths:
                landscape.by(kind)
        asked += [
            Spec(SUBJECT, **{knob: value})
            for knob, values in settings.tried.items()
            for value in values
            if knob != "depth" or (value in landscape.kinds and value != landscape.kind)
        ]
    return list(dict.fromkeys(map(Variant, asked)))


def _units(budget: str, settings: StudySettings) -> tuple[Unit, ...]:
    """Return what methods are compared at equal numbers of; a budget in tokens has one unit."""
    if Spec(budget=budget).asked.kind == "tokens":
        return ("tokens",)
    return tuple(unit for unit in get_args(Unit) if unit in settings.units)
