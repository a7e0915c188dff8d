"""The small charts beside the map, by their content."""

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


def test_a_histogram_counts_every_known_value_once() -> None:
    values = np.array([1.0, 1.0, 2.0, 3.0, np.nan])
    found = charts.histogram("loss", values, np.array([0, 4]), bins=4)
    assert found is not None
    assert found.pool.sum() == pytest.approx(1)
    assert found.kept.tolist() == [1, 0, 0, 0]
    assert charts.histogram("loss", np.full(3, np.nan), np.array([0])) is None


def test_a_histogram_of_one_value_has_a_width() -> None:
    found = charts.histogram("loss", np.ones(4), np.array([0]), bins=4)
    assert found is not None
    assert found.width > 0
    assert charts.histograms([found]).data
