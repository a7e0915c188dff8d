"""Several methods at one budget, their numbers side by side, and what they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.measure.describe import GRIDS, REFERENCE, describe, grid_numbers, novelsum
from ila_core.measure.describe import stability as survival
from ila_core.measure.places import other_places
from ila_core.methods.registry import find, methods, select
from ila_core.selection.selection import Budget

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.selection.selection import Selection

RANDOM_SEEDS = 5

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Row:
    """One method of a comparison: its selection and numbers, or why it could not run."""

    name: str
    selection: Selection | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        if self.selection is None:
            return {"name": self.name, "error": self.error}
        about = {
            "name": self.name,
            "rows": len(self.selection.rows),
            "seconds": round(self.seconds, 3),
            "filled": self.selection.filled,
        }
        return about | {name: v for name, v in self.numbers.items() if name not in about}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods at one budget. `overlap[a][b]` is the share of a's records that b keeps too."""

    budget: str
    rows: tuple[Row, ...]
    reference_grid: int = REFERENCE

    def __getitem__(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    @property
    def done(self) -> tuple[Row, ...]:
        """The methods that ran."""
        return tuple(row for row in self.rows if row.selection is not None)

    @property
    def overlap(self) -> dict[str, dict[str, float]]:
        masks = {row.name: row.selection.mask for row in self.done if row.selection is not None}
        return {
            a: {b: float((own & other).sum() / max(own.sum(), 1)) for b, other in masks.items()}
            for a, own in masks.items()
        }

    def command(self, run: object, *, seed: int = 0) -> str:
        """Return the `ila compare` line that makes this comparison again.

        >>> Comparison("10%", (Row("random"), Row("ila"))).command("RUN", seed=3)
        'ila compare RUN --budget 10% --methods random,ila --seed 3'
        """
        import shlex

        names = [row.name for row in self.rows]
        words = ["ila", "compare", str(run), "--budget", self.budget]
        if names != fast_names():
            words += ["--methods", ",".join(names)]
        if seed:
            words += ["--seed", str(seed)]
        for key, option in (("novelsum", "--novelty"), ("stability", "--stability")):
            if any(key in row.numbers for row in self.rows):
                words.append(option)
        return shlex.join(words)

    def as_dict(self) -> dict[str, Any]:
        """Return what `ila compare --json` prints."""
        return {
            "budget": self.budget,
            "reference_grid": self.reference_grid,
            "methods": [row.as_dict() for row in self.rows],
            "overlap": self.overlap,
        }


def compare(
    landscape: Landscape,
    *,
    budget: str | int | Budget,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    stability: bool = False,
    novelty: bool = False,
    say: Say = lambda _: None,
) -> Comparison:
    """Run several methods at one budget and describe what each selects.

    Without `methods`, the nine fast ones. Random is always among them, as the mean and the
    standard deviation of five seeds. A method that lacks an input keeps its row, with the reason.
    `novelty` adds NovelSum and `stability` the share of a selection that survives another
    projection seed or a shifted grid; both cost time. `say` is told of each method as it starts
    and as it ends.
    """
    wanted = list(methods) if methods is not None else fast_names()
    for name in wanted:
        find(name)
    if "random" not in wanted:
        wanted.insert(0, "random")
    asked = Budget.parse(budget)
    asked.records(landscape)  # a budget in tokens where there are none is wrong for all methods
    rows, wanted = [], list(dict.fromkeys(wanted))
    for number, name in enumerate(wanted, start=1):
        say(f"{name}, {number} of {len(wanted)} methods")
        row = measure(landscape, name, asked, seed=seed)
        if novelty:
            row = with_novelty(row)
        say(f"{name}: {row.error or f'{row.seconds:.2f} s'}")
        rows.append(row)
    if stability:
        places = other_places(landscape, say)
        rows = [with_stability(row, places) for row in rows]
    return Comparison(asked.text, tuple(rows))


def fast_names() -> list[str]:
    """Return the methods that take seconds on 75,000 records."""
    return [name for name, method in methods().items() if method.fast]


def measure(landscape: Landscape, name: str, budget: str | int | Budget, *, seed: int = 0) -> Row:
    """Run one method and describe what it selects; random as the mean of five seeds."""
    asked = Budget.parse(budget)
    try:
        selection = select(landscape, budget=asked, method=name, seed=seed)
    except IlaError as error:
        return Row(name, error=str(error))
    numbers = _numbers(selection)
    if name == "random":
        others = _further_draws(landscape, asked, seed)
        numbers |= _spread([numbers, *(_numbers(other) for other in others)])
    return Row(name, selection, numbers, selection.seconds)


def with_novelty(row: Row) -> Row:
    """Add NovelSum to a method's numbers; nothing where there are no vectors."""
    selection = row.selection
    if selection is None or selection.landscape.vectors is None or not len(selection):
        return row
    drawn = [selection]
    if row.name == "random":
        drawn += _further_draws(selection.landscape, selection.rule.budget, selection.rule.seed)
    measured = [{"novelsum": novelsum(one.landscape, one.rows)} for one in drawn]
    found = _spread(measured) if len(drawn) > 1 else measured[0]
    return replace(row, numbers=row.numbers | found)


def with_stability(row: Row, places: Sequence[np.ndarray]) -> Row:
    """Add how much of a selection survives; nothing where the method does not read the map."""
    if row.selection is None:
        return row
    reselect = None
    if row.name == "coverage-only":  # the same chances on the other grid
        from ila_core.methods.simple import select_blindly

        rule = row.selection.rule

        def reselect(pool: Landscape, offset: float) -> Selection:
            return select_blindly(pool, Budget.parse(rule.budget), rule.seed, offset=offset)

    found = survival(row.selection, places=places, reselect=reselect)
    return replace(row, numbers=row.numbers | {"stability": found})


def _numbers(selection: Selection) -> dict[str, Any]:
    numbers = describe(selection).as_dict()
    by_grid = {str(g): grid_numbers(selection, g) for g in GRIDS}
    numbers["coverage_by_grid"] = {g: coverage for g, (coverage, _) in by_grid.items()}
    numbers["fidelity_by_grid"] = {
        g: None if math.isnan(fidelity) else fidelity for g, (_, fidelity) in by_grid.items()
    }
    return numbers


def _further_draws(landscape: Landscape, budget: str | Budget, seed: int) -> list[Selection]:
    """Return the random selections of the seeds that follow."""
    seeds = range(seed + 1, seed + RANDOM_SEEDS)
    return [select(landscape, budget=budget, method="random", seed=other) for other in seeds]


def _spread(several: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of random's numbers over its draws, and their deviation as *_std.

    A draw that has no such number (no record of it has a depth) is left out of both.
    """
    spread: dict[str, Any] = {}
    for name, value in several[0].items():
        if isinstance(value, dict):
            spread[name] = {g: _mean([numbers[name][g] for numbers in several]) for g in value}
            continue
        values = [numbers[name] for numbers in several]
        if any(isinstance(value, float) for value in values):
            known = [value for value in values if value is not None]
            spread[name] = _mean(values)
            spread[f"{name}_std"] = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return spread


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


_COLUMNS = (
    ("coverage", "coverage", "{:.1%}"),
    ("fidelity", "fidelity", "{:.1%}"),
    ("mean R", "mean_relative_depth", "{:.3f}"),
    ("tokens", "tokens", "{:,.0f}"),
    ("distance", "embedding_distance_mean", "{:.4f}"),
    ("p95", "embedding_distance_p95", "{:.4f}"),
    ("NovelSum", "novelsum", "{:.4f}"),
    ("new grid", "stability.offset", "{:.1%}"),
    ("new map", "stability.projection", "{:.1%}"),
)
"""Head, key and form of the table's columns; one that no method has is left out."""


def print_comparison(comparison: Comparison) -> str:
    """Return the comparison as two tables for a terminal: the numbers, and what is shared."""
    columns = [
        (head, key, form)
        for head, key, form in _COLUMNS
        if any(_number(row, key) is not None for row in comparison.rows)
    ]
    filled = any(row.selection and row.selection.filled for row in comparison.rows)
    lines = [
        _told(comparison),
        "",
        f"{'method':<18}{'records':>9}"
        + "".join(f"{head:>10}" for head, *_ in columns)
        + f"{'seconds':>9}"
        + ("  filled up" if filled else ""),
    ]
    for row in comparison.rows:
        if row.selection is None:
            lines.append(f"{row.name:<18}did not run: {row.error}")
            continue
        cells = "".join(f"{_cell(_number(row, key), form):>10}" for _, key, form in columns)
        more = f"{row.selection.filled:>11,}" if row.selection.filled else ""
        lines.append(f"{row.name:<18}{len(row.selection.rows):>9,}{cells}{row.seconds:>9.2f}{more}")
        if row.name == "random":
            spread = "".join(
                f"{_cell(row.numbers.get(key + '_std'), '± ' + form):>10}"
                for _, key, form in columns
            )
            lines.append(f"{'  of five seeds':<18}{'':>9}{spread}")
    return "\n".join(line.rstrip() for line in [*lines, *_shared(comparison)])


def _told(comparison: Comparison) -> str:
    """Return what the numbers are of, in a line."""
    grid = comparison.reference_grid
    sample = max((row.numbers.get("distance_sample", 0) for row in comparison.done), default=0)
    measured = f", distances from {sample:,} records of the pool" if sample else ""
    return f"budget {comparison.budget}, reference grid {grid} x {grid}{measured}"


def _shared(comparison: Comparison) -> list[str]:
    """Return the lines that say how much of each selection every other one keeps too."""
    overlap = comparison.overlap
    if len(overlap) < 2:
        return []
    heads = "".join(f"{f'({number})':>6}" for number in range(1, len(overlap) + 1))
    lines = ["", f"{'share also kept by':<24}{heads}"]
    for number, (name, shares) in enumerate(overlap.items(), start=1):
        cells = "".join(f"{'·' if other == name else f'{s:.0%}':>6}" for other, s in shares.items())
        lines.append(f"{f'({number})':>5} {name:<18}{cells}")
    return lines


def _number(row: Row, key: str) -> Any:
    """Return a number of a row by its key, or by two keys with a dot between; None without it."""
    found: Any = row.numbers
    for name in key.split("."):
        found = found.get(name) if found else None
    return found


def _cell(value: object, form: str) -> str:
    return "" if value is None else form.format(value)
