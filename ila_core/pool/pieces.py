"""Pieces of a file, parsed and judged wherever they get to: what a reading in blocks is made of.

The process that reads the file only cuts it. Nothing of a piece's records depends on another piece,
so their tallies and their records, put together in order, are those of the whole file.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ila_core.pool.items import Item
from ila_core.pool.json_lines import lines_of
from ila_core.pool.judging import Judge, Tally
from ila_core.pool.record import Record, Reject
from ila_core.pool.table import batch_of

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 1 << 21
"""Bytes of a piece: some two thousand records, a tenth of a second of work."""


@dataclass(frozen=True)
class Lines:
    """A run of JSON lines as they stand in the file, behind `before` others."""

    before: int
    text: bytes

    def items(self, notes: Counter[str]) -> Iterator[Item]:
        """The items in it; `notes` counts what was taken although it is unusual."""
        return lines_of(io.BytesIO(self.text), notes, self.before)


@dataclass(frozen=True)
class Parsed:
    """Items that only the reader of the whole file can tell from one another."""

    parsed: list[Item]

    def items(self, notes: Counter[str]) -> Iterator[Item]:
        """The items in it; what is to be noted of them has been."""
        return iter(self.parsed)


Piece = Lines | Parsed


def item_pieces(items: Iterator[Item]) -> Iterator[Parsed]:
    """The items in pieces; what ends them early is raised behind the last piece."""
    held: list[Item] = []
    size = 0
    try:
        for item in items:
            held.append(item)
            size += len(item.text)
            if size >= PIECE:
                yield Parsed(held)
                held, size = [], 0
    except Exception:
        if held:
            yield Parsed(held)
        raise
    if held:
        yield Parsed(held)


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of a piece.

    batch: its records as `table.batch_of` lays them out. rejects: of each reason the first, as many
    as are kept. notes: on its text, as a file has them.
    """

    batch: pa.RecordBatch
    rejects: list[Reject]
    first_reject: Reject | None
    tally: Tally
    notes: Counter[str]


@dataclass(frozen=True)
class Judging:
    """What a worker that judges pieces of a file has to know; `rejects` of a reason are kept."""

    judge: Judge
    rejects: int

    def __call__(self) -> Callable[[Piece], Judged]:
        return self.judged

    def judged(self, piece: Piece) -> Judged:
        """Return what becomes of a piece."""
        tally, notes = Tally(), Counter[str]()
        records: list[Record] = []
        rejects: list[Reject] = []
        first: Reject | None = None
        for item in piece.items(notes):
            one = self.judge(item, tally)
            if isinstance(one, Record):
                records.append(one)
                continue
            first = first or one
            if tally.reasons[one.reason] <= self.rejects:
                rejects.append(one)
        return Judged(batch_of(records), rejects, first, tally, notes)
