"""The shipped encoder for every language: its files, its pieces, its head, what it knows."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import IN_LANGUAGES
from test_encoders import STRANGE

from ila_core.paths import ASSETS
from ila_core.space import pieces as remembered
from ila_core.space.encoders import load_encoder
from ila_core.space.multilingual import MultilingualEncoder

FOLDER = ASSETS / "multilingual"


@pytest.fixture(scope="module")
def encoder() -> MultilingualEncoder:
    loaded = load_encoder("multilingual")
    assert isinstance(loaded, MultilingualEncoder)
    return loaded


def units(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# -- files ----------------------------------------------------------------------------------------


def test_it_is_small_and_says_where_it_is_from_and_under_which_licences() -> None:
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    assert 30e6 < size < 45e6
    assert "Apache License" in (FOLDER / "LICENSE").read_text(encoding="utf-8")
    mit = (FOLDER / "LICENSE-multilingual-e5-small.md").read_text(encoding="utf-8")
    assert "MIT License" in mit
    source = (FOLDER / "SOURCE.md").read_text(encoding="utf-8")
    for name in ("model.safetensors", "tokenizer.json"):
        digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        assert f"| {name} | {digest} |" in source


# -- pieces ---------------------------------------------------------------------------------------


@cache
def library() -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


def library_pieces(texts: list[str]) -> list[list[int]]:
    """The pieces as the library tokenizers has them."""
    encoded = library().encode_batch_fast(texts, add_special_tokens=False)
    return [one.ids for one in encoded]


def test_pieces_are_those_of_the_library(encoder: MultilingualEncoder) -> None:
    sentences = [text for row in IN_LANGUAGES for text in row]
    clean = [text.encode("utf-8", "replace").decode() for text in STRANGE]
    texts = [" ".join(text.split()) for text in [*sentences, *clean] if len(text) < 3072]
    assert list(encoder.spell(texts).lists()) == library_pieces(texts)


@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=12))
@settings(max_examples=25)
def test_any_text_is_cut_as_the_library_cuts_it(
    encoder: MultilingualEncoder, texts: list[str]
) -> None:
    # A sign that spells a space is a space to the library where no word begins.
    texts = [" ".join(text.replace("\u2581", "").split()) for text in texts]
    assert list(encoder.spell(texts).lists()) == library_pieces(texts)


def test_forgetting_words_changes_nothing(
    encoder: MultilingualEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [encoder.encode([text]) for text in STRANGE]
    monkeypatch.setattr(remembered, "PIECES_REMEMBERED", 3)
    fresh = load_encoder("multilingual")
    for text, vector in zip(STRANGE, expected, strict=True):
        np.testing.assert_array_equal(fresh.encode([text]), vector)


# -- vectors --------------------------------------------------------------------------------------


def test_vectors_are_those_of_ten_obvious_lines(encoder: MultilingualEncoder) -> None:
    from safetensors.numpy import load_file

    weights = {k: v.astype(np.float32) for k, v in load_file(FOLDER / "model.safetensors").items()}
    packed = weights["rows"].astype(np.uint8).reshape(-1, 8, 16)
    for text in ("Sort a list in Python.", "请写一首关于春天的诗"):
        row = encoder.spell([text]).pieces
        levels = np.concatenate([packed[row] & 15, packed[row] >> 4], axis=2).astype(np.float32) - 8
        rows = (levels * weights["scales"][row][:, :, None]).reshape(len(row), 256)
        seen = (rows.sum(axis=0) + weights["frame"]) / np.sqrt(len(row) + 2) @ weights["axes"]
        first = np.maximum(np.maximum(seen[:320], 0) @ weights["d1"] + seen[320:], 0)
        second = np.maximum(first @ weights["d2"], 0)
        expected = np.tanh(first @ weights["p3"] + second @ weights["d3"])
        np.testing.assert_allclose(encoder.encode([text])[0], expected, atol=1e-5)


def test_a_text_has_the_same_bits_in_any_batch(encoder: MultilingualEncoder) -> None:
    texts = STRANGE * 17  # more than two blocks, and a part of one
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in STRANGE])
    np.testing.assert_array_equal(together, np.concatenate([alone] * 17))
    np.testing.assert_array_equal(encoder.encode(texts[5:81]), together[5:81])


def test_nothing_has_no_vectors(encoder: MultilingualEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dim)


@pytest.mark.parametrize("text", ["", " \n\t ", "ꀀꀁ", "ꀀ ᚠ 𓀀", "\u200b"])
def test_a_text_of_unknown_signs_alone_has_a_zero_vector(
    encoder: MultilingualEncoder, text: str
) -> None:
    assert not encoder.encode([text]).any()
    assert encoder.encode([text + " cat"]).any()


def test_the_share_of_unknown_pieces_by_hand(encoder: MultilingualEncoder) -> None:
    shares = encoder.unknown_share(["the cat", "ꀀꀁ cat", "ꀀ ᚠ", ""])
    assert shares.tolist() == [0, 0.5, 1, 0]


def test_of_a_long_text_head_and_tail_are_read(encoder: MultilingualEncoder) -> None:
    document = "The ship sailed over the grey sea. " * 200
    first, second, other = encoder.encode(
        [
            document + "Who is the captain?",
            document + "Write a Python function.",
            "x" * 30 + document[:-35] + "y" * 30 + "Who is the captain?",
        ]
    )
    assert (first != second).any() and (first != other).any()
    middle = document[:3600] + "An island came in sight. " + document[3600:]
    np.testing.assert_array_equal(*encoder.encode([document * 2, middle + document]))


# -- what it knows --------------------------------------------------------------------------------


def test_a_translation_is_nearer_than_other_sentences(encoder: MultilingualEncoder) -> None:
    """Static vectors reach 0.1 here."""
    languages = len(IN_LANGUAGES[0])
    vectors = units(encoder.encode([text for row in IN_LANGUAGES for text in row]))
    by_language = vectors.reshape(len(IN_LANGUAGES), languages, -1).swapaxes(0, 1)
    right = [
        np.argmax(a @ b.T, axis=1) == np.arange(len(IN_LANGUAGES))
        for i, a in enumerate(by_language)
        for j, b in enumerate(by_language)
        if i != j
    ]
    assert np.mean(right) >= 0.9


def test_questions_of_which_one_chinese_word_differs_have_their_own_vectors(
    encoder: MultilingualEncoder,
) -> None:
    words = "苹果 香蕉 医生 老师 飞机 火车 北京 上海 数学 历史 猫 狗 山 河 雨 雪"
    texts = [f"请用一句话介绍{word}。" for word in words.split()]
    vectors = units(encoder.encode(texts))
    assert len(np.unique(vectors, axis=0)) == len(texts)
    assert (vectors @ vectors.T)[~np.eye(len(texts), dtype=bool)].max() < 0.99


def test_its_identity_is_its_files(encoder: MultilingualEncoder, tmp_path: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    assert MultilingualEncoder(tmp_path, "copy").identity == encoder.identity
    (tmp_path / "tokenizer.json").write_text("{}")
    assert MultilingualEncoder(tmp_path, "copy").identity != encoder.identity
