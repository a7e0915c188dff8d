"""How fast a knob moves: from a new budget or resolution to the chosen rows.

    python tests/benchmarks/bench_retune.py [--records 1000000] [--repeats 5]

Every row times one call on a warm landscape (its depth order known, the loops compiled). The
pandas column does the same one-per-patch selection with groupby, idxmax and sort, a pass is numpy
once over x, y and depth; the two take turns, so that a busy machine slows both, and medians are
shown.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from ila_core.landscape.cells import count, frame, kept, leading
from ila_core.landscape.even import curve_order, curve_ranks
from ila_core.landscape.landscape import Landscape
from ila_core.measure.describe import grid_numbers
from ila_core.methods.select import select
from ila_core.selection.locks import Locks
from ila_core.selection.order import queue


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


def streaming(landscape: Landscape) -> tuple[int, float]:
    """Read x, y and depth once with numpy: how many lie near the first record, and the mean."""
    x, y = landscape.columns
    near = (x - x[0]) ** 2 + (y - y[0]) ** 2 < 9
    return int(near.sum()), float(np.nanmean(landscape.relative_depth))


def seconds(*calls: Callable[[], object], repeats: int) -> list[float]:
    """Return the median seconds of each call, the calls taking turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, times in zip(calls, taken, strict=True):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in taken]


def anew(landscape: Landscape, **knobs: object) -> Callable[[], object]:
    """Return a call that selects as if these knobs had never been asked for.

    The order of the curve and that of the depths are known, as on a landscape that is in use.
    """

    def run() -> object:
        landscape.memory.clear()
        landscape.memory.update(warm)
        return select(landscape, **knobs)

    landscape.memory.clear()
    queue(landscape, Locks.of((), (), len(landscape)))
    warm = dict(landscape.memory)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, repeats = options.records, options.repeats
    landscape, budget = pool(n), max(1, n // 100)
    select(landscape, budget=budget)
    select(landscape, budget=budget, resolution=64, depth_target=0.5, patches="grid")

    print(f"{n:,} records, budget {budget:,}, medians of {repeats}")
    print(f"{'one call':<38}{'ours':>11}{'reference':>11}{'ratio':>8}")
    grid = {"patches": "grid", "depth_target": 1.0}
    for resolution in (64, 473, 2048):
        ours, theirs = seconds(
            anew(landscape, budget=budget, resolution=resolution, **grid),
            lambda side=resolution: by_pandas(landscape, side, budget),
            repeats=repeats,
        )
        show(f"resolution {resolution}, beside pandas", ours, theirs)
    for name, knobs in {
        "even patches": {"budget": budget},
        "even patches, 10 x budget": {"budget": 10 * budget},
        "grid of 473": {"budget": budget, "patches": "grid", "resolution": 473},
        "automatic grid": {"budget": budget, **grid},
    }.items():
        ours, theirs = seconds(
            anew(landscape, **knobs), lambda: streaming(landscape), repeats=repeats
        )
        show(f"{name}, beside a pass", ours, theirs)
    nested = select(landscape, budget=budget, method="nested")
    for name, call in {
        "grid of 2048, depth target 0.75": anew(
            landscape, budget=budget, resolution=2048, patches="grid"
        ),
        "automatic grid, 10 x budget": anew(landscape, budget=10 * budget, **grid),
        "even patches, the curve's sort": lambda: sort_curve(landscape),
        "even patches, tokens": anew(landscape, budget=f"{100 * budget}-tokens"),
        "nested, whole order, grid": anew(landscape, budget=budget, method="nested", **grid),
        "nested, whole order, even": anew(landscape, budget=budget, method="nested"),
        "nested, another budget": lambda: select(landscape, budget=budget, method="nested"),
        "coverage and fidelity": lambda: grid_numbers(landscape, nested.rows),
    }.items():
        call()
        show(name, seconds(call, repeats=repeats)[0])
    show_cells(landscape, budget, repeats)


def sort_curve(landscape: Landscape) -> None:
    """Put the records in the order of the curve, as if for the first time."""
    landscape.memory.clear()
    curve_order(landscape)
    curve_ranks(landscape)


def show_cells(landscape: Landscape, budget: int, repeats: int) -> None:
    """Time what the page draws beside the bare loops on the same cells."""
    from ila_core.landscape.points_compiled import summarise

    chosen = select(landscape, budget=budget)
    shown, grid = frame(landscape, chosen.shown_cut), landscape.grid(64)

    def bare() -> object:
        member, number = grid.members(*landscape.columns)
        return summarise(member, len(number), landscape.relative_depth)

    cells = count(landscape, shown)
    calls = (
        lambda: count(landscape, shown),
        bare,
        lambda: kept(cells, landscape, chosen.shown_cut, chosen.rows),
        lambda: leading(landscape, cells),
    )
    drawn, loops, share, domain = seconds(*calls, repeats=repeats)
    show("cells of the map, beside the loops", drawn, loops)
    show("what is kept of each cell", share)
    show("the leading domain of each cell", domain)


def show(name: str, ours: float, theirs: float | None = None) -> None:
    ratio = f"{1e3 * theirs:>8.1f} ms{theirs / ours:>7.1f}x" if theirs else ""
    print(f"{name:<38}{1e3 * ours:>8.1f} ms{ratio}")


if __name__ == "__main__":
    main()
