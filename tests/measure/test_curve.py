"""Numbers against the budget equal those of single selections."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from picking import by_hand as chosen
from picking import nested
from pools import pool_of

from ila_core.measure import describe as metrics
from ila_core.measure.curve import curve, growth
from ila_core.methods.select import select_by
from ila_core.selection.spec import Spec

KEYS = {
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


def test_growth_equals_every_prefix():
    pool = pool_of(120)
    rows = nested(pool, 120).rows
    found = growth(pool, rows, 16)
    for k in (1, 2, 17, 119, 120):
        covered, kept = metrics.grid_numbers(pool, rows[:k], 16)
        assert found.coverage[k - 1] == covered
        assert found.fidelity[k - 1] == pytest.approx(kept)
        assert found.tokens[k - 1] == chosen(pool, rows[:k]).tokens


@pytest.mark.parametrize("method", ["ila", "nested", "random"])
def test_curve_equals_single_selections(method):
    pool = pool_of(200)
    spec = Spec(method, depth_target=0.5, pinned=(3,), excluded=(7,))
    line = curve(pool, spec, [5, 50, 500])
    assert line.records.tolist() == [5, 50, 199]
    for k, budget in enumerate(["5", "50", "500"]):
        one = metrics.describe(select_by(pool, replace(spec, budget=budget)))
        assert line.coverage[k] == one.coverage
        assert line.fidelity[k] == pytest.approx(one.fidelity)
        assert line.tokens[k] == one.tokens


def test_curve_chooses_about_twenty_budgets():
    line = curve(pool_of(5000), Spec("nested"))
    assert 15 <= len(line) <= 20
    assert (line.records[0], line.records[-1]) == (5, 5000)
    assert line.coverage[-1] == 1.0 and (np.diff(line.coverage) >= 0).all()
