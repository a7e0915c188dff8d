"""How much of the loss coverage and depth explain, over subsets that no method has selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ila_core.studies.plan import REGRESSION_GRID
from ila_core.studies.settings import FOLDS

BOOTSTRAPS = 2_000


@dataclass(frozen=True)
class Regression:
    """Dev loss on (log coverage, mean relative depth): how much of its variance they explain.

    The share is given in sample, and from 10-fold cross-validation with the 2.5 and 97.5
    percentiles of a bootstrap over the subsets; r2_cv_coverage is what log coverage explains
    without depth. coefficients: intercept, log coverage, depth.
    """

    r2_cv: float
    r2_cv_low: float
    r2_cv_high: float
    r2_cv_coverage: float
    r2_in_sample: float
    coefficients: tuple[float, float, float]


def regress(coverage: np.ndarray, depth: np.ndarray, loss: np.ndarray, seed: int) -> Regression:
    """Fit loss = a + b log(coverage) + c depth by least squares over subsets, shape (k,) each."""
    inputs = _inputs(coverage, depth)
    predicted = out_of_fold(coverage, depth, loss, seed)
    coefficients = _least_squares(inputs, loss)
    rng = np.random.default_rng([seed, 1])
    again = rng.integers(len(loss), size=(BOOTSTRAPS, len(loss)))
    spread = np.array([r_squared(loss[rows], predicted[rows]) for rows in again])
    low, high = np.nanpercentile(spread, [2.5, 97.5])
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


def _out_of_fold(inputs: np.ndarray, loss: np.ndarray, seed: int) -> np.ndarray:
    fold = np.random.default_rng(seed).permutation(len(loss)) % FOLDS
    predicted = np.empty(len(loss))
    for held in np.unique(fold):
        known = fold != held
        predicted[~known] = inputs[~known] @ _least_squares(inputs[known], loss[known])
    return predicted


def r_squared(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Return 1 - (squared error) / (variance); below 0 where the mean would predict better.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    around = float(((actual - actual.mean()) ** 2).sum())
    return 1 - float(((actual - predicted) ** 2).sum()) / around if around else float("nan")


def _inputs(coverage: np.ndarray, depth: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(depth)), np.log(coverage), depth])


def _least_squares(inputs: np.ndarray, output: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(inputs, output, rcond=None)[0]


def regression(subsets: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """Return the regressions of macro and micro loss as study.json has them."""
    coverage, depth = (
        np.array([row[name] for row in subsets]) for name in ("coverage", "mean_relative_depth")
    )
    found: dict[str, Any] = {"subsets": len(subsets), "grid": REGRESSION_GRID}
    for which in ("macro", "micro"):
        fit = regress(coverage, depth, np.array([row[which] for row in subsets]), seed)
        found |= {
            f"r2_{which}_cv": fit.r2_cv,
            f"r2_{which}_cv_low": fit.r2_cv_low,
            f"r2_{which}_cv_high": fit.r2_cv_high,
            f"r2_{which}_cv_coverage": fit.r2_cv_coverage,
            f"r2_{which}_in_sample": fit.r2_in_sample,
            f"coefficients_{which}": list(fit.coefficients),
        }
    return found
