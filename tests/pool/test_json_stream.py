"""JSON that is not lines: arrays, wrapped lists and objects, in pieces of any size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_files import (
    JSON,
    MANY,
    PARTIAL,
    POOL,
    outcome,
    put,
    relaxed,
)

from ila_core.errors import IlaError
from ila_core.pool.json_stream import records_in
from ila_core.pool.packing import Damaged
from ila_core.pool.reading import read_pool


def pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def test_array_elements_keep_fields_and_the_spelling_of_numbers(tmp_path: Path) -> None:
    data = """[{"prompt": "a [\\"b c\\"] é", "n": 1.50, "e": 1e3, "big": 12345678901234567890123},
               {"prompt": "x\ty", "n": 0.5, "neg": -0}, {"prompt": "\\ud800 x"},
               {"prompt": "z", "n": 1.50}, {"prompt": "z", "n": 1e3}, {"prompt": "z", "n": NaN}]"""
    file = put(tmp_path, data.encode(), "pool.json")
    assert [one.original for one in read_pool(file)] == [
        '{"prompt":"a [\\"b c\\"] é","n":1.50,"e":1e3,"big":12345678901234567890123}',
        '{"prompt":"x\\ty","n":0.5,"neg":-0}',
        '{"prompt":"\\ud800 x"}',
        '{"prompt":"z","n":1.50}',
        '{"prompt":"z","n":1e3}',
        '{"prompt":"z","n":NaN}',
    ]


def test_one_object_is_one_record_unless_it_holds_a_list_of_them(tmp_path: Path) -> None:
    talk = {"messages": [{"role": "user", "content": "Hi"}], "refs": [{"b": 1}], "meta": {}}
    assert outcome(put(tmp_path, json.dumps(talk, indent=1).encode(), "one.json")) == ["Hi"]
    assert outcome(put(tmp_path, json.dumps(talk).encode(), "one.json")) == ["Hi"]
    both = {"mine": POOL, "yours": POOL}
    with pytest.raises(IlaError, match=r"holds two lists, 'mine' and 'yours'.*--split mine"):
        outcome(put(tmp_path, json.dumps(both).encode(), "two.json"))


def test_deep_but_sound_records_are_kept(tmp_path: Path) -> None:
    deep = '{"prompt":"a","completion":"b","deep":' + "[" * 400 + "]" * 400 + "}"
    for name, data in (("p.jsonl", deep), ("p.json", f"[{deep}]")):
        assert [one.original for one in read_pool(put(tmp_path, data.encode(), name))] == [deep]


def test_elements_that_are_no_records(tmp_path: Path) -> None:
    data = b'[{"prompt":"a"}, 3, {"prompt":"\xff"}, [1], {"prompt":"\xc3\xa9"}, -1.5e3]'
    file = put(tmp_path, data, "pool.json")
    assert outcome(file) == ["a", "not an object", "not UTF-8", "not an object", "é",
                             "not an object"]  # fmt: skip


@relaxed
@given(share=st.floats(0, 1), indent=st.sampled_from([None, 1]))
def test_wherever_an_array_is_cut_a_prefix_remains(
    tmp_path: Path, share: float, indent: int | None
) -> None:
    whole = json.dumps(MANY[:50], indent=indent).encode()
    cut = whole[: int(len(whole) * share)]
    file = put(tmp_path, cut, "pool.json")
    try:
        kept = outcome(file, PARTIAL)
    except IlaError:
        return
    assert kept == [one["prompt"] for one in MANY[: len(kept)]]
    assert len(kept) == cut.count(b"}")


@pytest.mark.parametrize("number", ["0.25", "-1.5e+3", "12", "1E-7"])
def test_a_number_across_the_end_of_a_piece_is_one_number(number: str) -> None:
    text = f'[{number}, {{"prompt":"a"}}]'
    for size in range(1, len(text)):
        values = [one.value for one in records_in(pieces(text, size), "pool.json")]
        assert values == [float(number), {"prompt": "a"}]


def test_an_array_that_begins_with_no_object_is_an_array_all_the_same(tmp_path: Path) -> None:
    data = b'[\n  null,\n  {}\n,\n  {"prompt":"a"}\n]'
    assert outcome(put(tmp_path, data, "p.json")) == ["not an object", "unknown format", "a"]


def test_broken_inside(tmp_path: Path) -> None:
    data = b'[{"prompt":"a"}, {"prompt" "b"}, {"prompt":"c"}]'
    with pytest.raises(IlaError, match=r"after 1 usable record: its JSON is broken \(Expecting"):
        outcome(put(tmp_path, data, "p.json"))
    with pytest.raises(IlaError, match=r"'{' stands where , or \] should"):
        outcome(put(tmp_path, b'[{"prompt":"a"} {"prompt":"b"}]', "p.json"))
    data = b'question,answer\na,b\nc,"d\ne,f\n'
    with pytest.raises(IlaError, match="after 1 usable record: a quoted cell of row 2 is never"):
        outcome(put(tmp_path, data, "p.csv"))
    assert outcome(put(tmp_path, data, "p.csv"), PARTIAL) == ["a"]


@relaxed
@given(
    values=st.lists(JSON, max_size=8),
    size=st.integers(1, 40),
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
)
def test_array_in_pieces_of_any_size(
    values: list[Any], size: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    found = list(records_in(pieces(text, size), "pool.json"))
    assert [one.value for one in found] == values
    assert [json.loads(one.text) for one in found] == values


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"instruction": "a", "output": "b"},,]', "is broken"),
        ('[{"instruction": "a", "output": "b"}, {"instruction": }]', "is broken"),
        ('[{"instruction": "a", "output": "b"}, {"instruction": "c', "ends early"),
        ('[{"instruction": "a", "output": "b"}, {"instruction": tru', "ends early"),
        ('[{"instruction": "a", "output": "b"},', "ends early"),
    ],
)
def test_broken_json_is_told_from_json_that_is_cut(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "pool.json"
    file.write_text(text)
    with pytest.raises(IlaError, match=f"after 1 usable record: its JSON {reason}.*--partial"):
        list(read_pool(file))


def test_damage_between_two_objects_is_told() -> None:
    def cut() -> Iterator[str]:
        yield '{"a": 1} '
        raise Damaged("its gzip data ends early")

    found = records_in(cut(), "pool.json")
    assert next(found).value == {"a": 1}
    with pytest.raises(Damaged, match="its gzip data ends early"):
        next(found)
