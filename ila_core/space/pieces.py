"""Pieces of texts, remembered by the word: a pool repeats its words, and a tokenizer is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

PIECES_REMEMBERED = 1_000_000
"""Pieces of known words, about 100 MB with their spelling; beyond it all are forgotten."""


@dataclass(frozen=True, eq=False)
class Spelt:
    """The pieces of some texts, end to end."""

    pieces: np.ndarray
    """(m,) int32."""
    stops: np.ndarray
    """(texts,) int64: where each text's pieces end."""

    def counts(self) -> np.ndarray:
        """Return how many pieces each text has, (texts,) int64."""
        return np.diff(self.stops, prepend=0)

    def without(self, *pieces: int) -> Spelt:
        """Return all but some pieces."""
        return self.where(~np.isin(self.pieces, pieces))

    def where(self, wanted: np.ndarray) -> Spelt:
        """Return only those pieces for which `wanted` (m,) bool holds."""
        upto = np.concatenate([[0], np.cumsum(wanted)])
        return Spelt(self.pieces[wanted], upto[self.stops])

    def lists(self) -> Iterator[list[int]]:
        """Yield the pieces of each text."""
        for part in np.split(self.pieces, self.stops[:-1]):
            yield part.tolist()


class _Numbers(dict[str, int]):
    """Numbers of words, by the order in which they were first asked for; `new` lists new ones."""

    def __init__(self) -> None:
        self.new: list[str] = []

    def __missing__(self, word: str) -> int:
        self.new.append(word)
        number = self[word] = len(self)
        return number


class Speller:
    """Cuts texts into words and words into pieces.

    `split` must cut where a tokenizer begins a word anew, whatever is on the other side: then the
    pieces are those of the whole text. `cut` gives the pieces of words, end to end, and how many
    each has. A text keeps the first and last `most` // 2 of its pieces.
    """

    def __init__(
        self,
        split: Callable[[str], list[str]],
        cut: Callable[[list[str]], tuple[np.ndarray, np.ndarray]],
        most: int = 2**62,
    ) -> None:
        self._split = split
        self._cut = cut
        self._most = most
        self._forget()

    def _forget(self) -> None:
        self._numbers = _Numbers()
        self._pieces = np.empty(0, np.int32)
        self._starts = np.zeros(1, np.int64)

    def __call__(self, texts: Sequence[str]) -> Spelt:
        from ila_core.space.pieces_compiled import spread

        if len(self._pieces) > PIECES_REMEMBERED:
            self._forget()
        words = [self._split(text) for text in texts]
        ends = np.cumsum([len(of_text) for of_text in words], dtype=np.int64)
        numbers = np.fromiter(map(self._numbers.__getitem__, chain.from_iterable(words)), np.int32)
        self._learn()
        return Spelt(*spread(numbers, ends, self._starts, self._pieces, self._most))

    def _learn(self) -> None:
        if not (new := self._numbers.new):
            return
        pieces, counts = self._cut(new)
        self._pieces = np.concatenate([self._pieces, pieces])
        self._starts = np.concatenate([self._starts, self._starts[-1] + np.cumsum(counts)])
        new.clear()
