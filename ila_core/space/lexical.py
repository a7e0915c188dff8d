"""The lexical encoder: what tells a pool's texts apart by their wording, learned from the pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import compress
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ila_core.chance import stream
from ila_core.space.pieces import Spelt
from ila_core.space.texts import CHARACTERS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DIMENSIONS = 256
LEARNED_FROM = 20_000
"""Texts that it learns from, drawn at random: some eight seconds, and memory that is bounded."""


class Spells(Protocol):
    """What cuts texts into numbered pieces."""

    @property
    def identity(self) -> str:
        """What tells it from every other."""

    def spell(self, texts: Sequence[str]) -> Spelt:
        """Return the pieces of each text."""

    def written(self, spelt: Spelt) -> Spelt:
        """Return the pieces without spaces."""

    def telling(self, spelt: Spelt) -> Spelt:
        """Return the pieces that say something: without unknown ones and spaces."""


class LexicalEncoder:
    """TF-IDF of a text's pieces, seen along the axes of a truncated SVD; made by `learn`.

    `pieces` (m,) are those that it knows, ascending; `axes` (m, dim) float32 hold each one's
    inverse document frequency already.
    """

    name = "lexical"
    characters = CHARACTERS

    def __init__(self, speller: Spells, pieces: np.ndarray, axes: np.ndarray) -> None:
        self._speller = speller
        self._pieces = pieces
        self._axes = axes

    @property
    def dim(self) -> int:
        return self._axes.shape[1]

    @cached_property
    def identity(self) -> str:
        learned = blake2b(self._pieces.tobytes() + self._axes.tobytes(), digest_size=8)
        return f"lexical:{self._speller.identity}:{learned.hexdigest()}"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        counts = _counted(self._known(self._speller.spell(texts)), self._pieces)
        np.log(counts.data, out=counts.data)
        counts.data += 1
        return np.asarray(counts @ self._axes)

    def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
        """Return the share of each text's pieces that were not learned, (n,) float64."""
        written = self._speller.written(self._speller.spell(texts))
        unknown = written.counts() - self._known(written).counts()
        return unknown / np.maximum(written.counts(), 1)

    def _known(self, spelt: Spelt) -> Spelt:
        return spelt.where(np.isin(spelt.pieces, self._pieces))


def learn(
    texts: Callable[[], Iterable[str]], n: int, speller: Spells, *, seed: int = 0
) -> LexicalEncoder:
    """Return the encoder that `n` texts teach, of 256 dimensions or as many as they can fill.

    It learns from 20,000 texts at most, drawn by `seed`, equal ones once; `texts` gives all of
    them, in order. A piece counts 1 + log(count), times the logarithm of how rare it is, as
    scikit-learn's TfidfTransformer has it with sublinear_tf; a text of unknown pieces alone has a
    zero vector.

    >>> from ila_core.space.encoders import load_encoder
    >>> pool = ["a red apple", "a green apple", "the fast car"]
    >>> encoder = learn(lambda: pool, 3, load_encoder("multilingual"))
    >>> red, green, fast = encoder.encode(pool)
    >>> bool(red @ green > abs(red @ fast))
    True
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    drawn = np.zeros(n, bool)
    drawn[stream(seed, "lexical sample").permutation(n)[:LEARNED_FROM]] = True
    taught = list(dict.fromkeys(compress(texts(), drawn)))
    spelt = speller.telling(speller.spell(taught))
    pieces = np.unique(spelt.pieces)
    if len(pieces) == 0:
        return LexicalEncoder(speller, pieces, np.zeros((0, 1), np.float32))
    weighting = TfidfTransformer(sublinear_tf=True)
    weighted = weighting.fit_transform(_counted(spelt, pieces)).astype(np.float32)
    chance = int(stream(seed, "lexical axes").integers(2**32))
    with threadpool_limits(limits=1):  # so that sums have one order
        *_, axes = randomized_svd(weighted, min(DIMENSIONS, *weighted.shape), random_state=chance)
    axes = axes.T * weighting.idf_[:, None]
    return LexicalEncoder(speller, pieces, np.ascontiguousarray(axes, dtype=np.float32))


def _counted(spelt: Spelt, pieces: np.ndarray) -> csr_matrix:
    """Return how often each of `pieces` is in each text; the texts have no others."""
    from scipy.sparse import csr_matrix

    columns = np.searchsorted(pieces, spelt.pieces).astype(np.int32)
    ends = np.concatenate([[0], spelt.stops])
    ones = np.ones(len(columns), np.float32)
    counts = csr_matrix((ones, columns, ends), shape=(len(spelt.stops), len(pieces)))
    counts.sum_duplicates()
    return counts
