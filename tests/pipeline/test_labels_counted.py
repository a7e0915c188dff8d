"""The labels that a build counted are those that it tells of, by whichever road they came."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = ["python; sorting", "a, b", '["c, d"]', [{"tag": "sql"}], ["x", "X"], None]
    records = [
        {**record, "labels": values[i % len(values)], "other": "one; two; three"}
        for i, record in enumerate(small_pool(36))
    ]
    return write_jsonl(tmp_path_factory.mktemp("labelled") / "pool.jsonl", records)


def test_both_roads_to_one_column_give_one_landscape(labelled: Path, tmp_path: Path) -> None:
    roads = [
        ila.build(labelled, out=tmp_path / str(i), projection="pca", labels=labels)
        for i, labels in enumerate(("auto", "column:labels"))
    ]
    auto, column = roads
    assert auto.skills.tolist()[:6] == [2, 2, 1, 1, 1, 1] == column.skills.tolist()[:6]
    assert auto.depth.tolist() == column.depth.tolist()
    assert auto.labels_of(range(36)) == column.labels_of(range(36))
    assert auto.labels_of([0, 5]) == [("python", "sorting"), ()]


def test_labels_that_did_not_count_are_not_told(labelled: Path, tmp_path: Path) -> None:
    none = ila.build(labelled, out=tmp_path / "none", projection="pca", labels="none")
    assert none.labels_of([0, 1]) == [(), ()] and none.skills.max() == 1
    other = ila.build(labelled, out=tmp_path / "other", projection="pca", labels="column:other")
    assert other.labels_of([0]) == [("one", "two", "three")] and other.skills.min() == 3
