"""Rules and quotas in every method, against all subsets of a small pool."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.curve import curve
from ila_core.measure.solve import solve
from ila_core.methods.registry import names
from ila_core.methods.select import select, select_by, select_sizes
from ila_core.selection import order
from ila_core.selection.quota import Quota
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec

FAST = ["ila", "nested", "random", "balanced", "longest", "coverage-only", "even-random", "paper"]
few = settings(max_examples=30)


def pool_of(seed: int, n: int) -> Landscape:
    """A pool of chance in which every method can run."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 4))
    return Landscape.from_arrays(
        rng.integers(0, 4, (n, 2)), loss=rng.random(n), tokens=rng.integers(1, 10, n),
        domain=rng.integers(0, 3, n), domain_names=list("abc"),
        vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        scores={"unconditional_loss": rng.random(n)},
    )  # fmt: skip


def members(pool: Landscape, quota: str) -> set[int]:
    return set(np.flatnonzero(Quota.parse(quota).members(pool)).tolist())


def fits(pool: Landscape, quotas: list[str], rows: set[int], *, mosts_alone: bool = False) -> bool:
    """Whether rows meet all quotas, counted one by one."""
    for text in quotas:
        least, most = Quota.parse(text).bounds(len(rows))
        have = len(rows & members(pool, text))
        if have > most or (have < least and not mosts_alone):
            return False
    return True


@st.composite
def cases(draw: st.DrawFn) -> tuple[Landscape, list[str], int, list[int], list[int]]:
    """A small pool, quotas that overlap, a budget, and locks."""
    n = draw(st.integers(1, 8))
    pool = pool_of(draw(st.integers(0, 999)), n)
    sorts = [f"domain:{name}" for name in "abc" if name in pool_names(pool)]
    sorts += ["tokens:5..", "tokens:..7"]
    end = st.one_of(
        st.just(""), st.integers(0, 6).map(str), st.integers(0, 10).map(lambda k: f"{10 * k}%")
    )
    quotas = []
    for sort in draw(st.lists(st.sampled_from(sorts), min_size=1, max_size=3)):
        text = f"{sort}={draw(end)}..{draw(end)}"
        try:
            quotas.append(str(Quota.parse(text)))
        except UsageError:
            continue
    assume(quotas)
    rows = draw(st.permutations(range(n)))
    budget = draw(st.integers(1, 9))
    pins = draw(st.integers(0, min(2, n, budget)))
    out = draw(st.integers(0, min(2, n - pins)))
    return pool, quotas, budget, rows[:pins], rows[pins : pins + out]


def pool_names(pool: Landscape) -> set[str]:
    return {pool.domain_names[code] for code in pool.domain.tolist()}


@pytest.mark.parametrize("method", FAST)
@few
@given(case=cases())
def test_quotas_are_met_whenever_any_choice_of_records_can_meet_them(method, case) -> None:
    pool, quotas, budget, pins, out = case
    free = [row for row in range(len(pool)) if row not in out]
    subsets = [
        set(rows) for size in range(1, min(budget, len(free)) + 1)
        for rows in combinations(free, size) if set(pins) <= set(rows)
    ] or [set()]  # fmt: skip
    size = max((len(s) for s in subsets if fits(pool, quotas, s, mosts_alone=True)), default=0)
    possible = any(len(s) == size and fits(pool, quotas, s) for s in subsets)
    asked = {"budget": budget, "method": method, "quotas": quotas, "pin": pins, "exclude": out}
    if not possible:
        with pytest.raises(UsageError):
            select(pool, **asked)
        return
    found = select(pool, **asked)
    chosen = set(found.rows.tolist())
    assert len(chosen) == len(found) == size
    assert fits(pool, quotas, chosen)
    assert found.rows[: len(pins)].tolist() == pins and not chosen & set(out)
    again = select(pool, **asked)
    assert again.rows.tolist() == found.rows.tolist()
    for row in range(len(pool)):
        assert found.why(row).sentence.startswith("Kept" if row in chosen else "Left")


@pytest.mark.parametrize("method", ["ila", "nested", "random"])
@few
@given(case=cases(), tokens=st.integers(5, 60))
def test_a_budget_of_tokens_is_kept_to_with_quotas(method, case, tokens) -> None:
    pool, quotas, _, _, out = case
    try:
        found = select(
            pool, budget=f"{tokens}-tokens", method=method, quotas=quotas, exclude=out
        )  # fmt: skip
    except UsageError as error:
        assert "quota" in str(error)
        return
    assert found.tokens <= tokens
    assert fits(pool, quotas, set(found.rows.tolist())) or not len(found)


