"""The numbers that describe a selection, worked out by hand and by the obvious lines."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import slow_reference as slow
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure import describe as metrics
from ila_core.selection.selection import Rule, Selection, select_ila, select_nested

NAN = float("nan")
KEYS = {
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


def pool_of(n, *, seed=0, dimensions=8, missing=0.1):
    rng = np.random.default_rng(seed)
    depth = rng.random(n).astype(np.float32)
    depth[rng.random(n) < missing] = NAN
    vectors = rng.normal(size=(n, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Landscape.from_arrays(
        rng.normal(size=(n, 2)),
        relative_depth=depth,
        depth=depth,
        tokens=rng.integers(1, 50, n),
        domain=rng.integers(0, 4, n),
        vectors=vectors,
    )


def chosen(pool, rows):
    return Selection.of_rows(pool, rows, Rule("hand", str(len(rows))))


# -- coverage and fidelity ------------------------------------------------------------------------


def test_coverage_and_fidelity_by_hand():
    # On a reference grid of 2, shifted by half a patch, 0 to 4 is cut at 1 and 3.
    pool = Landscape.from_arrays(
        [[0, 0], [0.9, 0], [1, 0], [4, 4], [3.5, 4]], relative_depth=[0.5, 0.75, 0.25, NAN, 1.0]
    )
    # occupied: {0, 1}, {2}, {3, 4}; the pool's best: 0.75 + 0.25 + 1.0 = 2
    assert metrics.grid_numbers(chosen(pool, [0, 2]), 2) == (2 / 3, 0.75 / 2)
    assert metrics.coverage(chosen(pool, [0, 1]), 2) == 1 / 3
    assert metrics.fidelity(chosen(pool, [0, 1]), 2) == 0.75 / 2
    assert metrics.fidelity(chosen(pool, [3]), 2) == 0.0
    assert metrics.coverage(chosen(pool, [3]), 2) == 1 / 3


def test_the_whole_pool_is_perfect_and_nothing_is_nothing():
    pool = pool_of(500)
    for resolution in metrics.GRIDS:
        assert metrics.grid_numbers(chosen(pool, range(500)), resolution) == (1.0, 1.0)
        assert metrics.grid_numbers(chosen(pool, []), resolution) == (0.0, 0.0)


def test_fidelity_without_any_depth_is_not_a_number():
    pool = Landscape.from_arrays([[0, 0], [1, 1]])
    assert math.isnan(metrics.fidelity(chosen(pool, [0])))
    assert metrics.coverage(chosen(pool, [0])) == 0.5


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0.1, 0.6, 0.9, NAN])),
        min_size=1,
        max_size=25,
    ),
    resolution=st.sampled_from([1, 2, 3, 8, 256]),
    data=st.data(),
)
def test_coverage_and_fidelity_equal_the_slow_reference(rows, resolution, data):
    xy, depth = [row[:2] for row in rows], [row[2] for row in rows]
    pool = Landscape.from_arrays(xy, relative_depth=depth)
    kept = data.draw(st.lists(st.sampled_from(range(len(rows))), min_size=1, unique=True))
    selection = chosen(pool, kept)
    assert metrics.coverage(selection, resolution) == slow.coverage(xy, kept, resolution)
    if not np.isnan(depth).all():
        exact = pool.relative_depth.astype(float).tolist()
        expected = slow.fidelity(xy, exact, kept, resolution)
        assert metrics.fidelity(selection, resolution) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 50), data=st.data())
def test_adding_a_row_never_lowers_coverage_or_fidelity(seed, data):
    pool = pool_of(30, seed=seed)
    order = data.draw(st.permutations(range(30)))
    found = [metrics.grid_numbers(chosen(pool, order[:k]), 16) for k in range(31)]
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(found))


# -- describe -------------------------------------------------------------------------------------


def test_describe_gives_the_keys_of_select_json():
    pool = pool_of(300)
    found = metrics.describe(select_ila(pool, "10%")).as_dict()
    assert set(found) == KEYS
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["method"], found["budget"], found["rows"]) == ("ila", "10%", 30)
    assert found["reference_grid"] == 256
    assert found["tokens"] == select_ila(pool, "10%").tokens


def test_describe_without_grid_depth_or_vectors():
    pool = Landscape.from_arrays([[0, 0], [1, 1]])
    found = metrics.describe(select_nested(pool, 1)).as_dict()
    for name in ("resolution", "occupied", "rounds", "fidelity", "mean_relative_depth",
                 "embedding_distance_mean", "embedding_distance_p95"):  # fmt: skip
        assert found[name] is None
    assert set(found) == KEYS and found["tokens"] == 0.0


def test_describe_nothing():
    found = metrics.describe(select_ila(pool_of(20), 3, exclude=range(20)))
    assert (found.rows, found.coverage, found.fidelity, found.tokens) == (0, 0.0, 0.0, 0.0)
    assert math.isnan(found.mean_relative_depth)
    assert found.embedding_distance_mean is None and found.domain_divergence == 0.0


def test_describe_leaves_out_what_is_not_asked_for():
    selection = select_ila(pool_of(100), 10)
    assert metrics.describe(selection, distances=False).embedding_distance_mean is None
    assert metrics.describe(selection).novelsum is None
    asked = metrics.describe(selection, novelty=True)
    assert asked.novelsum > 0 and asked.as_dict()["novelsum"] == asked.novelsum


def test_mean_relative_depth_leaves_out_the_missing():
    pool = Landscape.from_arrays(np.zeros((3, 2)), relative_depth=[0.25, NAN, 0.75])
    assert metrics.describe(chosen(pool, [0, 1, 2])).mean_relative_depth == 0.5


def test_domain_shares_and_their_divergence():
    pool = Landscape.from_arrays(np.zeros((4, 2)), domain=[0, 0, 1, 2], domain_names=list("abc"))
    found = metrics.describe(chosen(pool, [0, 2]))
    assert found.domain_share.tolist() == [0.5, 0.5, 0.0]
    assert found.domain_divergence == pytest.approx(0.5 * math.log(0.5 / 0.5) + 0.5 * math.log(2))
    assert metrics.describe(chosen(pool, range(4))).domain_divergence == 0.0


# -- in the embedding space -----------------------------------------------------------------------


def test_embedding_distance_by_hand():
    vectors = [[1, 0], [0, 1], [-1, 0], [0.6, 0.8]]
    pool = Landscape.from_arrays(np.zeros((4, 2)), vectors=np.array(vectors, np.float32))
    found = metrics.embedding_distance(pool, np.array([0]))
    assert found.mean == pytest.approx((0 + 1 + 2 + 0.4) / 4)
    assert found.p95 == pytest.approx(np.percentile([0, 1, 2, 0.4], 95))
    assert found.measured == 4


def test_embedding_distance_equals_the_slow_reference(monkeypatch):
    monkeypatch.setattr(metrics, "_BLOCK", (7, 5))
    pool, rows = pool_of(60), np.array([41, 3, 17, 20, 59, 0, 33, 8, 9, 10, 11, 12])
    away = 1 - (pool.vectors.astype(float) @ pool.vectors[rows].astype(float).T).max(axis=1)
    found = metrics.embedding_distance(pool, rows)
    assert found.mean == pytest.approx(away.mean(), abs=1e-6)
    assert found.p95 == pytest.approx(np.percentile(away, 95), abs=1e-6)


def test_embedding_distance_of_the_whole_pool_is_nothing():
    found = metrics.embedding_distance(pool_of(50), np.arange(50))
    assert (found.mean, found.p95) == (0.0, 0.0)


def test_embedding_distance_samples_large_pools_and_says_so():
    pool, rows = pool_of(400), np.arange(0, 400, 10)
    found = metrics.embedding_distance(pool, rows, sample=100)
    assert found.measured == 100
    assert found == metrics.embedding_distance(pool, rows, sample=100)
    assert found != metrics.embedding_distance(pool, rows, sample=100, seed=1)
    assert found.mean == pytest.approx(metrics.embedding_distance(pool, rows).mean, rel=0.2)


def test_describe_tells_the_sample_only_where_there_is_one(monkeypatch):
    pool = pool_of(400)
    assert metrics.describe(select_ila(pool, 40)).distance_sample is None
    how = {"sample": 100, "seed": 0}
    monkeypatch.setattr(metrics.embedding_distance, "__kwdefaults__", how)
    found = metrics.describe(select_ila(pool, 40))
    assert found.distance_sample == found.as_dict()["distance_sample"] == 100


def test_distances_need_vectors_and_rows():
    with pytest.raises(IlaError, match="no vectors"):
        metrics.embedding_distance(Landscape.from_arrays([[0, 0]]), np.array([0]))
    for function in (metrics.embedding_distance, metrics.novelsum):
        with pytest.raises(IlaError, match="at least one chosen record"):
            function(pool_of(5), np.array([], dtype=np.int64))


def slow_novelsum(vectors, rows, neighbours=10):
    """The published program's definition, one record after the other."""
    vectors = vectors.astype(float)
    distinct = np.unique(vectors, axis=0)
    total = 0.0
    for row in rows:
        near = np.sort(((distinct - vectors[row]) ** 2).sum(axis=1))[1 : neighbours + 1]
        density = (near.mean() + 1e-9) ** -0.5
        away = np.sort(1 - vectors[rows] @ vectors[row])
        weight = 1 / np.arange(1, len(rows) + 1)
        total += density * np.average(away, weights=weight)
    return total / len(rows)


