"""How fast a knob moves: from a new budget or resolution to the chosen rows.

    python tests/benchmarks/bench_retune.py [--records 1000000] [--repeats 5]

Every row times one call on a warm landscape (its depth order known, the loops compiled). The
pandas column does the same one-per-patch selection with groupby, idxmax and sort; the two take
turns, so that a busy machine slows both, and medians are shown.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from ila_core.landscape.landscape import Landscape, cells
from ila_core.measure import describe as metrics
from ila_core.selection.selection import select_ila, select_nested


def pool(n: int) -> Landscape:
    """Return n records in 300 clusters of different density, a twentieth without a depth."""
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(300, 2)) * 8
    xy = centre[rng.integers(0, 300, n)] + rng.normal(size=(n, 2)) * rng.gamma(1, 1, (n, 1))
    depth = rng.random(n).astype(np.float32)
    depth[rng.random(n) < 0.05] = np.nan
    return Landscape.from_arrays(
        xy, depth=depth, relative_depth=depth, tokens=rng.integers(1, 300, n)
    )


def by_pandas(landscape: Landscape, resolution: int, budget: int) -> np.ndarray:
    """Select the deepest of every patch as one writes it in a notebook."""
    import pandas as pd

    low, high = landscape.xy.min(axis=0), landscape.xy.max(axis=0)
    index = ((landscape.xy - low) / (high - low) * resolution).astype(int).clip(max=resolution - 1)
    frame = pd.DataFrame(
        {"patch": index[:, 0] * resolution + index[:, 1], "depth": landscape.relative_depth}
    )
    best = frame.dropna().groupby("patch")["depth"].idxmax()
    return frame.loc[best].sort_values("depth", ascending=False).index[:budget].to_numpy()


def seconds(*calls: Callable[[], object], repeats: int) -> list[float]:
    """Return the median seconds of each call, the calls taking turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, times in zip(calls, taken, strict=True):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in taken]


def fresh(landscape: Landscape, kind: str, call: Callable[[], object]) -> Callable[[], object]:
    """Return a call that first forgets what the landscape has kept of its kind."""

    def run() -> object:
        landscape._memory.pop(kind, None)
        return call()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, repeats = options.records, options.repeats
    landscape, budget = pool(n), max(1, n // 100)
    select_ila(landscape, budget)
    select_ila(landscape, budget, resolution=64, depth_target=0.5)

    print(f"{n:,} records, budget {budget:,}, medians of {repeats}")
    print(f"{'one call':<34}{'ours':>11}{'pandas':>11}{'ratio':>8}")
    for resolution in (64, 473, 2048):
        ours, theirs = seconds(
            lambda side=resolution: select_ila(landscape, budget, resolution=side),
            lambda side=resolution: by_pandas(landscape, side, budget),
            repeats=repeats,
        )
        show(f"resolution {resolution}", ours, theirs)
    for name, call in {
        "resolution 2048, depth target 0.75": lambda: select_ila(
            landscape, budget, resolution=2048, depth_target=0.75
        ),
        "automatic resolution": fresh(landscape, "auto", lambda: select_ila(landscape, budget)),
        "automatic resolution, 10 x budget": fresh(
            landscape, "auto", lambda: select_ila(landscape, 10 * budget)
        ),
        "nested, whole order": fresh(landscape, "nested", lambda: select_nested(landscape, budget)),
        "nested, another budget": lambda: select_nested(landscape, budget),
        "cells of a map, 64 a side": lambda: cells(landscape, landscape.grid(64)),
        "coverage and fidelity": lambda: metrics.grid_numbers(select_nested(landscape, budget)),
    }.items():
        call()
        show(name, seconds(call, repeats=repeats)[0])


def show(name: str, ours: float, theirs: float | None = None) -> None:
    ratio = f"{1e3 * theirs:>8.1f} ms{theirs / ours:>7.1f}x" if theirs else ""
    print(f"{name:<34}{1e3 * ours:>8.1f} ms{ratio}")


if __name__ == "__main__":
    main()
