"""Which point lies in which patch, and in which order patches give their points."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference as slow
from hypothesis import given
from hypothesis import strategies as st

import ila_core.landscape.grid as module
from ila_core.errors import UsageError
from ila_core.landscape.grid import MAX_RESOLUTION, Grid, bounds, columns

places = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 4).map(float), st.floats(-3, 9, width=32)),
        st.one_of(st.integers(0, 4).map(float), st.floats(-3, 9, width=32)),
    ),
    min_size=1,
    max_size=30,
)
resolutions = st.one_of(st.integers(1, 9), st.sampled_from([64, 473, 2048, MAX_RESOLUTION]))


def over(xy, resolution, offset=0.0):
    """The grid over the bounding box of points."""
    return Grid(*bounds(xy), resolution, offset)


def test_nine_points_on_three_by_three():
    xy = [[x, y] for x in (0.0, 1.5, 3.0) for y in (0.0, 1.5, 3.0)]
    assert over(xy, 3).patches(xy).tolist() == list(range(9))


def test_column_runs_along_x():
    grid = Grid((0.0, 0.0), (1.0, 1.0), 4)
    assert grid.patches([[0.3, 0.9]]).tolist() == [1 * 4 + 3]


def test_point_on_an_inner_border_belongs_to_the_upper_patch():
    grid = Grid((0.0, 0.0), (4.0, 4.0), 4)
    assert grid.patches([[1.0, 2.0]]).tolist() == [1 * 4 + 2]


def test_point_on_the_outer_border_belongs_to_the_last_patch():
    grid = Grid((0.0, 0.0), (4.0, 4.0), 4)
    assert grid.patches([[4.0, 4.0]]).tolist() == [15]


def test_points_outside_belong_to_the_border():
    grid = Grid((0.0, 0.0), (4.0, 4.0), 4)
    assert grid.patches([[-1e30, 1e30], [9, -9]]).tolist() == [3, 12]


def test_axis_without_extent_has_index_zero():
    assert over([[7, 0], [7, 1]], 5).patches([[7, 0], [7, 1]]).tolist() == [0, 4]
    assert over([[7, 7]], 5).patches([[7, 7]]).tolist() == [0]
    assert over([[7, 7]], 5, 0.5).patches([[7, 7]]).tolist() == [0]


def test_reference_grid_is_shifted_by_half_a_patch():
    xy = [[0, 0], [0.4, 0], [0.6, 0], [3.4, 0], [3.6, 4], [4, 4]]
    grid = over(xy, 4, 0.5)
    assert (grid.patches(xy) // 5).tolist() == [0, 0, 1, 3, 4, 4]


@given(xy=places, resolution=resolutions, shift=st.sampled_from([0.0, 0.5, 0.25]))
def test_patches_equal_the_slow_reference(xy, resolution, shift):
    grid = over(np.array(xy, np.float32), resolution, shift)
    assert grid.patches(xy).tolist() == slow.patch_of(xy, resolution, shift=shift)


@given(xy=places, resolution=resolutions)
def test_members_and_count_agree_with_unique(xy, resolution):
    grid, patch = over(np.array(xy, np.float32), resolution), slow.patch_of(xy, resolution)
    member, number = grid.members(*columns(xy))
    assert number.tolist() == sorted(set(patch))
    assert number[member].tolist() == patch
    assert grid.count_occupied(*columns(xy)) == len(number)


def test_counting_stops_above_the_limit():
    xy = np.random.default_rng(0).random((1000, 2))
    assert over(xy, 64).count_occupied(*columns(xy), limit=10) == 11


@pytest.mark.parametrize("resolution", [1, 7, 300, MAX_RESOLUTION])
def test_two_threads_count_what_one_counts(resolution, monkeypatch):
    xy = np.random.default_rng(0).random((9_001, 2), np.float32)
    grid = over(xy, resolution)
    occupied = len(np.unique(grid.patches(xy)))
    monkeypatch.setattr(module, "HALVED", 9_001)
    assert grid.count_occupied(*columns(xy)) == occupied
    for limit in (0, occupied - 1, occupied, occupied + 1):
        assert grid.count_occupied(*columns(xy), limit) == min(occupied, limit + 1)


def test_counting_reaches_over_many_blocks():
    xy = np.random.default_rng(0).random((30_000, 2), np.float32)
    grid = over(xy, 300)
    assert grid.count_occupied(*columns(xy)) == len(np.unique(grid.patches(xy)))


@pytest.mark.parametrize(("offset", "along_x"), [(0.0, [0.5, 1.5, 2.5]), (0.5, [0.25, 1, 2, 2.75])])
def test_patches_hold_their_centres_and_those_at_the_border_are_cut(offset, along_x):
    grid = Grid((0.0, -2.0), (3.0, 2.0), 3, offset)
    patches = np.arange(grid.side**2)
    centres = grid.centres(patches)
    assert np.unique(centres[:, 0]).tolist() == along_x
    assert grid.patches(centres).tolist() == patches.tolist()


def test_grids_are_equal_by_value():
    assert Grid((0.0, 0.0), (1.0, 1.0), 4) == Grid((0.0, 0.0), (1.0, 1.0), 4)


def test_bounds():
    assert bounds([[1, 5], [3, 2]]) == ((1, 2), (3, 5))


@pytest.mark.parametrize("value", [0, -3, 8193, 2.5, "64", None, True, float("nan")])
def test_resolution_that_cannot_be_meant(value):
    with pytest.raises(UsageError, match=r"Resolution .* whole number from 1 to 8192"):
        Grid((0.0, 0.0), (1.0, 1.0), value)


def test_offset_that_cannot_be_meant():
    with pytest.raises(UsageError, match=r"offset is 1\.0"):
        Grid((0.0, 0.0), (1.0, 1.0), 4, 1.0)


def test_box_that_is_not_finite():
    with pytest.raises(UsageError, match="not finite"):
        Grid((0.0, float("nan")), (1.0, 1.0), 4)
