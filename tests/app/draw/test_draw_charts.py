"""The small chart beside the map, by its content."""

from __future__ import annotations

import numpy as np
import pytest

from draw import charts
from ila_core.landscape.landscape import Landscape
from ila_core.measure.curve import curve as curve_of
from ila_core.selection.spec import Spec


@pytest.fixture(scope="module")
def pool() -> Landscape:
    rng = np.random.default_rng(0)
    depth = rng.random(3000).astype(np.float32)
    depth[:9] = np.nan
    return Landscape.from_arrays(
        rng.normal(size=(3000, 2)), relative_depth=depth, tokens=rng.integers(1, 900, 3000)
    )


def test_the_present_point_stands_on_the_curve(pool: Landscape) -> None:
    curve = curve_of(pool, Spec(), [10, 100, 1000])
    figure = charts.growth(curve, curve, now=(100, 0.25, 0.5))
    points = [(t.x[0], t.y[0]) for t in figure.data if t.mode == "markers"]
    assert points == [(100, 0.25), (100, 0.5)]
    assert [t.name for t in figure.data if t.name] == ["coverage", "fidelity"]
