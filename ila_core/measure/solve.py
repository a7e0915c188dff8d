"""The fewest records that reach a wished coverage."""

from __future__ import annotations

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.describe import REFERENCE, grid_numbers
from ila_core.methods.select import select_sizes
from ila_core.selection.locks import Locks
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
    most = max(1, len(landscape) - len(Locks.asked(landscape, spec).excluded))
    selected = select_sizes(landscape, spec, most)
    whole = selected(most)
    top, _ = grid_numbers(landscape, whole.rows, reference)
    if top < coverage:
        raise UsageError(
            f"Coverage {coverage:.1%} cannot be reached: all records that may be chosen cover "
            f"{top:.1%} of {reference} x {reference} patches."
        )

    def reaches(size: int) -> bool:
        try:
            rows = selected(size).rows
        except UsageError:  # so few records cannot meet the quotas
            if spec.quotas:
                return False
            raise
        return grid_numbers(landscape, rows, reference)[0] >= coverage

    low, high = max(1, len(set(spec.pinned))), len(whole)
    while low < high:
        middle = (low + high) // 2
        if reaches(middle):
            high = middle
        else:
            low = middle + 1
    return selected(low)
