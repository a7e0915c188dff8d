"""Rules: text that means records, and the same text again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.landscape.facets import KINDS, facet
from ila_core.landscape.landscape import Landscape
from ila_core.selection.rules import Rule, checked, joined, matching, split

CATEGORIES = [name for name, kind in KINDS.items() if kind == "category"]
NUMBERS = [name for name, kind in KINDS.items() if kind == "number"]

names = st.one_of(st.text(), st.text("%|=,;:. \t\n0aF"), st.sampled_from(["", "%7C", "a..b", "=="]))
of_categories = st.builds(
    Rule, st.sampled_from(CATEGORIES), st.lists(names, min_size=1, max_size=4).map(tuple)
)
ends = st.floats(allow_nan=False, allow_infinity=False)
of_numbers = st.one_of(
    st.builds(
        lambda name, one, other: Rule(name, (), min(one, other), max(one, other)),
        st.sampled_from(NUMBERS), ends, ends,
    ),
    st.builds(lambda name, end: Rule(name, low=end), st.sampled_from(NUMBERS), ends),
    st.builds(lambda name, end: Rule(name, high=end), st.sampled_from(NUMBERS), ends),
)  # fmt: skip
field_names = st.text("ab%|=,;:. \t0F", min_size=1, max_size=6).map(lambda name: f"field.{name}")
of_fields = st.one_of(
    st.builds(Rule, field_names, st.lists(names, min_size=1, max_size=4).map(tuple)),
    st.builds(lambda name, end: Rule(name, low=end), field_names, ends),
)
rules = st.one_of(of_categories, of_numbers, of_fields)


@given(rules)
def test_a_written_rule_is_read_as_it_was(rule: Rule) -> None:
    assert Rule.parse(str(rule)) == rule
    assert str(Rule.parse(str(rule))) == str(rule)


@given(st.lists(rules, max_size=4))
def test_several_rules_are_one_text_and_back(several: list[Rule]) -> None:
    assert split(joined(several)) == tuple(several)


@given(of_categories)
def test_what_a_rule_is_joined_with_occurs_in_none_of_its_values(rule: Rule) -> None:
    values = str(rule).partition("=")[2]
    assert not set(values) & set(",;:=\n")


@given(of_fields)
def test_the_rule_of_a_field_has_no_comma_and_no_colon_of_its_own(rule: Rule) -> None:
    assert not set(str(rule)) & set(",;:\n") and str(rule).count("=") == 1


def test_equal_rules_are_written_alike() -> None:
    assert checked(["source=b|a|b", "source = a | b", "loss=1.50..", "loss=1.5.."]) == (
        "source=a|b", "loss=1.5..",
    )  # fmt: skip
    assert str(Rule("loss", low=-0.0, high=3.0)) == "loss=0..3"


def test_values_that_need_no_escape_may_be_typed_as_they_are() -> None:
    assert Rule.parse("source=GPT-4, turbo").values == ("GPT-4, turbo",)
    assert Rule.parse("label=100%|a=b").values == ("100%", "a=b")
    assert Rule.parse("source=http://x/y").values == ("http://x/y",)


def pool() -> Landscape:
    return Landscape.from_arrays(
        np.zeros((6, 2)),
        tokens=[1, 10, 20, 30, math.nan, 500],
        loss=[0.1, 0.2, 0.3, 0.4, 0.5, math.nan],
        domain=[0, 0, 1, 1, 2, 2],
        domain_names=["maths", "code", "talk"],
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("tokens=10..30", [1, 2, 3]),  # both ends
        ("tokens=..10", [0, 1]),
        ("tokens=31..", [5]),
        ("loss=0.1..0.3", [0, 1, 2]),  # as the column holds them, in 32 bits
        ("loss=0..1e300", [0, 1, 2, 3, 4]),
        ("domain=code|talk", [2, 3, 4, 5]),
    ],
)
def test_rows(text: str, rows: list[int]) -> None:
    found = Rule.parse(text).rows(pool())
    assert found.tolist() == rows
    assert found.dtype == np.int64


def test_several_rules_all_hold() -> None:
    assert np.flatnonzero(matching(pool(), ["domain=code", Rule("loss", high=0.3)])).tolist() == [2]
    assert matching(pool(), []).all()


def test_bins_and_ranges_mean_the_same_records() -> None:
    rng = np.random.default_rng(3)
    landscape = Landscape.from_arrays(
        np.zeros((4000, 2)),
        tokens=rng.lognormal(4, 1.5, 4000).round(),
        loss=rng.normal(2, 0.7, 4000),
        depth=rng.random(4000),
    )
    for name in ("tokens", "loss", "depth"):
        numbers = facet(landscape, name)
        for first, last in [(0, 3), (2, 2), (5, 11), (4, numbers.size - 1)]:
            rule = Rule.of_bins(numbers, first, last)
            inside = (numbers.bin >= first) & (numbers.bin <= last)
            assert (rule.mask(landscape) == inside).mean() > 0.999, (name, first, last)
            assert numbers.bins(rule.low, rule.high) == (first, last)
        assert Rule.of_bins(numbers, 0, numbers.size - 1) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("long ones", "Rule 'long ones' is not understood; give NAME=VALUE"),
        ("colour=red", "sorts by 'colour'; choose source, domain"),
        ("tokens=many", "Rule 'tokens=many' has no range; give tokens=LOW..HIGH"),
        ("tokens=ten..20", "Rule 'tokens=ten..20': 'ten' is no number"),
        ("tokens=nan..", "'nan' is no number"),
        ("tokens=20..10", "Rule 'tokens=20..10' holds no number; give the lower end before"),
        ("depth=..", "Rule 'depth=..' has no end; give one, such as depth=0.5.."),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        Rule.parse(text)
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domain=codes", "No record has the domain 'codes'; there are 'code'"),
        ("domain=", "Every record has a domain; name one of them."),
        ("source=a", "The records of this landscape have no source."),
        ("label=a", "no labels; build it with --labels"),
        ("reduction=0..", "No record of this landscape has a loss reduction"),
    ],
)
def test_what_a_landscape_does_not_have_is_told(text: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        Rule.parse(text).rows(pool())
    assert says in str(told.value)
