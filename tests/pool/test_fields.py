"""Which field of a record plays which part."""

from __future__ import annotations

import pytest

from ila_core.errors import UsageError
from ila_core.pool.fields import check_mapping, field_of
from ila_core.pool.plans import plan_of


def test_plan_tells_the_mapping() -> None:
    record = {"question": "a", "answer": "b", "tags": "x", "task": "t", "id": 3}
    assert plan_of(record).mapping == {
        "instruction": "question",
        "response": "answer",
        "labels": "tags",
        "source": "task",
    }


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ([("ask", "a")], "no part 'ask'; its parts are instruction, response"),
        ([("input", "")], "input= names no field"),
        ([("input", "a"), ("input", "b")], "names 'input' more than once"),
    ],
)
def test_mapping_that_cannot_be_meant(mapping: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_mapping(mapping)


def test_field_of() -> None:
    record = {"a": {"b": [{"c": 1}]}, "a.b": 2, "n": None}
    assert field_of(record, "a.b") == 2
    assert field_of(record, "a.b.0.c") == 1
    assert field_of(record, "a.b.1.c") is None
    assert field_of(record, "n") is None
    assert field_of(record, "x.y") is None
