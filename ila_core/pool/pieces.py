"""Pieces of a file, parsed and judged wherever they get to: what a reading in blocks is made of.

The process that reads the file only cuts it. Nothing of a piece's records depends on another piece,
so their tallies and their records, put together in order, are those of the whole file.
"""

from __future__ import annotations

import io
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.blocks import Spread
from ila_core.files import replacing
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

    def packed(self) -> bytes:
        """Return it as an Arrow stream, compressed."""
        import pyarrow as pa

        told = {
            "rejects": [astuple(one) for one in self.rejects],
            "first": self.first_reject and astuple(self.first_reject),
            "tally": self.tally.as_json(),
            "notes": dict(self.notes),
        }
        schema = self.batch.schema.with_metadata({_TOLD: json.dumps(told)})
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, schema, options=options) as stream:
            stream.write_batch(self.batch)
        return sink.getvalue().to_pybytes()

    @classmethod
    def unpacked(cls, data: bytes) -> Judged:
        """Return what was packed; ValueError for what was not."""
        import pyarrow as pa

        try:
            with pa.ipc.open_stream(data) as stream:
                told = json.loads(stream.schema.metadata[_TOLD])
                batch = stream.read_next_batch()
        except (pa.ArrowException, OSError, StopIteration, TypeError, KeyError) as error:
            raise ValueError("no whole piece") from error
        return cls(
            batch.replace_schema_metadata(None),
            [Reject(*one) for one in told["rejects"]],
            Reject(*told["first"]) if told["first"] else None,
            Tally.of_json(told["tally"]),
            Counter(told["notes"]),
        )


_TOLD = b"ila.piece"


@dataclass(frozen=True)
class Judging:
    """What a worker that judges pieces of a file has to know; `rejects` of a reason are kept."""

    judge: Judge
    rejects: int

    def __call__(self) -> Callable[[Piece], bytes]:
        return self._packed

    def _packed(self, piece: Piece) -> bytes:
        return self.judged(piece).packed()

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


def keeping(spread: Spread, folder: Path | None, name: str) -> Spread:
    """Return a Spread of the pieces of a file, whose packed results are kept in a folder.

    What is there already is not made again: a killed reading goes on behind it. The folder must
    belong to this very reading, and `name` to the file. Without a folder nothing is kept.
    """
    if folder is None:
        return spread
    held = folder

    def kept(prepare: Any, blocks: Iterable[Any], *, device: bool = False) -> Iterator[Any]:
        waiting: deque[tuple[Path, bool]] = deque()

        def missing() -> Iterator[Any]:
            for number, piece in enumerate(blocks):
                file = held / f"{name}-{PIECE}-{number:07d}.arrow"
                waiting.append((file, not _is_whole(file)))
                if waiting[-1][1]:
                    yield piece

        def earlier() -> Iterator[bytes]:
            while waiting and not waiting[0][1]:
                yield waiting.popleft()[0].read_bytes()

        for packed in spread(prepare, missing(), device=device):
            yield from earlier()
            file, _ = waiting.popleft()
            with replacing(file, lasting=False) as temporary:
                temporary.write_bytes(packed)
            yield packed
        yield from earlier()

    return kept


def _is_whole(file: Path) -> bool:
    """Whether a packed piece is there, and no power cut has torn it."""
    try:
        Judged.unpacked(file.read_bytes())
    except (OSError, ValueError):
        return False
    return True
