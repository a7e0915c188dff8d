"""The terrain by its heights and colours."""

from __future__ import annotations

import numpy as np
import plotly.io
import pytest

from draw import ground as grounds
from draw.terrain import SIDE, terrain
from ila_core.landscape.landscape import Landscape


def test_the_terrain_is_highest_where_most_records_lie_and_coloured_by_depth() -> None:
    rng = np.random.default_rng(0)
    town = np.repeat([0, 1], [1800, 200])
    xy = np.stack([6 * town, 0 * town], axis=1) + rng.normal(0, 0.4, (2000, 2))
    pool = Landscape.from_arrays(xy, relative_depth=np.where(town, 0.9, 0.2))
    (shown,) = terrain(pool, grounds.ground(pool, None)).data
    x, y, z = (np.asarray(part) for part in (shown.x, shown.y, shown.z))
    row, column = np.unravel_index(np.nanargmax(z), z.shape)
    assert np.hypot(x[column], y[row]) < 0.4
    assert np.nanmax(z) == pytest.approx(1, abs=0.02) and np.nanmin(z) >= 0
    at = [(np.abs(y).argmin(), np.abs(x - place).argmin()) for place in (0, 6)]
    depth = np.asarray(shown.surfacecolor)
    assert [depth[k] for k in at] == pytest.approx([0.2, 0.9], abs=0.02)
    assert np.isnan(z[:, np.abs(x - 3).argmin()]).all()
    assert max(z.shape) == SIDE


@pytest.mark.parametrize("n", [1, 2])
def test_a_terrain_of_a_record_or_two_without_depth_can_be_drawn(n: int) -> None:
    pool = Landscape.from_arrays([[k, k] for k in range(n)], relative_depth=[np.nan] * n)
    assert len(plotly.io.to_json(terrain(pool, grounds.ground(pool, None)))) < 300_000
