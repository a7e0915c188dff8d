"""The drawn cells: counts, windows, and how much of each is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picking import ila, nested

from ila_core.landscape.cells import Cells, Kept, count, frame, leading
from ila_core.landscape.cells import kept as kept_of
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box, rows_in
from ila_core.selection.selection import Selection


def nine() -> Landscape:
    """One record in the middle of each patch of a 3 x 3 grid, but for two in the first."""
    places = [(0, 0), (0, 0), (0, 1.5), (0, 3), (1.5, 0), (1.5, 1.5), (1.5, 3), (3, 0), (3, 3)]
    return Landscape.from_arrays(places, relative_depth=np.linspace(0.1, 0.9, 9))


def kept(cells: Cells, chosen: Selection) -> Kept:
    return kept_of(cells, chosen.landscape, chosen.shown_cut, chosen.rows)


def random_pool(n: int = 400, seed: int = 0) -> Landscape:
    rng = np.random.default_rng(seed)
    depth = rng.random(n).astype(np.float32)
    depth[:5] = np.nan
    return Landscape.from_arrays(rng.normal(size=(n, 2)), relative_depth=depth)


def test_a_coarse_selection_grid_is_drawn_as_it_is() -> None:
    pool = nine()
    shown = frame(pool, pool.grid(3), side=64)
    found = count(pool, shown)
    assert shown.patches
    assert found.number.tolist() == [0, 1, 2, 3, 4, 5, 6, 8]
    assert found.count.tolist() == [2, 1, 1, 1, 1, 1, 1, 1]
    assert found.best[0] == pytest.approx(0.2)
    assert found.mean[0] == pytest.approx(0.15)


def test_a_fine_selection_grid_is_gathered_into_cells() -> None:
    pool = random_pool()
    shown = frame(pool, pool.grid(473), side=32)
    assert not shown.patches
    assert shown.side == 32
    assert count(pool, shown).count.sum() == len(pool)


def test_a_cell_keeps_the_share_of_its_patches() -> None:
    pool = nine()
    grid, rows = pool.grid(3), np.array([1, 2])
    whole = count(pool, frame(pool, pool.grid(473), side=1))
    assert kept_of(whole, pool, grid, rows).share.tolist() == [2 / 8]
    assert kept_of(whole, pool, grid, rows).records.tolist() == [2]
    each = count(pool, frame(pool, pool.grid(3), side=64))
    assert kept_of(each, pool, grid, rows).share.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


@settings(max_examples=30)
@given(st.integers(1, 300), st.sampled_from([8, 32, 64]), st.integers(0, 5))
def test_every_cell_has_a_share_and_all_kept_records_are_counted(
    budget: int, side: int, seed: int
) -> None:
    pool = random_pool(seed=seed)
    for chosen in (ila(pool, budget), nested(pool, budget)):
        found = count(pool, frame(pool, chosen.shown_cut, side=side))
        held = kept(found, chosen)
        assert held.records.sum() == budget
        assert ((held.share >= 0) & (held.share <= 1)).all()
        assert (held.records <= found.count).all()


def test_keeping_all_keeps_every_cell() -> None:
    pool = random_pool()
    chosen = ila(pool, len(pool))
    for side in (8, 32, 64, 128):
        found = count(pool, frame(pool, chosen.shown_cut, side=side))
        assert (kept(found, chosen).share == 1).all()


def test_a_window_counts_only_what_lies_in_it() -> None:
    pool = random_pool()
    window = Box(-0.5, -0.5, 0.5, 0.5)
    inside = (np.abs(pool.xy) <= 0.5).all(axis=1)
    found = count(pool, frame(pool, pool.grid(4000), side=64, window=window))
    assert found.count.sum() == inside.sum()
    assert ((found.member >= 0) == inside).all()


def test_a_deep_window_shows_the_patches_themselves() -> None:
    pool = random_pool()
    grid = pool.grid(100)
    (x, y), *_ = grid.centres(grid.patches(pool.xy[:1]))
    half = np.subtract(grid.high, grid.low) / 200
    window = Box(x - half[0], y - half[1], x + half[0], y + half[1])
    shown = frame(pool, grid, side=64, window=window)
    assert shown.patches
    assert count(pool, shown).count.sum() >= 1
    assert shown.columns[1] - shown.columns[0] <= 3


def test_the_rectangle_of_a_cell_holds_its_records() -> None:
    pool = random_pool()
    found = count(pool, frame(pool, pool.grid(4000), side=16))
    for number in found.number.tolist():
        inside = rows_in(pool, found.frame.box_of(number)).tolist()
        assert set(found.rows_of((number,)).tolist()) <= set(inside)


def test_records_of_cells_come_back() -> None:
    pool = nine()
    found = count(pool, frame(pool, pool.grid(3), side=64))
    assert found.rows_of((0,)).tolist() == [0, 1]
    assert found.rows_of((2, 8)).tolist() == [3, 8]
    assert found.rows_of((7,)).tolist() == []


@pytest.mark.parametrize("xy", [[(1.0, 1.0)], [(1.0, 1.0)] * 5, [(0.0, 2.0), (3.0, 2.0)]])
def test_a_map_without_extent_can_be_drawn(xy: list[tuple[float, float]]) -> None:
    pool = Landscape.from_arrays(xy, relative_depth=[0.5] * len(xy))
    chosen = ila(pool, 1)
    found = count(pool, frame(pool, chosen.shown_cut, side=64))
    assert found.count.sum() == len(pool)
    assert kept(found, chosen).records.sum() == 1


def test_a_cell_is_led_by_the_domain_of_most_of_its_records() -> None:
    places = [(0, 0)] * 3 + [(3, 3)] * 2 + [(0, 3)]
    pool = Landscape.from_arrays(places, domain=[1, 1, 0, 2, 1, 0], domain_names=["a", "b", "c"])
    cells = count(pool, frame(pool, pool.grid(3), side=64))
    found = leading(pool, cells, most=2)
    assert cells.number.tolist() == [0, 2, 8]
    assert [found.names[k] for k in found.domain] == ["b", "a", "b"]  # a tie goes to the first
    assert found.share.tolist() == pytest.approx([2 / 3, 1, 1 / 2])
    assert found.largest == (1, 0) and found.others == 1


@settings(max_examples=20)
@given(st.integers(1, 200), st.integers(1, 12), st.integers(0, 9))
def test_leading_domains_are_those_of_a_plain_count(n: int, domains: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = Landscape.from_arrays(
        rng.normal(size=(n, 2)), domain=rng.integers(0, domains, n),
        domain_names=[str(k) for k in range(domains)],
    )  # fmt: skip
    window = Box(-1, -1, 1.5, 1.5) if n > 50 else None
    cells = count(pool, frame(pool, pool.grid(900), side=8, window=window))
    found = leading(pool, cells)
    for k in range(len(cells)):
        counts = np.bincount(pool.domain[cells.member == k], minlength=domains)
        assert found.domain[k] == counts.argmax()
        assert found.share[k] == counts.max() / counts.sum()
