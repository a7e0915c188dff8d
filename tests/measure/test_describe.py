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
from picking import by_hand as chosen
from picking import ila, nested
from pools import NAN, pool_of

from ila_core.landscape.landscape import Landscape
from ila_core.measure import describe as metrics
from ila_core.measure.embedding import embedding_distance

KEYS = {
    "method", "budget", "patches", "depth", "depth_target", "rows", "resolution", "occupied",
    "rounds", "tokens", "coverage", "reach", "fidelity", "mean_relative_depth",
    "domain_share", "domain_divergence", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


def test_coverage_and_fidelity_by_hand():
    # On a reference grid of 2, shifted by half a patch, 0 to 4 is cut at 1 and 3.
    pool = Landscape.from_arrays(
        [[0, 0], [0.9, 0], [1, 0], [4, 4], [3.5, 4]], relative_depth=[0.5, 0.75, 0.25, NAN, 1.0]
    )
    # occupied: {0, 1}, {2}, {3, 4}; the pool's best: 0.75 + 0.25 + 1.0 = 2
    assert metrics.grid_numbers(pool, np.array([0, 2]), 2) == (2 / 3, 0.75 / 2)
    assert metrics.grid_numbers(pool, np.array([0, 1]), 2) == (1 / 3, 0.75 / 2)
    assert metrics.grid_numbers(pool, np.array([3]), 2) == (1 / 3, 0.0)


def test_the_whole_pool_is_perfect_and_nothing_is_nothing():
    pool = pool_of(500)
    for resolution in metrics.GRIDS:
        assert metrics.grid_numbers(pool, np.arange(500), resolution) == (1.0, 1.0)
        assert metrics.grid_numbers(pool, np.arange(0), resolution) == (0.0, 0.0)


def test_fidelity_without_any_depth_is_not_a_number():
    pool = Landscape.from_arrays([[0, 0], [1, 1]])
    covered, kept = metrics.grid_numbers(pool, np.array([0]))
    assert covered == 0.5 and math.isnan(kept)


@settings(max_examples=60)
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
    found = metrics.grid_numbers(pool, np.array(kept), resolution)
    assert found[0] == slow.coverage(xy, kept, resolution)
    if not np.isnan(depth).all():
        exact = pool.relative_depth.astype(float).tolist()
        expected = slow.fidelity(xy, exact, kept, resolution)
        assert found[1] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40)
@given(seed=st.integers(0, 50), data=st.data())
def test_adding_a_row_never_lowers_coverage_or_fidelity(seed, data):
    pool = pool_of(30, seed=seed)
    order = data.draw(st.permutations(range(30)))
    found = [metrics.grid_numbers(pool, np.array(order[:k], int), 16) for k in range(31)]
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(found))


def test_describe_gives_the_keys_of_select_json():
    pool = pool_of(300)
    found = metrics.describe(ila(pool, "10%")).as_dict()
    assert set(found) == KEYS
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["method"], found["budget"], found["rows"]) == ("ila", "10%", 30)
    assert found["reference_grid"] == 256
    assert found["tokens"] == ila(pool, "10%").tokens


def test_describe_without_grid_depth_or_vectors():
    pool = Landscape.from_arrays([[0, 0], [1, 1]])
    found = metrics.describe(nested(pool, 1)).as_dict()
    for name in ("resolution", "occupied", "rounds", "fidelity", "mean_relative_depth",
                 "embedding_distance_mean", "embedding_distance_p95"):  # fmt: skip
        assert found[name] is None
    assert set(found) == KEYS and found["tokens"] == 0.0


def test_describe_nothing():
    found = metrics.describe(ila(pool_of(20), 3, exclude=range(20)))
    assert (found.rows, found.coverage, found.fidelity, found.tokens) == (0, 0.0, 0.0, 0.0)
    assert math.isnan(found.mean_relative_depth)
    assert found.embedding_distance_mean is None and found.domain_divergence == 0.0


def test_describe_leaves_out_what_is_not_asked_for():
    selection = ila(pool_of(100), 10)
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
    assert found.as_dict()["domain_share"] == {"a": 0.5, "b": 0.5, "c": 0.0}
    assert found.domain_divergence == pytest.approx(0.5 * math.log(0.5 / 0.5) + 0.5 * math.log(2))
    assert metrics.describe(chosen(pool, range(4))).domain_divergence == 0.0


def test_describe_tells_the_sample_only_where_there_is_one(monkeypatch):
    pool = pool_of(400)
    assert metrics.describe(ila(pool, 40)).distance_sample is None
    how = {"sample": 100, "seed": 0}
    monkeypatch.setattr(embedding_distance, "__kwdefaults__", how)
    found = metrics.describe(ila(pool, 40))
    assert found.distance_sample == found.as_dict()["distance_sample"] == 100
