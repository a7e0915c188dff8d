"""How much of the loss coverage and depth explain."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ila_core.studies.regression import explained, folds, of_entries, r_squared, regress


def drawn_inputs(k=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.05, 1, k), rng.uniform(0.2, 0.8, k), rng


def rows_of(coverage, depth, **losses):
    columns = {"coverage": coverage, "mean_relative_depth": depth, **losses}
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(depth))]


def test_a_linear_loss_is_explained_wholly():
    coverage, depth, _ = drawn_inputs()
    fit = regress(coverage, depth, 3.0 - 0.4 * np.log(coverage) + 0.7 * depth, 0)
    assert fit.r2_cv == pytest.approx(1) and fit.r2_in_sample == pytest.approx(1)
    assert fit.coefficients == pytest.approx((3.0, -0.4, 0.7))
    assert fit.r2_cv_low == pytest.approx(1) and fit.r2_cv_high == pytest.approx(1)


def test_noise_is_not_explained():
    coverage, depth, rng = drawn_inputs(400)
    fit = regress(coverage, depth, rng.normal(size=400), 0)
    assert abs(fit.r2_in_sample) < 0.05 and -0.1 < fit.r2_cv < 0.05


def test_half_explained_with_an_interval_that_brackets():
    coverage, depth, rng = drawn_inputs(400)
    signal = -0.4 * np.log(coverage) + 0.7 * depth
    loss = signal + rng.normal(scale=signal.std(), size=400)
    fit = regress(coverage, depth, loss, 0)
    assert fit.r2_cv_low < 0.5 < fit.r2_cv_high
    assert fit.r2_cv_low < fit.r2_cv < fit.r2_in_sample < fit.r2_cv_high
    assert fit.r2_cv_high - fit.r2_cv_low < 0.25


def test_cross_validation_is_the_obvious_loop():
    coverage, depth, rng = drawn_inputs(33)
    loss = rng.normal(size=33) - np.log(coverage)
    fold = folds(33, 5)
    predicted = np.empty(33)
    for row in range(33):
        rest = [r for r in range(33) if fold[r] != fold[row]]
        inputs = np.array([[1, math.log(coverage[r]), depth[r]] for r in rest])
        a, b, c = np.linalg.solve(inputs.T @ inputs, inputs.T @ loss[rest])
        predicted[row] = a + b * math.log(coverage[row]) + c * depth[row]
    fit = regress(coverage, depth, loss, 5)
    assert fit.r2_cv == pytest.approx(r_squared(loss, predicted))
    for row in range(33):
        rest = [r for r in range(33) if fold[r] != fold[row]]
        slope, start = np.polyfit(np.log(coverage[rest]), loss[rest], 1)
        predicted[row] = start + slope * math.log(coverage[row])
    assert fit.r2_cv_coverage == pytest.approx(r_squared(loss, predicted)) != fit.r2_cv
    assert regress(coverage, depth, loss, 5) == fit


def test_ten_folds_are_as_large_as_each_other_and_follow_the_seed():
    assert np.bincount(folds(33, 0)).tolist() == [4] * 3 + [3] * 7
    assert folds(33, 0).tolist() == folds(33, 0).tolist() != folds(33, 1).tolist()


def test_r_squared_by_hand():
    assert r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])) == pytest.approx(0.5)
    assert r_squared(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-3)


def test_of_equal_losses_nothing_is_explained():
    """Their mean may miss them by a rounding error, which would be explained in their place."""
    equal = np.full(12, 0.1)
    assert math.isnan(r_squared(equal, equal + 1e-9))
    coverage, depth, _ = drawn_inputs(12)
    assert regress(coverage, depth, equal, 0) is None


def test_a_constant_loss_is_null_in_json_and_the_other_is_explained():
    coverage, depth, rng = drawn_inputs(20)
    rows = rows_of(coverage, depth, micro=np.full(20, 2.5), macro=rng.normal(size=20))
    text = json.dumps(explained(rows, 0), allow_nan=False)
    entries = json.loads(text)
    assert of_entries(entries, "micro") is None
    assert [entries[f"r2_micro_{name}"] for name in ("cv", "cv_low", "in_sample")] == [None] * 3
    assert entries["coefficients_micro"] is None
    assert of_entries(entries, "macro") == regress(
        coverage, depth, np.array([row["macro"] for row in rows]), 0
    )


def test_too_few_subsets_have_no_regression():
    coverage, depth, rng = drawn_inputs(9)
    assert explained(rows_of(coverage, depth, micro=rng.normal(size=9)), 0) == {}
    assert explained([], 0) == {}


def test_what_an_older_study_did_not_measure_is_none():
    coverage, depth, rng = drawn_inputs(20)
    rows = rows_of(coverage, depth, micro=rng.normal(size=20), macro=rng.normal(size=20))
    entries = explained(rows, 0)
    del entries["r2_micro_cv_coverage"]
    assert of_entries(entries, "micro").r2_cv_coverage is None
    assert of_entries(entries, "micro").r2_cv == entries["r2_micro_cv"]
