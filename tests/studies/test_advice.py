"""What a study advises: chosen on all seeds but the last, and tried on that one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.selection.spec import Spec
from ila_core.studies.advice import Advice, advise
from ila_core.studies.variant import ILA, PAPER, RANDOM, Place, Variant

GRID, DEEP = Variant(Spec("ila", patches="grid")), Variant(Spec("ila", depth_target=1.0))
RECORDS, TOKENS = Place("records", "10%"), Place("tokens", "10%")


def losses_of(records, tokens=None):
    """Losses by curve, one a seed, at one budget of either unit."""
    return {
        (curve, place): dict(enumerate(values))
        for place, of in ((RECORDS, records), (TOKENS, tokens or {}))
        for curve, values in of.items()
    }


def test_the_lowest_of_the_choosing_seeds_is_confirmed_by_the_last():
    records = {RANDOM: [3.0, 3.0, 3.0], ILA: [2.75, 2.75, 2.5], GRID: [2.875, 2.875, 1.0]}
    tokens = {RANDOM: [4.0, 4.0, 4.0], ILA: [3.5, 3.5, 3.75], GRID: [3.5, 3.5, 1.0]}
    advice = advise(losses_of(records, tokens), "loss-reduction")
    assert advice == Advice(Spec(depth="loss-reduction"), True, 0.5, 0.25)
    assert advice.summary() == (
        "Advice: --patches even --depth loss-reduction --depth-target 0.75. Chosen on the other "
        "seeds and tried on the last, its loss beside random's is -0.500 at equal records and "
        "-0.250 at equal tokens on average: confirmed."
    )


def test_the_last_seed_has_no_part_in_choosing_and_may_refuse():
    """The grid would win on all three; on the two that choose, the target of 1 does."""
    records = {RANDOM: [3.0, 3.0, 3.0], GRID: [2.5, 2.5, 0.0], DEEP: [2.25, 2.25, 3.5]}
    advice = advise(losses_of(records), "loss")
    assert advice == Advice(Spec(depth="loss", depth_target=1.0), False, -0.5, None)
    assert advice.summary().startswith("Nothing beats random on this pool with this student: ")
    assert "+0.500 at equal records beside random on the last one" in advice.summary()


@pytest.mark.parametrize(("records", "tokens"), [(2.5, 3.5), (3.5, 2.5), (3.0, 2.5)])
def test_one_unit_alone_confirms_nothing(records, tokens):
    """At equal records long responses win by their tokens; as good as random is not better."""
    advice = advise(
        losses_of({RANDOM: [3.0, 3.0], ILA: [1.0, records]},
                  {RANDOM: [3.0, 3.0], ILA: [1.0, tokens]}), "loss",
    )  # fmt: skip
    assert not advice.confirmed
    assert (advice.gain_records, advice.gain_tokens) == (3 - records, 3 - tokens)


def test_one_seed_chooses_and_confirms_nothing():
    advice = advise(losses_of({RANDOM: [3.0], ILA: [2.0], GRID: [2.5]}), "loss")
    assert advice == Advice(Spec(depth="loss"), False, None, None) and not advice.tried
    assert "No other seed could try it, so it is not confirmed" in advice.summary()


def test_the_papers_recipe_is_advised_by_its_knobs():
    records = {
        RANDOM: [3.0] * 2,
        ILA: [2.5] * 2,
        PAPER: [2.0] * 2,
        Variant(Spec("deita")): [0.0] * 2,
    }
    advice = advise(losses_of(records), "loss-reduction")
    assert advice.knobs == {"patches": "grid", "depth": "loss", "depth_target": 1.0}


def test_units_count_alike_however_many_budgets_they_have():
    """Three places at equal tokens and one at equal records: the mean of the two means."""
    losses = losses_of({RANDOM: [9.0, 9.0], ILA: [1.0, 1.0], GRID: [4.0, 4.0]})
    for budget in ("1%", "2%", "3%"):
        place = Place("tokens", budget)
        own = {RANDOM: [9.0, 9.0], ILA: [6.0, 6.0], GRID: [4.0, 4.0]}
        losses |= {(curve, place): dict(enumerate(values)) for curve, values in own.items()}
    assert advise(losses, "loss").spec.patches == "even"  # 3.5 to 4; over all places 4.75 to 4


def test_only_what_all_candidates_and_random_have_counts():
    """A student that had nothing to learn from leaves no gap to win by."""
    losses = losses_of({RANDOM: [3.0, 3.0], ILA: [2.0, 2.0], GRID: [2.5, 2.5]})
    easy = Place("records", "90%")
    losses |= {(RANDOM, easy): {0: 1.0, 1: 1.0}, (GRID, easy): {0: 0.1, 1: 0.1}}
    assert advise(losses, "loss").spec.patches == "even"
    losses[RANDOM, RECORDS] = {5: 3.0}
    assert advise(losses, "loss") is None


def test_nothing_is_advised_without_random_or_without_ila():
    assert advise(losses_of({ILA: [1.0, 1.0]}), "loss") is None
    assert (
        advise(losses_of({RANDOM: [1.0, 1.0], Variant(Spec("nested")): [1.0, 1.0]}), "loss") is None
    )
    assert advise({}, "loss") is None and Advice.of_entries({}) is None


CURVES = [RANDOM, ILA, GRID, DEEP, PAPER]
MANY = st.lists(
    st.lists(st.floats(0.5, 9), min_size=5, max_size=5), min_size=4, max_size=10
)  # a loss of every curve, for each seed of either unit


@given(MANY, st.permutations([0, 1, 2, 3, 4]))
def test_the_advice_is_that_of_the_obvious_loop(drawn, turn):
    seeds = len(drawn) // 2
    records, tokens = drawn[:seeds], drawn[seeds : 2 * seeds]
    columns = [
        dict(zip(CURVES, zip(*part, strict=True), strict=True)) for part in (records, tokens)
    ]
    advice = advise(losses_of(*columns), "loss-reduction")
    chosen = {
        curve: (sum(columns[0][curve][:-1]) + sum(columns[1][curve][:-1])) / (2 * (seeds - 1))
        for curve in CURVES[1:]
    }
    best = next(c for c in CURVES[1:] if advice.knobs.items() <= c.as_row("loss-reduction").items())
    assert chosen[best] == pytest.approx(min(chosen.values()))
    gains = [of[RANDOM][-1] - of[best][-1] for of in columns]
    assert [advice.gain_records, advice.gain_tokens] == pytest.approx(gains)
    assert advice.confirmed == (min(gains) > 0)
    assert Advice.of_entries(advice.as_dict()) == advice
    shuffled = [{CURVES[i]: column[CURVES[i]] for i in turn} for column in columns]
    if len(set(chosen.values())) == len(chosen):
        assert advise(losses_of(*shuffled), "loss-reduction") == advice
