"""Tokenizers of the n-gram scorer: the pool's own, and those of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sums import QUESTIONS
from tiny_lm import ask

from ila_core.errors import UsageError
from ila_core.loss.ngram import tokenizer as module
from ila_core.loss.ngram.tokenizer import (
    WORD,
    LibraryTokenizer,
    PoolTokenizer,
    sample_texts,
    train_tokenizer,
)

# -------------------------------------------------------------------------------------- tokenizer


def spaced(text: str) -> str:
    return text if text[:1].isspace() or not text else " " + text


@given(st.text())
def test_words_are_the_whole_text(text: str) -> None:
    assert "".join(WORD.findall(text)) == text


@settings(max_examples=50)
@given(st.lists(st.text(alphabet="ab c'd1_.\n é日", max_size=40), max_size=8))
def test_looked_up_words_equal_the_library(texts: list[str]) -> None:
    tokenizer = train_tokenizer(["ab abc c'd 11 a_b. é日\n\n"] * 60)
    for _ in range(2):  # learning the words, then looking them up
        ids, lengths = tokenizer.encode(texts)
        expected = [
            [i for word in WORD.findall(spaced(text)) for i in tokenizer.bpe.encode(word).ids]
            for text in texts
        ]
        assert ids.tolist() == [i for text in expected for i in text]
        assert lengths.tolist() == [len(text) for text in expected]


def test_a_first_word_is_the_token_of_a_later_one() -> None:
    tokenizer = train_tokenizer(["dog bird cat"] * 99)
    inside, alone = (tokenizer.encode([text]).ids.tolist() for text in ("dog bird cat", "bird"))
    assert len(alone) == 1 and alone[0] == inside[1]


def test_forgetting_words_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = train_tokenizer(QUESTIONS * 4)
    once = tokenizer.encode(QUESTIONS)
    monkeypatch.setattr(module, "WORDS_KEPT", 3)
    for _ in range(3):
        assert np.array_equal(tokenizer.encode(QUESTIONS).ids, once.ids)


def test_training_is_repeatable_and_kept(tmp_path: Path) -> None:
    one, two = train_tokenizer(QUESTIONS * 9), train_tokenizer(QUESTIONS * 9)
    one.save(tmp_path / "t.json")
    kept = PoolTokenizer.open(tmp_path / "t.json")
    assert one.key == two.key == kept.key and one.vocab == kept.vocab > 256
    assert np.array_equal(kept.encode(QUESTIONS).ids, one.encode(QUESTIONS).ids)


def test_sample_is_seeded_and_cut() -> None:
    long = [ask("x" * 9_000, "y" * 9_000)] * 3
    assert [len(text) for text in sample_texts(lambda: long, 3)] == [2_000] * 6
    many = [ask(str(row), "") for row in range(9_000)]
    first, again, other = (list(sample_texts(lambda: many, 9_000, seed=s)) for s in (0, 0, 1))
    assert first == again != other and len(first) == 16_000


def test_unknown_tokenizer_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for name in ("no-such/tokenizer-anywhere", str(tmp_path / "broken.json")):
        with pytest.raises(UsageError, match=r"--tokenizer") as caught:
            LibraryTokenizer.load(name)
        assert name in str(caught.value)
