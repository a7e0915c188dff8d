"""Two pools as one: rows, originals, counts and what is told of the fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pool_files import POOL, lines, put

from ila_core.pool.ingest import ingest
from ila_core.pool.joined import join_records
from ila_core.pool.records import Records


def pool(folder: Path, name: str, records: list[dict[str, Any]]) -> Records:
    return ingest(put(folder, lines(records), f"{name}.jsonl"), out=folder / name)


def test_two_pools_are_one_as_if_they_had_been_read_together(tmp_path: Path) -> None:
    other = [{"instruction": f"Ask {i}", "output": "Yes", "mark": i} for i in range(5)]
    first, second = pool(tmp_path, "a", POOL), pool(tmp_path, "b", other)
    both = join_records(first, second, tmp_path / "both.parquet")
    whole = ingest([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], out=tmp_path / "whole")
    assert len(both) == 8 and both.fingerprint == whole.fingerprint
    assert both.take(range(8)) == whole.take(range(8))
    assert list(both.conversations()) == list(whole.conversations())
    assert both.fields() == whole.fields() and both.understood == whole.understood
    assert both.files == whole.files and both.mapping == whole.mapping
    assert {**both.counts, "notes": {}} == {**whole.counts, "notes": {}}
    assert [row for batch in both.batches(["row"]) for row in batch.column(0).to_pylist()] == list(
        range(8)
    )


@pytest.mark.parametrize("labelled", [True, False])
def test_labels_come_with_it_only_where_the_first_has_some(tmp_path: Path, labelled: bool) -> None:
    marked = [{"instruction": "Hi", "output": "Ho", "labels": ["x"]}]
    first = pool(tmp_path, "a", marked if labelled else POOL)
    both = join_records(first, pool(tmp_path, "b", marked), tmp_path / "both.parquet")
    assert both.has_labels == labelled
    assert both.labels()[-1] == (("x",) if labelled else None)
    assert '"labels"' in both.take([len(both) - 1])[0].original


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    first = pool(tmp_path, "a", POOL)
    with pytest.raises(AttributeError):
        join_records(first, None, tmp_path / "both.parquet")  # type: ignore[arg-type]
    assert not [path for path in tmp_path.iterdir() if "both" in path.name]