def test_novelsum_equals_the_slow_reference(monkeypatch):
    monkeypatch.setattr(metrics, "_SORTED_ROWS", 7)
    pool = pool_of(80)
    repeated = np.concatenate([pool.vectors, pool.vectors[:20]])  # repetitions are no neighbours
    pool = Landscape.from_arrays(np.zeros((100, 2)), vectors=repeated)
    rows = np.random.default_rng(3).permutation(100)[:30]
    assert metrics.novelsum(pool, rows) == pytest.approx(slow_novelsum(repeated, rows), rel=1e-3)


def test_novelsum_prefers_the_more_diverse():
    pool = pool_of(300, dimensions=3)
    spread = select_ila(Landscape.from_arrays(pool.vectors[:, :2]), 20).rows
    tight = np.argsort(-(pool.vectors @ pool.vectors[0]))[:20]
    assert metrics.novelsum(pool, spread) > metrics.novelsum(pool, tight)


def test_novelsum_of_one_point_is_nothing():
    pool = Landscape.from_arrays(np.zeros((3, 2)), vectors=np.ones((3, 4), np.float32) / 2)
    assert metrics.novelsum(pool, np.arange(3)) == 0.0


def test_novelsum_samples_large_pools():
    pool, rows = pool_of(600), np.arange(0, 600, 3)
    exact = metrics.novelsum(pool, rows)
    assert metrics.novelsum(pool, rows, sample=500) == pytest.approx(exact, rel=0.1)


