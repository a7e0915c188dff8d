"""How the numbers of a selection grow with its budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.describe import REFERENCE, grid_numbers, reference_grid
from ila_core.methods.select import select_sizes
from ila_core.selection.locks import Locks
from ila_core.selection.spec import Spec


@dataclass(frozen=True, eq=False)
class Curve:
    """How numbers grow with the budget; all arrays are (budgets,)."""

    records: np.ndarray
    """int64, ascending."""
    tokens: np.ndarray
    coverage: np.ndarray
    fidelity: np.ndarray
    reference_grid: int = REFERENCE

    def __len__(self) -> int:
        return len(self.records)

    def at(self, budgets: Iterable[int]) -> Curve:
        """Return the curve of every prefix at some of its budgets, those beyond its end left out.

        >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
        >>> growth(pool, np.array([1, 2, 0])).at([1, 3, 9]).records.tolist()
        [1, 3]
        """
        place = np.searchsorted(self.records, [b for b in budgets if b <= len(self)])
        return Curve(
            self.records[place],
            self.tokens[place],
            self.coverage[place],
            self.fidelity[place],
            self.reference_grid,
        )


def growth(landscape: Landscape, rows: np.ndarray, resolution: int = REFERENCE) -> Curve:
    """Return the numbers of every prefix of rows in pick order, in one pass.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> growth(pool, np.array([1, 2])).coverage.round(3).tolist()
    [0.333, 0.667]
    """
    from ila_core.measure import picks_compiled

    reference = reference_grid(landscape, resolution)
    covered, gained = picks_compiled.growth(
        reference.member[rows], reference.patches, landscape.relative_depth[rows]
    )
    tokens = np.cumsum(np.nan_to_num(landscape.tokens[rows]), dtype=np.float64)
    kept = gained / reference.best if reference.best > 0 else np.full(len(rows), np.nan)
    records = np.arange(1, len(rows) + 1)
    return Curve(records, tokens, covered / reference.patches, kept.clip(max=1.0), resolution)


def curve(
    landscape: Landscape,
    spec: Spec,
    budgets: Iterable[int] | None = None,
    *,
    reference: int = REFERENCE,
) -> Curve:
    """Return coverage, fidelity and tokens against the number of records, the spec's budget aside.

    `budgets` are about twenty between 1 and the pool unless given. A method whose picks extend
    each other is asked once for all of them, another one anew for each. Budgets that cannot meet
    the spec's quotas are left out; UsageError where none can.
    """
    n = len(landscape)
    most = n - len(Locks.asked(landscape, spec).excluded)
    wanted = np.array(sorted(set(round_budgets(n) if budgets is None else budgets)), np.int64)
    wanted = np.unique(wanted.clip(max(1, len(set(spec.pinned))), max(1, most)))
    points: list[tuple[float, ...]] = []
    selected = select_sizes(landscape, spec, int(wanted.max()))
    for size in wanted.tolist():
        try:
            chosen = selected(size)
        except UsageError:
            if spec.quotas and (points or size < wanted[-1]):
                continue
            raise
        both = grid_numbers(chosen.landscape, chosen.rows, reference)
        points.append((len(chosen), chosen.tokens, *both))
    records, tokens, covered, kept = np.array(points, dtype=np.float64).T
    return Curve(records.astype(np.int64), tokens, covered, kept, reference)


def round_budgets(n: int, count: int = 20) -> list[int]:
    """Return about `count` budgets from a thousandth of n records (at least 1) to all.

    >>> round_budgets(5)
    [1, 2, 3, 4, 5]
    """
    marks = np.geomspace(max(1, n // 1000), n, count)
    return np.unique(np.rint(marks).astype(np.int64)).tolist()
