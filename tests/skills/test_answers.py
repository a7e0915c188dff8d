"""What is read out of a language model's answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core.skills.answers import parse_answer


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ('["sql", "joins"]', ("sql", "joins")),
        ('{"skills": ["SQL", "sql", " joins "]}', ("sql", "joins")),
        ('{"why": ["a"], "skills": ["sql"]}', ("sql",)),
        ('{"topics": ["sql"]}', ("sql",)),
        ('[{"name": "sql"}, {"tag": "joins", "explanation": "..."}]', ("sql", "joins")),
        ('```json\n["sql"]\n```', ("sql",)),
        ('Here you are [1]: ["sql", "joins"] Anything else? [y/n]', ("sql", "joins")),
        ('<think>["wrong"] or what</think>{"skills": ["sql"]}', ("sql",)),
        ('{"skills": []}', ()),
        ('["sql", "' + "x" * 80 + '"]', ("sql",)),
        ("sql, joins", None),
        ('["sql", "joi', None),
        ("[1, 2]", None),
        ("null", None),
        ("", None),
        ("[" * 30_000, None),
    ],
)
def test_answers_are_read_tolerantly(answer, labels):
    assert parse_answer(answer) == labels


def test_an_answer_is_capped():
    assert parse_answer(json.dumps([f"s{k}" for k in range(20)]), max_labels=3) == (
        "s0",
        "s1",
        "s2",
    )


@given(st.text(alphabet='[]{}",:ab \\1', max_size=60))
@settings(max_examples=300)
def test_no_answer_breaks_the_reader(text):
    labels = parse_answer(text)
    assert labels is None or all(isinstance(name, str) and name for name in labels)


def test_half_a_character_in_an_answer_becomes_a_mark():
    assert parse_answer('["sql \\ud800"]') == ("sql \ufffd",)
