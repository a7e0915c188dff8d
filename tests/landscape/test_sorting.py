"""Rows in the order of a number, beside numpy's own sort."""

from __future__ import annotations

import numpy as np
import pytest

from ila_core.landscape.sorting import FEW, by_key, by_number


@pytest.mark.parametrize("n", [0, 1, 50, FEW, FEW + 1, 3 * FEW])
@pytest.mark.parametrize("kinds", [3, 1 << 32])
def test_keys_are_sorted_as_numpy_sorts_them(n: int, kinds: int) -> None:
    keys = np.random.default_rng(n).integers(0, kinds, n, dtype=np.uint32)
    assert by_key(keys).tolist() == np.argsort(keys, kind="stable").tolist()
    assert by_key(keys).dtype == np.int32


@pytest.mark.parametrize("n", [40, 2 * FEW])
def test_numbers_tie_by_row_and_missing_ones_come_last(n: int) -> None:
    rng = np.random.default_rng(n)
    odd = [0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1e-40, -1e-40, 3.4e38]
    values = np.where(
        rng.random(n) < 0.5, rng.choice(np.array(odd, np.float32), n), rng.normal(size=n)
    ).astype(np.float32)
    assert by_number(values).tolist() == np.argsort(values, kind="stable").tolist()
    falling = np.argsort(-values, kind="stable")
    assert by_number(values, falling=True).tolist() == falling.tolist()
