"""A Unigram tokenizer: of all ways to write a word in pieces, the likeliest.

The same pieces as the library tokenizers gives for the same file, some ten times sooner and in a
tenth of the memory: for a pool's words, and for scripts that put no spaces between them, that is
most of what encoding costs.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import orjson

SPACE = "▁"
"""Stands before every word."""
UNKNOWN_PENALTY = 10.0
"""How much less likely than the rarest piece a sign without a piece is, as sentencepiece has it."""


@dataclass(frozen=True, eq=False)
class _Read:
    """A tokenizer's table of equal spellings, and its pieces as `best_pieces` takes them."""

    normalize: Callable[[str], str]
    trie: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]
    empty: tuple[int, ...]


class Unigram:
    """The pieces of words, by a tokenizer.json with a Unigram model.

    Its normalizer must begin with a table of equal spellings and make runs of white space one
    space; its pre-tokenizer must put SPACE before every word. Runs of signs without a piece are one
    unknown piece.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def empty(self) -> tuple[int, ...]:
        """The pieces that say nothing: the unknown one, and SPACE alone."""
        return self._read.empty

    def __call__(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the pieces of words that hold no white space, end to end, (m,) int32, and how
        many each has, (n,) int64.
        """
        from ila_core.space.pieces_compiled import best_pieces

        marked = [self._marked(word) for word in words]
        lengths = np.fromiter(map(len, marked), np.int64, count=len(marked))
        signs = _signs("".join(marked))
        return best_pieces(signs, np.cumsum(lengths), *self._read.trie)

    def _marked(self, word: str) -> str:
        """Return a word as its pieces spell it: SPACE before each of its parts."""
        if word.isascii() and word.isprintable():
            return SPACE + word
        return "".join([SPACE + part for part in self._read.normalize(word).split()])

    @cached_property
    def _read(self) -> _Read:
        from tokenizers.normalizers import Precompiled

        from ila_core.space.pieces_compiled import grow

        described = orjson.loads(self._file.read_bytes())
        table = described["normalizer"]["normalizers"][0]["precompiled_charsmap"]
        vocabulary = described["model"]["vocab"]
        texts = [text for text, _ in vocabulary]
        scores = np.array([score for _, score in vocabulary])
        unknown = described["model"]["unk_id"]
        scores[unknown] = scores.min() - UNKNOWN_PENALTY
        ends = np.cumsum(np.fromiter(map(len, texts), np.int64, count=len(texts)))
        trie = (*grow(_signs("".join(texts)), ends), scores, unknown)
        empty = (unknown, *(i for i, text in enumerate(texts) if text == SPACE))
        return _Read(Precompiled(base64.b64decode(table)).normalize_str, trie, empty)


def _signs(text: str) -> np.ndarray:
    """Return the code points of a text, (n,) uint32."""
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)
