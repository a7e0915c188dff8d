"""The pool shuffled as numpy shuffles it: the picks of a seed are those of every version before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.methods import shuffling
from ila_core.methods.shuffling import WORDS, permutation


@given(st.integers(0, 5_000), st.integers(0, 2**32 - 1))
def test_it_is_the_permutation_that_numpy_draws(n: int, seed: int) -> None:
    expected = np.random.default_rng(seed).permutation(n)
    assert permutation(np.random.default_rng(seed), n).tolist() == expected.tolist()


@pytest.mark.parametrize("n", [2**16, 2**16 + 1, 2 * WORDS - 1, 300_001])
def test_it_is_so_beyond_the_words_that_are_drawn_at_a_time(n: int) -> None:
    expected = np.random.default_rng(1).permutation(n)
    np.testing.assert_array_equal(permutation(np.random.default_rng(1), n), expected)


@given(n=st.integers(0, 300), words=st.integers(1, 9))
def test_it_does_not_depend_on_how_many_words_are_drawn_at_a_time(n: int, words: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffling, "WORDS", words)
        found = permutation(np.random.default_rng(n), n)
    np.testing.assert_array_equal(found, np.random.default_rng(n).permutation(n))