# -- beside chance, over budgets, under shifts ----------------------------------------------------


def test_random_baseline():
    pool = pool_of(400)
    base = metrics.random_baseline(pool, 40)
    drawn = [
        metrics.coverage(chosen(pool, np.random.default_rng(s).permutation(400)[:40]))
        for s in range(5)
    ]
    assert base.seeds == 5 and base.mean.rows == 40
    assert base.mean.coverage == pytest.approx(np.mean(drawn))
    assert base.std.coverage == pytest.approx(np.std(drawn, ddof=1))
    assert base.mean.domain_share.sum() == pytest.approx(1)
    assert metrics.random_baseline(pool, 40, seeds=1).std.coverage == 0.0


def test_random_baseline_of_a_token_budget_stays_below_it():
    pool = pool_of(400)
    assert 1900 < metrics.random_baseline(pool, "2000-tokens").mean.tokens <= 2000


def test_growth_equals_every_prefix():
    pool = pool_of(120)
    rows = select_nested(pool, 120).rows
    found = metrics.growth(pool, rows, 16)
    for k in (1, 2, 17, 119, 120):
        covered, kept = metrics.grid_numbers(chosen(pool, rows[:k]), 16)
        assert found.coverage[k - 1] == covered
        assert found.fidelity[k - 1] == pytest.approx(kept)
        assert found.tokens[k - 1] == chosen(pool, rows[:k]).tokens


