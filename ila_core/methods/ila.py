"""ILA: every patch of the map gives its record at the depth target, then its next.

arXiv 2509.06463, whose algorithm is a grid, the loss, and the deepest record of each patch.
"""

from __future__ import annotations

import numpy as np

from ila_core.landscape.even import Even
from ila_core.landscape.grid import MAX_RESOLUTION, frozen
from ila_core.landscape.landscape import Landscape
from ila_core.selection.locks import Locks
from ila_core.selection.order import (
    Cut,
    Turns,
    auto_resolution,
    finest,
    first_round_tokens,
    first_turns,
    places_in_patch,
    queue,
)
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def ila(landscape: Landscape, spec: Spec, locks: Locks, *, offset: float = 0.0) -> Selection:
    """Choose by (round, relative depth descending, row) until the budget is met.

    The automatic resolution cuts as many patches as there are picks, for a budget of tokens as
    many as can give their first record. `offset` cuts a fraction of a patch later. Pinned records
    come first and use up their patch's first rounds; excluded ones leave their patch its next.
    """
    cut = _cut(landscape, spec, locks, offset)
    line = queue(landscape, locks)

    def first(count: int) -> tuple[np.ndarray, Turns]:
        """Return the pins and then picks by round, and the turns of the picks."""
        wanted = max(0, count - len(locks.pinned))
        turns = first_turns(landscape, spec, cut, locks, wanted)
        return np.concatenate([locks.pinned, line.rows[turns.point]]), turns

    (rows, turns), size = locks.fitted(spec.asked, landscape, len(line), first)
    pinned_patch, patch = (
        line.patches(cut, points) for points in (line.positions(locks.pinned), turns.point)
    )
    return Selection(
        landscape,
        spec,
        frozen(rows[:size]),
        frozen(np.concatenate([places_in_patch(pinned_patch), turns.round])[:size]),
        frozen(np.concatenate([pinned_patch, patch])[:size], np.int64),
        cut,
        "rounds",
    )


def _cut(landscape: Landscape, spec: Spec, locks: Locks, offset: float) -> Cut:
    """Return the patches that a spec asks for."""
    number = _resolution(landscape, spec, locks)
    if spec.even:
        return Even(number, locks.outside.tobytes(), offset)
    return landscape.grid(number, offset)


def _resolution(landscape: Landscape, spec: Spec, locks: Locks) -> int:
    if not isinstance(spec.resolution, str):
        return spec.resolution
    budget, line = spec.asked, queue(landscape, locks)
    size = budget.records(landscape)
    if budget.kind == "tokens":

        def fits(number: int) -> bool:
            cut = Even(number) if spec.even else landscape.grid(number)
            return first_round_tokens(line, spec, cut) <= budget.value

        return finest(fits, max(line.ranked, 1) if spec.even else MAX_RESOLUTION)
    return min(size, max(len(line), 1)) if spec.even else auto_resolution(landscape, size)
