"""Texts as token numbers: the pool's own byte-level BPE, or a tokenizer of the user's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.files import write_text
from ila_core.identity import commit
from ila_core.loss.turns import Conversations

if TYPE_CHECKING:
    import tokenizers

WORD = re.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]{1,64}| ?\d{1,64}| ?(?:[^\s\w]|_){1,64}"
    r"|\s{1,64}(?!\S)|\s{1,64}"
)
"""How GPT-2 cuts text into words, in the terms of `re`; the bound keeps the BPE linear."""

_SAMPLE_RECORDS = 8_000
_SAMPLE_CHARACTERS = 4_000  # of one record: a few giant records must not own the vocabulary
_CHARACTERS_PER_TOKEN = 100  # of training text: rarer merges would be spelled-out hapaxes
WORDS_KEPT = 1 << 20


class Tokens(NamedTuple):
    """Token numbers of several texts: ids (sum of lengths,) and lengths (n_texts,), int64."""

    ids: np.ndarray
    lengths: np.ndarray


class Tokenizer(Protocol):
    """What turns texts into numbers from 0 to vocab - 1. `key` names its exact content."""

    @property
    def vocab(self) -> int: ...
    @property
    def key(self) -> str: ...
    def encode(self, texts: Sequence[str]) -> Tokens: ...


class _Words(dict[str, int]):
    """Words numbered as they come; `fresh` are those numbered since it was last emptied."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.fresh.append(word)
        return number


class PoolTokenizer:
    """A byte-level BPE over words: every distinct word is encoded once and then looked up.

    Text repeats its words, so one core encodes a pool about three times as fast as the library
    does when it is handed whole texts; each word's tokens are the library's.

    A text is read as if a space stood before it: the one-word answer "bird" is then the very token
    that stood in "dog, cat, bird", and the cache can see the copy.

    >>> tokenizer = train_tokenizer(["low lower lowest"] * 99)
    >>> ids, lengths = tokenizer.encode(["low", "", "lower lowest"])
    >>> lengths.tolist(), tokenizer.bpe.decode(list(ids))
    ([1, 0, 2], ' low lower lowest')
    """

    def __init__(self, bpe: tokenizers.Tokenizer) -> None:
        self.bpe = bpe
        self.vocab = int(bpe.get_vocab_size())
        self.key = _digest(bpe.to_str())
        self._forget()

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process no word has been seen."""
        return (PoolTokenizer.read, (self.bpe.to_str(),))

    def _forget(self) -> None:
        self._words = _Words()
        self._pieces = np.zeros(0, dtype=np.int64)  # the words' tokens, one word after another
        self._starts = np.zeros(1, dtype=np.int64)

    def encode(self, texts: Sequence[str]) -> Tokens:
        """The tokens of the texts, in order; lone surrogates are read as question marks."""
        if len(self._words) > WORDS_KEPT:
            self._forget()
        words = [WORD.findall(_spaced(text)) for text in texts]
        n_words = np.fromiter(map(len, words), np.int64, len(words))
        number = np.fromiter(
            map(self._words.__getitem__, chain.from_iterable(words)), np.int64, int(n_words.sum())
        )
        self._learn_fresh_words()
        lengths = self._starts[number + 1] - self._starts[number]
        ends = np.cumsum(lengths)
        shift = self._starts[number] - (ends - lengths)
        ids = self._pieces[np.repeat(shift, lengths) + np.arange(lengths.sum())]
        text_ends = np.concatenate([[0], ends])[np.cumsum(n_words)]
        return Tokens(ids, np.diff(text_ends, prepend=0))

    def _learn_fresh_words(self) -> None:
        fresh, self._words.fresh = self._words.fresh, []
        if fresh:
            pieces, lengths = _encode(self.bpe, fresh)
            self._pieces = np.concatenate([self._pieces, pieces])
            self._starts = np.concatenate([self._starts, self._starts[-1] + np.cumsum(lengths)])

    def save(self, path: Path) -> None:
        """Write the vocabulary and merges as the tokenizers library's JSON."""
        write_text(path, self.bpe.to_str())

    @classmethod
    def open(cls, path: Path) -> PoolTokenizer:
        """Read what `save` wrote."""
        return cls.read(path.read_text(encoding="utf-8"))

    @classmethod
    def read(cls, text: str) -> PoolTokenizer:
        """The tokenizer of the text that `save` wrote."""
        import tokenizers

        return cls(tokenizers.Tokenizer.from_str(text))


