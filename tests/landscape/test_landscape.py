"""The one object that everybody reads."""

from __future__ import annotations

import numpy as np
import pytest

from ila_core.errors import IlaError
from ila_core.landscape.grid import Grid
from ila_core.landscape.landscape import Landscape

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
    assert pool.count_occupied(pool.grid(2)) == 2
    moved = pool.moved([[5, 5], [5, 5]])
    assert moved.bounds == ((5.0, 5.0), (5.0, 5.0))
    assert moved.count_occupied(moved.grid(2)) == 1
    assert moved.tokens is pool.tokens
    assert moved.fingerprint != pool.fingerprint
    with pytest.raises(IlaError, match="3 places"):
        pool.moved(np.zeros((3, 2)))


def test_a_depth_that_is_not_finite_is_missing_and_no_label_is_one_skill():
    pool = Landscape.from_arrays([[0, 0]] * 4, loss=[1.0, np.inf, 2.0, NAN], skills=[0, 1, 2, 1])
    assert pool.depth.tolist()[0] == 1.0 and pool.depth.tolist()[2] == 4.0
    assert np.isnan(pool.depth[[1, 3]]).all() and pool.missing == 2
    given = Landscape.from_arrays([[0, 0]] * 2, depth=[np.inf, 1.0])
    assert np.isnan(given.relative_depth[0]) and given.missing == 1
