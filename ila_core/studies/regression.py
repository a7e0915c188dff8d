"""How much of the loss coverage and depth explain, over subsets that no method has selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

import numpy as np

from ila_core.chance import stream
from ila_core.studies.lessons import REGRESSION_GRID
from ila_core.studies.settings import FOLDS
from ila_core.studies.variant import Loss

BOOTSTRAPS = 2_000


@dataclass(frozen=True)
class Regression:
    """Dev loss on (log coverage, mean relative depth): how much of its variance they explain.

    The share is given in sample, and from 10-fold cross-validation with the 2.5 and 97.5
    percentiles of a bootstrap over the subsets; r2_cv_coverage is what log coverage explains
    without depth, None in studies made before it was measured. coefficients: intercept, log
    coverage, depth.
    """

    r2_cv: float
    r2_cv_low: float
    r2_cv_high: float
    r2_cv_coverage: float | None
    r2_in_sample: float
    coefficients: tuple[float, float, float]


NUMBERS = tuple(field.name for field in fields(Regression))


def regress(
    coverage: np.ndarray, depth: np.ndarray, loss: np.ndarray, seed: int
) -> Regression | None:
    """Fit loss = a + b log(coverage) + c depth by least squares over subsets, shape (k,) each.

    None where the loss is the same for all: there is nothing to explain.
    """
    if np.ptp(loss) == 0:
        return None
    inputs = _inputs(coverage, depth)
    predicted = out_of_fold(coverage, depth, loss, seed)
    coefficients = _least_squares(inputs, loss)
    drawn = stream(seed, "bootstrap").integers(len(loss), size=(BOOTSTRAPS, len(loss)))
    shares = np.array([r_squared(loss[rows], predicted[rows]) for rows in drawn])
    low, high = np.nanpercentile(shares, [2.5, 97.5])
    return Regression(
        r2_cv=r_squared(loss, predicted),
        r2_cv_low=float(low),
        r2_cv_high=float(high),
        r2_cv_coverage=r_squared(loss, _out_of_fold(inputs[:, :2], loss, seed)),
        r2_in_sample=r_squared(loss, inputs @ coefficients),
        coefficients=tuple(float(value) for value in coefficients),  # type: ignore[arg-type]
    )


def out_of_fold(coverage: np.ndarray, depth: np.ndarray, loss: np.ndarray, seed: int) -> np.ndarray:
    """Return what the regression over the nine other folds predicts for each subset, (k,)."""
    return _out_of_fold(_inputs(coverage, depth), loss, seed)


def folds(subsets: int, seed: int) -> np.ndarray:
    """Return the fold of each subset, (k,), from 0: ten of them, as large as each other."""
    return stream(seed, "regression folds").permutation(subsets) % FOLDS


def _out_of_fold(inputs: np.ndarray, loss: np.ndarray, seed: int) -> np.ndarray:
    fold = folds(len(loss), seed)
    predicted = np.empty(len(loss))
    for held in np.unique(fold):
        known = fold != held
        predicted[~known] = inputs[~known] @ _least_squares(inputs[known], loss[known])
    return predicted


def r_squared(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Return 1 - (squared error) / (variance); below 0 where the mean would predict better.

    NaN where all are the same.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    if np.ptp(actual) == 0:
        return float("nan")
    around = float(((actual - actual.mean()) ** 2).sum())
    return 1 - float(((actual - predicted) ** 2).sum()) / around


def _inputs(coverage: np.ndarray, depth: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(depth)), np.log(coverage), depth])


def _least_squares(inputs: np.ndarray, output: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(inputs, output, rcond=None)[0]


# -- as study.json has it -------------------------------------------------------------------------


def explained(subsets: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """Return the regressions of macro and micro loss by name; empty for too few subsets.

    A loss that is the same for all subsets has None in the place of every number.
    """
    if len(subsets) < FOLDS:
        return {}
    coverage, depth = (
        np.array([row[name] for row in subsets]) for name in ("coverage", "mean_relative_depth")
    )
    entries: dict[str, Any] = {"subsets": len(subsets), "grid": REGRESSION_GRID}
    for which in reversed(get_args(Loss)):
        fit = regress(coverage, depth, np.array([row[which] for row in subsets]), seed)
        numbers = dict.fromkeys(NUMBERS) if fit is None else asdict(fit)
        entries |= {_entry(name, which): _listed(value) for name, value in numbers.items()}
    return entries


def of_entries(entries: Mapping[str, Any], which: Loss) -> Regression | None:
    """Return the regression of one loss from what `explained` wrote, None where there is none."""
    numbers: dict[str, Any] = {name: entries.get(_entry(name, which)) for name in NUMBERS}
    if numbers["r2_cv"] is None:
        return None
    return Regression(**numbers | {"coefficients": tuple(numbers["coefficients"])})


def _listed(value: Any) -> Any:
    """Return a number or numbers as JSON reads them back."""
    return list(value) if isinstance(value, tuple) else value


def _entry(name: str, which: Loss) -> str:
    """Return the name of a number in study.json.

    >>> _entry("r2_cv_low", "macro"), _entry("coefficients", "micro")
    ('r2_macro_cv_low', 'coefficients_micro')
    """
    head, _, tail = name.partition("_")
    return f"{head}_{which}_{tail}" if tail else f"{head}_{which}"
