"""The one object that everybody reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core.errors import IlaError
from ila_core.landscape.grid import Grid
from ila_core.landscape.landscape import Landscape, cells

NAN = float("nan")


def test_all_but_the_places_may_be_left_out():
    pool = Landscape.from_arrays([[0, 0], [1, 2]])
    assert len(pool) == 2
    assert np.isnan(pool.depth).all() and np.isnan(pool.loss).all() and np.isnan(pool.tokens).all()
    assert pool.skills.tolist() == [1, 1]
    assert pool.domain.tolist() == [0, 0] and pool.domain_names == ("all",)
    assert pool.records is None and pool.vectors is None
    assert (pool.scored, pool.missing, pool.total_tokens) == (0, 2, 0.0)


def test_depth_is_loss_times_skills_unless_given():
    pool = Landscape.from_arrays([[0, 0], [1, 2]], loss=[1.5, NAN], skills=[2, 1])
    assert pool.depth.tolist()[0] == 3.0 and np.isnan(pool.depth[1])


def test_types_and_shapes():
    pool = Landscape.from_arrays(
        [[0, 0], [1, 2]], depth=[1, 2], tokens=[3, 4], domain=[0, 1], vectors=np.eye(2)
    )
    assert pool.xy.dtype == np.float32 and pool.xy.shape == (2, 2)
    for name in ("loss", "tokens", "skills", "depth", "relative_depth"):
        assert getattr(pool, name).dtype == np.float32
    assert pool.domain.dtype == np.int32
    assert pool.domain_names == ("0", "1")


def test_order_is_deepest_first_ties_by_row_missing_last():
    pool = Landscape.from_arrays(np.zeros((5, 2)), relative_depth=[NAN, 0.5, 0.9, 0.5, NAN])
    assert pool.order.tolist() == [2, 1, 3, 0, 4]
    assert pool.order.dtype == np.int64
    assert pool.scored == 3


def test_bounds_and_grid():
    pool = Landscape.from_arrays([[0, 5], [4, 1], [2, 2]])
    assert pool.bounds == ((0.0, 1.0), (4.0, 5.0))
    assert pool.grid(8) == Grid((0.0, 1.0), (4.0, 5.0), 8)


def test_arrays_are_read_only_and_the_caller_may_go_on_writing():
    xy, depth = np.zeros((3, 2), np.float32), np.ones(3, np.float32)
    pool = Landscape.from_arrays(xy, depth=depth)
    for array in (pool.xy, pool.depth, pool.relative_depth, pool.order, pool.domain):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    depth[0] = 5


def test_a_landscape_cannot_be_changed():
    with pytest.raises(AttributeError):
        Landscape.from_arrays([[0, 0]]).depth = np.zeros(1)


def test_fingerprint_tells_pools_apart_and_is_repeatable():
    first, second = (Landscape.from_arrays([[0, 0], [1, k]]) for k in (1, 2))
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == Landscape.from_arrays([[0, 0], [1, 1]]).fingerprint
    assert Landscape.from_arrays([[0, 0]], fingerprint="abc").fingerprint == "abc"


def test_repr_is_short():
    pool = Landscape.from_arrays(np.zeros((1200, 2)), domain=np.arange(1200) % 2)
    assert repr(pool) == "Landscape(1,200 records, 2 domains)"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"xy": []}, r"xy has shape \(0,\)"),
        ({"xy": np.zeros((0, 2))}, "at least one record"),
        ({"xy": np.zeros((3, 3))}, r"xy has shape \(3, 3\); it must be \(records, 2\)"),
        (
            {"xy": [[0, 0], [1, NAN]]},
            r"1 of 2 places are not finite, row 1 the first: \(1.0, nan\)",
        ),
        ({"xy": [[0, 0], [1, np.inf]]}, "not finite"),
        ({"xy": [[0, 0]], "depth": [1, 2]}, r"depth has shape \(2,\); 1 records need \(1,\)"),
        ({"xy": [[0, 0]], "loss": [1, 2]}, "loss has shape"),
        ({"xy": [[0, 0]], "tokens": 3.0}, "tokens has shape"),
        ({"xy": [[0, 0]], "relative_depth": [[1]]}, "relative_depth has shape"),
        ({"xy": [[0, 0]], "scores": {"quality": [1, 2]}}, "quality has shape"),
        ({"xy": [[0, 0]], "vectors": np.zeros((2, 4))}, r"vectors have shape \(2, 4\)"),
        ({"xy": [[0, 0]], "vectors": np.zeros(4)}, "vectors have shape"),
        ({"xy": [[0, 0]], "domain": [1], "domain_names": ["a"]}, "domain holds 1; with 1 names"),
        ({"xy": [[0, 0]], "domain": [-1]}, "domain holds -1"),
    ],
)
def test_arrays_that_cannot_be_meant(arrays, message):
    with pytest.raises(IlaError, match=message):
        Landscape.from_arrays(**arrays)


def test_moved_keeps_everything_but_the_places():
    pool = Landscape.from_arrays([[0, 0], [1, 1]], depth=[1, 2], tokens=[3, 4])
    assert pool.dyadic_occupied[1] == 2
    moved = pool.moved([[5, 5], [5, 5]])
    assert moved.bounds == ((5.0, 5.0), (5.0, 5.0))
    assert moved.dyadic_occupied[1] == 1
    assert moved.tokens is pool.tokens
    assert moved.fingerprint != pool.fingerprint
    with pytest.raises(IlaError, match="3 places"):
        pool.moved(np.zeros((3, 2)))


def test_dyadic_occupied_counts_every_level():
    pool = Landscape.from_arrays([[0, 0], [8192, 8192], [8190, 8190]])
    assert pool.dyadic_occupied == (1,) + (2,) * 12 + (3,)


def test_memory_keeps_the_latest():
    pool, asked = Landscape.from_arrays([[0, 0]]), []

    def get(key):
        return pool.remember("squares", key, lambda: asked.append(key) or key**2, most=2)

    assert [get(k) for k in (1, 2, 1, 3, 2, 1)] == [1, 4, 1, 9, 4, 1]
    assert asked == [1, 2, 3, 1]


def test_memory_holds_while_another_thread_drops_from_it():
    class Dropping(dict):
        def __contains__(self, key):  # what a look costs: another thread's turn comes after it
            return super().__contains__(key) and self.clear() is None

    pool = Landscape.from_arrays([[0, 0]])
    pool._memory["squares"] = Dropping({3: 9})
    assert pool.remember("squares", 3, lambda: 9, most=1) == 9


def test_cells_by_hand():
    pool = Landscape.from_arrays(
        [[0, 0], [0.1, 0], [4, 4], [0, 4]], relative_depth=[0.25, 0.75, NAN, 0.5]
    )
    found = cells(pool, pool.grid(2))
    assert found.patch.tolist() == [0, 1, 3]
    assert found.count.tolist() == [2, 1, 1]
    assert found.best.tolist()[:2] == [0.75, 0.5] and np.isnan(found.best[2])
    assert found.mean.tolist()[:2] == [0.5, 0.5] and np.isnan(found.mean[2])
    assert found.member.tolist() == [0, 0, 2, 1]
    assert len(found) == 3


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.1, 0.6, 0.9, NAN])),
        min_size=1,
        max_size=30,
    ),
    resolution=st.sampled_from([1, 2, 3, 7, 8192]),
)
def test_cells_equal_the_slow_reference(rows, resolution):
    pool = Landscape.from_arrays([row[:2] for row in rows], relative_depth=[row[2] for row in rows])
    grid = pool.grid(resolution)
    found, patch = cells(pool, grid), grid.patches(pool.xy)
    assert found.patch.tolist() == sorted(set(patch.tolist()))
    assert found.patch[found.member].tolist() == patch.tolist()
    for k, number in enumerate(found.patch):
        depth = pool.relative_depth[patch == number]
        known = depth[~np.isnan(depth)]
        assert found.count[k] == len(depth)
        assert np.isnan(found.best[k]) if not len(known) else found.best[k] == known.max()
        assert (
            np.isnan(found.mean[k]) if not len(known) else np.isclose(found.mean[k], known.mean())
        )
