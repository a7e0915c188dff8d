"""Named streams of chance: repeatable, and independent of each other."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from ila_core.chance import Purpose, library_seed, stream


def test_the_same_name_and_seed_give_the_same_draws():
    assert (
        stream(3, "random").integers(0, 9, 5).tolist()
        == stream(3, "random").integers(0, 9, 5).tolist()
    )
    assert stream(3, "random", 1).random() == stream(3, "random", 1).random()


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_no_two_purposes_share_more_places_than_chance_gives(seed):
    n, size = 4_000, 400
    first = {
        purpose: set(stream(seed, purpose).permutation(n)[:size].tolist())
        for purpose in get_args(Purpose)
    }
    expected, spread = size**2 / n, (size**2 / n * (1 - size / n)) ** 0.5
    for one, other in combinations(first, 2):
        shared = len(first[one] & first[other])
        assert abs(shared - expected) < 5 * spread, (one, other, shared)


def test_a_library_gets_a_seed_of_its_purpose():
    """It is below 2^32, as NumPy's old generator takes it, and no two purposes share one."""
    seeds = [library_seed(seed, purpose) for seed in range(9) for purpose in get_args(Purpose)]
    assert seeds == [library_seed(s, purpose) for s in range(9) for purpose in get_args(Purpose)]
    assert len(set(seeds)) == len(seeds)
    assert all(np.random.RandomState(seed).random() < 1 for seed in seeds)


def test_seeds_and_repetitions_part_too():
    draws = [stream(s, "random", *m).random() for s in range(5) for m in ((), (0,), (1,), (0, 1))]
    assert len(np.unique(draws)) == len(draws)


def test_a_purpose_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="Unknown purpose 'luck'"):
        stream(0, "luck")
