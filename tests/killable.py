"""Stages that are killed in a process of their own, and done to the end in the one that tests them.

    python -m killable STAGE FOLDER ADDRESS AFTER

does a stage on the Ray at an address and kills itself when so many rows are done.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
from conftest import small_pool, write_jsonl

from ila_core.blocks import Spread
from ila_core.pool.ingest import ingest
from ila_core.pool.records import Records
from ila_core.progress import Progress, no_progress
from ila_core.space.encode import embed
from ila_core.space.encoders import load_encoder
from ila_core.space.landmarks import place

LONG = 5000
"""Characters of an answer: six pieces are read of the pool."""


def prepare(folder: Path) -> None:
    """Put into a folder what the stages read."""
    ingest(write_jsonl(folder / "short.jsonl", small_pool(100)), out=folder)
    write_jsonl(folder / "long.jsonl", [{**one, "output": "so " * (LONG // 3)}
                                        for one in small_pool(3400)])  # fmt: skip
    rng = np.random.default_rng(0)
    np.save(folder / "vectors.npy", rng.normal(size=(13_000, 8)).astype(np.float32))


def encode(folder: Path, spread: Spread | None, progress: Progress = no_progress) -> bytes:
    records, out = Records.open(folder), folder / "embeddings.npy"
    embed(records.instructions, len(records), load_encoder(), out=out, work=folder / "work",
          spread=spread, batch=8, progress=progress)  # fmt: skip
    return out.read_bytes()


def read(folder: Path, spread: Spread | None, progress: Progress = no_progress) -> bytes:
    out = folder / "read"
    ingest(folder / "long.jsonl", out=out, work=folder / "work", spread=spread, progress=progress)
    return (out / "records.parquet").read_bytes()


def map(folder: Path, spread: Spread | None, progress: Progress = no_progress) -> bytes:
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    xy = np.asarray(vectors[:300, :2])
    work = folder / "work" if spread else None
    return place(
        vectors[:300], xy, vectors, work=work, spread=spread, progress=progress
    ).xy.tobytes()


STAGES = {"encode": encode, "read": read, "map": map}


def main(stage: str, folder: str, address: str, after: str) -> None:
    from ila_core.distributed.fleet import Fleet

    def killed(done: int, total: int) -> None:
        if done > int(after):
            os.kill(os.getpid(), signal.SIGKILL)

    with Fleet(address) as fleet:
        STAGES[stage](Path(folder), fleet, killed)


if __name__ == "__main__":
    main(*sys.argv[1:])
