"""Model2Vec tables: a text's vector is the mean of its word pieces' vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.identity import content
from ila_core.space.loading import loading
from ila_core.space.pieces import Speller, Spelt
from ila_core.space.texts import head_and_tail, without_surrogates

if TYPE_CHECKING:
    from model2vec import StaticModel
    from tokenizers import Tokenizer

_WORD = re.compile(r"[^ \t\n\r!-/:-@\[-`{-~]+|[!-/:-@\[-`{-~]")


class StaticEncoder:
    """A Model2Vec table.

    It reads as much of a text as the model's own `max_length` says, half of it from the head and
    half from the tail (256 word pieces each for the shipped one, of 1,536 characters). The same
    text has the same bits in any batch.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the model is loaded anew."""
        return (StaticEncoder, (self._folder, self.name))

    @cached_property
    def identity(self) -> str:
        return f"model2vec:{content(self._folder)}"

    @property
    def dim(self) -> int:
        return self._model.dim

    @property
    def characters(self) -> int | None:
        """How much of a text it reads; None for all of it, or what its library does."""
        if self._speller is None or self._model.max_length is None:
            return None
        return self._model.max_length * self._model.median_token_length

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        if not len(texts):
            return np.zeros((0, self.dim), np.float32)
        if self._speller is None:
            clean = [without_surrogates(text) for text in texts]
            return self._model.encode(clean, use_multiprocessing=False).astype(np.float32)
        spelt = self._spelt(texts)
        return _means(spelt.without(self._unknown), self._model.embedding)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the word pieces of each text, numbers of rows of the table, known ones alone."""
        if self._speller is None:
            return self._model.tokenize([without_surrogates(text) for text in texts])
        spelt = self._spelt(texts)
        return list(spelt.without(self._unknown).lists())

    def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
        """Return the share of each text's pieces that the table does not have, (n,) float64."""
        if self._speller is None:
            return np.zeros(len(texts))
        spelt = self._spelt(texts)
        known = spelt.without(self._unknown).counts()
        return (spelt.counts() - known) / np.maximum(spelt.counts(), 1)

    def _spelt(self, texts: Sequence[str]) -> Spelt:
        assert self._speller is not None and self.characters is not None
        most = self.characters
        return self._speller([without_surrogates(head_and_tail(text, most)) for text in texts])

    @property
    def _unknown(self) -> int:
        number = self._model.unk_token_id
        return -1 if number is None else number

    @cached_property
    def _model(self) -> StaticModel:
        from model2vec import StaticModel

        with loading(self.name):
            model = StaticModel.from_pretrained(self._folder)
        # The weights go into the rows once, not into every text.
        if model.token_mapping is None:
            model.embedding = model.embedding.astype(np.float32)
            if model.weights is not None:
                model.embedding *= model.weights[:, None].astype(np.float32)
                model.weights = None
        return model

    @cached_property
    def _speller(self) -> Speller | None:
        """What cuts texts by words as a BERT tokenizer does; None for one of another kind."""
        from tokenizers import Tokenizer

        model = self._model
        described = json.loads(model.tokenizer.to_str())
        kinds = [(described[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
        if kinds != ["BertNormalizer", "BertPreTokenizer"] or described["added_tokens"]:
            return None
        if model.max_length is None or model.token_mapping is not None:
            return None
        tokenizer = Tokenizer.from_str(model.tokenizer.to_str())
        tokenizer.no_truncation()
        # Such a tokenizer works alone on each run between spaces and ASCII punctuation.
        return Speller(_WORD.findall, partial(_cut, tokenizer), model.max_length)


def _cut(tokenizer: Tokenizer, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pieces of words, end to end, and how many each has."""
    ids = [one.ids for one in tokenizer.encode_batch_fast(words, add_special_tokens=False)]
    counts = np.fromiter(map(len, ids), np.int64, count=len(ids))
    return np.fromiter(chain.from_iterable(ids), np.int32, count=counts.sum()), counts


def _means(spelt: Spelt, table: np.ndarray) -> np.ndarray:
    """Return the mean of each text's rows of the table, zero for a text without pieces."""
    from scipy.sparse import csr_matrix

    counts = spelt.counts()
    ends = np.concatenate([[0], spelt.stops])
    shares = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
    return csr_matrix((shares, spelt.pieces, ends), shape=(len(counts), len(table))) @ table
