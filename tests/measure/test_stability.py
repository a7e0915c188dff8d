"""What survives another place of grid or map."""

from __future__ import annotations

from picking import by_hand as chosen
from picking import ila
from pools import pool_of

from ila_core.measure.stability import stability
from ila_core.methods.select import select

KEYS = {
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


def test_stability_by_hand():
    pool = pool_of(200)
    selection = ila(pool, 40)
    shifted = ila(pool, 40, offset=0.5)
    share = len(set(selection.rows) & set(shifted.rows)) / 40
    assert stability(selection, offsets=[0.5]) == {"offset": share}
    assert 0 < share < 1
    assert stability(selection, offsets=[0.0], places=[pool.xy, pool.xy * 2]) == {
        "offset": 1.0,
        "projection": 1.0,
    }


def test_stability_of_a_method_that_does_not_read_the_map():
    pool = pool_of(20)
    assert stability(chosen(pool, [1, 2])) == {}
    assert stability(select(pool, budget=2, method="random")) == {}
