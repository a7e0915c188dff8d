"""Rows of Parquet and Arrow files, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ila_core.pool.items import Item
from ila_core.pool.json_text import compact_json
from ila_core.pool.packing import Damaged, first_sentence

if TYPE_CHECKING:
    import pyarrow as pa


def parquet_rows(file: BinaryIO) -> Iterator[tuple[float, Item]]:
    """Every row, and the share of the file that it ends. Raises Damaged where it is not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        total, number = table.metadata.num_rows, 0
        for batch in table.iter_batches(batch_size=1024):
            for item in _items(batch, number):
                number += 1
                yield number / total, item
    except (pa.ArrowException, OSError) as error:
        raise Damaged(f"it is not whole Parquet ({first_sentence(error)})") from error


def parquet_count(path: Path) -> int:
    """How many rows a Parquet file has, by its footer."""
    import pyarrow.parquet as pq

    return pq.read_metadata(path).num_rows


def arrow_count(path: Path) -> int:
    """How many rows an Arrow file has, by the heads of its batches; their values are not read."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        return sum(batch.num_rows for batch in _batches(file))


def arrow_rows(file: BinaryIO) -> Iterator[Item]:
    """Every row of an Arrow file, or of a stream, as `datasets` writes it.

    Raises Damaged, after the last sound row.
    """
    import pyarrow as pa

    number = 0
    try:
        for batch in _batches(file):
            for item in _items(batch, number):
                number += 1
                yield item
    except (pa.ArrowException, OSError) as error:
        raise Damaged(f"it is not whole Arrow data ({first_sentence(error)})") from error


def _batches(file: Any) -> Iterator[pa.RecordBatch]:
    from pyarrow import ipc

    start = file.read(6)
    file.seek(0)
    if start == b"ARROW1":
        reader = ipc.open_file(file)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
    else:
        yield from ipc.open_stream(file)


def _items(batch: pa.RecordBatch, before: int) -> Iterator[Item]:
    for start in range(0, len(batch), 1024):
        for number, record in enumerate(batch.slice(start, 1024).to_pylist(), start=1):
            yield Item(before + start + number, compact_json(record), record)
