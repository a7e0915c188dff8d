"""The lexical encoder: what it learns, from how little, and that chance enters by the seed."""

from __future__ import annotations

import numpy as np
import pytest

from ila_core.space import lexical as module
from ila_core.space.encoders import load_speller
from ila_core.space.lexical import LexicalEncoder, learn

SPELLER = load_speller()
POOL = [f"{what} {thing}" for what in ("Peel the", "Paint a") for thing in ["apple", "car", "dog"]]


def learned(texts: list[str], seed: int = 0) -> LexicalEncoder:
    return learn(lambda: iter(texts), len(texts), SPELLER, seed=seed)


def test_likenesses_are_those_of_scikit_learn_where_no_dimension_is_dropped() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [*POOL, "apple apple apple", "a dog and a car"]
    telling = SPELLER.telling(SPELLER.spell(texts))
    spelt = [[str(piece) for piece in pieces] for pieces in telling.lists()]
    reference = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit_transform(spelt)
    vectors = learned(texts).encode(texts)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors @ vectors.T, (reference @ reference.T).todense(), atol=1e-5)


@pytest.mark.parametrize(
    ("texts", "dim"),
    [(POOL, 6), (["one apple"], 1), (["same"] * 9, 1), (["", "ꀀ"], 1), ([], 1)],
)
def test_a_small_pool_has_few_dimensions(texts: list[str], dim: int) -> None:
    encoder = learned(texts)
    assert encoder.dim == dim
    assert encoder.encode(texts).shape == (len(texts), dim)


def test_unknown_pieces_have_a_zero_vector_and_are_counted() -> None:
    encoder = learned(POOL)
    strange = ["", "ꀀ", "zebra", "apple"]
    assert encoder.encode(strange).any(axis=1).tolist() == [False, False, False, True]
    assert encoder.unknown_share(["Paint a zebra"])[0] > 0


def test_the_same_seed_gives_the_same_bits_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARNED_FROM", 4)
    first, again, other = learned(POOL), learned(POOL), learned(POOL, seed=1)
    assert first.identity == again.identity != other.identity
    together = first.encode(POOL)
    np.testing.assert_array_equal(together, again.encode(POOL))
    np.testing.assert_array_equal(together, np.concatenate([first.encode([text]) for text in POOL]))


def test_repeated_texts_teach_once() -> None:
    once, often = learned([POOL[0], POOL[4]]), learned([*[POOL[0]] * 5, POOL[4]])
    assert once.identity == often.identity
