"""An evaluation set, and what of its wording is looked for in a pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ila_core.overlap.wording import Wording
from ila_core.pool.inputs import Paths, expand, shown
from ila_core.pool.reading import Reading
from ila_core.pool.record import Record
from ila_core.pool.settings import ReadSettings

TEMPLATE_SHARE, TEMPLATE_LEAST = 0.05, 10
"""A passage that stands in more than this share of the evaluation records, and in more than so
many, is what they are asked with, not what is asked; a passage with many questions to it is far
below."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The records of evaluation files."""

    instructions: Sequence[str]
    responses: Sequence[str]
    files: Sequence[str]
    """The name of each one's file."""
    numbers: Sequence[int]
    """Which record of its file each is, from 1, those that cannot be used counted too."""

    @classmethod
    def read(cls, paths: Paths, settings: ReadSettings | None = None) -> Evaluation:
        """Return the records of files that hold pools; an instruction alone is enough.

        Raises what :class:`~ila_core.pool.reading.Reading` raises.
        """
        settings = settings or ReadSettings()
        found: list[tuple[str, str, str, int]] = []
        for path in expand(paths, settings.split):
            name = shown(Path(path))
            found += [
                (one.instruction, one.response, name, number)
                for number, one in enumerate(Reading(path, settings), start=1)
                if isinstance(one, Record)
            ]
        return cls(*(list(column) for column in zip(*found, strict=True)))

    def __len__(self) -> int:
        return len(self.instructions)

    @cached_property
    def wording(self) -> Wording:
        """The words of its texts: instruction and response in turns."""
        pairs = zip(self.instructions, self.responses, strict=True)
        return Wording.of(text for pair in pairs for text in pair)


@dataclass(frozen=True, eq=False)
class Passages:
    """The passages of an evaluation set as hashes, each with a record that holds it."""

    words: int
    """Of a passage."""
    hash: np.ndarray
    """(p,) uint64, ascending."""
    owner: np.ndarray
    """(p,) int64, the first record that holds it."""
    templates: int
    """Passages that were left out because too many records hold them."""
    short: np.ndarray
    """(s,) uint64, ascending: whole instructions of fewer words."""
    short_owner: np.ndarray

    @classmethod
    def of(cls, evaluation: Evaluation, words: int) -> Passages:
        """Return the passages of so many words of instructions and responses."""
        wording = evaluation.wording
        grams = wording.grams(words)
        held_by = grams.text // 2
        order = np.lexsort((held_by, grams.hash))
        hashes, held_by = grams.hash[order], held_by[order]
        again = (hashes[1:] == hashes[:-1]) & (held_by[1:] == held_by[:-1])
        once = np.flatnonzero(~np.concatenate([np.zeros(min(1, len(hashes)), bool), again]))
        hashes, first, held = np.unique(hashes[once], return_index=True, return_counts=True)
        usual = held <= max(TEMPLATE_LEAST, TEMPLATE_SHARE * len(evaluation))
        length = wording.length[::2]
        brief = np.flatnonzero((length > 0) & (length < words))
        short, at = np.unique(wording.wholes()[::2][brief], return_index=True)
        return cls(
            words, hashes[usual], held_by[once][first][usual], int((~usual).sum()), short, brief[at]
        )  # fmt: skip


def owners(hashes: np.ndarray, known: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return for each hash the owner of the known one that equals it, (m,) int64; -1 for none.

    >>> owners(np.array([5, 1]), np.array([1, 3]), np.array([7, 8])).tolist()
    [-1, 7]
    """
    if not len(known):
        return np.full(len(hashes), -1, np.int64)
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.where(known[place] == hashes, owner[place], -1)
