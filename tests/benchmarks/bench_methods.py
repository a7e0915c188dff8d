"""How long the methods take on a landscape, how much memory, and how good the greedy ones are.

    python tests/benchmarks/bench_methods.py RUN [--budget 10000] [--apricot PYTHON]

The fast methods run together in one process, every other one in a process of its own, so that the
peak is its own. Then facility location and k-center on a part of the pool beside what is exact and
slow, taking turns: a plain lazy greedy written here and, where PYTHON names an interpreter that
has apricot-select (its own environment), apricot's lazy optimiser.
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SLOW = ("k-means", "semdedup", "k-center", "facility-location", "qdit")
PART, PICKS = 5_000, 200
MIDDLE = 20_000
"""Rows up to which every pair is looked at: where the sparse search can be held against it."""

APRICOT = """
import sys, time, numpy, apricot
vectors = numpy.load(sys.argv[1])
print(apricot.__version__, flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    similarity = numpy.maximum(vectors @ vectors.T, 0).astype(numpy.float64)
    model = apricot.FacilityLocationSelection(int(line), metric="precomputed", optimizer="lazy")
    model.fit(similarity)
    print(time.perf_counter() - started, *model.ranking.tolist(), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--budget", default="10000")
    parser.add_argument("--apricot", metavar="PYTHON", help="an interpreter with apricot-select")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("fast", "slow", "exact"))
    parser.add_argument("--measure", metavar="A,B", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.run, options.budget, options.measure.split(","))))
        return
    if options.only in (None, "fast"):
        from ila_core.measure.compare import compared_unasked

        show(options, compared_unasked(), together=True)
    if options.only in (None, "slow"):
        show(options, SLOW, together=False)
    if options.only in (None, "exact"):
        beside_the_exact(options)


# -- time and memory ------------------------------------------------------------------------------


def measure(run: str, budget: str, names: list[str]) -> dict[str, object]:
    """Return the seconds and filled-up picks of each method, and this process's peak in MB."""
    import resource

    import ila_core as ila

    landscape, found = ila.open(run), {}
    for name in names:
        started = time.perf_counter()
        chosen = ila.select(landscape, budget=budget, method=name)
        found[name] = (time.perf_counter() - started, len(chosen), chosen.filled)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"records": len(landscape), "methods": found, "peak": peak}


