"""What the inspector says of a record in a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.landscape.languages import languages
from parts.record_card import chips, facts


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


def test_a_language_is_told_by_its_name_as_the_facets_tell_it(tmp_path: Path) -> None:
    texts = [f"Where does the train to platform {k} stop on its way?" for k in range(20)]
    records = [
        {**record, "instruction": t} for record, t in zip(small_pool(20), texts, strict=True)
    ]
    pool = write_jsonl(tmp_path / "pool.jsonl", records)
    landscape = ila.build(pool, out=tmp_path / "run", projection="pca", loss="none")
    assert languages(landscape).names == ("en",)
    assert ":green-badge[English]" in chips(landscape, 0, landscape.records.take([0])[0])