class LibraryTokenizer:
    """A tokenizer that somebody else trained; special tokens spelled in a text stay text."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, name: str) -> None:
        self.name = name
        self.bpe = tokenizer
        self.bpe.no_truncation()
        self.bpe.no_padding()
        self.bpe.encode_special_tokens = True
        self.vocab = 1 + max(self.bpe.get_vocab(with_added_tokens=True).values())
        self.key = _digest(self.bpe.to_str())

    @classmethod
    def load(cls, name: str) -> LibraryTokenizer:
        """That of a tokenizer.json, of a model's folder, or of a model of the Hugging Face hub.

        Raises UsageError if there is none by that name, or it has no fast implementation.
        """
        import tokenizers

        path = Path(name)
        file = path / "tokenizer.json" if path.is_dir() else path
        try:
            if file.is_file():
                return cls(tokenizers.Tokenizer.from_file(str(file)), name)
            from transformers import AutoTokenizer

            loaded = AutoTokenizer.from_pretrained(
                name, revision=commit(name), trust_remote_code=False
            )
            return cls(loaded.backend_tokenizer, name)
        except Exception as error:  # the libraries raise bare Exception, OSError, ValueError, ...
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise UsageError(
                f"Tokenizer '{name}' could not be loaded ({reason}); give a tokenizer.json, a "
                "model's folder, or the name of a model on the Hugging Face hub with --tokenizer."
            ) from error

    def encode(self, texts: Sequence[str]) -> Tokens:
        """The tokens of the texts, in order, without the tokens a model would add around them."""
        return _encode(self.bpe, texts)


def _spaced(text: str) -> str:
    return f" {text}" if text and not text[0].isspace() else text


def _encode(bpe: tokenizers.Tokenizer, texts: Sequence[str]) -> Tokens:
    try:
        encodings = bpe.encode_batch_fast(texts, add_special_tokens=False)
    except (TypeError, UnicodeEncodeError):  # a lone surrogate is no Unicode text
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encodings = bpe.encode_batch_fast(texts, add_special_tokens=False)
    pieces = [encoding.ids for encoding in encodings]
    lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    return Tokens(np.fromiter(chain.from_iterable(pieces), np.int64, int(lengths.sum())), lengths)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def train_tokenizer(texts: Iterable[str], *, vocab_size: int = 8192) -> PoolTokenizer:
    """A byte-level BPE of at most `vocab_size` tokens, fewer for little text (at least 256).

    The same texts give the same merges. Any text can be encoded: all 256 bytes are tokens.

    >>> train_tokenizer(["a b"]).vocab
    256
    """
    import tokenizers
    from tokenizers import models, pre_tokenizers, trainers

    if vocab_size < 256:
        raise UsageError(f"vocab_size is {vocab_size}, expected at least 256: one token a byte.")
    kept = [_spaced(text).encode("utf-8", "replace").decode("utf-8") for text in texts]
    size = min(vocab_size, 256 + sum(map(len, kept)) // _CHARACTERS_PER_TOKEN)
    bpe = tokenizers.Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(kept, trainer)
    # From here on it is handed single words, cut by WORD.
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return PoolTokenizer(bpe)


def sample_texts(conversations: Conversations, n: int, *, seed: int = 0) -> Iterator[str]:
    """Texts of a seeded choice of 8,000 records, of each at most its turns' first 4,000 characters.

    conversations: called once; n: number of records it yields.
    """
    chosen = np.zeros(n, dtype=bool)
    chosen[stream(seed, "n-gram tokenizer").permutation(n)[:_SAMPLE_RECORDS]] = True
    last = int(np.flatnonzero(chosen)[-1]) if n else -1
    for row, turns in enumerate(conversations()):
        if row > last:
            return
        if chosen[row]:
            for turn in turns:
                yield turn.text[: max(1, _SAMPLE_CHARACTERS // len(turns))]
