"""Which sequences are scored together, and where finished ones are kept.

Everything here follows from the data and the settings alone, never from the clock or from where a
killed run stopped: the same batches are made again, so a resumed run gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from ila_core.files import replacing, write_text
from ila_core.lm.encode import Encoded
from ila_core.loss.turns import Conversation

Item = TypeVar("Item")
_SLACK = 0.1  # a batch closes rather than pad its next sequence by more than this share


def token_batches(lengths: np.ndarray, batch_tokens: int) -> list[np.ndarray]:
    """Split sequences into batches of at most `batch_tokens` tokens with padding, longest first.

    lengths: (n,) tokens of each sequence. Returns arrays of positions; ties keep their order. A
    sequence longer than `batch_tokens` is a batch of its own.

    >>> [batch.tolist() for batch in token_batches(np.array([5, 20, 5, 19]), 40)]
    [[1, 3], [0, 2]]
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    for place in range(1, len(order) + 1):
        if place < len(order):
            longest, length = lengths[order[start]], lengths[order[place]]
            fits = longest * (place - start + 1) <= batch_tokens
            if fits and length >= longest * (1 - _SLACK):
                continue
            # short sequences cost less as padding than as a batch of their own
            if fits and longest * (place - start) < min(batch_tokens // 4, 1024):
                continue
        batches.append(order[start:place])
        start = place
    return batches


def padded(sequences: Sequence[Encoded]) -> np.ndarray:
    """Ids of a batch as one right-padded (b, t) int64 array; the padding is never attended to."""
    width = max(len(sequence.ids) for sequence in sequences)
    ids = np.zeros((len(sequences), width), dtype=np.int64)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence.ids)] = sequence.ids
    return ids


def windows(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Consecutive lists of `size` items, the last one shorter.

    >>> list(windows("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while window := list(islice(iterator, size)):
        yield window


def ahead(make: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in a thread while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, make, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, make, None)
            yield item


def digest(window: Sequence[Conversation]) -> str:
    """What a window says, in 16 bytes: kept results are used only for the same text."""
    state = hashlib.blake2b(digest_size=16)
    for turns in window:
        for turn in turns:
            state.update(f"{turn.role}\0{turn.scored:d}\0{turn.text}\0".encode(errors="replace"))
        state.update(b"\1")
    return state.hexdigest()


class Kept:
    """Finished arrays of each window in a folder; with no folder, nothing is kept.

    A folder made under other settings (`signature`) is emptied of windows first.
    """

    def __init__(self, folder: Path | None, signature: Mapping[str, object]) -> None:
        self._folder = folder
        if folder is None:
            return
        text = json.dumps(signature, sort_keys=True, default=str)
        stamp = folder / "signature.json"
        if not stamp.is_file() or stamp.read_text("utf-8") != text:
            for stale in folder.glob("window-*.npz"):
                stale.unlink()
            write_text(stamp, text)

    def load(self, window: int, key: str) -> dict[str, np.ndarray] | None:
        """The arrays saved for this window, if they were saved for the same text."""
        if self._folder is None or not (path := self._path(window)).is_file():
            return None
        try:
            with np.load(path) as saved:
                arrays = {name: saved[name] for name in saved.files}
        except (OSError, ValueError, zipfile.BadZipFile):
            return None  # a power cut can do what a kill cannot
        return arrays if str(arrays.pop("key")) == key else None

    def save(self, window: int, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep the arrays of a window, whole or as far as it has come, replacing older ones."""
        if self._folder is None:
            return
        place = replacing(self._path(window), lasting=False)  # `load` knows a torn one
        with place as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **{**arrays, "key": np.array(key)})

    def _path(self, window: int) -> Path:
        assert self._folder is not None
        return self._folder / f"window-{window:06d}.npz"
