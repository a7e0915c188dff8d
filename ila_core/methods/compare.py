"""Several methods at one budget, their numbers side by side, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.methods.places import other_places
from ila_core.methods.registry import find, methods, select
from ila_core.metrics import GRIDS, REFERENCE, describe, grid_numbers, novelsum
from ila_core.metrics import stability as survival
from ila_core.selection import Budget

if TYPE_CHECKING:
    from ila_core.landscape import Landscape
    from ila_core.selection import Selection

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
    projection seed or a shifted grid; both cost time. `say` is told of each method as it ends.
    """
    wanted = list(methods) if methods is not None else fast_names()
    for name in wanted:
        find(name)
    if "random" not in wanted:
        wanted.insert(0, "random")
    asked = Budget.parse(budget)
    asked.records(landscape)  # a budget in tokens where there are none is wrong for all methods
    rows = []
    for name in dict.fromkeys(wanted):
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
    return replace(row, numbers=row.numbers | {"stability": survival(row.selection, places=places)})


def _numbers(selection: Selection) -> dict[str, Any]:
    numbers = describe(selection).as_dict()
    by_grid = {str(g): grid_numbers(selection, g) for g in GRIDS}
    numbers["coverage_by_grid"] = {g: coverage for g, (coverage, _) in by_grid.items()}
    numbers["fidelity_by_grid"] = {g: fidelity for g, (_, fidelity) in by_grid.items()}
    return numbers


def _further_draws(landscape: Landscape, budget: str | Budget, seed: int) -> list[Selection]:
    """Return the random selections of the seeds that follow."""
    seeds = range(seed + 1, seed + RANDOM_SEEDS)
    return [select(landscape, budget=budget, method="random", seed=other) for other in seeds]


def _spread(several: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of random's numbers over its draws, and their deviation as *_std."""
    spread: dict[str, Any] = {}
    for name, value in several[0].items():
        if isinstance(value, float):
            values = np.asarray([numbers[name] for numbers in several], dtype=np.float64)
            spread[name] = float(values.mean())
            spread[f"{name}_std"] = float(values.std(ddof=1))
        elif isinstance(value, dict) and name.endswith("_by_grid"):
            spread[name] = {
                g: float(np.mean([numbers[name][g] for numbers in several])) for g in value
            }
    return spread


def print_comparison(comparison: Comparison) -> str:
    """Return the comparison as a table for a terminal."""
    columns = (
        ("coverage", "coverage", "{:.1%}"),
        ("fidelity", "fidelity", "{:.1%}"),
        ("mean R", "mean_relative_depth", "{:.3f}"),
        ("tokens", "tokens", "{:,.0f}"),
        ("distance", "embedding_distance_mean", "{:.4f}"),
        ("p95", "embedding_distance_p95", "{:.4f}"),
    )
    lines = [
        f"budget {comparison.budget}, reference grid {comparison.reference_grid}",
        f"{'method':<18}{'records':>9}" + "".join(f"{head:>11}" for head, *_ in columns)
        + f"{'seconds':>9}  filled up",
    ]  # fmt: skip
    for row in comparison.rows:
        if row.selection is None:
            lines.append(f"{row.name:<18}did not run: {row.error}")
            continue
        cells = "".join(f"{_cell(row.numbers.get(key), form):>11}" for _, key, form in columns)
        filled = f"{row.selection.filled:,}" if row.selection.filled else ""
        lines.append(
            f"{row.name:<18}{len(row.selection.rows):>9,}{cells}{row.seconds:>9.2f}  {filled}"
        )
        if row.name == "random":
            spread = "".join(
                f"{_cell(row.numbers.get(key + '_std'), '± ' + form):>11}"
                for _, key, form in columns
            )
            lines.append(f"{'  of five seeds':<18}{'':>9}{spread}")
    return "\n".join(lines)


def _cell(value: object, form: str) -> str:
    return "" if value is None else form.format(value)
