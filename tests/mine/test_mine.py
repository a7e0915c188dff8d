"""What a hand settles, and what it adds to a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine
from ila_core.selection.spec import Spec

rows = st.lists(st.integers(0, 9), max_size=5)
deeds = st.lists(st.tuples(st.sampled_from(["pin", "exclude", "release"]), rows), max_size=8)


@given(deeds=deeds)
def test_the_last_word_on_a_record_counts(deeds: list[tuple[str, list[int]]]) -> None:
    mine, words = Mine(), {}
    for deed, listed in deeds:
        mine = getattr(mine, deed)(listed)
        words |= dict.fromkeys(listed, deed)
    assert set(mine.pinned) == {row for row, deed in words.items() if deed == "pin"}
    assert set(mine.excluded) == {row for row, deed in words.items() if deed == "exclude"}
    assert len(set(mine.pinned)) == len(mine.pinned)
    assert len(set(mine.excluded)) == len(mine.excluded)


def test_pins_stand_in_the_order_in_which_they_were_made() -> None:
    assert Mine().pin([5, 2]).pin([9]).pin([2]).pinned == (5, 9, 2)


def test_rules_and_quotas_are_kept_once_and_a_quota_takes_the_place_of_its_like() -> None:
    mine = Mine().choose_only("domain=b|a").choose_only("domain=a|b")
    assert mine.only == ("domain=a|b",)
    mine = mine.ask("domain:a=10..").ask("domain:b=..5").ask("domain:a=20..")
    assert mine.quotas == ("domain:b=..5", "domain:a=20..")
    assert mine.without_rule("domain=a|b").only == ()
    assert mine.without_quota("domain:b=..5").quotas == ("domain:a=20..",)
    with pytest.raises(UsageError):
        mine.choose_only("nonsense")
    with pytest.raises(UsageError):
        mine.ask("nonsense")


def test_what_is_settled_is_counted_in_words() -> None:
    assert Mine().summary == "nothing yet" and Mine().empty
    mine = Mine().pin(range(3)).exclude(range(3, 15)).choose_only("tokens=1..").ask("domain:a=1..")
    assert mine.summary == "3 pinned, 12 excluded, 1 rule, 1 quota" and not mine.empty
    assert mine.ask("domain:b=1..").summary.endswith("2 quotas")


def test_a_request_keeps_its_own_and_takes_on_what_is_settled() -> None:
    mine = Mine().pin([3]).exclude([4]).choose_only("tokens=1..").ask("domain:a=1..")
    spec = mine.added_to(Spec(pinned=(1,), excluded=(2,), only=("depth=0.5..",)))
    assert (spec.pinned, spec.excluded) == ((1, 3), (2, 4))
    assert spec.only == ("depth=0.5..", "tokens=1..") and spec.quotas == ("domain:a=1..",)
    assert Mine().added_to(Spec()) == Spec()


def test_it_belongs_to_the_pool_of_its_records() -> None:
    pool = Landscape.from_arrays([[0, 0], [1, 1]], manifest={"fingerprint": "pool"})
    moved = Landscape.from_arrays([[5, 0], [1, 3]], manifest={"fingerprint": "pool"})
    assert Mine().of(pool).pool == Mine().of(moved).pool == "pool"
    with pytest.raises(UsageError, match="Row 2 is pinned, but does not exist"):
        Mine().pin([2]).of(pool)
