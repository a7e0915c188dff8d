"""Records that say the same: by hand in several scripts, and what holds of any pool."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pools_apart import PARAGRAPHS, QUESTIONS, landscape_of

import ila_core as ila
from ila_core.errors import IlaError, UsageError
from ila_core.overlap.alike import sketch
from ila_core.overlap.duplicates import DuplicateSettings, duplicates

FIRST = DuplicateSettings(keep="first")


def test_equal_records_and_the_deepest_of_them_is_kept(tmp_path: Path) -> None:
    pairs = [("Name a river.", "The Ebro."), ("Name a sea.", "The Arctic."),
             ("name a  RIVER.", "The Ebro.\n"), ("Name a river.", "The Ebro.")]  # fmt: skip
    landscape = landscape_of(tmp_path, pairs, depth=[1.0, 0.0, 3.0, 2.0])
    found = duplicates(landscape)
    assert (found.rows.tolist(), found.kept.tolist()) == ([0, 3], [2, 2])
    assert (found.exact, found.near) == (2, 0) and found.likeness.tolist() == [1, 1]
    assert duplicates(landscape, FIRST).rows.tolist() == [2, 3]
    assert found.sentence == (
        "2 of 4 records say what another one says: 2 exactly, 0 nearly (likeness 0.8 or more); "
        "1 are kept for them."
    )


def test_records_without_a_depth_are_kept_last(tmp_path: Path) -> None:
    landscape = landscape_of(tmp_path, [("Hi", "Yo")] * 3, depth=[np.nan, 1.0, np.nan])
    assert duplicates(landscape).kept.tolist() == [1, 1]
    nothing = landscape_of(tmp_path / "x", [("Hi", "Yo")] * 3, depth=[np.nan] * 3)
    assert duplicates(nothing).kept.tolist() == [0, 0]


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_one_word_more_is_nearly_the_same_in_any_script(tmp_path: Path, language: str) -> None:
    text, others = PARAGRAPHS[language], [PARAGRAPHS[one] for one in PARAGRAPHS if one != language]
    pairs = [(text, "Yes"), (text + " 7", "Yes"), *((other, "Yes") for other in others)]
    found = duplicates(landscape_of(tmp_path, pairs), FIRST)
    assert (found.rows.tolist(), found.kept.tolist(), found.near) == ([1], [0], 1)
    assert 0.9 < found.likeness[0] < 1
    strict = DuplicateSettings(threshold=1, keep="first")
    assert not len(duplicates(landscape_of(tmp_path / "x", pairs), strict).rows)


@pytest.mark.parametrize("language", QUESTIONS)
def test_another_answer_to_the_same_text_is_no_duplicate(tmp_path: Path, language: str) -> None:
    text, question = PARAGRAPHS[language], QUESTIONS[language]
    pairs = [(text, "Ja"), (text, "Nein"), (f"{text} {question}", "Ebro"), (question, "Ebro")]
    assert not len(duplicates(landscape_of(tmp_path, pairs)).rows)


def test_templates_with_another_number_are_no_duplicates(tmp_path: Path) -> None:
    pairs = [(f"Add {a} and {3 * a + 1}.", f"{a} + {3 * a + 1} = {4 * a + 1}") for a in range(50)]
    assert not len(duplicates(landscape_of(tmp_path, pairs)).rows)


def test_records_without_words_are_told_apart(tmp_path: Path) -> None:
    pairs = [("?!", ":-)"), ("!!", ":-)"), ("?!", ":-("), ("?! ", ":-)"), ("🙂", ""), ("🙃", "")]
    assert duplicates(landscape_of(tmp_path, pairs), FIRST).rows.tolist() == [3]


def test_one_record_and_all_the_same(tmp_path: Path) -> None:
    assert not len(duplicates(landscape_of(tmp_path, [("Hi", "Yo")])).rows)
    same = duplicates(landscape_of(tmp_path / "x", [("Hi", "Yo")] * 300), FIRST)
    assert same.rows.tolist() == list(range(1, 300)) and len(same.groups) == 1
    assert same.sentence.startswith("299 of 300 records")
    text = PARAGRAPHS["en"]
    near = landscape_of(tmp_path / "y", [(f"{text} {i}", "Yes") for i in range(300)])
    found = duplicates(near, FIRST)
    assert found.kept.tolist() == [0] * 299 and (found.exact, found.near) == (0, 299)


def test_groups_are_told_the_largest_first(tmp_path: Path) -> None:
    pairs = [("a", "1"), ("b", "2"), ("b", "2"), ("a", "1"), ("b", "2")]
    found = duplicates(landscape_of(tmp_path, pairs), FIRST)
    assert [(g.kept, g.left.tolist()) for g in found.groups] == [(1, [2, 4]), (0, [3])]
    told = found.as_dict()
    assert told["groups"][1] == {"kept": 0, "left": [3], "likeness": [1.0]}
    assert (told["records"], told["left"], told["exact"], told["near"]) == (5, 3, 3, 0)


def test_an_equal_of_a_near_one_follows_it(tmp_path: Path) -> None:
    text = PARAGRAPHS["en"]
    pairs = [(f"{text} more", "Yes"), (text, "Yes"), (text, "Yes")]
    found = duplicates(landscape_of(tmp_path, pairs), FIRST)
    assert (found.rows.tolist(), found.kept.tolist()) == ([1, 2], [0, 0])
    assert (found.exact, found.near) == (1, 1) and found.likeness[0] == found.likeness[1] < 1


SENTENCES = st.lists(st.sampled_from(list("abcdefgh")), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=25)
@given(st.lists(st.tuples(SENTENCES, st.sampled_from(["yes", "no"])), min_size=1, max_size=30),
       st.sampled_from([0.3, 0.6, 0.9]), st.sampled_from(["deepest", "first"]))  # fmt: skip
def test_whatever_is_left_out_is_like_the_one_kept_for_it(pairs, threshold, keep) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as spool:
        landscape = landscape_of(Path(folder), pairs)
        found = duplicates(landscape, DuplicateSettings(threshold=threshold, keep=keep))
        sketches = sketch(landscape.records, spool)
        assert not set(found.kept.tolist()) & set(found.rows.tolist())
        for row, other, likeness in zip(found.rows, found.kept, found.likeness, strict=True):
            assert (
                likeness == pytest.approx(sketches.likeness(row, other)) and likeness >= threshold
            )
            earlier = row > other if keep == "first" else row < other
            assert earlier


def test_what_cannot_be_meant(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--threshold is 0; give a number above 0 and at most 1"):
        duplicates(landscape_of(tmp_path, [("Hi", "Yo")]), DuplicateSettings(threshold=0))
    with pytest.raises(IlaError, match="no records"):
        duplicates(ila.Landscape.from_arrays([[0, 0]]))


def test_the_likeness_of_two_records_by_hand(tmp_path: Path) -> None:
    """Runs abc bcd cde of the one, abc bcd of the other; the responses are one run each."""
    pairs = [("a b c d e", "Yes."), ("A b, c d!", "yes")]
    landscape = landscape_of(tmp_path, pairs)
    with tempfile.TemporaryFile() as spool:
        assert sketch(landscape.records, spool).likeness(0, 1) == pytest.approx(2 / 3)
