"""Whether a record says the same as one that is there already, whatever fields it came in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ila_core.pool.record import Turn

KNOWN = "known already"
"""Why a record is left out that says what one of the landscape says."""


def content_of(turns: Iterable[Turn]) -> int:
    """Return 64 bits of a hash of a record's turns: who speaks, what, and what is scored.

    Its id, its labels and how its fields are called make no difference.

    >>> turns = [Turn("user", "Hi", False), Turn("assistant", "Hello", True)]
    >>> content_of(turns) == content_of(tuple(turns)), content_of(turns) == content_of(turns[:1])
    (True, False)
    """
    digest = hashlib.blake2b(digest_size=8)
    for role, text, scored in turns:
        said = text.encode("utf-8", "surrogatepass")
        digest.update(f"{role}:{scored:d}:{len(said)}:".encode())
        digest.update(said)
    return int.from_bytes(digest.digest(), "little")


@dataclass(frozen=True, eq=False)
class Known:
    """What n records say, so that another can be told to be one of them: 16 bytes a record."""

    contents: np.ndarray
    """(k,) uint64, of the different ones, ascending."""
    rows: np.ndarray
    """(k,) int64, the first row that says it."""

    @classmethod
    def of(cls, conversations: Iterable[Iterable[Turn]]) -> Known:
        """Return what these records say, in row order.

        >>> hi, bye = [Turn("user", "Hi", False)], [Turn("user", "Bye", False)]
        >>> known = Known.of([hi, hi])
        >>> known.row(hi), known.row(bye)
        (0, -1)
        """
        contents, rows = np.unique(_contents(conversations), return_index=True)
        return cls(contents, rows.astype(np.int64))

    def row(self, turns: Iterable[Turn]) -> int:
        """Return the first row that says what these turns do; -1 where none does."""
        return int(self._rows(np.array([content_of(turns)], np.uint64))[0])

    def rows_of(self, conversations: Iterable[Iterable[Turn]]) -> np.ndarray:
        """Return `row` of each of m records, (m,) int64."""
        return self._rows(_contents(conversations))

    def _rows(self, contents: np.ndarray) -> np.ndarray:
        if not len(self.contents):
            return np.full(len(contents), -1, np.int64)
        at = np.minimum(np.searchsorted(self.contents, contents), len(self.contents) - 1)
        return np.where(self.contents[at] == contents, self.rows[at], -1)


def _contents(conversations: Iterable[Iterable[Turn]]) -> np.ndarray:
    return np.fromiter(map(content_of, conversations), np.uint64)
