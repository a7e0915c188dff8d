"""Vectors that were made elsewhere: read at length one, or refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ila_core.errors import UsageError
from ila_core.space.given import load_embeddings


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
    vectors = load_embeddings(tmp_path / "v.npy", 2).vectors
    np.testing.assert_allclose(vectors, [[0.6, 0.8]] * 2, rtol=1e-6)


def test_arrays_in_column_order_are_read_right(tmp_path: Path) -> None:
    given = np.random.default_rng(0).normal(size=(7, 3))
    np.save(tmp_path / "v.npy", np.asfortranarray(given))
    vectors = load_embeddings(tmp_path / "v.npy", 7).vectors
    np.testing.assert_allclose(vectors, given / np.linalg.norm(given, axis=1)[:, None], rtol=1e-6)


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
    with pytest.raises(UsageError, match=message) as refused:
        load_embeddings(path, 2, out=tmp_path / "out.npy")
    assert str(path) in str(refused.value)
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


def test_a_row_that_is_not_finite_is_named_however_far_behind(tmp_path: Path) -> None:
    array = np.ones((70_000, 1), np.float16)
    array[69_999] = np.nan
    np.save(tmp_path / "vectors.npy", array)
    with pytest.raises(UsageError, match="not finite in row 69999"):
        load_embeddings(tmp_path / "vectors.npy", len(array))


def test_a_file_that_becomes_shorter_while_it_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a mapped file the system would have ended the process."""
    path = tmp_path / "vectors.npy"
    np.save(path, np.ones((200_000, 8), np.float32))
    whole = np.isfinite

    def cut(part: np.ndarray) -> np.ndarray:
        os.truncate(path, 4096)
        return whole(part)

    monkeypatch.setattr(np, "isfinite", cut)
    with pytest.raises(UsageError, match="became shorter while it was read"):
        load_embeddings(path, 200_000, out=tmp_path / "out.npy")


def test_an_array_by_columns_is_read(tmp_path: Path) -> None:
    vectors = np.arange(1, 13, dtype=np.float64).reshape(4, 3)
    np.save(tmp_path / "f.npy", np.asfortranarray(vectors))
    found = load_embeddings(tmp_path / "f.npy", 4).vectors
    assert np.allclose(found, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
