"""Coverage solved both ways: the fewest records for it, and what gives a budget the most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.describe import REFERENCE, grid_numbers
from ila_core.methods.registry import find
from ila_core.methods.select import select_by, select_sizes
from ila_core.options import options_of
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def solve(
    landscape: Landscape, spec: Spec, coverage: float, *, reference: int = REFERENCE
) -> Selection:
    """Return the selection with the fewest records that reaches a coverage, by the spec's method.

    The spec's budget does not matter. Halving between budgets finds the fewest where coverage only
    grows, as it does of a method whose picks extend each other. UsageError for a coverage that
    cannot be reached.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> solve(pool, Spec("nested"), 0.5).rows.tolist()
    [1, 2]
    """
    if not 0 < coverage <= 1:
        raise UsageError(f"Coverage {coverage!r} is not a share above 0 and up to 1.")
    most = len(landscape) - len(np.unique(spec.excluded))
    selected = select_sizes(landscape, spec, max(most, 1))
    whole = selected(max(most, 1))
    top, _ = grid_numbers(landscape, whole.rows, reference)
    if top < coverage:
        raise UsageError(
            f"Coverage {coverage:.1%} cannot be reached: all records that may be chosen cover "
            f"{top:.1%} of {reference} x {reference} patches."
        )
    low, high = max(1, len(set(spec.pinned))), len(whole)
    while low < high:
        middle = (low + high) // 2
        if grid_numbers(landscape, selected(middle).rows, reference)[0] >= coverage:
            high = middle
        else:
            low = middle + 1
    return selected(low)


METHODS = ("ila", "nested")
"""Which methods a budget is tried with: those that read patches and depth target."""
TARGETS = (1.0, 0.75, 0.5, 0.25)
"""Which depth targets: less deep records have fewer tokens, so a budget of tokens holds more."""


@dataclass(frozen=True, eq=False)
class Best:
    """What covers most within a budget, among the knobs that were tried."""

    spec: Spec
    coverage: float
    records: int
    tried: int
    """How many settings."""


def most_coverage(landscape: Landscape, spec: Spec, *, reference: int = REFERENCE) -> Best:
    """Return with which method, patches and depth target a spec's budget covers most.

    Budget, depth and locks are the spec's; resolutions are automatic. Of equals the spec's own
    knobs win, then the first that was tried. UsageError where the budget holds no record.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> most_coverage(pool, Spec(budget="2")).coverage.__round__(2)
    0.67
    """
    own = [spec] if spec.method in METHODS else []
    cuts: Iterable[Any] = options_of(Spec)["patches"].choices
    others = [
        find(method).applied(
            replace(spec, method=method, patches=cut, depth_target=target, resolution="auto")
        )
        for method, cut, target in product(METHODS, cuts, TARGETS)
    ]
    candidates = list(dict.fromkeys([*own, *others]))
    best: Best | None = None
    for candidate in candidates:
        rows = select_by(landscape, candidate).nonempty().rows
        covered, _ = grid_numbers(landscape, rows, reference)
        if best is None or covered > best.coverage:
            best = Best(candidate, covered, len(rows), len(candidates))
    assert best is not None
    return best
