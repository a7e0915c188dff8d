"""Kept and left records to judge by."""

from __future__ import annotations

import numpy as np
import pytest
from pools import pool_of

import ila_core as ila
from ila_core.landscape.even import curve_order
from ila_core.landscape.landscape import Landscape
from ila_core.measure.pairs import pairs


@pytest.mark.parametrize("budget", ["3", "10%", "95%"])
def test_each_kept_record_stands_beside_the_nearest_that_is_left(budget: str) -> None:
    selection = ila.select(pool_of(400), budget=budget, exclude=[1, 2])
    found = pairs(selection)
    assert len(found) == min(10, len(selection), 398 - len(selection))
    rows = [row for pair in found for row in pair]
    assert len(set(rows)) == len(rows) and not {1, 2} & set(rows)
    order = [row for row in curve_order(selection.landscape).tolist() if row not in (1, 2)]
    taken: set[int] = set()
    for pair in found:
        assert selection.mask[pair.kept] and not selection.mask[pair.left]
        free = [row for row in order if not selection.mask[row] and row not in taken]
        gaps = [abs(order.index(row) - order.index(pair.kept)) for row in free]
        assert abs(order.index(pair.left) - order.index(pair.kept)) == min(gaps)
        taken.add(pair.left)


def test_there_is_no_pair_where_all_or_nothing_is_left() -> None:
    pool = pool_of(20)
    assert pairs(ila.select(pool, budget=20)) == []
    lone = Landscape.from_arrays([[0.0, 0.0]], depth=[1.0])
    assert pairs(ila.select(lone, budget=1)) == []


def test_pairs_of_records_in_one_place_are_made_all_the_same() -> None:
    heap = Landscape.from_arrays(np.zeros((9, 2)), depth=np.arange(9.0))
    found = pairs(ila.select(heap, budget=3, method="depth-only"), 2)
    assert len(found) == 2 and all(kept >= 6 > left for kept, left in found)