@pytest.mark.parametrize("method", names())
def test_every_method_answers_to_rules_and_quotas(method: str) -> None:
    pool = pool_of(1, 60)
    found = select(pool, budget=12, method=method, only="tokens=3..", quotas=("domain:a=..25%",
                   "domain:b=6.."))  # fmt: skip
    kept = found.rows
    assert len(kept) == 12 and (pool.tokens[kept] >= 3).all()
    assert (pool.domain[kept] == 0).sum() <= 3 and (pool.domain[kept] == 1).sum() >= 6


def equal(one: Selection, other: Selection) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("rows", "round", "patch")
    )


@pytest.mark.parametrize("method", FAST)
def test_quotas_that_are_met_anyhow_change_nothing(method: str) -> None:
    pool = pool_of(2, 50)
    own = select(pool, budget=10, method=method)
    share = np.mean(pool.domain[own.rows] == 0)
    bound = select(pool, budget=10, method=method, quotas=(f"domain:a={10 * share:.0f}..",))
    assert equal(own, bound) and bound.unbound is None


@pytest.mark.parametrize("method", sorted({*FAST} - {"coverage-only", "even-random"}))
def test_a_rule_leaves_what_fits_it_as_if_this_were_the_pool(method: str) -> None:
    """Those two draw a depth by chance for every record, which a rule leaves as it was."""
    pool = pool_of(3, 50)
    fitting = np.flatnonzero(pool.tokens >= 4)
    by_rule = select(pool, budget=10, method=method, only="tokens=4..")
    alone = select(pool.subset(fitting), budget=10, method=method)
    assert by_rule.rows.tolist() == fitting[alone.rows].tolist()
    whole = select(pool, budget="100%", method=method, only="tokens=4..")
    assert sorted(whole.rows.tolist()) == np.flatnonzero(pool.tokens >= 4).tolist()


def test_a_pinned_record_is_chosen_whatever_the_rules_say() -> None:
    pool = pool_of(4, 30)
    short = int(np.argmin(pool.tokens))
    found = select(pool, budget=5, pin=[short], only=f"tokens={int(pool.tokens[short]) + 1}..")
    assert found.rows[0] == short
    assert found.why(short).sentence == "Kept: pinned by hand."
    left = next(row for row in range(30) if pool.tokens[row] == pool.tokens[short] and row != short)
    assert found.why(left).sentence.startswith("Left: it does not fit tokens=")


def test_the_first_picks_of_a_full_sort_stay_and_the_place_goes_to_others() -> None:
    pool = Landscape.from_arrays(
        [[0, 0]] * 6, relative_depth=[0.9, 0.8, 0.7, 0.3, 0.2, 0.1], depth=[6, 5, 4, 3, 2, 1],
        domain=[0, 0, 0, 1, 1, 1], domain_names=["a", "b"],
    )  # fmt: skip
    found = select(pool, budget=4, method="depth-only", quotas="domain:a=..2")
    assert found.rows.tolist() == [0, 1, 3, 4]
    assert found.why(2).sentence == "Left: the quota domain:a=..2 is full."
    assert found.why(4).sentence == "Kept: it takes the place of a record that a quota leaves out."
    (tally,) = found.tallies
    assert (tally.picks, tally.least, tally.most) == (2, 0, 2)
    found = select(pool, budget=4, method="depth-only", quotas="domain:b=75%..")
    assert found.rows.tolist() == [0, 3, 4, 5]
    assert found.why(5).sentence == "Kept: the quota domain:b=75%.. asks for it."


def test_fewer_come_out_where_the_mosts_leave_no_more() -> None:
    pool = Landscape.from_arrays([[0, 0]] * 6, depth=range(6), domain=[0, 0, 0, 0, 0, 1])
    assert len(select(pool, budget=6, quotas="domain:0=..2")) == 3
    assert len(select(pool, budget=6, quotas="domain:0=..50%")) == 2


def test_a_nested_order_is_nested_among_what_the_quotas_left() -> None:
    pool = pool_of(5, 80)
    found = select(pool, budget=30, method="nested", quotas=("domain:a=..10%", "domain:b=20.."))
    among = order.nested(pool, Spec("nested"), found.locks)
    assert found.rows.tolist() == among.rows[:30].tolist()
    sized = select_sizes(pool, Spec("nested", quotas=("domain:a=..10%",)), 60)
    for size in (10, 20, 60):
        assert fits(pool, ["domain:a=..10%"], set(sized(size).rows.tolist()))


