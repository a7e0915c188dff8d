"""What the inspector says of a record in a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila
from parts.record_card import facts


@pytest.mark.parametrize(
    ("labels", "shown"),
    [("none", ""), ("auto", "labels sums, python"), ("column:topic", "labels arithmetic")],
)
def test_only_labels_that_counted_are_shown(labels: str, shown: str, tmp_path: Path) -> None:
    records = [{**record, "labels": ["sums", "python"]} for record in small_pool(20)]
    pool = write_jsonl(tmp_path / "pool.jsonl", records)
    landscape = ila.build(pool, out=tmp_path / "run", projection="pca", loss="none", labels=labels)
    line = facts(landscape, 0, landscape.records.take([0])[0])
    assert next((part for part in line.split(" · ") if part.startswith("labels")), "") == shown


def test_an_arabic_domain_keeps_its_place_in_the_line(tmp_path: Path) -> None:
    records = [{**record, "topic": "قصيدة"} for record in small_pool(20)]
    pool = write_jsonl(tmp_path / "pool.jsonl", records)
    landscape = ila.build(
        pool, out=tmp_path / "run", projection="pca", loss="none", domains="column:topic"
    )
    assert "\u2068قصيدة\u2069" in facts(landscape, 0, landscape.records.take([0])[0]).split(" · ")
