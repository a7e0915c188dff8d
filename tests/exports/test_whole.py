"""The whole pool as Parquet: kept and left, with the neighbours, and not all in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import ila_core as ila
from ila_core.errors import UsageError
from ila_core.exports.write import export


@pytest.fixture(scope="module")
def selection(run: Path) -> ila.Selection:
    return ila.select(ila.open(run), budget=12)


def test_every_record_stands_in_it_with_what_became_of_it(
    selection: ila.Selection, pool: Path, tmp_path: Path
) -> None:
    path = export(selection, tmp_path / "pool.parquet", "pool-parquet")
    rows = pq.read_table(path).to_pylist()
    assert [row["row"] for row in rows] == list(range(60))
    assert [row["record"] for row in rows] == pool.read_text().splitlines()
    kept = {row["row"]: (row["order"], row["round"]) for row in rows if row["kept"]}
    places = zip(selection.rows.tolist(), selection.round.tolist(), strict=True)
    assert kept == {row: (order, round) for order, (row, round) in enumerate(places)}
    left = [row for row in rows if not row["kept"]]
    assert all(row["order"] is None and row["round"] is None for row in left)
    landscape = selection.landscape
    assert [row["x"] for row in rows] == landscape.xy[:, 0].tolist()
    assert [row["domain"] for row in rows] == [landscape.domain_names[d] for d in landscape.domain]
    assert np.array_equal(np.array([row["depth"] for row in rows], np.float32), landscape.depth,
                          equal_nan=True)  # fmt: skip


def test_neighbours_are_the_nearest_by_cosine(selection: ila.Selection, tmp_path: Path) -> None:
    path = export(selection, tmp_path / "pool.parquet", "pool-parquet")
    vectors = np.asarray(selection.landscape.vectors, np.float64)
    away = 1 - vectors @ vectors.T
    for row, near in enumerate(pq.read_table(path).column("neighbors").to_pylist()):
        ids, distances = near["ids"], near["distances"]
        assert ids[0] == row and len(set(ids)) == len(ids) == 15
        assert distances == sorted(distances)
        assert np.allclose(distances, np.sort(away[row])[:15], atol=1e-5)
        assert np.allclose(away[row, ids], distances, atol=1e-5)


def test_a_pool_smaller_than_a_neighbourhood(tmp_path: Path) -> None:
    from conftest import write_jsonl

    pool = write_jsonl(tmp_path / "p.jsonl", [{"instruction": "Hi", "output": "Yo"}])
    landscape = ila.build(pool, out=tmp_path / "run", projection="pca")
    path = export(ila.select(landscape, budget=1), tmp_path / "pool.parquet", "pool-parquet")
    [row] = pq.read_table(path).to_pylist()
    assert row["neighbors"] == {"ids": [0], "distances": [0.0]} and row["kept"]


def test_it_has_to_be_named_as_parquet(selection: ila.Selection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"name it .*pool\.parquet"):
        export(selection, tmp_path / "pool.jsonl", "pool-parquet")
    with pytest.raises(UsageError, match="goes with JSONL"):
        export(selection, tmp_path / "p.parquet", "pool-parquet", dataset_info=True)
    assert not list(tmp_path.iterdir())
