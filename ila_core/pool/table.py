"""records.parquet as Arrow holds it: the columns of a record, written row group by row group."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
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
    """Writes records.parquet row group by row group, fingerprinting the originals."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._writer = open_writer(sink)
        self._records: list[Record] = []
        self._characters = self._rows = 0
        self._digest = hashlib.sha256()
        self.has_labels = False

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
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
        self._characters += len(record.original)
        if len(self._records) < ROW_GROUP and self._characters < GROUP_CHARACTERS:
            return False
        self.flush()
        return True

    def close(self, metadata: Mapping[str, Any]) -> None:
        """Finish the file; the metadata tells of all that was flushed."""
        self._writer.add_key_value_metadata({METADATA: as_utf8(compact_json(metadata))})
        self._writer.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())

    def flush(self) -> None:
        """Write what was added as a row group."""
        if self._records:
            self._writer.write_batch(_batch(self._records, self._rows), row_group_size=ROW_GROUP)
            for record in self._records:
                self._digest.update(record.original.encode())
                self._digest.update(b"\n")
                self.has_labels = self.has_labels or record.labels is not None
            self._rows += len(self._records)
            self._records, self._characters = [], 0


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


def _batch(records: Sequence[Record], start: int) -> pa.RecordBatch:
    """The records as one Arrow batch whose rows are counted from `start`."""
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
        np.arange(start, start + len(records), dtype=np.int64),
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
    """The inverse of `_batch`."""
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
