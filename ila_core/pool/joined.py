"""Two pools as one, the second behind the first, without reading either from its files again."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.files import replacing, writing_errors
from ila_core.pool.json_text import as_utf8, compact_json
from ila_core.pool.records import Records
from ila_core.pool.table import METADATA, ROW_GROUP, VERSION, open_writer

if TYPE_CHECKING:
    import pyarrow as pa


def join_records(first: Records, second: Records, out: str | Path) -> Records:
    """Write the records of two pools to the file `out` and return them.

    The first's keep their rows, the second's come behind them. Where no record of the first has
    labels, those of the second are not taken for any: one kind of record would count what the other
    cannot. Counts are summed; the mapping is the first's.
    """
    out = Path(out)
    digest = hashlib.sha256()
    with replacing(out) as part, writing_errors(out), open(part, "wb") as sink:
        writer = open_writer(sink)
        try:
            row = 0
            for pool in (first, second):
                labels = pool is first or first.has_labels
                for batch in pool.batches(writer.schema.names, ROW_GROUP):
                    for original in batch.column("record").to_pylist():
                        digest.update(original.encode())
                        digest.update(b"\n")
                    placed = _placed(batch, row, writer.schema, labels=labels)
                    writer.write_batch(placed, row_group_size=ROW_GROUP)
                    row += len(batch)
            metadata = as_utf8(compact_json(_metadata(first, second, digest.hexdigest())))
            writer.add_key_value_metadata({METADATA: metadata})
            writer.close()
        finally:
            if writer.is_open:  # given up: the footer of a file that goes away may fail
                with suppress(Exception):
                    writer.close()
                writer.is_open = False
        sink.flush()
        os.fsync(sink.fileno())
    return Records.open(out)


def _placed(
    batch: pa.RecordBatch, start: int, schema: pa.Schema, *, labels: bool
) -> pa.RecordBatch:
    """Return a batch with its rows counted from `start`, and without labels unless asked for."""
    import pyarrow as pa

    columns = {field.name: batch.column(field.name).cast(field.type) for field in schema}
    columns["row"] = pa.array(np.arange(start, start + len(batch), dtype=np.int64))
    if not labels:
        columns["labels"] = pa.nulls(len(batch), schema.field("labels").type)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def _metadata(first: Records, second: Records, fingerprint: str) -> dict[str, Any]:
    parts: dict[str, Counter[str]] = {}
    for pool in (first, second):
        for part, fields in pool.understood.parts.items():
            parts.setdefault(part, Counter()).update(fields)
    unused = _either(first.understood.unused, second.understood.unused)
    return {
        "version": VERSION,
        "fingerprint": fingerprint,
        "counts": counts_of_both(first.counts, second.counts),
        "fields": _either(first.fields(), second.fields()),
        "files": [*first.files, *second.files],
        "mapping": first.mapping,
        "has_labels": first.has_labels,
        "understood": {"parts": parts, "unused": unused},
    }


def _either(first: Iterable[str], second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def counts_of_both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of two pools as those of one; what repeats across them is not in it.

    >>> counts_of_both({"read": 2, "reasons": {"blank": 1}}, {"read": 3, "reasons": {"blank": 2}})
    {'read': 5, 'reasons': {'blank': 3}}
    """
    both: dict[str, Any] = {}
    for name, one in first.items():
        other = second.get(name, type(one)())
        both[name] = (
            dict(Counter(one) + Counter(other)) if isinstance(one, Mapping) else one + other
        )
    return both
