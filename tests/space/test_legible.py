"""What is told of how an encoder read a pool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ila_core.space import legible as module
from ila_core.space.legible import Legibility, legibility


class Reader:
    """Reads ten characters, and no x."""

    name = identity = "reader"
    dim = 2
    characters = 10

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.ones((len(texts), 2), np.float32)

    def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([text.count("x") / max(len(text), 1) for text in texts])


TEXTS = ["a", "b", "xx", "xab", "a long text, and one more", "aaaaaaaaaa"]


def seen(texts: list[str], vectors: object, encoder: Reader | None = None) -> Legibility:
    return legibility(lambda: iter(texts), np.array(vectors, np.float32), encoder)


def test_long_unread_and_alike_texts_by_hand() -> None:
    found = seen(TEXTS, [[1, 0]] * 6, Reader())
    assert found == Legibility(long=1, characters=10, unread=pytest.approx(2 / 6), likeness=1.0)


def test_three_in_ten_is_still_read() -> None:
    assert seen(["xxxaaaaaaa", "xxxxaaaaaa"], [[1, 0]] * 2, Reader()).unread == 0.5


def test_the_mean_cosine_of_all_pairs_of_a_ring() -> None:
    assert seen(["a", "b", "c"], [[1, 0], [0, 1], [0.6, 0.8]]).likeness == pytest.approx(1.4 / 3)


def test_equal_texts_are_no_sign_of_a_poor_encoder() -> None:
    assert seen(["a"] * 5, [[1, 0]] * 5).likeness is None
    assert seen(["a", "a", "b", "b"], [[1, 0], [1, 0], [0, 1], [0, 1]]).likeness == 0


@pytest.mark.parametrize("n", [0, 1])
def test_a_pool_without_pairs_has_no_likeness(n: int) -> None:
    assert seen(["a"] * n, np.ones((n, 2)), Reader()).likeness is None


def test_of_vectors_from_elsewhere_only_the_likeness_is_known() -> None:
    assert seen(TEXTS, [[1, 0]] * 6) == Legibility(None, None, None, 1.0)


def test_a_sample_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 100)
    asked: list[int] = []

    class Counting(Reader):
        def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
            asked.append(len(texts))
            return super().unknown_share(texts)

    texts = [("x" if i % 2 else "a") * 9 + str(i) for i in range(1000)]
    found = seen(texts, [[1, 0]] * 1000, Counting())
    assert asked == [100] and 0.35 < found.unread < 0.65  # type: ignore[operator]
