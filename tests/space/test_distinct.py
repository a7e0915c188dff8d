"""Distinct rows: by hand, as numpy finds them, and of vectors that differ in signs alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ila_core.space.distinct import distinct_rows


def test_distinct_rows_by_hand() -> None:
    vectors = np.array([[1, 2], [3, 4], [1, 2], [0.0, 1], [-0.0, 1], [2, 1]])
    rows, place = distinct_rows(vectors)
    assert rows.tolist() == [0, 1, 3, 5]
    assert place.tolist() == [0, 1, 0, 2, 2, 3]


@given(st.lists(st.tuples(*[st.sampled_from([-1.0, 0.0, 0.5, 1.0])] * 3), min_size=1, max_size=60))
def test_distinct_rows_are_numpys(values: list[tuple[float, ...]]) -> None:
    vectors = np.array(values, np.float32)
    rows, place = distinct_rows(vectors)
    assert (np.diff(rows) > 0).all()
    assert len(rows) == len(np.unique(vectors, axis=0))
    np.testing.assert_array_equal(vectors[rows][place], vectors)


def test_rows_of_signs_alone_are_told_apart() -> None:
    vectors = np.sign(np.random.default_rng(0).normal(size=(20_000, 64))).astype(np.float32)
    assert len(distinct_rows(vectors)[0]) == len(vectors)
