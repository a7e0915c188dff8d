"""Records to judge a selection by: some that it keeps, each beside a near one that it leaves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ila_core.landscape.even import curve_order, curve_ranks
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection


class Pair(NamedTuple):
    """A record that is kept, and the nearest along the map's curve that is left; rows."""

    kept: int
    left: int


MOST = 10
"""Pairs that are read in a minute."""


def pairs_there(selection: Selection, count: int = MOST) -> int:
    """Return how many pairs `pairs` finds, without looking for them.

    >>> import ila_core as ila
    >>> pool = ila.Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> pairs_there(ila.select(pool, budget=2, method="depth-only"))
    1
    """
    landscape = selection.landscape
    shut = Locks.asked(landscape, selection.spec).excluded
    return min(count, len(selection), len(landscape) - len(shut) - len(selection))


def pairs(selection: Selection, count: int = MOST) -> list[Pair]:
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
    order, places = curve_order(landscape), np.sort(curve_ranks(landscape)[selection.rows])
    left = Locks.asked(landscape, selection.spec).free(len(landscape))
    left[selection.rows] = False
    number = pairs_there(selection, count)
    found = []
    for place in places[((np.arange(number) + 0.5) * len(places) / number).astype(np.int64)]:
        beside = order[_nearest(left, order, int(place))]
        left[beside] = False
        found.append(Pair(int(order[place]), int(beside)))
    return found


def _nearest(left: np.ndarray, order: np.ndarray, place: int) -> int:
    """Return the nearest place in an order whose row is marked, (n,) bool; of two the lower.

    It looks at ever more places around, for most often the next ones will do.
    """
    reach = 16
    while True:
        start = max(place - reach, 0)
        away = np.flatnonzero(left[order[start : place + reach + 1]]) + start - place
        if len(away):
            return place + int(away[np.abs(away).argmin()])
        reach *= 8
