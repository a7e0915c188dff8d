"""Progressive ILA: one order of the pool, of which every start is a selection."""

from __future__ import annotations

import numpy as np

from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.selection import order
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def nested(landscape: Landscape, spec: Spec, locks: Locks, *, offset: float = 0.0) -> Selection:
    """Choose by levels of ever smaller patches: the selection for a budget starts every larger.

    The order of the whole pool is kept with the landscape, so another budget costs nothing.
    `offset` cuts a fraction of a patch later.

    >>> import ila_core as ila
    >>> pool = ila.Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> [ila.select(pool, budget=b, method="nested").rows.tolist() for b in (1, 2, 3)]
    [[1], [1, 2], [1, 2, 0]]
    """
    rows, level = order.nested(landscape, spec, locks, offset=offset)
    size = locks.checked_cut(spec.asked, landscape, rows)
    nowhere = frozen(np.full(size, -1, np.int64))
    return Selection(landscape, spec, rows[:size], level[:size], nowhere, taken="levels")
