"""Several methods at one budget, their numbers side by side, and what they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import CHANCE, draws
from ila_core.measure.describe import GRIDS, REFERENCE, describe, grid_numbers
from ila_core.measure.embedding import novelsum
from ila_core.measure.stability import other_places
from ila_core.measure.stability import stability as survival
from ila_core.methods.registry import find
from ila_core.methods.registry import methods as registered
from ila_core.methods.select import select_by
from ila_core.options import command
from ila_core.progress import Say, silent
from ila_core.selection.budget import Budget
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


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

    spec: Spec
    """Budget, locks and knobs, which every method takes as far as it reads them."""
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

    def command(self, run: object) -> str:
        """Return the `ila compare` line that makes this comparison again."""
        names = [row.name for row in self.rows]
        words = ["compare", str(run), "--budget", self.spec.budget]
        if names != compared_unasked():
            words += ["--methods", ",".join(names)]
        words += self.spec.words(without=("method", "budget"))
        for key, option in (("novelsum", "--novelty"), ("stability", "--stability")):
            if any(key in row.numbers for row in self.rows):
                words.append(option)
        return command(*words)

    def as_dict(self) -> dict[str, Any]:
        """Return what `ila compare --json` prints."""
        return {
            "budget": self.spec.budget,
            "reference_grid": self.reference_grid,
            "methods": [row.as_dict() for row in self.rows],
            "overlap": self.overlap,
        }


def compare(
    landscape: Landscape,
    *,
    budget: str | int | Budget,
    methods: Sequence[str] | None = None,
    stability: bool = False,
    novelty: bool = False,
    say: Say = silent,
    **knobs: Any,
) -> Comparison:
    """Run several methods at one budget and describe what each selects.

    Without `methods`, the fast ones. Random is always among them, as the mean and the standard
    deviation of five seeds. A method that lacks an input keeps its row, with the reason. `knobs`
    are fields of Spec, which each method takes as far as it reads them. `novelty` adds NovelSum
    and `stability` the share of a selection that survives another projection seed or a shifted
    grid; both cost time. `say` is told of each method as it starts and as it ends.
    """
    wanted = list(methods) if methods is not None else compared_unasked()
    for name in wanted:
        find(name)
    if CHANCE not in wanted:
        wanted.insert(0, CHANCE)
    spec = Spec(budget=Budget.parse(budget).text, **knobs)
    spec.asked.records(landscape)  # tokens where there are none are wrong for all methods
    rows, wanted = [], list(dict.fromkeys(wanted))
    for number, name in enumerate(wanted, start=1):
        say(f"{name}, {number} of {len(wanted)} methods")
        row = measure(landscape, replace(find(name).applied(spec), depth=spec.depth))
        if novelty:
            row = with_novelty(row)
        say(f"{name}: {row.error or f'{row.seconds:.2f} s'}")
        rows.append(row)
    if stability:
        places = other_places(landscape, say)
        rows = [with_stability(row, places) for row in rows]
    return Comparison(spec, tuple(rows))


def compared_unasked() -> list[str]:
    """Return the methods that take seconds on 75,000 records."""
    return [name for name, method in registered().items() if method.compared]


def measure(landscape: Landscape, spec: Spec) -> Row:
    """Run one method and describe what it selects; chance as the mean of several seeds.

    A method that is bound to a kind of depth is measured with the kind that the spec asks for.
    """
    try:
        selection = select_by(landscape, spec)
        selection = replace(selection, landscape=landscape.by(spec.depth))
    except IlaError as error:
        return Row(spec.method, error=str(error))
    numbers = _numbers(selection)
    if find(spec.method).draws > 1:
        numbers |= _spread([_numbers(chosen) for chosen in draws(landscape, spec)])
    return Row(spec.method, selection, numbers, selection.seconds)


def with_novelty(row: Row) -> Row:
    """Add NovelSum to a method's numbers; nothing where there are no vectors."""
    selection = row.selection
    if selection is None or selection.landscape.vectors is None or not len(selection):
        return row
    drawn = [selection]
    if find(row.name).draws > 1:
        drawn = draws(selection.landscape, selection.spec)
    measured = [{"novelsum": novelsum(one.landscape, one.rows)} for one in drawn]
    return replace(row, numbers=row.numbers | (_spread(measured) if drawn[1:] else measured[0]))


def with_stability(row: Row, places: Sequence[np.ndarray]) -> Row:
    """Add how much of a selection survives; nothing where the method does not read the map."""
    if row.selection is None:
        return row
    shares = survival(row.selection, places=places)
    return replace(row, numbers=row.numbers | {"stability": shares})


def _numbers(selection: Selection) -> dict[str, Any]:
    numbers = describe(selection).as_dict()
    by_grid = {str(g): grid_numbers(selection.landscape, selection.rows, g) for g in GRIDS}
    numbers["coverage_by_grid"] = {g: coverage for g, (coverage, _) in by_grid.items()}
    numbers["fidelity_by_grid"] = {
        g: None if math.isnan(fidelity) else fidelity for g, (_, fidelity) in by_grid.items()
    }
    return numbers


def _spread(several: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of each number over several draws, and their deviation as *_std.

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
