"""How much of the loss coverage, reach and depth explain."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ila_core.studies.regression import (
    SHARES,
    Regression,
    columns_of,
    explained,
    fitted,
    folds,
    of_entries,
    r_squared,
    sets_of,
    worth_of_each,
)

BOTH = ("coverage", "loss")


def drawn_inputs(k=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.05, 1, k), rng.uniform(0.2, 0.8, k), rng


def fit_of(coverage, depth, loss, seed):
    """The fit of the two variables, and that of coverage alone."""
    columns = {"coverage": np.log(coverage), "loss": depth}
    return fitted(columns, BOTH, loss, seed), fitted(columns, BOTH[:1], loss, seed)


def rows_of(coverage, depth, **columns):
    """Subsets as regression.parquet has them; other columns as they are."""
    columns = {"coverage": coverage, "mean_relative_depth_loss": depth, **columns}
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(depth))]


def of_two_kinds(k=40, seed=0):
    """Subsets of a pool with both kinds of depth; micro follows reduction, macro chance."""
    coverage, reduction, rng = drawn_inputs(k, seed)
    return rows_of(
        coverage, rng.uniform(0.2, 0.8, k), reach=rng.uniform(0.1, 1, k),
        mean_relative_depth_loss_reduction=reduction, macro=rng.normal(size=k),
        micro=3 - 0.4 * np.log(coverage) + 0.7 * reduction + 0.05 * rng.normal(size=k),
    )  # fmt: skip


# -- a fit ----------------------------------------------------------------------------------------


def test_a_linear_loss_is_explained_wholly():
    coverage, depth, _ = drawn_inputs()
    fit, _ = fit_of(coverage, depth, 3.0 - 0.4 * np.log(coverage) + 0.7 * depth, 0)
    assert fit.r2_cv == pytest.approx(1) and fit.r2_in_sample == pytest.approx(1)
    assert fit.coefficients == pytest.approx((3.0, -0.4, 0.7))
    assert fit.interval == pytest.approx((1, 1))


def test_noise_is_not_explained():
    coverage, depth, rng = drawn_inputs(400)
    fit, _ = fit_of(coverage, depth, rng.normal(size=400), 0)
    assert abs(fit.r2_in_sample) < 0.05 and -0.1 < fit.r2_cv < 0.05


def test_half_explained_with_an_interval_that_brackets():
    coverage, depth, rng = drawn_inputs(400)
    signal = -0.4 * np.log(coverage) + 0.7 * depth
    fit, _ = fit_of(coverage, depth, signal + rng.normal(scale=signal.std(), size=400), 0)
    low, high = fit.interval
    assert low < 0.5 < high and low < fit.r2_cv < fit.r2_in_sample < high
    assert high - low < 0.25


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
    fit, alone = fit_of(coverage, depth, loss, 5)
    assert fit.r2_cv == pytest.approx(r_squared(loss, predicted))
    assert fit.predicted == pytest.approx(predicted)
    for row in range(33):
        rest = [r for r in range(33) if fold[r] != fold[row]]
        slope, start = np.polyfit(np.log(coverage[rest]), loss[rest], 1)
        predicted[row] = start + slope * math.log(coverage[row])
    assert alone.r2_cv == pytest.approx(r_squared(loss, predicted)) != fit.r2_cv


def test_no_variable_leaves_the_mean_of_the_other_folds():
    _, _, rng = drawn_inputs(20)
    loss, fold = rng.normal(size=20), folds(20, 0)
    fit = fitted({}, (), loss, 0)
    assert fit.predicted == pytest.approx([loss[fold != fold[row]].mean() for row in range(20)])
    assert fit.coefficients == pytest.approx((loss.mean(),)) and fit.r2_cv < 0


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
    coverage, depth, rng = drawn_inputs(12)
    entries = explained(rows_of(coverage, depth, micro=equal, macro=rng.normal(size=12)), 0)
    assert of_entries(entries, "micro") is None and of_entries(entries, "macro") is not None


# -- what is tried --------------------------------------------------------------------------------


def test_every_variable_is_tried_alone_and_every_place_with_every_depth():
    assert sets_of(["coverage", "reach", "loss-reduction", "loss"]) == [
        ("coverage",), ("reach",), ("loss-reduction",), ("loss",),
        ("coverage", "loss-reduction"), ("coverage", "loss"),
        ("reach", "loss-reduction"), ("reach", "loss"),
    ]  # fmt: skip


def test_places_are_regressed_on_by_their_logarithm_and_depths_as_they_are():
    rows = of_two_kinds(10)
    columns = columns_of(rows)
    assert list(columns) == ["coverage", "reach", "loss-reduction", "loss"]
    assert columns["reach"].tolist() == [math.log(row["reach"]) for row in rows]
    assert columns["loss"].tolist() == [row["mean_relative_depth_loss"] for row in rows]


def test_a_depth_that_one_subset_lacks_is_not_tried():
    rows = of_two_kinds(10)
    rows[3]["mean_relative_depth_loss_reduction"] = None
    assert list(columns_of(rows)) == ["coverage", "reach", "loss"]
    assert explained(rows, 0)["depth"] == "loss"


def test_subsets_of_an_older_study_have_one_depth():
    rows = [{"coverage": 0.5, "mean_relative_depth": 0.25}] * 10
    columns = columns_of(rows)
    assert list(columns) == ["coverage", "loss"] and set(columns["loss"]) == {0.25}


# -- as study.json has it -------------------------------------------------------------------------


def test_the_first_regression_is_that_of_coverage_and_the_depth_read_unasked():
    rows = of_two_kinds()
    entries, columns = explained(rows, 3), columns_of(rows)
    assert (entries["subsets"], entries["grid"], entries["depth"]) == (40, 128, "loss-reduction")
    for which in ("micro", "macro"):
        loss = np.array([row[which] for row in rows])
        fit = fitted(columns, ("coverage", "loss-reduction"), loss, 3)
        alone = fitted(columns, ("coverage",), loss, 3)
        assert of_entries(entries, which) == Regression(
            fit.r2_cv, *fit.interval, alone.r2_cv, fit.r2_in_sample, fit.coefficients
        )
    assert entries == explained(rows, 3)


def test_every_set_has_its_shares_and_every_pair_what_each_adds():
    rows = of_two_kinds()
    entries, columns = json.loads(json.dumps(explained(rows, 3), allow_nan=False)), columns_of(rows)
    assert [tuple(entry["variables"]) for entry in entries["models"]] == sets_of(columns)
    share = {tuple(entry.pop("variables")): entry for entry in entries["models"]}
    loss = np.array([row["micro"] for row in rows])
    for variables, entry in share.items():
        assert len(entry) == 2 * len(SHARES)
        fit = fitted(columns, variables, loss, 3)
        assert entry["r2_micro_cv"] == fit.r2_cv
        assert (entry["r2_micro_cv_low"], entry["r2_micro_cv_high"]) == fit.interval
        assert entry["r2_micro_in_sample"] == fit.r2_in_sample >= fit.r2_cv
    assert len(entries["adds"]) == 8
    for entry in entries["adds"]:
        pair = sorted((entry["variable"], entry["to"]), key=list(columns).index)
        for which in ("micro", "macro"):
            key = f"r2_{which}_cv"
            gained = share[tuple(pair)][key] - share[(entry["to"],)][key]
            assert entry[which] == pytest.approx(gained)
            assert entry[f"{which}_low"] <= entry[f"{which}_high"]


def test_what_is_added_has_an_interval_of_the_same_draws():
    """Apart, the two shares vary together: their difference is known better than either."""
    entries = explained(of_two_kinds(), 0)
    added = {(entry["variable"], entry["to"]): entry for entry in entries["adds"]}
    learnt, noise = added["loss-reduction", "coverage"], added["loss", "coverage"]
    assert 0 < learnt["micro_low"] < learnt["micro"] < learnt["micro_high"]
    assert noise["micro_low"] < 0.02 and abs(noise["micro"]) < 0.1
    both = next(e for e in entries["models"] if e["variables"] == ["coverage", "loss"])
    apart = both["r2_micro_cv_high"] - both["r2_micro_cv_low"]
    assert noise["micro_high"] - noise["micro_low"] < apart / 2


def test_a_constant_loss_is_null_in_json_and_the_other_is_explained():
    coverage, depth, rng = drawn_inputs(20)
    rows = rows_of(coverage, depth, micro=np.full(20, 2.5), macro=rng.normal(size=20))
    entries = json.loads(json.dumps(explained(rows, 0), allow_nan=False))
    assert of_entries(entries, "micro") is None and entries["coefficients_micro"] is None
    assert [entries[f"r2_micro_{name}"] for name in ("cv", "cv_low", "in_sample")] == [None] * 3
    assert {entry["r2_micro_cv"] for entry in entries["models"]} == {None}
    assert {entry["micro"] for entry in entries["adds"]} == {None}
    assert of_entries(entries, "macro").r2_cv == entries["r2_macro_cv"]
    assert "micro" not in worth_of_each(entries)[0] and "macro" in worth_of_each(entries)[0]


def test_too_few_subsets_have_no_regression():
    coverage, depth, rng = drawn_inputs(9)
    assert explained(rows_of(coverage, depth, micro=rng.normal(size=9)), 0) == {}
    assert explained([], 0) == {} and worth_of_each({}) == []


def test_what_an_older_study_did_not_measure_is_none():
    coverage, depth, rng = drawn_inputs(20)
    rows = rows_of(coverage, depth, micro=rng.normal(size=20), macro=rng.normal(size=20))
    entries = explained(rows, 0)
    for name in ("r2_micro_cv_coverage", "models", "adds", "depth"):
        del entries[name]
    assert of_entries(entries, "micro").r2_cv_coverage is None
    assert of_entries(entries, "micro").r2_cv == entries["r2_micro_cv"]
    assert worth_of_each(entries) == []


def test_in_words_every_set_and_every_addition_has_a_line():
    entries = explained(of_two_kinds(), 0)
    lines = worth_of_each(entries)
    assert len(lines) == 1 + 8 + 8
    first = entries["models"][0]
    assert lines[1].split()[:2] == ["coverage", f"{first['r2_micro_cv']:.2f}"]
    assert any(line.strip().startswith("loss-reduction adds to coverage") for line in lines)
