"""Texts as hashes: words in their order, runs of them, and whole records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pools_apart import PARAGRAPHS

from ila_core.overlap.wording import Wording, fingerprint, spoken
from ila_core.space.words import folded, sequence

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@given(st.lists(WORDS, max_size=4), st.integers(1, 4))
def test_runs_are_those_of_the_obvious_loop(texts: list[list[str]], size: int) -> None:
    grams = Wording.of(" ".join(words) for words in texts).grams(size)
    plain = [
        (number, place, tuple(words[place : place + size]))
        for number, words in enumerate(texts)
        for place in range(len(words) - size + 1)
    ]
    found = zip(grams.text.tolist(), grams.place.tolist(), strict=True)
    assert list(found) == [(number, place) for number, place, _ in plain]
    for one, (*_, mine) in zip(grams.hash, plain, strict=True):
        assert [one == other for other in grams.hash] == [mine == yours for *_, yours in plain]


def test_the_order_of_words_counts() -> None:
    text = Wording.of(["a b", "b a"])
    first, second = text.grams(2).hash
    assert first != second and len(set(text.wholes().tolist())) == 2


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_words_of_every_script_are_found_in_their_order(language: str) -> None:
    text = PARAGRAPHS[language]
    words = sequence(folded(text))
    assert len(words) > 25
    place = 0
    for word in words:
        place = folded(text).index(word, place) + len(word)


def test_a_passage_is_told_as_it_is_written() -> None:
    assert spoken(sequence("写一首3行的haiku")) == "写一首 3 行的 haiku"
    assert spoken(sequence("a red apple")) == "a red apple"
    assert spoken([]) == ""


def test_what_tells_a_record() -> None:
    told = fingerprint("Add 2 + 3.", "5")
    assert fingerprint("ADD  2 + 3.\n", " 5") == told
    others = [("Add 2 - 3.", "5"), ("Add 2 + 3.", ""), ("Add 2 + 3. 5", ""), ("", "Add 2 + 3. 5")]
    assert len({told, *(fingerprint(*pair) for pair in others)}) == 5
    assert fingerprint("CAFE\u0301", "") == fingerprint("café", "")


def test_nothing_has_no_words() -> None:
    for texts in ([], [""], ["", " \n"]):
        text = Wording.of(texts)
        assert text.length.tolist() == [0] * len(texts)
        assert len(text.grams(3).hash) == 0 and not np.any(text.wholes())
