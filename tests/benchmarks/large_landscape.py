"""A landscape of any size from records of chance, made in minutes: their places are given.

    python tests/benchmarks/large_landscape.py RUN [--records 1000000]

`ila build` itself makes it, of short texts, so that it is read as any other; places, vectors,
losses and labels come with the pool, for these are what takes hours.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import ila_core as ila

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--records", type=int, default=1_000_000)
    options = parser.parse_args()
    options.run.parent.mkdir(parents=True, exist_ok=True)
    make(options.run, options.records)


if __name__ == "__main__":
    main()
