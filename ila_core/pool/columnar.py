"""Rows of Parquet and Arrow files, a batch at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ila_core.pool.arrow_buffers import unpacked_sizes
from ila_core.pool.items import Item, readable_text
from ila_core.pool.json_text import compact_json
from ila_core.pool.packing import Bound, Damaged, first_sentence
from ila_core.pool.parquet_pages import row_groups, rows_at_once, rows_within

if TYPE_CHECKING:
    import pyarrow as pa


ROW = 64
"""Bytes that a row counts for at least: it takes as many, whatever little it holds."""


def parquet_rows(file: BinaryIO, ratio: int) -> Iterator[tuple[float, Item]]:
    """Every row, and the share of the file that it ends.

    Raises Damaged where it is not whole, and where its pages or its rows come to more than `ratio`
    times its size: before the memory for them is asked for.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        size, pages, texts = file.seek(0, os.SEEK_END), Bound(ratio), Bound(ratio)
        total, number = table.metadata.num_rows, 0
        for group, columns in enumerate(row_groups(file)):
            rows = rows_at_once(file, columns, pages, size)
            for batch in table.iter_batches(batch_size=rows, row_groups=[group]):
                for item in _items(batch, number):
                    number += 1
                    texts.add(max(len(item.text), ROW), size)
                    yield number / total, item
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # of a column's name
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


def arrow_rows(file: BinaryIO, ratio: int) -> Iterator[Item]:
    """Every row of an Arrow file, or of a stream, as `datasets` writes it.

    Raises Damaged, after the last sound row, also where the rows come to more than `ratio` times
    the size of the file.
    """
    import pyarrow as pa

    number, texts, unpacked = 0, Bound(ratio), Bound(ratio)
    try:
        size = file.seek(0, os.SEEK_END)
        for buffer in unpacked_sizes(file):
            unpacked.add(buffer, size)
        file.seek(0)
        for batch in _batches(file):
            for item in _items(batch, number):
                number += 1
                texts.add(max(len(item.text), ROW), size)
                yield item
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        raise Damaged(f"it is not whole Arrow data ({first_sentence(error)})") from error


def _batches(file: Any) -> Iterator[pa.RecordBatch]:
    from pyarrow import ipc

    start = file.read(6)
    file.seek(0)
    if start == b"ARROW1":
        reader = ipc.open_file(file)
        for number in range(reader.num_record_batches):
            yield _sound(reader.get_batch(number))
    else:
        yield from map(_sound, ipc.open_stream(file))


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose values all lie within what was read; ArrowInvalid where one does not.

    An Arrow file says itself where each of its values lies, and Arrow believes it.
    """
    for column in batch.columns:
        _check(column)
    return batch


def _check(column: pa.Array) -> None:
    """Raise ArrowInvalid for a column with values outside it; texts that are no UTF-8 may be."""
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        for part in _parts(column):  # it stopped at the first such text
            _check(part)


def _parts(column: Any) -> Iterator[pa.Array]:
    """The arrays that a column of lists, structs or a dictionary is made of."""
    if hasattr(column, "dictionary"):
        yield column.dictionary
    elif hasattr(column, "keys"):
        yield from (column.keys, column.items)
    elif hasattr(column, "field"):
        yield from (column.field(place) for place in range(column.type.num_fields))
    elif hasattr(column, "values"):
        yield column.values
    elif hasattr(column, "storage"):
        yield column.storage


def _items(batch: pa.RecordBatch, before: int) -> Iterator[Item]:
    rows = rows_within(sum(_repeated(column) for column in batch.columns))
    for start in range(0, len(batch), rows):
        number = before + start + 1
        part = batch.slice(start, rows)
        try:
            records = part.to_pylist()
        except UnicodeDecodeError:  # Arrow looks only at the bytes that are asked for
            yield from (_item(part.slice(row, 1), number + row) for row in range(len(part)))
            continue
        for place, record in enumerate(records, start=number):
            yield Item(place, compact_json(record), record)


def _item(row: pa.RecordBatch, number: int) -> Item:
    """One row alone: a record, or a reject of which no text can be made."""
    try:
        [record] = row.to_pylist()
    except UnicodeDecodeError as error:
        return Item(number, readable_text(error.object), None, "not UTF-8")
    return Item(number, compact_json(record), record)


def _repeated(column: Any) -> int:
    """The bytes of a column's values that any of its rows may name."""
    dictionary = getattr(column, "dictionary", None)
    return dictionary.nbytes if dictionary is not None else 0
