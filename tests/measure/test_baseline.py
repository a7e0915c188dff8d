"""What chance reaches, at the same budget and locks."""

from __future__ import annotations

import numpy as np
import pytest
from picking import by_hand as chosen
from pools import pool_of

from ila_core.measure import describe as metrics
from ila_core.measure.baseline import baseline, random_curve, shuffle_ahead
from ila_core.methods.select import select
from ila_core.methods.simple import shuffled
from ila_core.selection.spec import Spec

KEYS = {
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


def test_the_baseline_is_the_mean_of_random_at_the_same_budget_and_locks():
    pool = pool_of(400)
    spec = Spec("ila", budget="40", pinned=(3,), excluded=(5, 6), seed=2)
    base = baseline(pool, spec)
    drawn = [
        select(pool, budget=40, method="random", seed=s, pin=[3], exclude=[5, 6])
        for s in range(2, 7)
    ]
    reached = [metrics.describe(one, distances=False).coverage for one in drawn]
    assert base.seeds == 5 and base.mean.rows == 40
    assert base.mean.coverage == pytest.approx(np.mean(reached))
    assert base.std.coverage == pytest.approx(np.std(reached, ddof=1))
    assert base.mean.domain_share.sum() == pytest.approx(1)


def test_what_is_shuffled_ahead_is_not_shuffled_again():
    pool = pool_of(457)  # a number of records of no other test: what is shuffled goes by it
    shuffle_ahead(pool, 3)
    before = shuffled.cache_info()
    assert baseline(pool, Spec("ila", budget="40", seed=3)).seeds == 5
    assert shuffled.cache_info().misses == before.misses


def test_the_baseline_of_a_token_budget_is_random_of_as_many_tokens():
    pool = pool_of(400)
    mean = baseline(pool, Spec("longest", budget="2000-tokens")).mean
    assert 1900 < mean.tokens <= 2000
    longest = select(pool, budget="2000-tokens", method="longest")
    assert mean.rows > 1.5 * len(longest)  # not as many records as the longest responses make


def test_random_grows_as_the_mean_of_its_draws_and_leaves_out_what_is_excluded():
    pool = pool_of(300)
    line = random_curve(pool, Spec(excluded=tuple(range(100))))
    assert line.records[-1] == 200
    everything = metrics.describe(chosen(pool, np.arange(100, 300)), distances=False)
    assert line.coverage[-1] == pytest.approx(everything.coverage)
    k = int(np.searchsorted(line.records, 50))
    size = str(line.records[k])
    mean = baseline(pool, Spec(budget=size, excluded=tuple(range(100)))).mean
    assert line.coverage[k] == pytest.approx(mean.coverage)
