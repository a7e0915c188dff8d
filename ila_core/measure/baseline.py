"""What chance reaches: the one number that every screen shows beside a selection's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np

from ila_core.landscape.landscape import Landscape
from ila_core.measure.curve import Curve, growth, round_budgets
from ila_core.measure.describe import REFERENCE, Numbers, describe
from ila_core.methods.registry import find
from ila_core.methods.select import select_by
from ila_core.methods.simple import shuffled
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec
from ila_core.twos import by_two

CHANCE = "random"
"""The method that everything is held against."""


@dataclass(frozen=True)
class Baseline:
    """Mean and standard deviation of the numbers of random selections."""

    mean: Numbers
    std: Numbers
    seeds: int


def draws(landscape: Landscape, spec: Spec) -> list[Selection]:
    """Return random selections at the budget, pins and exclusions of a spec, of several seeds.

    A budget of tokens is one of tokens here too: chance gets as many as the selection may use.
    """
    method = find(CHANCE)
    asked = method.applied(spec)
    each = [replace(asked, seed=seed) for seed in range(asked.seed, asked.seed + method.draws)]
    return by_two(partial(select_by, landscape), each)  # each shuffles the whole pool


def shuffle_ahead(landscape: Landscape, seed: int) -> None:
    """Shuffle the pool ahead, as `draws` does it: the rows are kept while they are recent."""
    for one in range(seed, seed + find(CHANCE).draws):
        shuffled(len(landscape), one)


def baseline(landscape: Landscape, spec: Spec, *, reference: int = REFERENCE) -> Baseline:
    """Describe random selections at the spec's budget, without distances in the embedding space.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> round(baseline(pool, Spec(budget="1")).mean.coverage, 3)
    0.333
    """
    drawn = [
        describe(chosen, reference=reference, distances=False) for chosen in draws(landscape, spec)
    ]
    return Baseline(_over(drawn, np.mean), _over(drawn, _deviation), len(drawn))


def random_curve(landscape: Landscape, spec: Spec, points: int = 20) -> Curve:
    """Return how the mean of random selections grows from a few records to all that may be chosen.

    Budget, knobs and quotas of the spec do not matter; its pins, exclusions and rules do.
    """
    most = max(1, len(landscape) - len(Locks.asked(landscape, spec).excluded))
    whole = replace(spec, budget=str(most), quotas=())
    marks = [mark for mark in round_budgets(most, points) if mark >= len(set(spec.pinned))]
    curves = [growth(landscape, one.rows).at(marks) for one in draws(landscape, whole)]
    mean = {
        name: np.mean([getattr(one, name) for one in curves], axis=0)
        for name in ("tokens", "coverage", "fidelity")
    }
    return Curve(curves[0].records, **mean, reference_grid=curves[0].reference_grid)


def _over(drawn: Sequence[Numbers], function: Callable[..., Any]) -> Numbers:
    """Return Numbers in which every measured one is a function of those drawn."""
    values = {}
    for field in fields(Numbers):
        each = [getattr(numbers, field.name) for numbers in drawn]
        if isinstance(each[0], np.ndarray):
            values[field.name] = function(each, axis=0)
        elif isinstance(each[0], float):
            values[field.name] = float(function(each))
    return replace(drawn[0], **values)


def _deviation(values: Sequence[Any], axis: int | None = None) -> Any:
    return np.std(values, axis=axis, ddof=1) if len(values) > 1 else np.zeros_like(values[0])