def show(options: argparse.Namespace, names: tuple[str, ...] | list[str], together: bool) -> None:
    """Run methods in one process or each in its own, and print what they took."""
    total = 0.0
    for group in [names] if together else [[name] for name in names]:
        command = [sys.executable, __file__, options.run, "--budget", options.budget]
        done = subprocess.run([*command, "--measure", ",".join(group)], check=True,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
        found = json.loads(done.stdout)
        if not total:
            what = "in one process" if together else "each in its own process"
            print(f"\n{found['records']:,} records, budget {options.budget}, {what}")
            print(f"{'method':<20}{'records':>9}{'filled up':>11}{'seconds':>10}{'peak':>10}")
        for name, (seconds, rows, filled) in found["methods"].items():
            total += seconds
            peak = "" if together else f"{found['peak'] / 1e3:>7.2f} GB"
            print(f"{name:<20}{rows:>9,}{filled:>11,}{seconds:>10.2f}{peak}")
    if together:
        print(f"{'all of them':<40}{total:>10.2f}{found['peak'] / 1e3:>7.2f} GB")


# -- beside the exact -----------------------------------------------------------------------------


def objective(vectors: np.ndarray, rows: np.ndarray) -> float:
    """Return the facility-location value of `rows`: sum over the pool of the largest similarity."""
    total = 0.0
    chosen = vectors[rows]
    for start in range(0, len(vectors), 4096):
        nearest = (vectors[start : start + 4096] @ chosen.T).max(axis=1)
        total += float(np.maximum(nearest, 0).sum(dtype=np.float64))
    return total


def beside_the_exact(options: argparse.Namespace) -> None:
    import ila_core as ila
    from ila_core.landscape.landscape import Landscape
    from ila_core.methods.facility import Dense, Sparse, lazy_greedy

    landscape = ila.open(options.run)
    drawn = np.random.default_rng(0).permutation(len(landscape))
    vectors = np.array(landscape.vectors[np.sort(drawn[:PART])], np.float32)
    part = Landscape.from_arrays(np.zeros((len(vectors), 2)), vectors=vectors)

    def ours() -> np.ndarray:
        return ila.select(part, budget=PICKS, method="facility-location").rows

    ours()  # compiled
    calls: dict[str, Callable[[], tuple[float, np.ndarray]]] = {
        "ours": lambda: timed(ours),
        "plain lazy greedy": lambda: timed(lambda: plain_lazy_greedy(vectors, PICKS)),
    }
    if options.apricot:
        calls["apricot, lazy"] = Apricot(options.apricot, vectors)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    picked: dict[str, np.ndarray] = {}
    for _ in range(options.repeats):
        for name, call in calls.items():
            seconds, picked[name] = call()
            taken[name].append(seconds)
    print(f"\nfacility location, {PICKS} of {PART:,}, in turns, medians of {options.repeats}")
    print(f"{'':<20}{'seconds':>10}{'objective':>13}{'of the exact':>14}")
    exact = objective(vectors, picked["plain lazy greedy"])
    for name in calls:
        value = objective(vectors, picked[name])
        print(
            f"{name:<20}{statistics.median(taken[name]):>10.2f}{value:>13.2f}{value / exact:>14.4%}"
        )

    more = np.array(landscape.vectors[np.sort(drawn[:MIDDLE])], np.float32)
    count = int(10_000 / 75_000 * len(more))
    nothing = np.zeros(len(more))
    every, near = (
        objective(more, lazy_greedy(how, nothing, 1.0, count))
        for how in (Dense.of(more), Sparse.of(more, 64))
    )
    print(f"\nthe 64 nearest instead of all pairs, {count:,} of {len(more):,}: "
          f"{near / every:.4%} of the exact objective")  # fmt: skip

    rows = ila.select(part, budget=PICKS, method="k-center").rows
    reference = radius(vectors, plain_k_center(vectors, PICKS))
    print(f"\nk-center, {PICKS} of {PART:,}: radius {radius(vectors, rows):.6f}, of the plain loop "
          f"{reference:.6f}")  # fmt: skip


def timed(call: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    found = call()
    return time.perf_counter() - started, found


def plain_lazy_greedy(vectors: np.ndarray, count: int) -> np.ndarray:
    """Return the exact lazy greedy choice, one numpy line a gain, in float64."""
    similarity = np.maximum(vectors @ vectors.T, 0).astype(np.float64)
    best = np.zeros(len(vectors))
    heap = [(-gain, row) for row, gain in enumerate(similarity.sum(axis=1).tolist())]
    heapq.heapify(heap)
    picked: list[int] = []
    while len(picked) < count:
        _, row = heapq.heappop(heap)
        gain = float(np.maximum(similarity[row] - best, 0).sum())
        if heap and (-gain, row) > heap[0]:
            heapq.heappush(heap, (-gain, row))
            continue
        picked.append(row)
        np.maximum(best, similarity[row], out=best)
    return np.array(picked)


class Apricot:
    """apricot's facility location in another interpreter, which stays up between calls."""

    def __init__(self, python: str, vectors: np.ndarray) -> None:
        folder = Path(tempfile.mkdtemp())
        np.save(folder / "vectors.npy", vectors)
        self.process = subprocess.Popen(
            [python, "-c", APRICOT, str(folder / "vectors.npy")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        print(f"apricot-select {self._line()}")
        self(10)  # compiled

    def __call__(self, count: int = PICKS) -> tuple[float, np.ndarray]:
        assert self.process.stdin
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        seconds, *rows = self._line().split()
        return float(seconds), np.array(rows, dtype=np.int64)

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            sys.exit("apricot-select does not run there; its error is above.")
        return line.strip()


def plain_k_center(vectors: np.ndarray, count: int) -> list[int]:
    """Return farthest-first picks from the medoid, in float64."""
    exact = vectors.astype(np.float64)
    chosen = [int(np.argmax(exact @ exact.sum(axis=0)))]
    away = 1 - exact @ exact[chosen[0]]
    while len(chosen) < count:
        chosen.append(int(np.argmax(away)))
        away = np.minimum(away, 1 - exact @ exact[chosen[-1]])
    return chosen


def radius(vectors: np.ndarray, rows: np.ndarray | list[int]) -> float:
    """Return the largest cosine distance from a row to the nearest pick."""
    exact = vectors.astype(np.float64)
    return float((1 - exact @ exact[rows].T).min(axis=1).max())


if __name__ == "__main__":
    main()
