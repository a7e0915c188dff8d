"""Conversations as token numbers: the pool's own byte-level BPE, or a tokenizer of the user's.

A record becomes one stream: for every turn a role marker, the turn's tokens and, after an
assistant turn, the end token. Markers and end token are numbers above the vocabulary, so no text
can spell them: "<|end|>" in the data is seven ordinary characters.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ila_core.errors import UsageError
from ila_core.files import replacing, told, write_text
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    import tokenizers

ROLES = ("system", "user", "assistant", "tool")
WORD = re.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]{1,64}| ?\d{1,64}| ?(?:[^\s\w]|_){1,64}"
    r"|\s{1,64}(?!\S)|\s{1,64}"
)
"""How GPT-2 cuts text into words, in the terms of `re`; the bound keeps the BPE linear."""

_SAMPLE_RECORDS = 8_000
_SAMPLE_CHARACTERS = 4_000  # of one record: a few giant records must not own the vocabulary
_CHARACTERS_PER_TOKEN = 100  # of training text: rarer merges would be spelled-out hapaxes
_BATCH_RECORDS = 4_096
_BATCH_CHARACTERS = 4_000_000
_WORDS_KEPT = 1 << 20


class TurnLike(Protocol):
    """A turn of a conversation: who speaks, what, and whether the loss counts it."""

    @property
    def role(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def scored(self) -> bool: ...


Conversations = Callable[[], Iterable[Sequence[TurnLike]]]
"""Called for a fresh pass over the pool, in row order."""


class Encoded(NamedTuple):
    """Token numbers of several texts: ids (sum of lengths,) and lengths (n_texts,), int64."""

    ids: np.ndarray
    lengths: np.ndarray


class Tokenizer(Protocol):
    """What turns texts into numbers from 0 to vocab - 1. `key` names its exact content."""

    @property
    def vocab(self) -> int: ...
    @property
    def key(self) -> str: ...
    def encode(self, texts: Sequence[str]) -> Encoded: ...


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
    >>> lengths.tolist(), tokenizer.decode(ids)
    ([1, 0, 2], ' low lower lowest')
    """

    def __init__(self, bpe: tokenizers.Tokenizer) -> None:
        self.bpe = bpe
        self.vocab = int(bpe.get_vocab_size())
        self.key = _digest(bpe.to_str())
        self._forget()

    def _forget(self) -> None:
        self._words = _Words()
        self._pieces = np.zeros(0, dtype=np.int64)  # the words' tokens, one word after another
        self._starts = np.zeros(1, dtype=np.int64)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """The tokens of the texts, in order; lone surrogates are read as question marks."""
        if len(self._words) > _WORDS_KEPT:
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
        return Encoded(ids, np.diff(text_ends, prepend=0))

    def _learn_fresh_words(self) -> None:
        fresh, self._words.fresh = self._words.fresh, []
        if fresh:
            pieces, lengths = _encode(self.bpe, fresh)
            self._pieces = np.concatenate([self._pieces, pieces])
            self._starts = np.concatenate([self._starts, self._starts[-1] + np.cumsum(lengths)])

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the tokens."""
        return str(self.bpe.decode(list(ids)))

    def save(self, path: Path) -> None:
        """Write the vocabulary and merges as the tokenizers library's JSON."""
        write_text(path, self.bpe.to_str())

    @classmethod
    def open(cls, path: Path) -> PoolTokenizer:
        """Read what `save` wrote."""
        import tokenizers

        return cls(tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8")))


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

    def encode(self, texts: Sequence[str]) -> Encoded:
        """The tokens of the texts, in order, without the tokens a model would add around them."""
        return _encode(self.bpe, texts)


def _spaced(text: str) -> str:
    return f" {text}" if text and not text[0].isspace() else text


def _encode(bpe: tokenizers.Tokenizer, texts: Sequence[str]) -> Encoded:
    try:
        encodings = bpe.encode_batch_fast(texts, add_special_tokens=False)
    except (TypeError, UnicodeEncodeError):  # a lone surrogate is no Unicode text
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encodings = bpe.encode_batch_fast(texts, add_special_tokens=False)
    pieces = [encoding.ids for encoding in encodings]
    lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    return Encoded(np.fromiter(chain.from_iterable(pieces), np.int64, int(lengths.sum())), lengths)


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


def load_tokenizer(name: str) -> LibraryTokenizer:
    """The tokenizer of a tokenizer.json, of a model folder, or of a model of the Hugging Face hub.

    Raises UsageError if there is none by that name, or it has no fast implementation.
    """
    import tokenizers

    path = Path(name)
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        if file.is_file():
            return LibraryTokenizer(tokenizers.Tokenizer.from_file(str(file)), name)
        from transformers import AutoTokenizer

        return LibraryTokenizer(AutoTokenizer.from_pretrained(name).backend_tokenizer, name)
    except Exception as error:  # the libraries raise bare Exception, OSError, ValueError, ...
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"Tokenizer '{name}' could not be loaded ({reason}); give a tokenizer.json, a model's "
            "folder, or the name of a model on the Hugging Face hub with --tokenizer."
        ) from error


