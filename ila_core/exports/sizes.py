"""How large an exported file will be, told before it is written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ila_core.chance import stream
from ila_core.exports.commands import PARQUET
from ila_core.exports.whole import ROW_GROUP, nearest_of, numbers, with_neighbours
from ila_core.exports.write import Format, records_of, table, write_records
from ila_core.landscape.memory import remembered
from ila_core.selection.selection import Selection

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

SAMPLED = 2000
"""Records that are tried: what a format adds to an original varies by about a half of itself, and
the mean of 2,000 by 1 %."""
STRETCH = 100
"""Neighbours in the file that are tried together: some pages of Parquet hold as many."""


@remembered(most=1, of_map=True)
def record_bytes(landscape: Landscape) -> np.ndarray:
    """Return the size of every original record as a line, (n,) int64; no text is kept."""
    import pyarrow.compute as pc

    sizes = [
        np.asarray(pc.binary_length(batch.column(0)), np.int64) + 1
        for batch in records_of(landscape).batches(["record"])
    ]
    return np.concatenate([np.zeros(0, np.int64), *sizes])


def estimated_bytes(selection: Selection, format: Format = "jsonl") -> int:
    """Return how many bytes a file of the selection has.

    For "jsonl" that is exact, and for up to 2,000 records it is what they take. Else as many are
    written in the format, and what they take beside their originals is taken for all. They are
    from all along the file, for Parquet in stretches, since it packs what stands together.
    """
    landscape = selection.landscape
    originals = record_bytes(landscape)
    if format == "jsonl":
        return int(originals[selection.rows].sum())
    whole = format == "pool-parquet"
    rows = np.arange(len(landscape)) if whole else selection.rows
    some = rows[_spread(len(rows), STRETCH if format in PARQUET else 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample"
        if whole:
            _write_part_of_whole(selection, some, path)
        else:
            write_records(Selection.of_rows(landscape, selection.spec, some), path, format)
        size = path.stat().st_size
    return round(size * originals[rows].sum() / max(1, originals[some].sum()))


def _spread(count: int, stretch: int) -> np.ndarray:
    """Return at most 2,000 of so many places, in evenly spread stretches, ascending."""
    if count <= SAMPLED:
        return np.arange(count)
    starts = np.linspace(0, count - stretch, SAMPLED // stretch).astype(np.int64)
    return (starts[:, None] + np.arange(stretch)).ravel()


def _write_part_of_whole(selection: Selection, rows: np.ndarray, path: Path) -> None:
    """Write the rows of a file of the whole pool, each with the nearest of these rows.

    Each of those stands for as many records of the pool as there are for a row: one of them by
    chance is named, and a distance a little off, or row numbers and the one distance of two rows
    would repeat, and pack better than they will.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    landscape = selection.landscape
    columns = {name: column.take(pa.array(rows)) for name, column in numbers(selection).items()}
    texts = table(Selection.of_rows(landscape, selection.spec, rows))
    columns |= {name: texts.column(name) for name in ("text", "response", "source", "record")}
    if landscape.vectors is not None:
        near, away = nearest_of(np.asarray(landscape.vectors[rows]))
        part = stream(0, "neighbour search").random(near.shape)
        named = ((near + part) * (len(landscape) / len(rows))).astype(np.int64)
        if len(rows) < len(landscape):
            away = away * (1 + part * 1e-4)
        columns["neighbors"] = with_neighbours(named, away)
    pq.write_table(pa.table(columns), path, compression="zstd", row_group_size=ROW_GROUP)
