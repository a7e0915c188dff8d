"""ILA: every patch of the map gives its deepest record, then its second (arXiv 2509.06463)."""

from __future__ import annotations

import numpy as np

from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.selection.locks import Locks
from ila_core.selection.order import Rounds, auto_resolution, rounds, turns
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def ila(landscape: Landscape, spec: Spec, *, offset: float = 0.0) -> Selection:
    """Choose by (round, relative depth descending, row) until the budget is met.

    The automatic resolution takes a grid about as fine as the budget. Depth target 1 takes the
    deepest record of a patch first, 0.5 the median one. `offset` shifts the grid by a fraction of
    a patch. Pinned records come first and use up their patch's first rounds.
    """
    budget, locks = spec.asked, Locks.of(spec.pinned, spec.excluded, len(landscape))
    side = spec.resolution
    if isinstance(side, str):
        side = auto_resolution(landscape, budget.records(landscape))
    grid = landscape.grid(side, offset)
    turn = rounds(landscape, grid, spec.depth_target, locks)
    position, size = _picks(landscape, spec, turn, locks)
    pinned_patch = grid.patches(landscape.xy[locks.pinned])
    return Selection(
        landscape,
        spec,
        frozen(np.concatenate([locks.pinned, turn.queue.rows[position]])[:size]),
        frozen(np.concatenate([turns(pinned_patch), turn.round[position]])[:size]),
        frozen(np.concatenate([pinned_patch, turn.patch[position]])[:size]),
        grid,
        "rounds",
    )


def _picks(landscape: Landscape, spec: Spec, turn: Rounds, locks: Locks) -> tuple[np.ndarray, int]:
    """Return queue positions by round, and how many rows the budget holds, the pinned included."""
    budget = spec.asked
    limit = budget.records(landscape)
    while True:
        position = turn.first(max(0, limit - len(locks.pinned)))
        rows = np.concatenate([locks.pinned, turn.queue.rows[position]])
        size = locks.checked_cut(budget, landscape, rows)
        if budget.kind != "tokens" or size < len(rows) or limit >= len(turn.queue):
            return position, size
        limit *= 4  # a token budget may take more records than its estimate
