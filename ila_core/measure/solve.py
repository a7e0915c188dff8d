"""The fewest records that reach a wished coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.curve import growth
from ila_core.measure.describe import REFERENCE, grid_numbers
from ila_core.methods.registry import find
from ila_core.methods.select import select_by
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def solve(
    landscape: Landscape, spec: Spec, coverage: float, *, reference: int = REFERENCE
) -> Selection:
    """Return the selection with the fewest records that reaches a coverage, by the spec's method.

    The spec's budget does not matter. A method whose picks extend each other gives its shortest
    start that reaches it; another one is halved between budgets, which finds the fewest where its
    coverage only grows. UsageError for a coverage that cannot be reached.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> solve(pool, Spec("nested"), 0.5).rows.tolist()
    [1, 2]
    """
    if not 0 < coverage <= 1:
        raise UsageError(f"Coverage {coverage!r} is not a share above 0 and up to 1.")
    most = len(landscape) - len(np.unique(spec.excluded))
    whole = select_by(landscape, replace(spec, budget=str(max(most, 1))))
    reached = growth(landscape, whole.rows, reference).coverage
    if not len(reached) or reached[-1] < coverage:
        top = reached[-1] if len(reached) else 0.0
        raise UsageError(
            f"Coverage {coverage:.1%} cannot be reached: all records that may be chosen cover "
            f"{top:.1%} of {reference} x {reference} patches."
        )
    fewest = max(1, len(set(spec.pinned)))
    if find(spec.method).prefix:
        fewest = max(int(np.searchsorted(reached, coverage)) + 1, fewest)
        return select_by(landscape, replace(spec, budget=str(fewest)))
    low, high = fewest, len(whole)
    while low < high:
        middle = (low + high) // 2
        chosen = select_by(landscape, replace(spec, budget=str(middle)))
        if grid_numbers(landscape, chosen.rows, reference)[0] >= coverage:
            high = middle
        else:
            low = middle + 1
    return select_by(landscape, replace(spec, budget=str(low)))
