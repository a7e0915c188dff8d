"""How fast records are found, counted and sorted in a finished run folder.

    python tests/benchmarks/bench_search.py RUN [--repeats 5]

The first search makes the index, in a copy of the folder's links, so that RUN stays as it is.
Medians are shown, as the clock has them and as the process has used its cores: on a machine that
others share the second tells what it takes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import ila_core as ila
from ila_core.artifacts import BESIDE
from ila_core.landscape import facets, languages
from ila_core.landscape.landscape import Landscape
from ila_core.search import index
from ila_core.search.find import by_meaning, by_words, similar
from ila_core.search.query import Query
from ila_core.selection.rules import Rule

WORDS = (
    "photosynthesis",
    "movie review",
    '"once upon a time"',
    "python -java",
    "th*",
    "the",
    "长江",
)


def timed(call: Callable[[], object], repeats: int = 1) -> tuple[float, float]:
    """Return the median seconds of a call, by the clock and of the processor."""
    wall, used = [], []
    for _ in range(repeats):
        clock, processor = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - clock)
        used.append(time.process_time() - processor)
    return statistics.median(wall), statistics.median(used)


def show(name: str, taken: tuple[float, float], found: object = "") -> None:
    print(f"{name:<44}{1e3 * taken[0]:>10.1f} ms{1e3 * taken[1]:>10.1f} ms  {found}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path(options.run).parent) as folder:
        copy = Path(folder) / "run"
        shutil.copytree(options.run, copy, copy_function=os.link,
                        ignore=shutil.ignore_patterns(BESIDE, ".lock"))  # fmt: skip
        measure(ila.open(copy), options.repeats)


def measure(landscape: Landscape, repeats: int) -> None:
    print(f"{len(landscape):,} records, medians of {repeats}{'clock':>32}{'cores':>13}")
    show("the index, once", timed(lambda: index.made(landscape)))
    path = index.made(landscape)
    print(f"  its file: {path.stat().st_size / 1e6:.0f} MB")
    for words in WORDS:
        query = Query.parse(words)
        hits = len(index.matches(path, query))
        show(f"words: {words}", timed(lambda q=query: index.matches(path, q), repeats), f"{hits:,}")
    if landscape.vectors is not None:
        show("the encoder, once", timed(lambda: by_meaning(landscape, "sorting a list")))
        show("meaning", timed(lambda: by_meaning(landscape, "sorting a list", 200), repeats))
        show("similar records", timed(lambda: similar(landscape, 7, 200), repeats))
    show("the languages, once", timed(lambda: languages.languages(landscape)))
    rng = np.random.default_rng(0)
    mask = rng.random(len(landscape)) < 0.3
    names = facets.names(landscape)
    show(f"{len(names)} facets opened", timed(lambda: facets.names(ila.open(landscape.run))))
    for name in names:
        facet = facets.facet(landscape, name)
        facet.counts()
        show(f"counts of {name}, {facet.size} bars", timed(lambda f=facet: f.counts(mask), repeats))
    rule = Rule("tokens", low=10, high=100)
    show("rows of a rule", timed(lambda: rule.rows(landscape), repeats))
    assert by_words(landscape, "the").rows.size


if __name__ == "__main__":
    main()
