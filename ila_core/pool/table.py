"""records.parquet as Arrow holds it: the columns of a record, written row group by row group."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ila_core.pool.json_text import as_utf8, compact_json
from ila_core.pool.labels import Labels
from ila_core.pool.record import Record, Turn

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
"""Version of the file's layout; a file with a higher one is from a newer program."""
METADATA = b"ila.records"
ROW_GROUP = 2048
GROUP_CHARACTERS = 1 << 26
"""Characters that end a row group early: Arrow's strings hold 2 GB at most."""


class Writer:
    """Writes records.parquet row group by row group, fingerprinting the originals.

    While one is compressed and written, a quarter of the work of reading, the next is filled.
    """

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._writer = open_writer(sink)
        self._records: list[Record] = []
        self._batches: list[pa.RecordBatch] = []
        self._waiting = self._characters = self._rows = 0
        self._digest = hashlib.sha256()
        self._helper = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None
        self.has_labels = False

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self._helper.shutdown()
        if self._writer.is_open:  # given up: the footer of a file that goes away may fail
            with suppress(Exception):
                self._writer.close()
            self._writer.is_open = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the originals as JSON lines: that of the whole pool's export."""
        return self._digest.hexdigest()

    def add(self, record: Record) -> bool:
        """Take a record; True when that filled a row group and it was written."""
        self._records.append(record)
        self._waiting += 1
        self._characters += len(record.original)
        if self._waiting < ROW_GROUP and self._characters < GROUP_CHARACTERS:
            return False
        self.flush()
        return True

    def extend(self, batch: pa.RecordBatch) -> None:
        """Take the records of a batch that `batch_of` made, as if they were added one by one."""
        import pyarrow.compute as pc

        self._lay_out()
        ends = np.cumsum(pc.utf8_length(batch.column("record")).to_numpy(), dtype=np.int64)
        start = 0
        while start < len(batch):
            before = ends[start - 1] if start else 0
            full = int(np.searchsorted(ends, before + GROUP_CHARACTERS - self._characters)) + 1
            end = min(start + ROW_GROUP - self._waiting, full, len(batch))
            part = batch.slice(start, end - start)
            self._batches.append(part)
            self._sign(part.column("record").to_pylist())
            self._waiting += end - start
            self._characters += int(ends[end - 1] - before)
            if self._waiting == ROW_GROUP or self._characters >= GROUP_CHARACTERS:
                self.flush()
            start = end

    def close(self, metadata: Mapping[str, Any]) -> None:
        """Finish the file; the metadata tells of all that was flushed."""
        self._settle()
        self._writer.add_key_value_metadata({METADATA: as_utf8(compact_json(metadata))})
        self._writer.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())

    def flush(self) -> None:
        """Have what was taken written as a row group."""
        self._lay_out()
        if self._waiting:
            batch = _numbered(self._batches, self._rows)
            self._settle()
            self._written = self._helper.submit(
                self._writer.write_batch, batch, row_group_size=ROW_GROUP
            )
            labels = batch.column("labels")
            self.has_labels = self.has_labels or labels.null_count < len(labels)
            self._rows += len(batch)
            self._batches = []
            self._waiting = self._characters = 0

    def _settle(self) -> None:
        """Wait for the row group that is being written, and raise what became of it."""
        if self._written is not None:
            self._written.result()

    def _lay_out(self) -> None:
        """Have the records that were added one by one as a batch."""
        if self._records:
            self._batches.append(batch_of(self._records))
            self._sign([record.original for record in self._records])
            self._records = []

    def _sign(self, originals: Sequence[str]) -> None:
        for original in originals:
            self._digest.update(original.encode())
            self._digest.update(b"\n")


def _numbered(batches: Sequence[pa.RecordBatch], first: int) -> pa.RecordBatch:
    """The batches as one, whose rows are counted from `first`."""
    import pyarrow as pa

    batch = batches[0]
    if len(batches) > 1:
        [batch] = pa.Table.from_batches(batches).combine_chunks().to_batches()
    rows = pa.array(np.arange(first, first + len(batch), dtype=np.int64))
    return pa.RecordBatch.from_arrays([rows, *batch.columns[1:]], schema=batch.schema)


def open_writer(sink: BinaryIO) -> Any:
    """Return Arrow's writer of a records.parquet, to be closed by whoever asked for it."""
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        sink, _schema(), compression="zstd", compression_level=1,
        use_dictionary=["source", "turns.list.element.role", "labels.list.element"],
        write_statistics=False,
    )  # fmt: skip


def _schema() -> pa.Schema:
    import pyarrow as pa

    turn = pa.struct([("role", pa.string()), ("text", pa.string()), ("scored", pa.bool_())])
    return pa.schema([
        ("row", pa.int64()),
        ("record", pa.string()),
        ("instruction", pa.string()),
        ("response", pa.string()),
        ("turns", pa.list_(turn)),
        ("labels", pa.list_(pa.string())),
        ("source", pa.string()),
    ])  # fmt: skip


def batch_of(records: Sequence[Record]) -> pa.RecordBatch:
    """The records as one Arrow batch whose rows are counted from 0."""
    import pyarrow as pa

    schema = _schema()
    turns = [turn for record in records for turn in record.turns]
    offsets = np.cumsum([0, *(len(record.turns) for record in records)], dtype=np.int32)
    texts = pa.array([turn.text for turn in turns], pa.string())
    roles = pa.array([turn.role for turn in turns], pa.string())
    scored = pa.array([turn.scored for turn in turns], pa.bool_())
    element = schema.field("turns").type.value_type
    structs = pa.StructArray.from_arrays([roles, texts, scored], fields=list(element))
    columns = [
        np.arange(len(records), dtype=np.int64),
        [record.original for record in records],
        [record.instruction for record in records],
        [record.response for record in records],
        pa.ListArray.from_arrays(offsets, structs),
        [record.labels for record in records],
        [record.source for record in records],
    ]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, type=field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def records_of(batch: pa.RecordBatch | pa.Table) -> list[Record]:
    """The inverse of `batch_of`."""
    columns = ("record", "instruction", "response", "labels", "source")
    values = {name: batch.column(name).to_pylist() for name in columns}
    return [
        Record(original, instruction, response, turns, labels_of(labels), source)
        for original, instruction, response, turns, labels, source in zip(
            values["record"], values["instruction"], values["response"],
            turns_of(batch.column("turns")), values["labels"], values["source"], strict=True,
        )
    ]  # fmt: skip


def turns_of(column: pa.Array | pa.ChunkedArray) -> list[tuple[Turn, ...]]:
    """A turns column as Python values, several times faster than to_pylist."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return [turns for chunk in column.chunks for turns in turns_of(chunk)]
    flat = column.flatten()
    parts = [flat.field(name).to_pylist() for name in Turn._fields]
    turns = list(map(Turn, *parts))
    ends = column.offsets.to_numpy() - column.offsets[0].as_py()
    return [tuple(turns[a:b]) for a, b in pairwise(ends.tolist())]


def labels_of(labels: list[str] | None) -> Labels:
    """One value of a labels column."""
    return None if labels is None else tuple(labels)
