"""Records to judge a selection by: some that it keeps, each beside a near one that it leaves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ila_core.landscape.even import curve_rows
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection


class Pair(NamedTuple):
    """A record that is kept, and the nearest along the map's curve that is left; rows."""

    kept: int
    left: int


def pairs(selection: Selection, count: int = 10) -> list[Pair]:
    """Return up to `count` pairs, spread over the map as the picks are.

    Kept ones are equally far apart in number along the curve of even patches, so that places with
    many picks give many. No record stands in two pairs; where more is kept than left there are
    fewer pairs. What is excluded by hand or by a rule is in none.

    >>> import ila_core as ila
    >>> pool = ila.Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> pairs(ila.select(pool, budget=1, method="depth-only"))
    [Pair(kept=1, left=0)]
    """
    landscape = selection.landscape
    never = Locks.asked(landscape, selection.spec).excluded
    order = curve_rows(landscape, never.tobytes())
    is_kept = selection.mask[order]
    kept, left = np.flatnonzero(is_kept), np.flatnonzero(~is_kept)
    number = min(count, len(kept), len(left))
    if not number:
        return []
    places = kept[((np.arange(number) + 0.5) * len(kept) / number).astype(np.int64)]
    found, taken = [], set[int]()
    for place in places.tolist():
        beside = _nearest(left, place, taken)
        taken.add(beside)
        found.append(Pair(int(order[place]), int(order[beside])))
    return found


def _nearest(among: np.ndarray, place: int, taken: set[int]) -> int:
    """Return the nearest of ascending places that is not taken; of two as near the lower."""
    after = int(np.searchsorted(among, place))
    before = after - 1
    while before >= 0 and int(among[before]) in taken:
        before -= 1
    while after < len(among) and int(among[after]) in taken:
        after += 1
    if before < 0 or (after < len(among) and among[after] - place < place - among[before]):
        return int(among[after])
    return int(among[before])
