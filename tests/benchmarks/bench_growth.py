"""How a build grows with its pool: seconds and memory of every stage, and their slopes.

    python tests/benchmarks/bench_growth.py POOL [--records 100000 1000000] [--folder FOLDER]
        [--json FILE]

The pools are POOL, any file that `ila build` reads, over and over, with a fifth of the words of
every copy changed for others of the pool, so that no two lines are alike. A pool and its landscape
lie in FOLDER and are used again by the next call; a million records of 240 tokens take 2 GB there.
A slope is that of the logarithms, between the smallest and the largest: 1 is linear.

Beside each stage stands what one would take for it alone, in the same run: pandas reads the file,
sentence-transformers makes vectors by the shipped table, the tokenizers library encodes the texts
once, umap-learn fits the vectors in a process of its own (up to 100,000 records: it takes two hours
for a million), and numpy goes once over x, y and depth. A build does two stages at a time where it
can, so that its loss and its map take longer here than each would alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench_build import own_umap, tokenise
from bench_encode import by_sentence_transformers
from bench_retune import seconds, streaming

import ila_core as ila
from ila_core.pool.reading import read_pool

CHANGED = 0.2
"""Share of a copy's words that are others than the original's."""
VOCABULARY = 50_000
BLOCK = 8192
"""Records that a reference is given at a time."""
UMAP_UP_TO = 100_000
"""Records up to which umap-learn is run beside the map."""
EVERY = 0.2
"""Seconds between two looks at the memory of a build and its helpers."""


def write(source: Path, count: int, to: Path) -> None:
    """Write a pool of so many records."""
    texts = [(one.instruction, one.response) for one in read_pool(str(source))]
    words = sorted({word for ask, answer in texts for word in f"{ask} {answer}".split()})
    rng = np.random.default_rng(0)
    words = [words[k] for k in rng.permutation(len(words))[:VOCABULARY]]
    part = to.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for number in range(count):
            ask, answer = texts[number % len(texts)]
            if number >= len(texts):
                ask, answer = changed(ask, words, rng), changed(answer, words, rng)
            file.write(json.dumps({"instruction": ask, "output": answer}) + "\n")
    part.rename(to)


def changed(text: str, words: list[str], rng: np.random.Generator) -> str:
    """Return a text with some of its words changed, its white space as it was."""
    parts = text.split(" ")
    for place in np.flatnonzero(rng.random(len(parts)) < CHANGED).tolist():
        if parts[place]:
            parts[place] = words[int(rng.integers(len(words)))]
    return " ".join(parts)


def build(pool: Path, run: Path) -> dict[str, Any]:
    """Build a landscape; return seconds, of it all and by stage, and the peak memory in GB."""
    started, peak = time.perf_counter(), 0.0
    command = [sys.executable, "-m", "ila_core.cli", "build", str(pool), "--out", str(run)]
    process = subprocess.Popen(command)
    while process.poll() is None:
        peak = max(peak, sum(resident(one) for one in family(process.pid)))
        time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"the build ended with {process.returncode}")
    seconds = time.perf_counter() - started
    stages = json.loads((run / "manifest.json").read_text())["stages"]
    took = {name: told["seconds"] for name, told in stages.items()}
    return {"build": seconds, **took, "memory": peak / 1e9}


def select(run: Path) -> float:
    """Return the seconds of a selection of a tenth, the landscape opened and the kernels compiled.

    The middle one of five budgets, none asked for before.
    """
    landscape = ila.open(run)
    ila.select(landscape, budget="9%")
    taken = []
    for percent in (6, 8, 10, 12, 14):
        started = time.perf_counter()
        ila.select(landscape, budget=f"{percent}%")
        taken.append(time.perf_counter() - started)
    return sorted(taken)[2]


def references(pool: Path, run: Path) -> dict[str, float]:
    """Return the seconds of what is set beside the stages, by their names."""
    import pandas as pd

    landscape = ila.open(run)
    encode = by_sentence_transformers()
    encode(["first"])
    texts = list(landscape.records.instructions())

    def read() -> None:
        for _ in pd.read_json(pool, lines=True, chunksize=BLOCK):
            pass

    def embed() -> None:
        for start in range(0, len(texts), BLOCK):
            encode(texts[start : start + BLOCK])

    found = {
        "records": seconds(read, repeats=1)[0],
        "embedding": seconds(embed, repeats=1)[0],
        "loss": tokenise(run),
        "select": seconds(lambda: streaming(landscape), repeats=5)[0],
    }
    if len(landscape) <= UMAP_UP_TO:
        found["projection"] = own_umap(run)
    return found


def family(process: int) -> Iterator[int]:
    """Yield a process and all that it has started, as they are now."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def resident(process: int) -> int:
    """Return the bytes of a process's own memory: pages of mapped files are the system's."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")]
    return 1024 * int(kilobytes[0]) if kilobytes else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pool", type=Path)
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ila-growth")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--pools-only", action="store_true", help="write the pools and stop")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    found: dict[int, dict[str, Any]] = {}
    for records in options.records:
        pool, run = options.folder / f"{records}.jsonl", options.folder / str(records)
        if not pool.exists():
            write(options.pool, records, pool)
        if options.pools_only:
            continue
        kept = run / "growth.json"
        if not kept.exists():
            figures = {**build(pool, run), "select": select(run)}
            beside = {f"{name}, beside": took for name, took in references(pool, run).items()}
            kept.write_text(json.dumps(figures | beside))
        found[records] = json.loads(kept.read_text())
    if found:
        show(found)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1) + os.linesep)


def show(found: dict[int, dict[str, Any]]) -> None:
    sizes = sorted(found)
    print(f"{'seconds (memory: GB)':<22}" + "".join(f"{size:>12,}" for size in sizes) + "   slope")
    for name in (name for name in found[sizes[0]] if not name.endswith("beside")):
        values = [found[size].get(name, math.nan) for size in sizes]
        texts = "".join(f"{value:>12.3g}" for value in values)
        print(f"{name:<22}{texts}   {slope(sizes, values)}")
        shares = [
            value / found[size].get(f"{name}, beside", math.nan)
            for size, value in zip(sizes, values, strict=True)
        ]
        if not all(map(math.isnan, shares)):
            print(f"{'  beside it':<22}" + "".join(f"{share:>10.2f} x" for share in shares))


def slope(sizes: list[int], values: list[float]) -> str:
    """Return the slope of the logarithms between the smallest and the largest size."""
    if len(sizes) < 2 or min(values[0], values[-1]) <= 0:
        return ""
    return f"{math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]):.2f}"


if __name__ == "__main__":
    main()
