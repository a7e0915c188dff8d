"""Conversations as token streams: what every fit and every score of the n-gram model reads.

A record becomes one stream: for every turn a role marker, the turn's tokens and, after an
assistant turn, the end token. Markers and end token are numbers above the vocabulary, so no text
can spell them: "<|end|>" in the data is seven ordinary characters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ila_core.blocks import Rows, Spread, keeping, row_blocks
from ila_core.errors import UsageError
from ila_core.files import replacing, write_text, writing_errors
from ila_core.loss.ngram.tokenizer import Tokenizer
from ila_core.loss.turns import Conversation
from ila_core.progress import Progress, no_progress

ROLES = ("system", "user", "assistant", "tool")
BATCH_RECORDS = 4_096
_BATCH_CHARACTERS = 4_000_000


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
    path: Path | None = field(default=None, repr=False)
    """Where it lies; None for one that is in memory alone."""
    response_tokens: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        until = np.concatenate([[0], np.cumsum(self.spans[:, 1] - self.spans[:, 0])])
        object.__setattr__(self, "response_tokens", np.diff(until[self.span_offsets]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it is opened where it lies."""
        if self.path is not None:
            return (TokenPool.open, (self.path.absolute(),))
        return (TokenPool, (self.ids, self.offsets, self.spans, self.span_offsets, self.vocab))

    def save(self, path: Path) -> None:
        """Write the folder `path`; pool.json comes last and says that the rest is there."""
        with writing_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            for name in ("ids", "offsets", "spans", "span_offsets"):
                with replacing(path / f"{name}.npy") as part, part.open("wb") as stream:
                    np.save(stream, getattr(self, name))
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
        return cls(ids.view(np.ndarray), offsets, spans, span_offsets, vocab, path)


class _Batch(NamedTuple):
    """A run of records: ids; length (k,) and n_spans (k,); spans (m, 2), counted from its start."""

    ids: np.ndarray
    length: np.ndarray
    spans: np.ndarray
    n_spans: np.ndarray


def encode_pool(
    conversations: Callable[..., Iterable[Conversation]],
    n: int,
    tokenizer: Tokenizer,
    *,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> TokenPool:
    """The pool's token streams: what every later fit and score reads, so it is encoded once.

    A record has spans only if one of its scored turns says something; an empty one among others
    is its end token alone. With a `work` folder, which must be this pool's own, finished batches
    are kept there and a killed run goes on after them. The streams are held in memory while they
    are made: 2 bytes a token, 4 for a vocabulary above 65,000.

    With a `spread` blocks of rows are encoded in other processes: `conversations` is then called
    with the row to begin at, and both it and the tokenizer can be pickled.

    >>> from collections import namedtuple
    >>> from ila_core.loss.ngram.tokenizer import train_tokenizer
    >>> Turn = namedtuple("Turn", "role text scored")
    >>> pool = [(Turn("user", "hi", False), Turn("assistant", "ok", True))]
    >>> tokens = encode_pool(lambda: pool, 1, train_tokenizer([]))
    >>> tokens.ids.tolist(), tokens.spans.tolist(), tokens.response_tokens.tolist()
    ([258, 220, 71, 72, 259, 220, 78, 74, 256], [[5, 9]], [4])
    """
    target = None if work is None else work / f"tokens-{tokenizer.key}-{n}"
    if target is not None and (target / "pool.json").exists():
        _drop_batches(target)  # a kill came between the two
        progress(n, n)
        return TokenPool.open(target)
    batches: list[_Batch] = []
    done = 0
    if spread is not None:
        made = keeping(spread, target)
        for arrays in made(_Encoding(conversations, tokenizer), row_blocks(n, BATCH_RECORDS)):
            batches.append(_Batch(**arrays))
            done += len(batches[-1].length)
            progress(done, n)
    for number, records in enumerate(_batched(conversations()) if spread is None else ()):
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
    _drop_batches(target)
    return TokenPool.open(target)


def _drop_batches(target: Path) -> None:
    """Remove what a finished pool was put together from."""
    for batch_file in [*target.glob("batch-*.npz"), *target.glob("rows-*.npz")]:
        batch_file.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Encoding:
    """Encodes the records of a block of rows, as one batch."""

    conversations: Callable[..., Iterable[Conversation]]
    tokenizer: Tokenizer

    def __call__(self) -> Callable[[Rows], dict[str, np.ndarray]]:
        return self._encode

    def _encode(self, rows: Rows) -> dict[str, np.ndarray]:
        first, end = rows
        records = islice(self.conversations(first), end - first)
        batches = [_encode_batch(part, self.tokenizer) for part in _batched(records)]
        pool = _joined(batches, self.tokenizer.vocab)
        whole = _Batch(pool.ids, np.diff(pool.offsets), pool.spans, np.diff(pool.span_offsets))
        return whole._asdict()


def _batched(
    conversations: Iterable[Conversation],
) -> Iterator[list[Conversation]]:
    """Runs of at most 4,096 records that end once they hold 4 million characters."""
    records: list[Conversation] = []
    characters = 0
    for turns in conversations:
        records.append(turns)
        characters += sum(len(turn.text) for turn in turns)
        if len(records) == BATCH_RECORDS or characters >= _BATCH_CHARACTERS:
            yield records
            records, characters = [], 0
    if records:
        yield records


def _kept_batch(file: Path | None, records: list[Conversation], tokenizer: Tokenizer) -> _Batch:
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


def _encode_batch(records: list[Conversation], tokenizer: Tokenizer) -> _Batch:
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