def test_resolution_by_hand_follows_what_is_left() -> None:
    pool = pool_of(6, 60)
    found = select(pool, budget=6, resolution=40, quotas=("domain:a=6..", "domain:b=..0"))
    assert len(found) == 6 and (pool.domain[found.rows] == 0).all()


@pytest.mark.parametrize(
    ("quotas", "more", "message"),
    [
        (["domain:a=100.."], {}, "asks for 100 records, but only 3 such may be chosen"),
        (["domain:a=..1"], {"pin": [0, 1]}, "allows 1 records?, but 2 such are pinned"),
        (["domain:a=10%..30%"], {"budget": 1}, "cannot be met by 1 record: no whole number"),
        (["domain:a=3..", "domain:b=3.."], {"budget": 4},
         "The quotas domain:a=3.. and domain:b=3.. ask for 6 records together, and 4 are chosen"),
        (["domain:a=2..", "domain:a=..1"], {}, "cannot all be met"),
        (["domain:a=2..", "domain:c=1..", "tokens:..2=..1"], {}, "cannot all be met"),
    ],
)  # fmt: skip
def test_what_cannot_be_met_is_told_in_a_sentence(quotas, more, message) -> None:
    pool = Landscape.from_arrays(
        [[0, 0]] * 9, depth=range(9), tokens=[1, 1, 1, 5, 5, 5, 2, 2, 2],
        domain=[0, 0, 0, 1, 1, 1, 2, 2, 2], domain_names=["a", "b", "c"],
    )  # fmt: skip
    with pytest.raises(UsageError, match=message):
        select(pool, **{"budget": 6, "quotas": quotas, **more})


def test_quotas_that_cut_the_selection_are_told() -> None:
    pool = Landscape.from_arrays(
        [[0, 0]] * 9, depth=range(9), tokens=[10] * 9,
        domain=[0, 0, 0, 1, 1, 1, 2, 2, 2], domain_names=["a", "b", "c"],
    )  # fmt: skip
    cut = select(pool, budget=9, quotas=("domain:a=..1", "domain:b=1.."))
    assert cut.notes == (
        "The quota domain:a=..1 cuts the selection to 7 records, 2 fewer than without: raise its "
        "most, or lower the budget.",
    )
    both = select(pool, budget=9, quotas=("domain:a=..1", "domain:c=..0"))
    assert "quotas domain:a=..1 and domain:c=..0 cut the selection to 4" in both.notes[0]
    twice = select(pool, budget=9, quotas=("domain:a=..1", "domain:a|b=..4", "tokens:1..=..5"))
    assert twice.notes[0].startswith("The quota tokens:1..=..5 cuts the selection to 5 records, 4")
    for budget in ("6", "60-tokens"):
        assert not select(pool, budget=budget, quotas=("domain:a=..1",)).notes
    tokens = select(pool, budget="90-tokens", quotas=("domain:a=..1",))
    assert "2 fewer than without, 20 tokens of the budget stay unused" in tokens.notes[0]
    assert not cut.first(3).notes


def test_tokens_that_do_not_hold_the_least_are_told() -> None:
    pool = pool_of(7, 40)
    with pytest.raises(UsageError, match="does not hold what the quotas ask for"):
        select(pool, budget="10-tokens", quotas="domain:a=10..")


def test_rules_that_leave_nothing_are_told() -> None:
    pool = pool_of(8, 20)
    with pytest.raises(UsageError, match="No record is left of 20 that fits --only tokens=1000"):
        select(pool, budget=5, only="tokens=1000..").nonempty()


def test_curves_and_solving_pass_over_budgets_that_cannot_meet_the_quotas() -> None:
    pool = pool_of(9, 60)
    spec = Spec(quotas=("domain:a=8..",))
    found = curve(pool, spec, [4, 8, 30, 60])
    assert found.records.tolist() == [8, 30, 60]
    solved = solve(pool, spec, 0.05)
    assert len(solved) >= 8 and fits(pool, ["domain:a=8.."], set(solved.rows.tolist()))
    with pytest.raises(UsageError):
        curve(pool, Spec(quotas=("domain:a=100..",)), [4, 8])


def test_a_request_with_quotas_gives_the_selection_again() -> None:
    pool = pool_of(10, 60)
    found = select(
        pool, budget=20, only="tokens=2..", quotas=("domain:a=..20%", "tokens:5..=50%..")
    )
    again = select_by(pool, Spec.from_dict(found.spec.as_dict()))
    assert equal(found, again)