def sample_texts(conversations: Conversations, n: int, *, seed: int = 0) -> Iterator[str]:
    """Texts of a seeded choice of 8,000 records, of each at most its turns' first 4,000 characters.

    conversations: called once; n: number of records it yields.
    """
    chosen = np.zeros(n, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(n)[:_SAMPLE_RECORDS]] = True
    last = int(np.flatnonzero(chosen)[-1]) if n else -1
    for row, turns in enumerate(conversations()):
        if row > last:
            return
        if chosen[row]:
            for turn in turns:
                yield turn.text[: max(1, _SAMPLE_CHARACTERS // len(turns))]


@dataclass(frozen=True, eq=False)
class TokenPool:
    """A pool's token streams, one record after another; memory-mapped after `open`.

    ids: (total,) uint16 or int32; a number >= vocab is the end token (vocab) or a role marker.
    offsets: (n + 1,) int64, record i is ids[offsets[i]:offsets[i + 1]].
    spans: (m, 2) int64, start and stop in ids of every scored turn: its tokens and its end token.
    span_offsets: (n + 1,) int64, record i has spans[span_offsets[i]:span_offsets[i + 1]].
    vocab: size of the tokenizer's vocabulary; what can be predicted is vocab + 1 tokens.
    """

    ids: np.ndarray
    offsets: np.ndarray
    spans: np.ndarray
    span_offsets: np.ndarray
    vocab: int
    response_tokens: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        until = np.concatenate([[0], np.cumsum(self.spans[:, 1] - self.spans[:, 0])])
        object.__setattr__(self, "response_tokens", np.diff(until[self.span_offsets]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def save(self, path: Path) -> None:
        """Write the folder `path`; pool.json comes last and says that the rest is there."""
        with told(path):
            path.mkdir(parents=True, exist_ok=True)
            for name in ("ids", "offsets", "spans", "span_offsets"):
                np.save(path / f"{name}.npy", getattr(self, name))
        write_text(path / "pool.json", json.dumps({"vocab": self.vocab}))

    @classmethod
    def open(cls, path: Path) -> TokenPool:
        """Read what `save` wrote; the ids stay on disk until they are looked at."""
        # Copy-on-write maps are of the same type to compiled code as arrays in memory.
        ids = np.load(path / "ids.npy", mmap_mode="c")
        offsets, spans, span_offsets = (
            np.load(path / f"{name}.npy") for name in ("offsets", "spans", "span_offsets")
        )
        vocab = json.loads((path / "pool.json").read_text(encoding="utf-8"))["vocab"]
        return cls(ids.view(np.ndarray), offsets, spans, span_offsets, vocab)


class _Batch(NamedTuple):
    """A run of records: ids; length (k,) and n_spans (k,); spans (m, 2), counted from its start."""

    ids: np.ndarray
    length: np.ndarray
    spans: np.ndarray
    n_spans: np.ndarray


def encode_pool(
    conversations: Conversations,
    n: int,
    tokenizer: Tokenizer,
    *,
    work: Path | None = None,
    progress: Progress = no_progress,
) -> TokenPool:
    """The pool's token streams: what every later fit and score reads, so it is encoded once.

    A record has spans only if one of its scored turns says something; an empty one among others
    is its end token alone. With a `work` folder, which must be this pool's own, finished batches
    are kept there and a killed run goes on after them. The streams are held in memory while they
    are made: 2 bytes a token, 4 for a vocabulary above 65,000.

    >>> from collections import namedtuple
    >>> Turn = namedtuple("Turn", "role text scored")
    >>> pool = [(Turn("user", "hi", False), Turn("assistant", "ok", True))]
    >>> tokens = encode_pool(lambda: pool, 1, train_tokenizer([]))
    >>> tokens.ids.tolist(), tokens.spans.tolist(), tokens.response_tokens.tolist()
    ([258, 220, 71, 72, 259, 220, 78, 74, 256], [[5, 9]], [4])
    """
    target = None if work is None else work / f"tokens-{tokenizer.key}-{n}"
    if target is not None and (target / "pool.json").exists():
        progress(n, n)
        return TokenPool.open(target)
    batches: list[_Batch] = []
    done = 0
    for number, records in enumerate(_batched(conversations())):
        file = None if target is None else target / f"batch-{number:06d}.npz"
        batches.append(_kept_batch(file, records, tokenizer))
        done += len(records)
        progress(done, n)
    if done != n:
        raise UsageError(f"The pool has {done} conversations where n says {n}; pass their number.")
    pool = _joined(batches, tokenizer.vocab)
    if target is None:
        return pool
    pool.save(target)
    for batch_file in target.glob("batch-*.npz"):
        batch_file.unlink()
    return TokenPool.open(target)


def _batched(
    conversations: Iterable[Sequence[TurnLike]],
) -> Iterator[list[Sequence[TurnLike]]]:
    """Runs of at most 4,096 records that end once they hold 4 million characters."""
    records: list[Sequence[TurnLike]] = []
    characters = 0
    for turns in conversations:
        records.append(turns)
        characters += sum(len(turn.text) for turn in turns)
        if len(records) == _BATCH_RECORDS or characters >= _BATCH_CHARACTERS:
            yield records
            records, characters = [], 0
    if records:
        yield records


def _kept_batch(
    file: Path | None, records: list[Sequence[TurnLike]], tokenizer: Tokenizer
) -> _Batch:
    """The batch as an earlier run left it in the file, else encoded (and left there)."""
    if file is None:
        return _encode_batch(records, tokenizer)
    if file.exists():
        with np.load(file) as kept:
            return _Batch(*(kept[name] for name in _Batch._fields))
    batch = _encode_batch(records, tokenizer)
    with replacing(file) as part, part.open("wb") as stream:
        np.savez(stream, **dict(batch._asdict()))
    return batch


def _encode_batch(records: list[Sequence[TurnLike]], tokenizer: Tokenizer) -> _Batch:
    turns = [turn for record in records for turn in record]
    n_turns = np.fromiter(map(len, records), np.int64, len(records))
    record_of = np.repeat(np.arange(len(records)), n_turns)
    role = np.fromiter((ROLES.index(turn.role) for turn in turns), np.int64, len(turns))
    scored = np.fromiter((turn.scored for turn in turns), bool, len(turns))
    says = np.fromiter((bool(turn.text.strip()) for turn in turns), bool, len(turns))
    answered = np.bincount(record_of[scored & says], minlength=len(records)) > 0
    scored &= answered[record_of]
    ended = scored | (role == ROLES.index("assistant"))

    encoded = tokenizer.encode([turn.text for turn in turns])
    stop = np.cumsum(1 + encoded.lengths + ended)
    start = stop - (1 + encoded.lengths + ended)
    end_token = tokenizer.vocab
    total = int(stop[-1]) if len(stop) else 0
    ids = np.full(total, -1, dtype=np.int64)
    ids[start] = end_token + 1 + role
    ids[stop[ended] - 1] = end_token
    ids[ids < 0] = encoded.ids
    small = end_token + len(ROLES) < 1 << 16
    until = np.concatenate([[0], stop])[np.concatenate([[0], np.cumsum(n_turns)])]
    return _Batch(
        ids.astype(np.uint16 if small else np.int32),
        np.diff(until),
        np.stack([start[scored] + 1, stop[scored]], axis=1),
        np.bincount(record_of[scored], minlength=len(records)),
    )


def _joined(batches: list[_Batch], vocab: int) -> TokenPool:
    """One pool of all batches; the list is emptied on the way, so the ids are held once."""
    lengths = np.concatenate([np.zeros(1, np.int64), *(batch.length for batch in batches)])
    n_spans = np.concatenate([np.zeros(1, np.int64), *(batch.n_spans for batch in batches)])
    offsets = np.cumsum(lengths)
    dtype = np.uint16 if vocab + len(ROLES) < 1 << 16 else np.int32
    ids = np.empty(offsets[-1], dtype=dtype)
    spans = [np.zeros((0, 2), dtype=np.int64)]
    at = 0
    for number, batch in enumerate(batches):
        ids[at : at + len(batch.ids)] = batch.ids
        spans.append(batch.spans + at)
        at += len(batch.ids)
        batches[number] = batch._replace(ids=ids[:0])
    return TokenPool(ids, offsets, np.concatenate(spans), np.cumsum(n_spans), vocab)
