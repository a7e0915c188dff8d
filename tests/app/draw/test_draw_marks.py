"""Records and cells as the map takes them."""

from __future__ import annotations

import json

import numpy as np
from picking import ila

from draw.encoding import decoded
from draw.marks import MARK_WORDS, MOST_MARKED, cells_data, marks_data, region_data, sample_data
from ila_core.landscape.cells import count, frame, kept
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box, parse
from ila_core.paths import APP


def grid_pool(side: int, times: int = 1) -> Landscape:
    places = np.indices((side, side)).reshape(2, -1).T + 0.5
    places = places.repeat(times, axis=0)
    depth = np.linspace(0.01, 1, len(places))
    return Landscape.from_arrays(places, relative_depth=depth)


def test_cells_tell_records_kept_ones_and_depth_column_by_column() -> None:
    pool = grid_pool(4, 3)
    chosen = ila(pool, 12)
    cells = count(pool, frame(pool, pool.grid(999), side=4))
    data = cells_data(cells, kept(cells, chosen.landscape, chosen.shown_cut, chosen.rows))
    assert (data["across"], data["up"], data["wide"]) == (4, 4, False)
    assert decoded(data["count"], "u2").tolist() == [3] * 16
    assert decoded(data["kept"], "u2").sum() == 12
    means = pool.relative_depth.reshape(16, 3).mean(axis=1)
    assert np.allclose((decoded(data["depth"], "u1") - 1) / 254, means, atol=0.003)
    assert data["box"] == [0.5, 0.5, 3.5, 3.5]


def test_empty_cells_and_those_without_depth_are_nought() -> None:
    pool = Landscape.from_arrays([[0, 0], [1, 1]], relative_depth=[0.5, np.nan])
    chosen = ila(pool, 1)
    cells = count(pool, frame(pool, pool.grid(99), side=2))
    data = cells_data(cells, kept(cells, pool, chosen.shown_cut, chosen.rows))
    assert decoded(data["count"], "u2").tolist() == [1, 0, 0, 1]
    assert decoded(data["depth"], "u1").tolist() == [128, 0, 0, 0]


def test_a_full_map_of_cells_travels_in_little() -> None:
    pool = grid_pool(128, 3)
    chosen = ila(pool, 500)
    cells = count(pool, frame(pool, pool.grid(4000), side=128))
    data = cells_data(cells, kept(cells, pool, chosen.shown_cut, chosen.rows))
    assert len(json.dumps(data)) < 115_000


def test_a_sample_carries_places_rows_and_first_lines() -> None:
    pool = grid_pool(3)
    data = sample_data(pool, np.array([2, 5]), np.array([True, False]), ["a", "b"])
    assert decoded(data["x"], "f4").tolist() == pool.xy[[2, 5], 0].tolist()
    assert decoded(data["rows"], "u4").tolist() == [2, 5]
    assert (decoded(data["kept"], "u1").tolist(), data["texts"]) == ([1, 0], ["a", "b"])


def test_marks_that_nobody_made_are_left_out_and_very_many_are_cut() -> None:
    pool = grid_pool(60)
    data = marks_data(pool, {"hits": np.arange(3600), "pins": np.array([7]), "open": np.array([])})
    assert list(data) == ["hits", "pins"]
    assert len(decoded(data["hits"]["rows"], "u4")) == MOST_MARKED


def test_a_region_is_told_as_it_is_reported() -> None:
    assert region_data(None) is None
    assert region_data(Box(0, 1, 2, 3)) == {"box": [0, 1, 2, 3]}
    assert region_data(parse("0,0;1,0;1,1")) == {"points": [[0, 0], [1, 0], [1, 1]]}


def test_every_kind_of_mark_has_its_sign_in_the_legend() -> None:
    rules = (APP / "canvas" / "map.css").read_text(encoding="utf-8")
    for kind in MARK_WORDS:
        assert f".sign .{kind}" in rules, kind
