"""Rounds, levels and the automatic resolution, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ila_core.landscape.even import Even
from ila_core.landscape.grid import LEVELS
from ila_core.landscape.landscape import Landscape
from ila_core.selection.locks import Locks
from ila_core.selection.order import (
    Rounds,
    dyadic_occupied,
    first_turns,
    nested,
    places_in_patch,
    queue,
    rounds,
)
from ila_core.selection.spec import Spec

GRID = Spec(patches="grid", depth_target=1.0)


def taken(points, resolution, target=1.0, pinned=(), excluded=()):
    """Rounds in a pool in which every point has a depth and row 0 is the deepest."""
    pool = Landscape.from_arrays(points, relative_depth=np.linspace(1, 0.5, len(points)))
    locks = Locks.of(pinned, excluded, len(points))
    return rounds(pool, Spec(depth_target=target), pool.grid(resolution), locks)


def test_rounds_count_within_each_patch():
    turn = taken([[0, 0], [1, 1], [0, 0], [0, 0], [1, 1]], 2)
    assert turn.round.tolist() == [1, 1, 2, 3, 2]
    assert turn.patch.tolist() == [0, 3, 0, 0, 3]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (1.0, [1, 2, 3, 4, 5]),
        (0.75, [2, 1, 3, 4, 5]),  # around place 1: 1, 0, 2, 3, 4
        (0.5, [4, 2, 1, 3, 5]),  # around place 2: 2, 1, 3, 0, 4
        (0.4, [5, 3, 1, 2, 4]),  # around place 2.4: 2, 3, 1, 4, 0
        (0.0, [5, 4, 3, 2, 1]),
    ],
)
def test_rounds_around_a_depth_target(target, expected):
    assert taken([[0, 0]] * 5, 2, target).round.tolist() == expected


def test_pinned_points_use_up_the_first_rounds():
    for target in (1.0, 0.999999):
        turn = taken([[0, 0], [0, 0], [0, 0], [1, 1]], 2, target, pinned=[1])
        assert turn.round.tolist() == [2, 0, 3, 1]


def test_excluded_points_are_as_if_they_were_not_there():
    turn = taken([[0, 0], [0, 0], [1, 1]], 2, excluded=[0])
    assert turn.queue.rows.tolist() == [1, 2]
    assert turn.round.tolist() == [1, 1]


def test_rounds_are_kept_with_the_landscape_by_everything_that_decides_them():
    pool = Landscape.from_arrays([[0, 0], [0, 0], [1, 1]], depth=[3, 2, 1])
    none, pin = Locks.of((), (), 3), Locks.of([1], (), 3)
    first = rounds(pool, Spec(depth_target=1.0), pool.grid(2), none)
    assert rounds(pool, Spec(depth_target=1.0), pool.grid(2), Locks.of((), (), 3)) is first
    for other in (
        rounds(pool, Spec(depth_target=1.0), pool.grid(3), none),
        rounds(pool, Spec(depth_target=1.0), pool.grid(2, 0.5), none),
        rounds(pool, Spec(depth_target=0.0), pool.grid(2), none),
        rounds(pool, Spec(depth_target=1.0), pool.grid(2), pin),
    ):
        assert other is not first
    assert rounds(pool, Spec(depth_target=1.0), pool.grid(2), pin).round.tolist() == [2, 0, 1]


def test_levels_of_a_quadtree():
    def level(points):
        pool = Landscape.from_arrays(points, relative_depth=np.linspace(1, 0.5, len(points)))
        order = nested(pool, GRID, Locks.of((), (), len(points)))
        return dict(zip(order.rows.tolist(), order.level.tolist(), strict=True))

    assert level([[0, 0], [8192, 8192], [8191, 8191], [8191, 8191]]) == {0: 0, 1: 1, 2: 14, 3: 14}
    assert level([[0, 0], [8192, 8192], [8190, 8190]]) == {0: 0, 1: 1, 2: 13}


def test_first_by_round_is_stable_and_cut():
    line = queue(Landscape.from_arrays([[0, 0]] * 6), Locks.of((), (), 6))
    turn = np.array([3, 1, 0, 2, 1, 3], np.int32)
    found = Rounds(line, turn, turn)
    assert found.first(99).tolist() == [1, 4, 3, 0, 5]
    assert found.first(2).tolist() == [1, 4]
    assert found.first(0).tolist() == []
    empty = np.zeros(0, np.int32)
    assert Rounds(line, empty, empty).first(5).tolist() == []


def test_turns_count_from_one():
    assert places_in_patch(np.array([4, 4, 9, 4])).tolist() == [1, 2, 1, 3]
    assert places_in_patch(np.zeros(0, np.int64)).tolist() == []


@given(
    arrays(np.float32, st.tuples(st.integers(1, 60), st.just(2)),
           elements=st.floats(-9, 9, width=32)),
    st.sampled_from([1.0, 0.75, 0.5, 0.0]),
    st.sampled_from(["even", 1, 3, 8, 2000]),
    st.sets(st.integers(0, 59), max_size=5),
    st.sets(st.integers(0, 59), max_size=2),
    st.integers(0, 70),
    st.sampled_from([0.0, 0.3]),
    st.booleans(),
)  # fmt: skip
def test_the_first_turns_are_those_of_all_rounds(
    xy, target, patches, excluded, pinned, limit, offset, ruled_out
):
    n = len(xy)
    chance = np.random.default_rng(n)
    depth = np.where(chance.random(n) < 0.3, np.nan, chance.random(n).round(1))
    pool = Landscape.from_arrays(xy, relative_depth=depth)
    pinned = {row for row in pinned if row < n}
    locks = Locks.of(sorted(pinned), sorted(row for row in excluded - pinned if row < n), n)
    if ruled_out:
        locks = locks.without(np.setdiff1d([0, n // 2], sorted(pinned)))
    spec, left = Spec(depth_target=target), n - len(locks.outside)
    cut = Even(min(1 + n // 3, max(left, 1)), locks.outside.tobytes(), offset)
    if patches != "even":
        cut = pool.grid(patches, offset)
    turn = rounds(pool, spec, cut, locks)
    expected = turn.first(limit)
    found = first_turns(pool, spec, cut, locks, limit)
    assert found.point.tolist() == expected.tolist()
    assert found.round.tolist() == turn.round[expected].tolist()


@given(arrays(np.float32, st.tuples(st.integers(1, 300), st.just(2)),
              elements=st.floats(-9, 9, width=32)))  # fmt: skip
def test_dyadic_occupied_is_what_each_grid_counts(xy):
    pool = Landscape.from_arrays(xy)
    counted = [pool.count_occupied(pool.grid(2**level)) for level in range(LEVELS)]
    assert dyadic_occupied(pool) == tuple(counted)


def test_dyadic_occupied_counts_every_level():
    pool = Landscape.from_arrays([[0, 0], [8192, 8192], [8190, 8190]])
    assert dyadic_occupied(pool) == (1,) + (2,) * 12 + (3,)
