"""Depth: the formulas worked out by hand, and ranks against their quadratic definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.landscape.depth import count_skills, depth, loss_reduction, relative_depth

NAN = float("nan")


def by_definition(depths: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """METHOD 3, word for word."""
    relative = np.full(len(depths), NAN)
    for i, own in enumerate(depths):
        if np.isnan(own):
            continue
        scored = ~np.isnan(depths)
        peers = depths[scored & (domain == domain[i])]
        if len(peers) < 5:
            peers = depths[scored]
        relative[i] = ((peers < own).sum() + (peers == own).sum() / 2) / len(peers)
    return relative


# -- formulas -------------------------------------------------------------------------------------


def test_depth_is_loss_times_skills_and_at_least_one_skill_counts() -> None:
    found = depth(np.array([0.5, 2.0, 3.0], np.float32), np.array([4, 0, 1]))
    assert found.dtype == np.float32
    assert found.tolist() == [2.0, 2.0, 3.0]


@pytest.mark.parametrize("lost", [NAN, np.inf, -np.inf])
def test_a_loss_that_is_no_number_is_a_missing_depth(lost: float) -> None:
    assert np.isnan(depth(np.array([lost]), np.array([3]))).all()
    assert np.isnan(loss_reduction(np.array([lost]), np.array([1.0]))).all()
    assert np.isnan(loss_reduction(np.array([1.0]), np.array([lost]))).all()


def test_loss_reduction_keeps_its_sign() -> None:
    found = loss_reduction(np.array([2.0, 1.0]), np.array([0.5, 1.5]), np.array([2, 3]))
    assert found.tolist() == [3.0, -1.5]


# -- relative depth -------------------------------------------------------------------------------


def test_ranks_by_hand_in_two_domains() -> None:
    depths = np.array([1, 2, 2, 3, 9, 50, 40, 30, 20, 10, NAN])
    domain = np.array([0] * 5 + [1] * 6)
    found = relative_depth(depths, domain)
    expected = [0.1, 0.4, 0.4, 0.7, 0.9, 0.9, 0.7, 0.5, 0.3, 0.1, NAN]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_four_scored_records_rank_in_the_pool_and_five_among_themselves() -> None:
    depths = np.array([7.0, 8, 9, 10, NAN, NAN, 1, 2, 3, 4, 5])
    domain = np.array([3] * 6 + [8] * 5)
    found = relative_depth(depths, domain)
    np.testing.assert_allclose(found[:4], (np.arange(5, 9) + 0.5) / 9, rtol=1e-6)
    assert np.isnan(found[4:6]).all()
    np.testing.assert_allclose(found[6:], (np.arange(5) + 0.5) / 5, rtol=1e-6)


@pytest.mark.parametrize(
    ("depths", "expected"),
    [([], []), ([4.0], [0.5]), ([NAN], [NAN]), ([2.0] * 7, [0.5] * 7), ([NAN] * 6, [NAN] * 6)],
    ids=["empty pool", "one record", "one missing", "all equal", "all missing"],
)
def test_edges(depths: list[float], expected: list[float]) -> None:
    found = relative_depth(np.array(depths, np.float32), np.zeros(len(depths), np.int32))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


POOLS = st.lists(
    st.tuples(st.one_of(st.integers(-3, 6).map(float), st.just(NAN)), st.integers(0, 3)),
    max_size=40,
)


@given(POOLS)
def test_ranks_are_their_definition(pool: list[tuple[float, int]]) -> None:
    depths = np.array([d for d, _ in pool], np.float32)
    domain = np.array([k for _, k in pool], np.int32)
    found = relative_depth(depths, domain)
    np.testing.assert_allclose(found, by_definition(depths, domain), rtol=1e-6)
    known = found[~np.isnan(found)]
    assert ((known > 0) & (known < 1)).all()


@given(POOLS, st.randoms(use_true_random=False))
def test_ranks_see_order_only_and_rows_may_be_shuffled(
    pool: list[tuple[float, int]], chance
) -> None:
    depths = np.array([d for d, _ in pool], np.float32)
    domain = np.array([k for _, k in pool], np.int32)
    found = relative_depth(depths, domain)
    np.testing.assert_array_equal(relative_depth(np.exp(depths), domain), found)
    order = np.array(chance.sample(range(len(pool)), len(pool)), int)
    np.testing.assert_array_equal(relative_depth(depths[order], domain[order]), found[order])


def test_domains_may_have_any_numbers() -> None:
    depths = np.arange(12, dtype=np.float32)
    domain = np.array([0, 1] * 6)
    expected = relative_depth(depths, domain)
    for numbers in ([-5, 70_000], [2**40, 3]):
        np.testing.assert_array_equal(relative_depth(depths, np.array(numbers)[domain]), expected)


def test_skills_are_counted_by_hand() -> None:
    labels = [("sql", "SQL ", "joins"), ("a",), (), None]
    assert count_skills(labels).tolist() == [2, 1, 1, 1]
    assert count_skills(labels).dtype == np.float32
    failed = count_skills(labels, unlabelled=np.nan)
    assert failed[:3].tolist() == [2, 1, 1] and np.isnan(failed[3])


@given(st.lists(st.none() | st.lists(st.text(max_size=4), max_size=6).map(tuple), max_size=8))
def test_s_is_at_least_one_and_counts_distinct_names(labels: list[Any]) -> None:
    counts = count_skills(labels)
    assert counts.shape == (len(labels),) and (counts >= 1).all()
    for names, count in zip(labels, counts, strict=True):
        tidy = {" ".join(name.split()).casefold() for name in names or ()} - {""}
        assert count == max(1, len(tidy))
