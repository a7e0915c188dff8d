"""The shipped encoder for every language: a bag of pieces through a small head."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ila_core.identity import content
from ila_core.space.loading import loading
from ila_core.space.pieces import Speller, Spelt
from ila_core.space.texts import CHARACTERS, head_and_tail, without_surrogates
from ila_core.space.unigram import Unigram

BLOCK = 64
"""Texts that go through the head at a time: their sums stay in the processor's cache."""


class MultilingualEncoder:
    """Rows of a text's pieces, summed, and four dense layers: `assets/make_multilingual.py`.

    It reads the first and last 1,536 characters of a text, white space of any kind and length as
    one space. A text of unknown pieces alone has a
    zero vector. The same text has the same bits in any batch and on any number of threads.
    """

    characters = CHARACTERS
    dim = 512

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the model is loaded anew."""
        return (MultilingualEncoder, (self._folder, self.name))

    @cached_property
    def identity(self) -> str:
        return f"pieces:{content(self._folder)}"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        spelt = self.spell(texts)
        vectors = np.zeros((len(texts), self.dim), np.float32)
        starts = range(0, len(texts), BLOCK)
        with ThreadPoolExecutor() as threads:
            for start, block in zip(
                starts, threads.map(lambda start: self._head(spelt, start), starts), strict=True
            ):
                vectors[start : start + BLOCK] = block
        vectors[self.telling(spelt).counts() == 0] = 0
        return vectors

    def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
        """Return the share of each text's pieces that no language here has, (n,) float64."""
        written = self.written(self.spell(texts))
        return (written.counts() - self.telling(written).counts()) / np.maximum(written.counts(), 1)

    def spell(self, texts: Sequence[str]) -> Spelt:
        """Return the pieces of each text."""
        return self._speller([without_surrogates(head_and_tail(text)) for text in texts])

    def written(self, spelt: Spelt) -> Spelt:
        """Return the pieces without spaces."""
        return spelt.without(*self._cut.empty[1:])

    def telling(self, spelt: Spelt) -> Spelt:
        """Return the pieces that say something: without unknown ones and spaces."""
        return spelt.without(*self._cut.empty)

    def _head(self, spelt: Spelt, start: int) -> np.ndarray:
        """Return the vectors of BLOCK texts, (texts, 512)."""
        from ila_core.space.pieces_compiled import add_product, sums

        weights = self._weights
        stops = spelt.stops[start : start + BLOCK]
        begin = spelt.stops[start - 1] if start else 0
        n = len(stops)
        total = np.empty((n, weights["axes"].shape[0]), np.float32)
        sums(
            spelt.pieces[begin:], stops - begin, weights["rows"], weights["scales"],
            weights["frame"], total,
        )  # fmt: skip
        seen = np.zeros((n, weights["axes"].shape[1]), np.float32)
        add_product(total, weights["axes"], seen)
        deep, wide = np.split(seen, 2, axis=1)
        first = np.ascontiguousarray(wide)
        add_product(np.maximum(deep, 0), weights["d1"], first)
        np.maximum(first, 0, out=first)
        second = np.zeros((n, weights["d2"].shape[1]), np.float32)
        add_product(first, weights["d2"], second)
        np.maximum(second, 0, out=second)
        vectors = np.zeros((n, self.dim), np.float32)
        add_product(first, weights["p3"], vectors)
        add_product(second, weights["d3"], vectors)
        return np.tanh(vectors, out=vectors)

    @cached_property
    def _weights(self) -> dict[str, np.ndarray]:
        from safetensors.numpy import load_file

        with loading(self.name):
            weights = load_file(self._folder / "model.safetensors")
        half = [name for name, matrix in weights.items() if matrix.dtype == np.float16]
        return {**weights, **{name: weights[name].astype(np.float32) for name in half}}

    @cached_property
    def _speller(self) -> Speller:
        return Speller(str.split, self._cut)

    @cached_property
    def _cut(self) -> Unigram:
        return Unigram(self._folder / "tokenizer.json")
