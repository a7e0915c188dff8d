"""How fast instructions become vectors, and in how much memory: the shipped encoders and a library.

    python tests/benchmarks/bench_encode.py [POOL] [--records 6000] [--repeats 3]

The encoders take turns on the same records in one run, each in a process of its own, so that a busy
machine slows all; medians are shown. Processor seconds count the work of all threads. "cold" is
the first pass over the records, as a build makes it: no word is remembered. sentence-transformers
reads the static encoder's table by its StaticEmbedding, which weights no piece.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ila_core.paths import ASSETS, SAMPLE
from ila_core.pool.reading import read_pool
from ila_core.pool.record import Record

BATCH = 1024
Encode = Callable[[Sequence[str]], Any]


def shipped(name: str) -> Encode:
    from ila_core.space.encoders import load_encoder

    return load_encoder(name).encode


def by_sentence_transformers() -> Encode:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    model = SentenceTransformer(
        modules=[StaticEmbedding.from_model2vec(str(ASSETS / "encoder"))], device="cpu"
    )
    return lambda texts: model.encode(list(texts), show_progress_bar=False)


ENCODERS: dict[str, Callable[[], Encode]] = {
    "multilingual": lambda: shipped("multilingual"),
    "static": lambda: shipped("static"),
    "sentence-transformers, static": by_sentence_transformers,
}


def texts_of(pool: Path, count: int) -> list[str]:
    records = (entry for entry in read_pool(pool) if isinstance(entry, Record))
    return [record.instruction for record in islice(records, count)]


def measured(make: Callable[[], Encode], texts: list[str]) -> tuple[float, float, float, float]:
    """Return seconds to load, and processor and clock seconds to encode, and MB at the peak."""
    started = time.process_time()
    encode = make()
    encode(["first"])  # loads what is loaded on first use
    loaded = time.process_time()
    clock = time.perf_counter()
    for start in range(0, len(texts), BATCH):
        encode(texts[start : start + BATCH])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return loaded - started, time.process_time() - loaded, time.perf_counter() - clock, peak


def work(name: str, texts: list[str], answers: Connection) -> None:
    answers.send(measured(ENCODERS[name], texts))


def in_turns(texts: list[str], repeats: int) -> Iterator[tuple[str, tuple[float, ...]]]:
    fresh = multiprocessing.get_context("spawn")
    for _ in range(repeats):
        for name in ENCODERS:
            here, there = fresh.Pipe()
            process = fresh.Process(target=work, args=(name, texts, there))
            process.start()
            yield name, here.recv()
            process.join()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("pool", nargs="?", type=Path, default=SAMPLE / "pool.jsonl")
    options.add_argument("--records", type=int, default=6000)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    texts = texts_of(chosen.pool, chosen.records)
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in ENCODERS}
    for name, figures in in_turns(texts, chosen.repeats):
        taken[name].append(figures)
    print(f"{len(texts):,} records of {chosen.pool.name}, {chosen.repeats} turns, medians")
    print(
        f"{'encoder':30} {'records/cpu s':>14} {'records/s':>10} {'load cpu s':>11} {'peak MB':>8}"
    )
    for name, runs in taken.items():
        load, cpu, clock, peak = (statistics.median(part) for part in zip(*runs, strict=True))
        rates = f"{len(texts) / cpu:14,.0f} {len(texts) / clock:10,.0f}"
        print(f"{name:30} {rates} {load:11.1f} {peak:8,.0f}")


if __name__ == "__main__":
    main()
