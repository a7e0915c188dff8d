"""Labels: what a value spells, the same by every road, and how many skills they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.pool.ingest import ingest
from ila_core.pool.labels import NoLabels, from_column, labels_in, record_text

SPELLED = [
    (["sql", "joins"], ("sql", "joins")),
    (["a", " A", "a  b", "", None], ("a", "a b")),
    ("sql, joins;SQL", ("sql", "joins")),
    ("python; sorting", ("python", "sorting")),
    ("a, b ,,a", ("a", "b")),
    ('["c, c++", "rust"]', ("c, c++", "rust")),
    ("[draft], sql", ("[draft]", "sql")),
    ([{"tag": "sql", "explanation": "..."}, {"name": "joins"}], ("sql", "joins")),
    ('[{"tag": "sql"}, {"label": "joins"}]', ("sql", "joins")),
    ({"tag": "sql"}, ("sql",)),
    (["half a \ud800", "b"], ("half a \ufffd", "b")),
    (7, ("7",)),
    ([], ()),
    ("[]", ()),
    ("", None),
    (" , ;", None),
    (float("nan"), None),
    (None, None),
]
NONE = [
    {"sql": 1},
    [{"sql": 1}],
    [{"tag": "sql"}, {"why": 1}],
    '[{"why": 1}]',
    [101, 2054],
    [["a"]],
]


@pytest.mark.parametrize(("value", "labels"), SPELLED)
def test_a_value_becomes_labels(value: object, labels: object) -> None:
    assert labels_in(value) == labels


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_labels_is_refused_with_its_row(value: object) -> None:
    with pytest.raises(NoLabels):
        labels_in(value)
    with pytest.raises(UsageError, match=r"row 1 hold .*; a labels column holds lists of names"):
        from_column(["sql", value])


@pytest.mark.parametrize("field", ["labels", "tags"])
def test_a_column_gives_the_labels_that_the_pool_came_with(tmp_path: Path, field: str) -> None:
    """`--labels auto` and `--labels column:NAME` read one column alike, so depths are equal."""
    records = [{"instruction": "a", "output": "b", field: value} for value, _ in SPELLED]
    pool = ingest(write_jsonl(tmp_path / "pool.jsonl", records), out=tmp_path / "run")
    assert pool.labels() == from_column(pool.field(field)) == [labels for _, labels in SPELLED]


def test_a_field_of_that_name_that_means_something_else_is_no_labels(tmp_path: Path) -> None:
    records = [{"instruction": "a", "output": "b", "labels": value} for value in NONE]
    pool = ingest(write_jsonl(tmp_path / "pool.jsonl", records), out=tmp_path / "run")
    assert pool.labels() == [None] * len(NONE) and not pool.has_labels


LABELS = st.none() | st.text(max_size=8) | st.integers() | st.lists(st.text(max_size=4), max_size=4)


@given(LABELS)
def test_spelled_as_json_a_list_is_the_same_list(value: Any) -> None:
    if isinstance(value, list):
        assert labels_in(json.dumps(value)) == labels_in(value)
    labels = labels_in(value)
    assert labels is None or len({name.casefold() for name in labels}) == len(labels)


def test_a_record_text_always_shows_some_of_the_response() -> None:
    text = record_text("i" * 9000, "r" * 9000, chars=400)
    assert len(text) == 400 and text.count("i") == 300 and text.count("r") == 98
