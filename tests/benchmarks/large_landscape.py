"""A landscape of any size from records of chance, made in minutes: their places are given.

    python tests/benchmarks/large_landscape.py RUN [--records 1000000] [--copies 1]

`ila build` itself makes it, of short texts, so that it is read as any other; places, vectors,
losses and labels come with the pool, for these are what takes hours. With --copies that many of it
stand in RUN in place of one, each record of a copy a little aside and of another loss: ten million
records in two minutes more.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import ila_core as ila
from ila_core.artifacts import LABELS, MANIFEST, RECORDS, REJECTS, TABLE, VECTORS
from ila_core.files import hash_file
from ila_core.landscape.folder import read_manifest

CLUSTERS = 300
TOPICS = 40
DIMENSIONS = 32
WORDS = 3_000
BLOCK = 10_000
"""Records that are made and written at a time."""


def make(run: Path, records: int) -> None:
    """Build a landscape of so many records in `run`; a finished one is left as it is."""
    if (run / "manifest.json").is_file():
        return
    with tempfile.TemporaryDirectory(dir=run.parent) as name:
        folder = Path(name)
        pool, vectors = folder / f"pool-{records}.jsonl", folder / "vectors.npy"
        rng = np.random.default_rng(0)
        cluster = rng.integers(0, CLUSTERS, records)
        with pool.open("w", encoding="utf-8") as file:
            for first in range(0, records, BLOCK):
                for line in _lines(first, cluster[first : first + BLOCK], rng):
                    file.write(json.dumps(line) + "\n")
        middle = rng.normal(size=(CLUSTERS, DIMENSIONS)).astype(np.float32)
        noise = rng.normal(size=(records, DIMENSIONS), scale=0.3).astype(np.float32)
        np.save(vectors, middle[cluster] + noise)
        ila.build(pool, out=run, embeddings=str(vectors), projection="columns:x,y",
                  loss="column:loss", labels="column:topic", domains="labels")  # fmt: skip


def _lines(first: int, cluster: np.ndarray, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Yield records of clusters of different density; those of a cluster share some words."""
    middle = np.random.default_rng(1).normal(size=(CLUSTERS, 2)) * 8
    n = len(cluster)
    places = middle[cluster] + rng.normal(size=(n, 2)) * rng.gamma(1, 1, (n, 1))
    words = (cluster[:, None] * 7 + rng.integers(0, 40, (n, 12))) % WORDS
    loss = rng.gamma(4, 0.6, n)
    for k in range(n):
        ask, answer = (" ".join(f"word{w}" for w in part) for part in (words[k, :8], words[k, 8:]))
        yield {
            "instruction": f"Say {first + k} and {ask}.",
            "output": f"{answer}.",
            "x": round(places[k, 0], 4),
            "y": round(places[k, 1], 4),
            "loss": round(loss[k], 4),
            "topic": f"topic {cluster[k] % TOPICS}",
        }


def repeat(run: Path, to: Path, copies: int) -> None:
    """Write a landscape of copies of another one into `to`; a finished one is left as it is."""
    if (to / MANIFEST).is_file():
        return
    to.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(run)
    records = manifest["counts"]["kept"]
    rng = np.random.default_rng(0)
    with pq.ParquetFile(run / TABLE) as file:
        table = file.read()
    tables = [_aside(table, copy * records, rng) for copy in range(copies)]
    pq.write_table(pa.concat_tables(tables), to / TABLE)
    for name in (RECORDS, LABELS):
        _repeat_groups(run / name, to / name, copies, records)
    vectors = np.load(run / VECTORS, mmap_mode="r")
    shape = (copies * records, vectors.shape[1])
    written = np.lib.format.open_memmap(to / VECTORS, "w+", vectors.dtype, shape)
    for copy in range(copies):
        written[copy * records : (copy + 1) * records] = vectors
    written.flush()
    (to / REJECTS).touch()
    for count in ("read", "kept"):
        manifest["counts"][count] *= copies
    for name, entry in manifest["artifacts"].items():
        entry |= {"bytes": (to / name).stat().st_size, "sha256": hash_file(to / name)}
    (to / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _aside(table: pa.Table, first: int, rng: np.random.Generator) -> pa.Table:
    """Return a table of a landscape with its rows counted from `first`, its numbers moved a bit."""
    n = len(table)
    moved = {"row": np.arange(first, first + n)}
    for name in ("x", "y", "loss"):
        values = table.column(name).to_numpy()
        moved[name] = (values + 0.1 * rng.normal(size=n) * (first > 0)).astype(np.float32)
    for name, values in moved.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values))
    return table


def _repeat_groups(source: Path, to: Path, copies: int, records: int) -> None:
    with pq.ParquetFile(source) as file, pq.ParquetWriter(to, file.schema_arrow) as writer:
        for copy in range(copies):
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                rows = pc.add(group.column("row"), copy * records)
                writer.write_table(group.set_column(0, group.schema.field(0), rows))
        writer.add_key_value_metadata(file.metadata.metadata or {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--copies", type=int, default=1)
    options = parser.parse_args()
    options.run.parent.mkdir(parents=True, exist_ok=True)
    if options.copies == 1:
        make(options.run, options.records)
        return
    one = options.run.with_name(f"{options.run.name}-of-1")
    make(one, options.records)
    repeat(one, options.run, options.copies)


if __name__ == "__main__":
    main()
