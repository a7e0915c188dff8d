"""What is typed into a search for words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.search.query import Query, Term, spaced


def test_words_phrases_beginnings_and_what_must_not_occur() -> None:
    query = Query.parse('tax  "capital gains" -crypto invest* -"day trade"')
    assert query.wanted == (Term("tax"), Term("capital gains"), Term("invest", beginning=True))
    assert query.unwanted == (Term("crypto"), Term("day trade"))


def test_signs_between_words_ask_for_nothing() -> None:
    assert Query.parse("cats & dogs - or + not") == Query.parse("cats dogs or not")


def test_the_words_of_the_index_are_words() -> None:
    assert Query.parse("AND NOT NEAR(a").match == '"AND" AND "NOT" AND "NEAR(a"'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' holds no word; give words"),
        ("++ -- **", "holds no word"),
        ("-a -b", "says only what must not occur; name a word that must."),
        ('say "hello', "has a quotation mark that is not closed; close it."),
    ],
)
def test_what_makes_no_sense_is_told(text: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        Query.parse(text)
    assert says in str(told.value)


def test_scripts_without_spaces_are_taken_apart() -> None:
    assert spaced("東京タワー").split() == list("東京タワー")
    assert spaced("ＡＢＣ 한국").split() == ["ABC", "한", "국"]
    assert spaced("plain text") == "plain text"


@given(st.text())
def test_any_text_is_a_query_or_is_told(text: str) -> None:
    try:
        query = Query.parse(text)
    except UsageError as error:
        assert str(error).endswith(".")
    else:
        assert query.wanted
        assert query.match.count('"') % 2 == 0