@pytest.mark.parametrize("method", ["ila", "nested"])
def test_curve_equals_single_selections(method):
    pool = pool_of(200)
    select = select_ila if method == "ila" else select_nested
    found = metrics.curve(
        pool, method=method, budgets=[5, 50, 500], depth_target=0.5, pin=[3], exclude=[7]
    )
    assert found.records.tolist() == [5, 50, 199]
    for k, budget in enumerate([5, 50, 500]):
        one = metrics.describe(select(pool, budget, depth_target=0.5, pin=[3], exclude=[7]))
        assert found.coverage[k] == one.coverage
        assert found.fidelity[k] == pytest.approx(one.fidelity)
        assert found.tokens[k] == one.tokens


def test_curve_chooses_about_twenty_budgets():
    found = metrics.curve(pool_of(5000))
    assert 15 <= len(found) <= 20
    assert (found.records[0], found.records[-1]) == (5, 5000)
    assert found.coverage[-1] == 1.0 and (np.diff(found.coverage) >= 0).all()


def test_solve_finds_the_fewest_records_for_a_coverage():
    pool = pool_of(300)
    found = metrics.solve(pool, coverage=0.6)
    size = len(found)
    assert metrics.coverage(found) >= 0.6 > metrics.coverage(found.first(size - 1))
    by_grid = metrics.solve(pool, coverage=0.6, method="ila")
    assert by_grid.rule.method == "ila" and metrics.coverage(by_grid) >= 0.6
    assert metrics.coverage(select_ila(pool, len(by_grid) - 1)) < 0.6


def test_solve_finds_the_most_coverage_for_a_budget():
    pool = pool_of(2000)
    found = metrics.solve(pool, budget=200, method="ila")
    assert len(found) == 200
    assert metrics.coverage(found) >= metrics.coverage(select_ila(pool, 200))
    tokens = metrics.solve(pool, budget="1k-tokens")
    assert tokens.rule.method == "nested" and tokens.tokens <= 1000


def test_solve_respects_locks():
    pool = pool_of(200)
    found = metrics.solve(pool, coverage=0.5, pin=[3], exclude=[5])
    assert found.rows[0] == 3 and not found.mask[5]


def test_solve_for_what_cannot_be_meant():
    pool = pool_of(100)
    with pytest.raises(UsageError, match="one of the two"):
        metrics.solve(pool)
    with pytest.raises(UsageError, match="one of the two"):
        metrics.solve(pool, coverage=0.5, budget=3)
    with pytest.raises(UsageError, match=r"Coverage 1\.5"):
        metrics.solve(pool, coverage=1.5)
    with pytest.raises(UsageError, match=r"Coverage 95\.0% cannot be reached: .* cover \d"):
        metrics.solve(pool, coverage=0.95, exclude=range(50))


def test_stability_by_hand():
    pool = pool_of(200)
    selection = select_ila(pool, 40)
    shifted = select_ila(pool, 40, offset=0.5)
    share = len(set(selection.rows) & set(shifted.rows)) / 40
    assert metrics.stability(selection, offsets=[0.5]) == {"offset": share}
    assert 0 < share < 1
    assert metrics.stability(selection, offsets=[0.0], places=[pool.xy, pool.xy * 2]) == {
        "offset": 1.0,
        "projection": 1.0,
    }


def test_stability_of_a_method_that_cannot_be_repeated():
    selection = chosen(pool_of(20), [1, 2])
    assert metrics.stability(selection) == {}
    found = metrics.stability(selection, reselect=lambda pool, offset: chosen(pool, [2, 3]))
    assert found == {"offset": 0.5}
