"""What a file's first records have in common, and what is said of the fields that were read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pool_files import lines, put

from ila_core.errors import IlaError, PoolError
from ila_core.pool.formats import adapt
from ila_core.pool.ingest import ingest
from ila_core.pool.reading import Reading, preview
from ila_core.pool.record import Record
from ila_core.pool.settings import ReadSettings
from ila_core.pool.survey import habits_of, is_prose
from ila_core.pool.understood import Understood, paths_in

PASSAGE = "The weir, built of oak, holds back the pond; a sluice lets it out"


def read(tmp_path: Path, pool: list[dict[str, Any]], **how: Any) -> tuple[Reading, list[Record]]:
    reading = Reading(put(tmp_path, lines(pool)), ReadSettings(**how))
    found = list(reading)
    assert reading.tally.kept + reading.rejected == reading.tally.read == len(found)
    return reading, [one for one in found if isinstance(one, Record)]


@pytest.mark.parametrize(
    ("value", "prose"),
    [
        ("sql", False), ("sql, window functions; joins", False), (["sql", "joins"], False),
        ('["joins of many large tables", "sorting of text"]', False),
        ('["sql", "joins"]', False), ("open domain question answering", False), (7, False),
        ("https://example.org/a/very/long/path-of-a-page?with=query", False),
        ("It is blue.", True), (PASSAGE, True), (["It is blue."], True), ("a\nb", True),
        ("数学，几何", False), ("这座水坝是用橡木建造的，池塘在它后面。", True), ("", False),
        ("the dam that holds back the pond", True),
    ],
)  # fmt: skip
def test_prose_is_told_from_names(value: object, prose: bool) -> None:
    assert is_prose(value) == prose


def test_prose_is_context_and_short_names_are_labels(tmp_path: Path) -> None:
    pool = [{"knowledge": PASSAGE, "question": f"What is it {i}?", "answer": "A weir."}
            for i in range(5)]  # fmt: skip
    pool[3]["knowledge"] = "A weir"  # short by chance: what the others say of the field counts
    reading, found = read(tmp_path, pool)
    assert [one.labels for one in found] == [None] * 5
    assert found[3].instruction == "What is it 3?\n\nA weir"
    told = "instruction from question + knowledge, response from answer"
    assert reading.understood.sentence() == told
    named = [{**record, "knowledge": "weirs; ponds", "id": 1} for record in pool]
    reading, found = read(tmp_path, named)
    assert [one.labels for one in found] == [("weirs", "ponds")] * 5
    told = "instruction from question, response from answer, labels from knowledge; not used: id"
    assert reading.understood.sentence() == told
    tagged = [{**record, "tags": PASSAGE + "."} for record in pool]
    assert read(tmp_path, tagged)[1][0].labels is None
    asked = read(tmp_path, tagged, map="labels=tags")[1][0].labels
    assert asked is not None and len(asked) == 4, "who names the field has the last word"
    listed = [{**record, "knowledge": [PASSAGE + "."]} for record in pool]
    assert read(tmp_path, listed)[1][0].instruction == "What is it 0?"


def test_a_task_in_prose_is_the_instruction(tmp_path: Path) -> None:
    pool = [{"task": "Put the sentence into the past tense.", "input": f"I go {i}", "output": "x"}
            for i in range(4)]  # fmt: skip
    reading, found = read(tmp_path, pool)
    assert found[0].instruction == "Put the sentence into the past tense.\n\nI go 0"
    assert found[0].source is None
    assert reading.understood.sentence() == "instruction from task + input, response from output"
    for name in ("task", "source"):
        renamed = [{name: record["task"], "target": "x"} for record in pool]
        told = f"instruction from {name}, response from target"
        assert read(tmp_path, renamed)[0].understood.sentence() == told
    short = [{**record, "task": "tenses"} for record in pool]
    assert read(tmp_path, short)[1][0].instruction == "I go 0"
    assert read(tmp_path, short)[1][0].source == "tenses"


def test_a_field_that_always_says_the_same_is_no_answer(tmp_path: Path) -> None:
    pool = [{"instruction": f"{i}?", "response": f"It is {i}.", "output": "ok"} for i in range(4)]
    assert [one.response for one in read(tmp_path, pool)[1]][2:] == ["It is 2.", "It is 3."]
    same = [{"instruction": f"{i}?", "output": "ok"} for i in range(4)]
    assert read(tmp_path, same)[1][0].response == "ok"
    assert habits_of(same).constant == frozenset()
    assert habits_of(pool[:3]).constant == {"output"}
    assert habits_of(pool[:2]).constant == frozenset(), "two may agree by chance"


def test_a_fifth_of_long_names_is_no_prose() -> None:
    pool = [{"tags": PASSAGE}, *[{"tags": "weirs"}] * 4]
    assert habits_of(pool).prose == frozenset()
    assert habits_of(pool[:4]).prose == {"tags"}


def test_the_same_fields_for_all_records_of_a_file(tmp_path: Path) -> None:
    pool = [{"text": "Translate.", "input": "Hund", "output": "dog"},
            {"text": "Name a tree.", "input": "", "output": "Elm."}]  # fmt: skip
    reading, found = read(tmp_path, pool)
    assert [one.instruction for one in found] == ["Translate.\n\nHund", "Name a tree."]
    told = "instruction from text + input, response from output"
    assert reading.understood.sentence() == told
    template = {"input": "Hund", "output": "dog", "text": "Translate Hund ### dog"}
    assert adapt(template).turns[0].text == "Hund"


def test_mixed_pools_tell_how_many(tmp_path: Path) -> None:
    pool: list[dict[str, Any]] = [{"question": "a", "answer": "b", "": 3}] * 2
    pool += [{"prompt": "c", "context": "d", "answer": "e"}, {"text": "Human: f\n\nAssistant: g"}]
    reading, _ = read(tmp_path, pool)
    assert reading.understood.sentence() == (
        "turns from text, instruction from question (2) or prompt (1), input from context, "
        "response from answer"
    )
    assert Understood({}).sentence() == ""


def test_what_was_understood_is_kept_with_the_pool(tmp_path: Path) -> None:
    file = put(tmp_path, lines([{"ask": "a", "answer": "b", "id": 1}]))
    how = ReadSettings(map="instruction=ask")
    told = "instruction from ask, response from answer; not used: id"
    assert ingest(file, out=tmp_path / "run", settings=how).understood.sentence() == told
    assert preview(file, how).understood.sentence() == told


def test_errors_name_what_is_there_and_what_helps(tmp_path: Path) -> None:
    nested = [{"id": 1, "meta": {"ask": "a", "tries": [{"says": "b"}]}}]
    with pytest.raises(
        PoolError, match=r"fields are id, meta.ask, meta.tries.0.says: name"
    ) as told:
        read(tmp_path, nested)
    assert told.value.fields == ("id", "meta.ask", "meta.tries.0.says")
    mapped = "instruction=meta.ask,response=meta.tries.0.says"
    reading, found = read(tmp_path, nested, map=mapped)
    assert found[0].response == "b"
    told = "instruction from meta.ask, response from meta.tries.0.says; not used: id"
    assert reading.understood.sentence() == told
    messages = [{"role": "user", "content": "Hi", "id": 1, "parent": None}]
    with pytest.raises(IlaError, match="each line is one message, but a record is a whole"):
        read(tmp_path, messages)
    reading, _ = read(tmp_path, [{"role": "prompter", "text": "Hi", "parent_id": None}] * 2)
    with pytest.raises(PoolError, match=r"None of the 2 .* fields are role, text, .* one message"):
        reading.check()
    reading, _ = read(tmp_path, [{"author": "Austen", "text": "It is a truth"}])
    with pytest.raises(PoolError, match="fields are author, text: name the right one with --map"):
        reading.check()
    asked = [{"messages": [{"role": "user", "content": "1 + 1?"}], "truth": 2}]
    reading, _ = read(tmp_path, asked)
    with pytest.raises(PoolError, match="--map response=FIELD"):
        reading.check()
    [record] = read(tmp_path, asked, map="response=truth")[1]
    assert (record.instruction, record.response) == ("1 + 1?", "2")
    with pytest.raises(PoolError, match=r"invalid JSON .* broken at character 6 \(Expecting ':'"):
        list(Reading(put(tmp_path, b'{"a" "b"}\n', "colon.jsonl")))
    reading, _ = read(tmp_path, [{"question": "a", "why": {"a": 1}}])
    with pytest.raises(PoolError, match=r"fields are question, why.a: .*--map response=FIELD"):
        reading.check()
    reading, _ = read(tmp_path, [{"turns": ["a", "b"]}])
    with pytest.raises(PoolError, match=r"--map messages=FIELD if the answers stand between"):
        reading.check()
    assert read(tmp_path, [{"turns": ["a", "b"]}], map="messages=turns")[1][0].response == "b"
    with pytest.raises(IlaError, match=r"broken.csv .*name its encoding with --encoding"):
        list(Reading(put(tmp_path, b"question,answer\nna\xefve,a\n", "broken.csv")))


def test_tables_without_a_header(tmp_path: Path) -> None:
    file = put(tmp_path, b"Name a bee.,Mason bee.,why\nName a wasp.,Hornet.,so\n", "pool.csv")
    with pytest.raises(PoolError, match=r"none of its columns, .* known name: .* --header instr"):
        list(Reading(file))
    reading = Reading(file, ReadSettings(header="question,answer,note"))
    assert [one.response for one in reading if isinstance(one, Record)] == ["Mason bee.", "Hornet."]
    told = "instruction from question, response from answer; not used: note"
    assert reading.understood.sentence() == told
    with pytest.raises(IlaError, match=r"wrong number of columns .*--header A,B,C"):
        list(Reading(file, ReadSettings(header="question,answer")))


def test_an_encoding_and_a_split_that_are_asked_for(tmp_path: Path) -> None:
    file = put(tmp_path, '{"prompt": "Łódź?", "completion": "A city."}\n'.encode("cp1250"))
    [record] = Reading(file, ReadSettings(encoding="windows-1250"))
    assert isinstance(record, Record) and record.instruction == "Łódź?"
    with pytest.raises(IlaError, match="--encoding is 'klingon', which is no encoding"):
        list(Reading(file, ReadSettings(encoding="klingon")))
    for name in ("hex", "rot13", "idna", "undefined"):
        with pytest.raises(IlaError, match=f"--encoding is '{name}', which is no encoding of text"):
            list(Reading(file, ReadSettings(encoding=name)))
    marked = put(tmp_path, b'{"prompt": "a"}\n{"prompt": "\xff"}\n{"prompt": "b"}\n')
    found = list(Reading(marked, ReadSettings(encoding="utf-8-sig")))
    assert [isinstance(one, Record) for one in found] == [True, False, True]
    both = put(tmp_path, b'{"mine": [{"prompt": "a"}], "yours": [{"prompt": "b"}]}', "two.json")
    [record] = Reading(both, ReadSettings(split="yours"))
    assert isinstance(record, Record) and record.instruction == "b"
    with pytest.raises(IlaError, match="has no list 'ours'; it has mine, yours: name one"):
        list(Reading(both, ReadSettings(split="ours")))


def test_a_preview_looks_on_until_there_is_a_record(tmp_path: Path) -> None:
    bad = [{"ask": "a"}] * 30
    late = preview(put(tmp_path, lines([*bad, {"prompt": "a", "completion": "b"}, *bad])), scan=10)
    assert [one.response for one in late.records] == ["b"]
    with pytest.raises(PoolError, match="fields are ask"):
        preview(put(tmp_path, lines(bad)), scan=10)


def test_paths_stop_somewhere() -> None:
    deep = {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}
    assert paths_in({**deep, "f": [], "g": [1], "h": [[{"i": 1}]]}) == [
        "a.b.c.d.e.f", "f", "g", "h.0.0.i",
    ]  # fmt: skip
