"""Several methods at one budget: their numbers, what they share, and the table of them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ila_core.cli.compare import tables
from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import CHANCE
from ila_core.measure.compare import compare, compared_unasked
from ila_core.measure.describe import describe
from ila_core.measure.embedding import embedding_distance
from ila_core.measure.stability import other_places
from ila_core.methods.registry import find
from ila_core.methods.select import select

NAN = float("nan")
SEEDS = find(CHANCE).draws


def clustered(n: int, groups: int, d: int = 32) -> np.ndarray:
    """Unit vectors in groups, as embeddings of a pool of tasks are."""
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(groups, d))
    vectors = centre[rng.integers(0, groups, n)] + 0.6 * rng.normal(size=(n, d))
    return np.float32(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def pool():
    """300 records in the plane and in 16 dimensions, all with a depth."""
    rng = np.random.default_rng(0)
    vectors = clustered(300, 12, 16)
    return Landscape.from_arrays(
        rng.random((300, 2)),
        loss=rng.random(300),
        tokens=rng.integers(1, 80, 300),
        domain=rng.integers(0, 4, 300),
        vectors=vectors,
    )


def test_random_is_the_mean_of_five_seeds_with_its_spread(pool):
    row = compare(pool, budget=30, methods=["ila"], seed=7)["random"]
    drawn = [
        describe(select(pool, budget=30, method="random", seed=seed))
        for seed in range(7, 7 + SEEDS)
    ]
    for name in ("coverage", "fidelity", "tokens", "mean_relative_depth",
                 "embedding_distance_mean", "embedding_distance_p95"):  # fmt: skip
        values = [getattr(numbers, name) for numbers in drawn]
        assert row.numbers[name] == pytest.approx(np.mean(values))
        assert row.numbers[f"{name}_std"] == pytest.approx(np.std(values, ddof=1))


def test_a_comparison_has_the_numbers_of_select_and_all_grids(pool):
    found = compare(pool, budget="10%", methods=["ila", "deita"]).as_dict()
    assert [row["name"] for row in found["methods"]] == ["random", "ila", "deita"]
    assert (found["budget"], found["reference_grid"]) == ("10%", 256)
    row = found["methods"][1]
    numbers = describe(select(pool, budget="10%"))
    assert {name: row[name] for name in numbers.as_dict()} == numbers.as_dict()
    assert list(row["coverage_by_grid"]) == ["32", "64", "128", "256", "512"]
    assert row["coverage_by_grid"]["256"] == row["coverage"]
    assert row["fidelity_by_grid"]["256"] == row["fidelity"]
    assert row["filled"] == 0 and row["seconds"] >= 0
    assert set(row) == set(found["methods"][2])


def test_overlap_is_the_share_that_both_keep(pool):
    found = compare(pool, budget=30, methods=["ila", "nested", "depth-only"])
    overlap = found.overlap
    for a in overlap:
        assert overlap[a][a] == 1.0
        for b in overlap:
            rows_a, rows_b = (set(found[x].selection.rows.tolist()) for x in (a, b))
            assert overlap[a][b] == pytest.approx(len(rows_a & rows_b) / 30)


def test_a_method_that_cannot_run_keeps_its_row_with_the_reason(pool):
    told = []
    found = compare(pool, budget=30, methods=["ifd", "ila"], say=told.append)
    assert "without their instruction" in found["ifd"].error
    assert found.as_dict()["methods"][1] == {"name": "ifd", "error": found["ifd"].error}
    assert [row.name for row in found.done] == ["random", "ila"]
    assert "ifd" not in found.overlap
    assert "ifd               did not run: Method ifd needs" in tables(found)
    assert any(line.startswith("ifd: Method ifd needs") for line in told)


def test_without_names_the_nine_fast_ones_and_each_once(pool):
    assert [row.name for row in compare(pool, budget=10).rows] == compared_unasked()
    twice = compare(pool, budget=10, methods=["ila", "ila", "random"])
    assert [row.name for row in twice.rows] == ["ila", "random"]


def test_what_is_wrong_for_all_methods_is_an_error(pool):
    with pytest.raises(UsageError, match="Budget 'many' is not understood"):
        compare(pool, budget="many")
    with pytest.raises(UsageError, match="Unknown method 'ili'"):
        compare(pool, budget=10, methods=["ili"])
    bare = Landscape.from_arrays(np.zeros((9, 2)))
    with pytest.raises(UsageError, match="none of the 9 records has any"):
        compare(bare, budget="100-tokens")


def test_novelty_on_request(pool):
    assert "novelsum" not in compare(pool, budget=30, methods=["ila"])["ila"].numbers
    found = compare(pool, budget=30, methods=["deita"], novelty=True)
    assert found["deita"].numbers["novelsum"] > 0
    assert found["random"].numbers["novelsum_std"] > 0


@pytest.fixture
def projected(monkeypatch):
    """The seeds with which vectors are projected, by a projection that takes no time."""
    seeds = []

    def fake(vectors, how):
        seeds.append(how.seed)
        return np.random.default_rng(how.seed).random((len(vectors), 2)).astype(np.float32)

    monkeypatch.setattr("ila_core.space.project.project", fake)
    return seeds


def test_stability_on_request(pool, projected):
    fresh = pool.moved(pool.xy)
    assert "stability" not in compare(fresh, budget=30, methods=["ila"])["ila"].numbers
    found = compare(fresh, budget=30, methods=["ila", "nested", "deita", "ifd"], stability=True)
    assert projected == [1, 2]
    for name in ("ila", "nested"):
        stable = found[name].numbers["stability"]
        assert set(stable) == {"offset", "projection"}
        others = [fresh.moved(np.random.default_rng(seed).random((300, 2))) for seed in (1, 2)]
        rows = set(found[name].selection.rows.tolist())
        again = [set(select(o, budget=30, method=name).rows.tolist()) for o in others]
        assert stable["projection"] == pytest.approx(np.mean([len(rows & a) / 30 for a in again]))
    assert found["deita"].numbers["stability"] == {}
    assert found["ifd"].error
    table = tables(found)
    assert "new grid" in table and "new map" in table
    assert f"{found['ila'].numbers['stability']['offset']:.1%}" in table


def test_coverage_only_reads_the_map_so_its_stability_is_measured(pool, projected):
    fresh = pool.moved(pool.xy)
    found = compare(fresh, budget=30, methods=["coverage-only"], seed=2, stability=True)
    stable = found["coverage-only"].numbers["stability"]
    rows = set(found["coverage-only"].selection.rows.tolist())
    others = [fresh.moved(np.random.default_rng(seed).random((300, 2))) for seed in (1, 2)]
    again = [select(o, budget=30, method="coverage-only", seed=2).rows.tolist() for o in others]
    assert stable["projection"] == pytest.approx(np.mean([len(rows & set(a)) / 30 for a in again]))
    assert 0 < stable["offset"] < 1


def run_of(pool, folder, **settings):
    about = {"settings": settings, "stages": {"projection": {"seconds": 61.7}}}
    return Landscape.from_arrays(
        pool.xy, loss=pool.loss, vectors=pool.vectors, run=folder, manifest=about
    )


def test_other_maps_are_made_once_kept_in_the_run_folder_and_their_cost_is_told(
    pool, projected, tmp_path
):
    told = []
    for _ in range(2):
        run = run_of(pool, tmp_path, projection="umap", seed=4)
        first = other_places(run, told.append)
        assert all(a is b for a, b in zip(other_places(run, told.append), first, strict=True))
    assert projected == [5, 6] and len(told) == 2
    assert "with seed 5 for the stability (the first took 62 s)" in told[0]
    for kept in tmp_path.glob(".stages/*/xy.npy"):
        kept.write_bytes(b"torn")
    again = other_places(run_of(pool, tmp_path, projection="umap", seed=4))
    assert projected == [5, 6, 5, 6]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("projection", ["pca", "columns:x,y"])
def test_a_map_without_chance_has_no_other_seeds(pool, projected, tmp_path, projection):
    run = run_of(pool, tmp_path, projection=projection, seed=0)
    found = compare(run, budget=30, methods=["ila"], stability=True)
    assert set(found["ila"].numbers["stability"]) == {"offset"}
    assert projected == []


def test_the_table_of_a_pool_without_depth():
    rng = np.random.default_rng(0)
    bare = Landscape.from_arrays(rng.random((40, 2)))
    found = compare(bare, budget=10)
    assert [row.name for row in found.done] == [
        "random", "balanced", "coverage-only", "even-random", "ila", "nested",
    ]  # fmt: skip
    table = tables(found)
    assert "budget 10, reference grid 256 x 256\n" in table and "of five seeds" in table
    assert found["random"].numbers["fidelity"] is None
    assert found["ila"].numbers["fidelity_by_grid"]["64"] is None
    json.dumps(found.as_dict(), allow_nan=False)


def test_a_random_draw_without_any_depth_is_left_out_of_the_mean():
    depth = np.full(40, NAN)
    depth[:15] = np.arange(15)
    pool = Landscape.from_arrays(np.random.default_rng(0).random((40, 2)), depth=depth)
    found = compare(pool, budget=1, methods=["random"])
    drawn = [
        float(pool.relative_depth[select(pool, budget=1, method="random", seed=seed).rows[0]])
        for seed in range(SEEDS)
    ]
    known = [value for value in drawn if not math.isnan(value)]
    assert 1 < len(known) < SEEDS
    numbers = found["random"].numbers
    assert numbers["mean_relative_depth"] == pytest.approx(np.mean(known))
    assert numbers["mean_relative_depth_std"] == pytest.approx(np.std(known, ddof=1))
    json.dumps(found.as_dict(), allow_nan=False)


def test_the_table_says_what_is_shared_and_what_was_sampled(pool, monkeypatch):
    found = compare(pool, budget=30, methods=["ila", "nested"], novelty=True)
    table = tables(found)
    assert "distances from" not in table and "NovelSum" in table
    share = found.overlap["ila"]["nested"]
    line = next(line for line in table.splitlines() if line.startswith("  (2) ila"))
    assert line.split()[2:] == [f"{found.overlap['ila']['random']:.0%}", "·", f"{share:.0%}"]
    assert "filled up" not in table
    assert max(map(len, table.splitlines())) <= 120
    how = {"sample": 99, "seed": 0}
    monkeypatch.setattr(embedding_distance, "__kwdefaults__", how)
    sampled = compare(pool, budget=30, methods=["ila"])
    assert sampled["ila"].numbers["distance_sample"] == 99
    assert "reference grid 256 x 256, distances from 99 records of the pool" in tables(sampled)
