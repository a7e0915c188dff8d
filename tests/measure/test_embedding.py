"""Distances and diversity in the embedding space against the obvious lines."""

from __future__ import annotations

import numpy as np
import pytest
from picking import ila
from pools import pool_of

from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.measure import embedding
from ila_core.measure.embedding import embedding_distance, novelsum

KEYS = {
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
}  # fmt: skip


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


def test_embedding_distance_by_hand():
    vectors = [[1, 0], [0, 1], [-1, 0], [0.6, 0.8]]
    pool = Landscape.from_arrays(np.zeros((4, 2)), vectors=np.array(vectors, np.float32))
    found = embedding_distance(pool, np.array([0]))
    assert found.mean == pytest.approx((0 + 1 + 2 + 0.4) / 4)
    assert found.p95 == pytest.approx(np.percentile([0, 1, 2, 0.4], 95))
    assert found.measured == 4


def test_embedding_distance_equals_the_slow_reference(monkeypatch):
    monkeypatch.setattr(embedding, "BLOCK", (7, 5))
    pool, rows = pool_of(60), np.array([41, 3, 17, 20, 59, 0, 33, 8, 9, 10, 11, 12])
    away = 1 - (pool.vectors.astype(float) @ pool.vectors[rows].astype(float).T).max(axis=1)
    found = embedding_distance(pool, rows)
    assert found.mean == pytest.approx(away.mean(), abs=1e-6)
    assert found.p95 == pytest.approx(np.percentile(away, 95), abs=1e-6)


def test_embedding_distance_of_the_whole_pool_is_nothing():
    found = embedding_distance(pool_of(50), np.arange(50))
    assert (found.mean, found.p95) == (0.0, 0.0)


def test_embedding_distance_samples_large_pools_and_says_so():
    pool, rows = pool_of(400), np.arange(0, 400, 10)
    found = embedding_distance(pool, rows, sample=100)
    assert found.measured == 100
    assert found == embedding_distance(pool, rows, sample=100)
    assert found != embedding_distance(pool, rows, sample=100, seed=1)
    assert found.mean == pytest.approx(embedding_distance(pool, rows).mean, rel=0.2)


def test_distances_need_vectors_and_rows():
    with pytest.raises(IlaError, match="no vectors"):
        embedding_distance(Landscape.from_arrays([[0, 0]]), np.array([0]))
    for function in (embedding_distance, novelsum):
        with pytest.raises(IlaError, match="at least one chosen record"):
            function(pool_of(5), np.array([], dtype=np.int64))


def test_novelsum_equals_the_slow_reference(monkeypatch):
    monkeypatch.setattr(embedding, "SORTED_ROWS", 7)
    pool = pool_of(80)
    repeated = np.concatenate([pool.vectors, pool.vectors[:20]])  # repetitions are no neighbours
    pool = Landscape.from_arrays(np.zeros((100, 2)), vectors=repeated)
    rows = np.random.default_rng(3).permutation(100)[:30]
    assert novelsum(pool, rows) == pytest.approx(slow_novelsum(repeated, rows), rel=1e-3)


def test_novelsum_prefers_the_more_diverse():
    pool = pool_of(300, dimensions=3)
    spread = ila(Landscape.from_arrays(pool.vectors[:, :2]), 20).rows
    tight = np.argsort(-(pool.vectors @ pool.vectors[0]))[:20]
    assert novelsum(pool, spread) > novelsum(pool, tight)


def test_novelsum_of_one_point_is_nothing():
    pool = Landscape.from_arrays(np.zeros((3, 2)), vectors=np.ones((3, 4), np.float32) / 2)
    assert novelsum(pool, np.arange(3)) == 0.0


def test_novelsum_samples_large_pools():
    pool, rows = pool_of(600), np.arange(0, 600, 3)
    exact = novelsum(pool, rows)
    assert novelsum(pool, rows, sample=500) == pytest.approx(exact, rel=0.1)
