"""Quick UMAP, and UMAP fitted on landmarks, against UMAP itself, by turns.

    python tests/benchmarks/bench_projection.py VECTORS.npy [--landmarks 20000] [--repeats 3]

VECTORS.npy is the embeddings.npy of a run. Every map is made in a process of its own, as a build
makes it: what the libraries compile each time counts. Medians are shown, as the clock has them and
as the process has used its cores: on a machine that others share the second tells what it takes.
Beside them stand the trustworthiness of each map (k = 15), within a seeded sample of the distinct
vectors and of fewer of them against all others, and the share of the 15 nearest on the map that are
among the 15 most alike.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from ila_core.space import project as projection
from ila_core.space.distinct import distinct_rows
from ila_core.space.landmarks import unit_rows
from ila_core.space.project import Method, ProjectionSettings, project

K = 15
SAMPLE = 5_000
"""Distinct vectors that trustworthiness is taken within: it compares all pairs."""
ASKED = 2_000
"""Distinct vectors whose neighbours are held against all vectors."""
BLOCK = 256
"""Of those, how many are compared with all at a time."""


@dataclass
class Map:
    name: str
    method: Method
    landmarks: int | None = None
    """How many vectors are fitted; None for all."""
    xy: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    wall: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    def make(self, vectors: str, seed: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "xy.npy"
            asked = [vectors, "--one", self.method, str(self.landmarks or 0), str(out)]
            told = subprocess.run(
                [sys.executable, __file__, *asked, "--seed", str(seed)],
                check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            clock, processor = map(float, told.stdout.split()[-2:])
            self.xy = np.load(out)
        self.wall.append(clock)
        self.used.append(processor)


def make_one(vectors: str, method: str, landmarks: int, out: str, seed: int) -> None:
    """Make a map and print its seconds, by the clock and of all cores."""
    if landmarks:
        projection.FITTED["landmarks"] = landmarks
    settings = ProjectionSettings(cast(Method, method), seed)
    clock, processor = time.perf_counter(), time.process_time()
    xy = project(np.load(vectors, mmap_mode="r"), settings)
    print(time.perf_counter() - clock, time.process_time() - processor)
    np.save(out, xy)


def within_sample(vectors: np.ndarray, xy: np.ndarray, rows: np.ndarray) -> float:
    """Return the trustworthiness of the places of some vectors among themselves."""
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(vectors[rows], xy[rows], n_neighbors=K, metric="cosine"))


def against_all(vectors: np.ndarray, xy: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return the trustworthiness of some places among all, and the share of neighbours kept."""
    from scipy.spatial import KDTree

    n = len(vectors)
    unit = unit_rows(vectors)
    beside = KDTree(xy).query(xy[rows], K + 1)[1]
    over, kept = 0, 0
    for start in range(0, len(rows), BLOCK):
        part, found = rows[start : start + BLOCK], beside[start : start + BLOCK]
        cosines = unit[part] @ unit.T
        cosines[np.arange(len(part)), part] = -np.inf
        for row, places, values in zip(part, found, cosines, strict=True):
            near = places[places != row][:K]
            ranks = 1 + np.array([np.count_nonzero(values > value) for value in values[near]])
            over += np.maximum(ranks - K, 0).sum()
            kept += (ranks <= K).sum()
    return 1 - 2 * over / (len(rows) * K * (2 * n - 3 * K - 1)), kept / (len(rows) * K)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("vectors")
    parser.add_argument("--landmarks", type=int, nargs="+",
                        default=[projection.FITTED["landmarks"]])  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        method, landmarks, out = options.one
        make_one(options.vectors, method, int(landmarks), out, options.seed)
        return

    vectors = np.load(options.vectors, mmap_mode="r")
    rows = distinct_rows(vectors)[0]
    distinct = np.asarray(vectors[rows], np.float32)
    maps = [Map("UMAP", "umap"), Map("quick UMAP", "quick-umap")]
    maps += [Map(f"{count:,} landmarks", "landmarks", count) for count in options.landmarks]
    for turn in range(options.repeats):
        for one in maps[:: -1 if turn % 2 else 1]:
            one.make(options.vectors, options.seed)
    chance = np.random.default_rng(options.seed)
    drawn = chance.permutation(len(rows))[:SAMPLE]
    print(f"{len(vectors):,} vectors, {len(rows):,} distinct, medians of {options.repeats}")
    print(f"{'':<20}{'clock':>9}{'cores':>9}{'trust in':>10}{'trust':>9}{'kept':>8}")
    print(f"{'':<38}{f'{len(drawn):,}':>10}{'in all':>9}")
    for one in maps:
        xy = one.xy[rows]
        trust, kept = against_all(distinct, xy, drawn[:ASKED])
        print(
            f"{one.name:<20}{statistics.median(one.wall):>7.1f} s"
            f"{statistics.median(one.used):>7.1f} s"
            f"{within_sample(distinct, xy, drawn):>10.4f}{trust:>9.4f}{kept:>8.1%}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"peak memory of one {peak:.2f} GB")


if __name__ == "__main__":
    main()
