"""The whole pool as one Parquet file: what is kept, in which order, and what was left.

Records go from file to file a batch at a time; only numbers are held for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.chance import library_seed
from ila_core.progress import Progress, no_progress
from ila_core.space.project import COMPARED, neighbours_by_cosine, neighbours_by_search

if TYPE_CHECKING:
    import pyarrow as pa

    from ila_core.pool.records import Records
    from ila_core.selection.selection import Selection

NEIGHBOURS = 15
"""Nearest records of each, itself among them: as many as Embedding Atlas looks at."""
ROW_GROUP = 2048


def write_whole(
    selection: Selection,
    records: Records,
    path: Path,
    *,
    neighbours: bool = True,
    progress: Progress = no_progress,
) -> None:
    """Write every record of the pool, in file order, with its place, scores and fate.

    Columns: row, kept (bool), order and round (of those kept), x, y, text, response, domain,
    source, the numbers of the landscape, neighbors (a struct of ids, rows with the record itself
    first, and cosine distances) where it has vectors, and record. `progress` counts records.
    """
    import pyarrow.parquet as pq

    columns = numbers(selection)
    if neighbours and selection.landscape.vectors is not None:
        near = nearest_of(np.asarray(selection.landscape.vectors))
        columns |= {"neighbors": with_neighbours(*near)}
    schema = None
    writer = None
    try:
        for batch in batches(records, columns):
            if writer is None:
                schema = batch.schema
                writer = pq.ParquetWriter(path, schema, compression="zstd")
            writer.write_batch(batch, row_group_size=ROW_GROUP)
            progress(int(batch.column("row")[-1].as_py()) + 1, len(records))
    finally:
        if writer is not None:
            writer.close()


def numbers(selection: Selection) -> dict[str, Any]:
    """Return the columns of the whole pool that are numbers, each of n values."""
    import pyarrow as pa

    landscape, n = selection.landscape, len(selection.landscape)
    places = np.full(n, -1, np.int32)
    places[selection.rows] = np.arange(len(selection), dtype=np.int32)
    turn = np.zeros(n, np.int32)
    turn[selection.rows] = selection.round
    left = ~selection.mask
    names = pa.array(landscape.domain_names, pa.string())
    return {
        "row": pa.array(np.arange(n)),
        "kept": pa.array(selection.mask),
        "order": pa.array(places, mask=left),
        "round": pa.array(turn, mask=left),
        "x": pa.array(landscape.xy[:, 0]),
        "y": pa.array(landscape.xy[:, 1]),
        "domain": pa.DictionaryArray.from_arrays(pa.array(landscape.domain), names),
        "loss": pa.array(landscape.loss),
        "loss_reduction": pa.array(landscape.loss_reduction),
        "tokens": pa.array(landscape.tokens),
        "skills": pa.array(landscape.skills),
        "depth": pa.array(landscape.depth),
        "relative_depth": pa.array(landscape.relative_depth),
        **{name: pa.array(column) for name, column in landscape.scores.items()},
    }


def batches(records: Records, columns: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the file, the texts read from disk and the numbers cut to fit."""
    import pyarrow as pa

    start = 0
    for texts in records.batches(["instruction", "response", "source", "record"], ROW_GROUP):
        size = texts.num_rows
        here = {name: column.slice(start, size) for name, column in columns.items()}
        named = {
            **{name: here[name] for name in ("row", "kept", "order", "round", "x", "y")},
            "text": texts.column("instruction"),
            "response": texts.column("response"),
            "domain": here["domain"],
            "source": texts.column("source"),
            **{name: column for name, column in here.items() if name not in _FIRST},
            "record": texts.column("record"),
        }
        yield pa.RecordBatch.from_arrays(list(named.values()), names=list(named))
        start += size


_FIRST = frozenset(("row", "kept", "order", "round", "x", "y", "domain"))


def first_of_whole(selection: Selection, records: Records, most: int = 50) -> pa.RecordBatch:
    """Return the first records as `write_whole` writes them, but for their neighbours."""
    return next(batches(records, numbers(selection))).slice(0, most)


def nearest_of(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest of each of n vectors, itself first, and their cosine distances.

    Both are (n, k), k being 15 or n; a large pool's are found by a search index.
    """
    k = min(NEIGHBOURS, len(vectors))
    known = neighbours_by_cosine(vectors, k, COMPARED["umap"])
    return known or neighbours_by_search(vectors, k, library_seed(0, "neighbour search") % 2**31)


def with_neighbours(rows: np.ndarray, distances: np.ndarray) -> pa.Array:
    """Return (m, k) rows and distances as a column of m structs, as Embedding Atlas reads them."""
    import pyarrow as pa

    ends = np.arange(0, rows.size + 1, rows.shape[1], dtype=np.int32)
    lists = [
        pa.ListArray.from_arrays(ends, pa.array(values.ravel(), type))
        for values, type in ((rows, pa.int32()), (distances, pa.float32()))
    ]
    return pa.StructArray.from_arrays(lists, ["ids", "distances"])
