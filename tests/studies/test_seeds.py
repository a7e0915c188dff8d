"""A few numbers, one a seed."""

from __future__ import annotations

import math

import pytest

from ila_core.studies.seeds import Gap, Mean


def by_seed(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_a_mean_by_hand():
    assert Mean.of([1.0, 2.0, 3.0]) == (2.0, 1.0, 3)
    assert str(Mean.of([1.0, 2.0, 3.0])) == "2.000 ± 1.000" and str(Mean.of([1.5])) == "1.500"
    assert str(Mean.of([])) == "" and math.isnan(Mean.of([]).mean)


def test_a_gap_needs_seeds_that_both_have():
    assert Gap.between({0: 1.0}, {1: 2.0}) is None
    assert Gap.between({0: 1.0, 1: 5.0}, {1: 5.5, 2: 9.0})[:1] == (-0.5,)


def test_few_seeds_need_a_clear_difference():
    """3.5 standard errors on three seeds, 12 on two: by chance one time in thirteen."""
    assert Gap.between(by_seed(2.95, 2.9, 2.85), by_seed(3, 3, 3)).outcome == "even"
    assert Gap.between(by_seed(2.93, 2.91), by_seed(3, 3)).outcome == "even"
    assert Gap.between(by_seed(2.92, 2.9, 2.88), by_seed(3, 3, 3)).outcome == "better"


def test_the_same_difference_on_every_seed_counts_however_much_seeds_differ():
    gap = Gap.between(by_seed(2.9, 4.9, 8.9), by_seed(3.0, 5.0, 9.0))
    assert gap.mean == pytest.approx(-0.1) and gap.outcome == "better"
    assert gap.std == pytest.approx(0) and str(gap) == "-0.100 ± 0.000"


def test_equal_losses_are_even():
    assert Gap.between(by_seed(3.0, 5.0), by_seed(3.0, 5.0)).outcome == "even"
    assert Gap.between(by_seed(3.0), by_seed(3.0)).outcome == "even"


def test_one_seed_alone_is_judged_by_its_held_out_records():
    """Where they are not known, by the sign; several seeds by what they say themselves."""
    one, other = {0: 1.00}, {0: 1.02}
    outcomes = [Gap.between(one, other, errors).outcome
                for errors in ({0: 0.05}, {0: 0.001}, {0: None}, None)]  # fmt: skip
    assert outcomes == ["even", "better", "better", "better"]
    three = Gap.between(
        {0: 1.0, 1: 1.1, 2: 1.2}, {0: 1.5, 1: 1.6, 2: 1.7}, dict.fromkeys(range(3), 0.3)
    )
    assert three.outcome == "better" and three.error == pytest.approx(0.3 / 3**0.5)
    assert Gap.between({0: 1.0, 1: 1.1}, {0: 1.5, 1: 1.6}, {0: 0.3}).error is None
