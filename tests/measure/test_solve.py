"""The fewest records for a coverage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from picking import ila
from pools import pool_of

from ila_core.errors import UsageError
from ila_core.measure import describe as metrics
from ila_core.measure.solve import most_coverage, solve
from ila_core.methods.select import select_by
from ila_core.selection.spec import Spec

KEYS = {
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


def covered(selection):
    return metrics.grid_numbers(selection.landscape, selection.rows)[0]


def test_solve_gives_the_fewest_records_for_a_coverage():
    pool = pool_of(300)
    few = solve(pool, Spec("nested"), 0.6)
    assert covered(few) >= 0.6 > covered(few.first(len(few) - 1))
    by_grid = solve(pool, Spec("ila"), 0.6)
    assert by_grid.spec.method == "ila" and covered(by_grid) >= 0.6
    assert covered(ila(pool, len(by_grid) - 1)) < 0.6


def test_solve_respects_locks():
    found = solve(pool_of(200), Spec("nested", pinned=(3,), excluded=(5,)), 0.5)
    assert found.rows[0] == 3 and not found.mask[5]


def test_solve_for_what_cannot_be_meant():
    pool = pool_of(100)
    with pytest.raises(UsageError, match=r"Coverage 1\.5"):
        solve(pool, Spec(), 1.5)
    with pytest.raises(UsageError, match=r"Coverage 95\.0% cannot be reached: .* cover \d"):
        solve(pool, Spec(excluded=tuple(range(50))), 0.95)


@pytest.mark.parametrize("budget", ["20", "900-tokens"])
def test_what_covers_most_is_the_best_of_all_that_could_be_asked_for(budget):
    pool = pool_of(300)
    asked = Spec(budget=budget, depth_target=1.0, excluded=(5,))
    best = most_coverage(pool, asked)
    assert best.spec.budget == budget and best.spec.excluded == (5,)
    assert best.coverage == covered(select_by(pool, best.spec))
    for patches in ("even", "grid"):
        for target in (1.0, 0.5):
            for method in ("ila", "nested"):
                other = replace(asked, method=method, patches=patches, depth_target=target)
                assert covered(select_by(pool, other)) <= best.coverage


def test_what_covers_most_may_be_what_is_asked_for_already():
    by_hand = Spec(budget="40", patches="grid", resolution=9)
    pool = pool_of(40)  # all of it
    assert most_coverage(pool, by_hand).spec == by_hand
    with pytest.raises(UsageError, match="less than the first record takes"):
        most_coverage(pool, Spec(budget="1-tokens"))
