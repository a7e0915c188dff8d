"""Texts as numbers: their words and runs of words as hashes, and their whole content as one.

Hashes are the same on every machine and in every process, so that what is counted with them is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from ila_core.space.words import folded, sequence

if TYPE_CHECKING:
    from ila_core.pool.records import Records

KNOWN_WORDS = 1 << 20
"""Words whose hashes are remembered: some 150 MB at most."""
TAKEN = 4096
"""Records of a list of rows that are held at once."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, odd: Knuth's multiplicative hashing."""
_MIXERS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
"""Those of MurmurHash3's finalizer: after it every bit depends on every other."""
_HALF = np.uint64(33)


class _Hashes(dict[str, int]):
    """The hash of every word, worked out when it is first asked for."""

    def __missing__(self, word: str) -> int:
        if len(self) >= KNOWN_WORDS:
            self.clear()
        self[word] = number = _hash(word)
        return number


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


_HASHES = _Hashes()


@dataclass(frozen=True, eq=False)
class Wording:
    """The words of several texts, in order, as hashes.

    >>> text = Wording.of(["A red apple", "the RED apple!", ""])
    >>> text.length.tolist(), bool((text.word[1:3] == text.word[4:6]).all())
    ([3, 3, 0], True)
    """

    word: np.ndarray
    """(m,) uint64, of all texts one after the other."""
    start: np.ndarray
    """(k + 1,) int64, where each of the k texts begins, and the end."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Wording:
        """Return the words of texts, in small letters; of a text of signs alone, what spaces part.

        >>> Wording.of(["?!", ":-)  :-)", " "]).length.tolist()
        [1, 2, 0]
        """
        spelled = map(folded, texts)
        lists = [sequence(text) or text.split() for text in spelled]
        start = np.cumsum([0, *map(len, lists)], dtype=np.int64)
        known = map(_HASHES.__getitem__, (word for words in lists for word in words))
        return cls(np.fromiter(known, np.uint64, start[-1]), start)

    @property
    def length(self) -> np.ndarray:
        """(k,) int64, words of each text."""
        return np.diff(self.start)

    def grams(self, size: int) -> Grams:
        """Return every run of `size` words that lies in one text; none of a shorter text.

        >>> Wording.of(["a b a b", "b a"]).grams(2).text.tolist()
        [0, 0, 0, 1]
        """
        count = len(self.word) - size + 1
        if count < 1:
            return Grams(self.word[:0], self.start[:0], self.start[:0])
        run = np.zeros(count, np.uint64)
        for k in range(size):
            run = run * _FACTOR + self.word[k : k + count]
        place = np.arange(count)
        text = np.searchsorted(self.start, place, side="right") - 1
        whole = place + size <= self.start[text + 1]
        return Grams(_mixed(run[whole]), text[whole], (place - self.start[text])[whole])

    def wholes(self) -> np.ndarray:
        """Return a hash of all words of each text, (k,) uint64; that of an empty text is 0."""
        whole = np.zeros(len(self.length), np.uint64)
        for number, (first, end) in enumerate(zip(self.start[:-1], self.start[1:], strict=True)):
            if end > first:
                digest = blake2b(self.word[first:end].tobytes(), digest_size=8).digest()
                whole[number] = int.from_bytes(digest, "little")
        return whole


@dataclass(frozen=True, eq=False)
class Grams:
    """Runs of words, (g,) each: their hashes, which text each is of, and its first word there."""

    hash: np.ndarray
    text: np.ndarray
    place: np.ndarray


def _mixed(run: np.ndarray) -> np.ndarray:
    for factor in _MIXERS:
        run ^= run >> _HALF
        run *= factor
    return run ^ (run >> _HALF)


def spoken(words: Sequence[str]) -> str:
    """Return words as a text again: with spaces between, but for scripts that have none.

    >>> spoken(["a", "red", "apple"]), spoken(["写", "一首", "haiku", "诗歌"])
    ('a red apple', '写一首 haiku 诗歌')
    """
    text = ""
    for word in words:
        close = text and is_unspaced(text[-1]) and is_unspaced(word[0])
        text += word if close or not text else f" {word}"
    return text


def is_unspaced(sign: str) -> bool:
    """Tell whether a sign is of a script that writes words without spaces between."""
    from ila_core.space.words import words

    return bool(words(sign).parts)


# -- whole content --------------------------------------------------------------------------------


def fingerprint(instruction: str, response: str) -> int:
    """Return 64 bits that tell what a record says, whatever file it stands in.

    Small and capital letters, and how much space stands between two words, do not count.

    >>> fingerprint("Add 2 + 3.", "5") == fingerprint(" add 2 + 3.\\n", "5")
    True
    >>> fingerprint("Add 2 + 3.", "5") == fingerprint("Add 2 - 3.", "5")
    False
    """
    return _hash("\0".join(" ".join(folded(text).split()) for text in (instruction, response)))


def fingerprints(records: Records, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the fingerprint of every record, or of those at ascending rows, (n,) uint64."""
    found = [
        fingerprint(*pair) for texts in texts_of(records, rows) for pair in zip(*texts, strict=True)
    ]
    return np.array(found, np.uint64)


def texts_of(
    records: Records, rows: np.ndarray | None = None
) -> Iterator[tuple[list[str], list[str]]]:
    """Yield instructions and responses of all records, or of ascending rows, some at a time."""
    if rows is None:
        for batch in records.batches(["instruction", "response"]):
            yield batch.column(0).to_pylist(), batch.column(1).to_pylist()
        return
    for start in range(0, len(rows), TAKEN):
        taken = records.take(rows[start : start + TAKEN])
        yield [one.instruction for one in taken], [one.response for one in taken]
