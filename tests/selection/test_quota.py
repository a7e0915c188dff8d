"""Quotas as text: read, written, and what cannot be meant."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.selection.quota import End, Quota
from ila_core.selection.rules import Rule
from ila_core.selection.spec import Spec

counts = st.builds(End, st.integers(0, 10**6).map(Fraction), st.just(False))
shares = st.builds(
    lambda k: End(Fraction(k, 10_000), is_share=True), st.integers(0, 10_000)
)  # fmt: skip
ends = st.one_of(st.none(), counts, shares)
rules = st.one_of(
    st.text(min_size=1, max_size=8).map(lambda text: Rule("domain", (text,))),
    st.integers(0, 99).map(lambda low: Rule("tokens", low=low)),
)


@given(rule=rules, least=ends, most=ends)
def test_what_is_written_is_read_back(rule: Rule, least: End | None, most: End | None) -> None:
    if least is None and most is None:
        return
    if least and most and least.is_share == most.is_share and least.number > most.number:
        return
    quota = Quota(rule, least, most)
    assert Quota.parse(str(quota)) == quota
    assert "," not in str(quota)


@given(rule=rules, least=shares, picks=st.integers(0, 10**6))
def test_a_share_is_met_exactly(rule: Rule, least: End, picks: int) -> None:
    low, _ = Quota(rule, least).bounds(picks)
    assert Fraction(low) >= least.number * picks > Fraction(low - 1)
    _, high = Quota(rule, None, least).bounds(picks)
    assert high == math.floor(least.number * picks)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain:a", "give FACET:VALUE=LEAST..MOST"),
        ("domain=10..", "give FACET:VALUE=LEAST..MOST"),
        ("domain:a=10", "give FACET:VALUE=LEAST..MOST"),
        ("domain:a=..", "asks for nothing"),
        ("domain:a=lots..", "ends at 'lots'"),
        ("domain:a=..101%", "ends at '101%'"),
        ("domain:a=1.5..", "ends at '1.5'"),
        ("domain:a=-1..", "ends at '-1'"),
        ("domain:a=30%..10%", "a least above its most"),
        ("taste:a=1..", "'taste'"),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Quota.parse(text)


def test_a_request_keeps_them_as_they_write_themselves() -> None:
    spec = Spec(quotas=("domain:a = 5..10", "domain:a=5..10", "tokens:10..=..5.0%"),
                only="domain=b|a")  # fmt: skip
    assert spec.quotas == ("domain:a=5..10", "tokens:10..=..5%")
    assert spec.only == ("domain=a|b",)
    assert "--only 'domain=a|b' --quota domain:a=5..10 --quota tokens:10..=..5%" in spec.command(
        "R"
    )
    assert Spec.from_dict(spec.as_dict()) == spec
