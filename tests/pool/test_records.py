"""A pool on disk, read back: iterators, rows, fields, numbers, search, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pool_files import (
    POOL,
    lines,
    put,
    table,
)

from ila_core.errors import RunError, UsageError
from ila_core.pool import records
from ila_core.pool import table as arrow
from ila_core.pool.ingest import ingest
from ila_core.pool.reading import read_pool
from ila_core.pool.record import Turn
from ila_core.pool.records import Records


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[Records, list[dict[str, Any]]]:
    """5,000 records, so that there are three row groups."""
    folder = tmp_path_factory.mktemp("big")
    pool: list[dict[str, Any]] = [
        {"id": i % 4900, "conversations": [
            {"from": "system", "value": "s"}, {"from": "human", "value": f"ask {i}"},
            {"from": "function_call", "value": f"call {i}"}, {"from": "observation", "value": "o"},
            {"from": "gpt", "value": f"say {i}"},
        ], "tags": [f"t{i % 3}"] if i % 2 else None, "score": i / 7 if i % 5 else "x"}
        for i in range(5000)
    ]  # fmt: skip
    return ingest(put(folder, lines(pool)), out=folder / "run"), pool


def test_iterators_follow_the_file(big: tuple[Records, list[dict[str, Any]]]) -> None:
    found, pool = big
    assert len(found) == 5000 == found.counts["kept"]
    assert list(found.instructions()) == [f"ask {i}" for i in range(5000)]
    assert list(found.responses()) == [f"call {i}\n\nsay {i}" for i in range(5000)]
    assert [json.loads(text) for text in found.originals()] == pool
    conversations = list(found.conversations())
    assert len(conversations) == 5000
    assert conversations[4321] == (
        Turn("system", "s", False), Turn("user", "ask 4321", False),
        Turn("assistant", "call 4321", True), Turn("tool", "o", False),
        Turn("assistant", "say 4321", True),
    )  # fmt: skip
    assert found.counts["notes"] == {"duplicate id": 100}
    rows = [row for batch in found.batches(["row"], 700) for row in batch.column(0).to_pylist()]
    assert rows == list(range(5000))


def test_take_gives_the_rows_asked_in_the_order_asked(
    big: tuple[Records, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = big
    rng = np.random.default_rng(0)
    rows = np.append(rng.integers(0, 5000, 300), [0, 2047, 2048, 4999])
    originals, everything = list(found.originals()), list(read_pool(found.files[0]["name"]))
    assert found.take(rows) == [everything[row] for row in rows]
    assert found.take_instructions(rows) == [everything[row].instruction for row in rows]
    monkeypatch.setattr(records, "TAKE_WINDOW", 77)
    assert list(found.take_originals(rows)) == [originals[row] for row in rows]
    assert found.take_labels(rows[:9]) == [everything[row].labels for row in rows[:9]]
    for row in (0, 2047, 2048, 4999):
        group, place = found.group_of(row)
        assert found.beginnings(group, 7)[place].as_py() == everything[row].instruction[:7]
        assert found.take([row]) == [everything[row]]
    assert found.take([]) == [] and list(found.take_originals([])) == []
    for rows in ([5000], [-1]):
        with pytest.raises(IndexError, match="rows go from 0 to 4999"):
            found.take(rows)


def test_fields_and_numbers(big: tuple[Records, list[dict[str, Any]]]) -> None:
    found, pool = big
    assert found.fields() == ["id", "conversations", "tags", "score"]
    assert found.field("tags") == [record["tags"] for record in pool]
    assert found.field("conversations.1.value")[:2] == ["ask 0", "ask 1"]
    values, missing = found.numbers("score")
    assert values.dtype == np.float32 and missing == 1000
    assert values[1] == np.float32(1 / 7) and np.isnan(values[0])
    with pytest.raises(UsageError, match="'nope' not found in the pool; fields are id, conv"):
        found.field("nope")
    assert found.has_labels and found.labels()[:4] == [None, ("t1",), None, ("t0",)]


def test_a_field_that_is_always_empty_exists_all_the_same(tmp_path: Path) -> None:
    pool = [{"prompt": "a", "completion": "b", "n": None}] * 2
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    assert found.field("n") == [None, None]
    assert found.numbers("n")[1] == 2


def test_turns_of_a_slice(big: tuple[Records, list[dict[str, Any]]]) -> None:
    found, _ = big
    batch = next(found.batches(["turns"]))
    wanted = list(found.conversations())[100:103]
    assert arrow.turns_of(batch.column(0).slice(100, 3)) == wanted


def test_what_counts_as_a_number(tmp_path: Path) -> None:
    values = [1, "2.5", " 3 ", None, "x", float("nan"), float("inf"), 1e300, True, [1], "nan"]
    pool = [{"prompt": "a", "completion": "b", "n": value} for value in values]
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    numbers, missing = found.numbers("n")
    assert numbers[[0, 1, 2, 8]].tolist() == [1, 2.5, 3, 1]
    assert np.flatnonzero(np.isnan(numbers)).tolist() == [3, 4, 5, 6, 7, 9, 10] and missing == 7


def test_opening_what_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="was not found; build the landscape first"):
        Records.open(tmp_path / "records.parquet")
    put(tmp_path, b"PAR1 half", "records.parquet")
    with pytest.raises(RunError, match="is damaged"):
        Records.open(tmp_path)
    put(tmp_path, table(POOL), "records.parquet")
    with pytest.raises(RunError, match="was not written by ila"):
        Records.open(tmp_path)
    monkeypatch.setattr("ila_core.pool.ingest.VERSION", 2)
    with pytest.raises(RunError):
        ingest(put(tmp_path, lines()), out=tmp_path)
    with pytest.raises(RunError, match="has version 2, this program reads 1; update it"):
        Records.open(tmp_path)


def test_damage_inside_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl"
    lines = [f'{{"instruction": "ask {i} {i**7}", "output": "say {i**5}"}}' for i in range(500)]
    file.write_text("\n".join(lines))
    records = ingest(file, out=tmp_path / "run")
    data = bytearray(records.path.read_bytes())
    for place in range(200, len(data) // 2, 20):
        data[place] ^= 0xFF
    records.path.write_bytes(data)
    damaged = Records.open(records.path)
    with pytest.raises(RunError, match="is damaged"):
        list(damaged.originals())
    with pytest.raises(RunError, match="is damaged"):
        list(damaged.take_originals([0, 1]))


def test_half_a_character_in_a_field_is_read_as_a_mark(tmp_path: Path) -> None:
    """A column of labels or domains is written as UTF-8 later on."""
    data = b'{"prompt":"a","completion":"b","topic":"x\\ud800","\\udc00":1}\n'
    found = ingest(put(tmp_path, data), out=tmp_path / "run")
    assert found.field("topic") == ["x\ufffd"]
