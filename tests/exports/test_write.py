"""A selection as a file: lines as they came, lines with scores, a table, and what made them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import write_jsonl
from hypothesis import given
from hypothesis import strategies as st

import ila_core as ila
from ila_core.errors import UsageError
from ila_core.exports.write import Format, export, lines, with_scores
from ila_core.pool.ingest import ingest
from ila_core.selection.selection import Selection

SPELLINGS = [
    '{"prompt": "plain", "completion": "b"}',
    '  {"prompt":"é☃", "n":1.50, "completion" : "b"}\t',
    '{"prompt":"half \\ud800", "completion":"b"}',
    '{"prompt":"half \\ud800", "completion":"b", "_ila": {"row": 9}}',
    '{"_ila": {"row": 9}, "prompt":"first \\udfff", "n":1e400, "completion":"b"}',
    '{"prompt":"said \\"_ila\\"", "completion":"b", "deep": {"_ila": [1.50]}}',
    '{"prompt":"pair \\ud83d\\ude00", "completion":"\\u0000"}',
]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    """All records of a pool whose lines are spelled in every odd way."""
    folder = tmp_path_factory.mktemp("odd")
    pool = folder / "pool.jsonl"
    pool.write_text("".join(line + "\n" for line in SPELLINGS), encoding="utf-8")
    records = ingest(pool, out=folder / "run")
    n = len(records)
    landscape = ila.Landscape.from_arrays(
        np.arange(2 * n).reshape(n, 2), depth=np.arange(n), records=records
    )
    return ila.select(landscape, budget=n)


def test_jsonl_is_the_pool_byte_for_byte(odd: Selection, tmp_path: Path) -> None:
    written = export(odd, tmp_path / "out.jsonl").read_bytes()
    assert written == "".join(SPELLINGS[row] + "\n" for row in odd.rows).encode()


def test_scored_lines_are_the_records_that_they_were(odd: Selection, tmp_path: Path) -> None:
    """Half a character, odd numbers and an `_ila` of an earlier export included."""
    written = export(odd, tmp_path / "out.jsonl", "scored").read_bytes().splitlines()
    for order, (row, line) in enumerate(zip(odd.rows.tolist(), written, strict=True)):
        before = {k: v for k, v in json.loads(SPELLINGS[row]).items() if k != "_ila"}
        after = json.loads(line)
        assert list(after)[-1] == "_ila"
        score = after.pop("_ila")
        assert (score["row"], score["order"]) == (row, order) and after == before
    again = ingest(tmp_path / "out.jsonl", out=tmp_path / "run")
    records = odd.landscape.records
    assert records is not None
    assert list(again.instructions()) == [record.instruction for record in records.take(odd.rows)]


def test_scored_lines_keep_the_spelling_of_what_stands_before(odd: Selection) -> None:
    for row, line in zip(odd.rows.tolist(), lines(odd, "scored"), strict=True):
        if '"_ila"' not in SPELLINGS[row]:
            head = SPELLINGS[row].rstrip()[:-1].rstrip()
            assert line.startswith(head.encode() + b', "_ila": {')


JSON_TEXT = st.text(st.characters(), max_size=6)
FIELDS = st.dictionaries(JSON_TEXT | st.just("_ila"), JSON_TEXT | st.floats(allow_nan=False))


@given(FIELDS, st.booleans())
def test_any_record_gets_its_scores(record: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps(record, ensure_ascii=ascii_only)
    scored = json.loads(with_scores(text, {"row": 3}))
    assert scored == {**record, "_ila": {"row": 3}}
    assert list(scored)[-1] == "_ila"


@pytest.mark.parametrize("format", ["jsonl", "scored", "parquet"])
def test_every_export_of_odd_spellings_is_written(
    odd: Selection, tmp_path: Path, format: Format
) -> None:
    path = export(odd, tmp_path / f"o.{'parquet' if format == 'parquet' else 'jsonl'}", format)
    about = json.loads(path.with_name(path.name + ".manifest.json").read_bytes())
    assert about["records"] == len(SPELLINGS) and about["format"] == format
    if format == "parquet":
        table = pq.read_table(path)
        assert table.column("record").to_pylist() == [SPELLINGS[row] for row in odd.rows]
        assert table.column("order").to_pylist() == list(range(len(SPELLINGS)))


def test_half_a_character_in_a_domain_or_a_label_stops_nothing(tmp_path: Path) -> None:
    """Columns are read out of the originals, where it is spelled as an escape."""
    records = [
        {"instruction": f"ask {i}", "output": f"say {i}", "topic": f"t{i % 2} \ud800"}
        for i in range(12)
    ]
    pool = write_jsonl(tmp_path / "pool.jsonl", records)
    landscape = ila.build(
        pool, out=tmp_path / "run", projection="pca", loss="none",
        domains="column:topic", labels="column:topic",
    )  # fmt: skip
    assert set(landscape.domain_names) == {"t0 \ufffd", "t1 \ufffd"}
    assert landscape.labels_of([0]) == [("t0 \ufffd",)]
    selection = ila.select(landscape, budget=3)
    for line in lines(selection, "scored"):
        assert json.loads(line)["_ila"]["domain"] in landscape.domain_names


def test_a_format_that_is_none(odd: Selection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Unknown format 'csv'; choose jsonl, scored, parquet"):
        export(odd, tmp_path / "out.csv", "csv")  # type: ignore[arg-type]


def test_a_record_that_is_a_text_of_json_gets_its_scores_on_one_line() -> None:
    inner = json.dumps({"prompt": "a\nb", "n": 1}, indent=1)
    for text in (json.dumps(inner), json.dumps(json.dumps(inner))):
        scored = with_scores(text, {"row": 3})
        assert scored == '{"prompt":"a\\nb","n":1, "_ila": {"row": 3}}'
    talk = json.dumps(json.dumps([{"role": "user", "content": "Hi"}], indent=1))
    assert with_scores(talk, {}) == '{"messages": [{"role":"user","content":"Hi"}], "_ila": {}}'


def test_a_record_that_holds_nothing_else_gets_its_scores() -> None:
    assert with_scores('{"_ila": {"row": 9}}', {"row": 3}) == '{"_ila": {"row": 3}}'


@pytest.mark.parametrize("register", [False, True])
@pytest.mark.parametrize("place", [".", "..", "/", ""])
def test_a_folder_is_no_place_for_an_export(odd: Selection, place: str, register: bool) -> None:
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        export(odd, place, "trl", dataset_info=register)
