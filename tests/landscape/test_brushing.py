"""Conditions that leave each other to be looked at."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ila_core.landscape.brushing import Brushing
from ila_core.landscape.facets import facet
from ila_core.landscape.landscape import Landscape


@given(st.integers(0, 4), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_what_is_left_is_what_meets_the_others(conditions: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = {f"c{k}": rng.random(n) < 0.6 for k in range(conditions)}
    brushing = Brushing(n, masks)
    for name in [*masks, "another"]:
        others = [mask for other, mask in masks.items() if other != name]
        assert (brushing.but(name) == np.all([np.ones(n, bool), *others], axis=0)).all()
    assert (brushing.all == np.all([np.ones(n, bool), *masks.values()], axis=0)).all()


def test_a_facet_is_counted_without_its_own_condition() -> None:
    pool = Landscape.from_arrays(
        np.zeros((6, 2)), domain=[0, 0, 0, 1, 1, 1], domain_names=["a", "b"],
        tokens=[1, 1, 9, 9, 9, 9],
    )  # fmt: skip
    domain, tokens = facet(pool, "domain"), facet(pool, "tokens")
    brushing = Brushing(6, {"domain": domain.among(["a"]), "tokens": tokens.within(5, 10)})
    chosen = np.array([True, False, True, True, False, False])
    counted = brushing.count(domain, chosen)
    assert counted.pool.tolist() == [3, 3]
    assert counted.shown.tolist() == [1, 3]
    assert counted.kept.tolist() == [1, 1]
    assert (counted.among, counted.chosen) == (4, 2)
    alone = Brushing(6, {"domain": domain.among(["a"])}).count(domain, chosen)
    assert alone.shown.tolist() == [3, 3] and (alone.among, alone.chosen) == (6, 3)
