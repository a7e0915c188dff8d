"""Embedding of a pool: in batches, with repetitions, after kills."""

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

from ila_core.errors import IlaError
from ila_core.space.encode import embed, first_occurrences, mean_direction


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
@settings(max_examples=40)
def test_batches_and_repetitions_change_nothing(texts: list[str], batch: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        encoder = Letters()
        batched = np.array(embed_all(texts, Path(folder), encoder, batch=batch).vectors)
        whole = np.array(embed_all(texts, Path(folder), batch=1000).vectors)
    np.testing.assert_array_equal(batched, whole)
    assert encoder.asked == list(dict.fromkeys(texts)), "every text is encoded once, in order"


def test_progress_counts_texts_to_the_end(tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    embed_all(list("abcab"), tmp_path, batch=2, progress=lambda *now: steps.append(now))
    assert steps == [(2, 5), (3, 5), (5, 5)]


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
    from test_encode import Letters, many_texts

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
        stream.write(bytes(4 * Letters().dim * 3) + b"torn")  # as a kill in a write leaves it
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


def test_what_is_unknown_gets_the_direction_that_is_given(tmp_path: Path) -> None:
    first = embed_all(["aab", "c", "xyz"], tmp_path)
    mean = mean_direction([np.asarray(first.vectors)])
    assert mean is not None
    np.testing.assert_allclose(mean, first.vectors[2], atol=1e-6)
    later = embed_all(["zzz", "bb"], tmp_path / "later", mean=mean)
    np.testing.assert_array_equal(later.vectors[0], mean)
    assert later.vectors[1].tolist() == [0, 1, 0] and later.unknown == 1
    assert mean_direction([np.zeros((3, 2))]) is None
    assert mean_direction([]) is None
