"""Pools that are one document: in columns, by key, as splits, as a list under a known name."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pool_files import notes, outcome, put

from ila_core.errors import IlaError
from ila_core.pool.reading import Reading, read_pool
from ila_core.pool.record import Record

POOL = [
    {"question": "Name a moss.", "answer": "Sphagnum.", "id": 4},
    {"question": "Name a fern.", "answer": "Bracken.", "id": 5},
    {"question": "Name a reed.", "answer": "Typha.", "id": 6},
]
QUESTIONS = [record["question"] for record in POOL]
TALKS = [
    [{"role": "user", "content": record["question"]},
     {"role": "assistant", "content": record["answer"]}]
    for record in POOL
]  # fmt: skip


def pandas_json(orient: Any) -> str:
    sink = io.StringIO()
    pd.DataFrame(POOL).to_json(sink, orient=orient)
    return sink.getvalue()


DOCUMENTS = {
    "records": pandas_json("records"),
    "columns": pandas_json("columns"),
    "split": pandas_json("split"),
    "index": pandas_json("index"),
    "table": pandas_json("table"),
    "lists": json.dumps({name: [record[name] for record in POOL] for name in POOL[0]}),
    "by id": json.dumps({f"q-{record['id']}": record for record in POOL}, indent=2),
    "conversations by id": json.dumps(dict(zip("abc", TALKS, strict=True))),
    "list under a known name": json.dumps({"conversations": [{"messages": t} for t in TALKS]}),
    "rounds under a known name": json.dumps({"dialogue": POOL}),
    "conversations under a known name": json.dumps({"conversations": TALKS}),
    "an array of conversations": json.dumps(TALKS),
    "splits": json.dumps({"train": POOL, "validation": POOL[:1]}),
    "a comma at the end": json.dumps(POOL, indent=1)[:-2] + ",\n]",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_gives_its_records(tmp_path: Path, name: str) -> None:
    file = put(tmp_path, DOCUMENTS[name].encode(), "pool.json")
    reading = Reading(file)
    found = list(reading)
    assert [one.instruction for one in found if isinstance(one, Record)] == QUESTIONS
    assert [one.response for one in found if isinstance(one, Record)] == [
        record["answer"] for record in POOL
    ]
    assert reading.tally.read == reading.tally.kept == 3
    written = "\n".join(one.original for one in found if isinstance(one, Record))
    again = list(read_pool(put(tmp_path, written.encode(), "again.jsonl")))
    assert [one.turns for one in again] == [one.turns for one in found]


@pytest.mark.parametrize("name", ["columns", "split", "index"])
def test_one_line_may_be_the_document(tmp_path: Path, name: str) -> None:
    assert outcome(put(tmp_path, DOCUMENTS[name].encode(), "pool.jsonl")) == QUESTIONS


def test_lines_are_conversations(tmp_path: Path) -> None:
    lines = [json.dumps(talk) for talk in TALKS]
    for several in (lines, lines[:1]):
        file = put(tmp_path, "\n".join(several).encode(), "talks.jsonl")
        found = list(read_pool(file))
        assert [one.original for one in found] == several
        assert [one.instruction for one in found] == QUESTIONS[: len(several)]
    whole = put(tmp_path, json.dumps(TALKS[0], indent=1).encode(), "talk.json")
    assert outcome(whole) == QUESTIONS[:1]


def test_one_record_is_one_record_all_the_same(tmp_path: Path) -> None:
    talk = {"system": "Be brief.", "conversation": [{"human": "Hi", "assistant": "Yo"}] * 2}
    for name in ("one.json", "one.jsonl"):
        assert outcome(put(tmp_path, json.dumps(talk).encode(), name)) == ["Hi\n\nHi"]
    rounds = {"conversation": [{"human": "Hi", "assistant": "Yo"}] * 2}
    assert outcome(put(tmp_path, json.dumps(rounds).encode(), "one.jsonl")) == ["Hi\n\nHi"]
    unknown = {"talk": TALKS[0], "id": 3}
    assert outcome(put(tmp_path, json.dumps(unknown).encode(), "one.json")) == QUESTIONS[:1]
    sides = {"prompt": TALKS[0][:1], "completion": [*TALKS[0][1:], *TALKS[1][1:]]}
    assert outcome(put(tmp_path, json.dumps(sides).encode(), "one.json")) == QUESTIONS[:1]
    sides = {"prompt": TALKS[0][0], "completion": TALKS[0][1]}
    assert outcome(put(tmp_path, json.dumps(sides).encode(), "one.json")) == QUESTIONS[:1]
    for rows in ([[1, 2]], [[1], [2]]):
        about = {"question": "Sum?", "answer": "3", "columns": ["n"], "data": rows}
        assert outcome(put(tmp_path, json.dumps(about).encode(), "one.jsonl")) == ["Sum?"]
    ragged = {"columns": ["question", "answer"], "data": [["a"], ["b", "c"], ["d", "e"]]}
    with pytest.raises(IlaError, match="fields are columns, data"):
        outcome(put(tmp_path, json.dumps(ragged).encode(), "one.json"))
    parts = {"Question": "Why?", "Tries": [{"human": "Hi", "assistant": "Yo"}], "Answer": "So."}
    assert outcome(put(tmp_path, json.dumps(parts, indent=1).encode(), "one.json")) == ["Why?"]


def test_records_of_other_splits_are_counted(tmp_path: Path) -> None:
    file = put(tmp_path, DOCUMENTS["splits"].encode(), "pool.json")
    assert notes(file) == {"record of 'validation', left out": 1}
    other = {"train": POOL, "glossary": [{"moss": "a plant"}]}
    with pytest.raises(IlaError, match="holds two lists, 'train' and 'glossary'"):
        outcome(put(tmp_path, json.dumps(other).encode(), "pool.json"))


@pytest.mark.parametrize("name", ["pool.jsonl", "pool.json"])
def test_objects_over_several_lines(tmp_path: Path, name: str) -> None:
    pretty = "\n".join(json.dumps(record, indent=2) for record in POOL)
    assert outcome(put(tmp_path, pretty.encode(), name)) == QUESTIONS
    raw = "\n".join(f'{{"question": "{q}", "answer": "one\ntwo"}}' for q in QUESTIONS)
    assert outcome(put(tmp_path, raw.encode(), name)) == QUESTIONS


def test_json_lines_named_json_whatever_is_in_them(tmp_path: Path) -> None:
    long = {"question": "Q" * 70_000, "answer": "a"}
    lines = [json.dumps(one) for one in (long, *POOL)]
    file = put(tmp_path, "\n".join([*lines, "{broken", lines[1]]).encode(), "pool.json")
    assert outcome(file) == [long["question"], *QUESTIONS, "invalid JSON", QUESTIONS[0]]
    lines = [json.dumps({"question": f"a\u2028{i}", "answer": "b"}, ensure_ascii=False)
             for i in range(4)]  # fmt: skip
    found = list(read_pool(put(tmp_path, "\n".join(lines).encode(), "lines.json")))
    assert [one.original for one in found] == lines


def test_objects_as_python_prints_them(tmp_path: Path) -> None:
    lines = [repr(record) for record in [*POOL, {"question": None, "answer": True}]]
    file = put(tmp_path, "\n".join(lines).encode(), "pool.jsonl")
    assert outcome(file) == [*QUESTIONS, "no instruction"]
    assert notes(file)["Python's spelling of an object, read as JSON"] == 4
    assert next(iter(read_pool(file))).original == json.dumps(POOL[0], separators=(",", ":"))
    frame = pd.DataFrame({"messages": [pd.Series(talk).to_numpy() for talk in TALKS]})
    assert "}\n" in frame.to_csv(), "numpy leaves out the commas"
    assert outcome(put(tmp_path, frame.to_csv().encode(), "pool.csv")) == QUESTIONS
    frame = pd.DataFrame({"messages": TALKS})
    assert outcome(put(tmp_path, frame.to_csv().encode(), "pool.csv")) == QUESTIONS


def test_records_that_are_text_of_json(tmp_path: Path) -> None:
    lines = [json.dumps(json.dumps(record)) for record in POOL]
    found = list(read_pool(put(tmp_path, "\n".join(lines).encode(), "pool.jsonl")))
    assert [one.original for one in found] == lines
    assert [one.instruction for one in found] == QUESTIONS
