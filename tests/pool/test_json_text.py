"""JSON as text: squeezed, without a field, with whole characters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_files import (
    JSON,
)

from ila_core.pool.json_text import as_utf8, compact_json, loads, squeeze, without_field


@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_squeeze_is_the_compact_text(value: Any, indent: int | str | None) -> None:
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    spaced = json.dumps(value, indent=indent, ensure_ascii=False)
    assert json.loads(squeeze(spaced)) == value
    assert squeeze(spaced).replace("\x7f", "") == compact.replace("\x7f", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"é": [1, None]}, '{"é":[1,null]}'),
        ({"n": 2**70}, '{"n":1180591620717411303424}'),
        ({"b": b"ab"}, '{"b":"YWI="}'),
        ({"x": float("nan")}, '{"x":null}'),
    ],
)
def test_compact_json(value: object, text: str) -> None:
    assert compact_json(value) == text


@pytest.mark.parametrize(
    ("text", "name", "left"),
    [
        ('{"a": 1, "b": 2,  "c": 3}', "a", '{"b": 2,  "c": 3}'),
        ('{"a": 1, "b": 2,  "c": 3}', "b", '{"a": 1,  "c": 3}'),
        ('{"a": 1, "b": 2,  "c": 3}', "c", '{"a": 1, "b": 2}'),
        ('{"a":1e3,"a":2,"b":"\\ud800"}', "a", '{"b":"\\ud800"}'),
        (' {"b" : {"a": "}"}, "a":[{}]} ', "a", ' {"b" : {"a": "}"}} '),
        ('{"a": 1}', "a", "{}"),
        ("{}", "a", "{}"),
    ],
)
def test_a_field_goes_and_the_others_stay_as_they_stood(text: str, name: str, left: str) -> None:
    assert without_field(text, name) == left


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.sampled_from([None, 1]))
def test_without_a_field_is_the_object_without_it(
    record: dict[str, Any], indent: int | None
) -> None:
    left = without_field(json.dumps(record, indent=indent), "a")
    assert json.loads(left) == {name: value for name, value in record.items() if name != "a"}


@given(st.text(st.characters()))
def test_half_a_character_is_read_as_a_mark_and_written_as_its_escape(text: str) -> None:
    line = as_utf8(json.dumps([text], ensure_ascii=False))
    assert json.loads(line) == [text]
    [whole] = loads(line.decode())
    assert whole == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
