"""Even patches, the nested order on them, and token budgets, against the obvious lines."""

from __future__ import annotations

import numpy as np
import pytest
import slow_reference as slow
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from picking import EVEN, even, ila, nested

from ila_core.errors import UsageError
from ila_core.landscape.even import Even, curve_order, curve_ranks
from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select
from ila_core.selection.locks import Locks
from ila_core.selection.order import finest, first_round_tokens, queue
from ila_core.selection.spec import Spec

NAN = float("nan")
TARGETS = [1.0, 0.75, 0.7, 0.5, 0.3, 0.0]
few = settings(deadline=None, max_examples=60)


def landscape(xy, depth, **more):
    return Landscape.from_arrays(xy, depth=depth, relative_depth=depth, **more)


@st.composite
def pools(draw, most=26):
    """Points on borders and on one another, depths that tie and are missing."""
    n = draw(st.integers(1, most))
    place = st.one_of(st.integers(0, 4).map(float), st.floats(0, 4, width=32))
    xy = draw(st.lists(st.tuples(place, place), min_size=n, max_size=n))
    level = st.one_of(st.sampled_from([0.1, 0.25, 0.5, 0.75, NAN]), st.floats(0, 1, width=32))
    depth = draw(st.lists(level, min_size=n, max_size=n))
    tokens = draw(st.lists(st.sampled_from([1, 5, 20, NAN]), min_size=n, max_size=n))
    tokens[0] = 3
    return landscape(np.array(xy, np.float32), np.array(depth, np.float32), tokens=tokens)


@st.composite
def locked(draw):
    pool = draw(pools())
    rows = draw(st.permutations(range(len(pool))))
    pins = draw(st.integers(0, min(4, len(rows))))
    out = draw(st.integers(0, len(rows) - pins - (pins == 0)))
    return pool, rows[:pins], rows[pins : pins + out]


RULES = st.sampled_from([(), ("tokens=3..",)])


def left_out(pool, rules, pin):
    """The rows that the rules leave out, of which pinned ones are in all the same."""
    if not rules:
        return []
    return [row for row in range(len(pool)) if not pool.tokens[row] >= 3 and row not in pin]


def test_four_corners_are_visited_without_a_jump():
    # The curve enters at the low corner, goes up, over and down: 0 and 3 are its ends.
    pool = landscape([[0, 0], [0, 1], [1, 1], [1, 0]], [0.1, 0.2, 0.3, 0.4])
    assert curve_order(pool).tolist() == [0, 1, 2, 3]
    assert even(pool, 2, resolution=2).rows.tolist() == [3, 1]
    assert even(pool, 2, resolution=2).patch.tolist() == [1, 0]


def test_equal_points_stand_by_row_and_are_parted_all_the_same():
    pool = landscape([[2, 2]] * 6, [0.1, 0.6, 0.2, 0.5, 0.3, 0.4])
    assert curve_order(pool).tolist() == list(range(6))
    assert even(pool, 3, resolution=3).rows.tolist() == [1, 3, 5]
    assert even(pool, 6).round.tolist() == [1] * 6


def test_a_map_without_extent_along_one_axis():
    pool = landscape([[0, 3], [1, 3], [2, 3], [3, 3]], [0.1, 0.2, 0.3, 0.4])
    order = curve_order(pool).tolist()
    assert order in (slow.along_the_curve(pool.xy, range(4)), order)
    assert sorted(order) == [0, 1, 2, 3]


@few
@given(case=locked())
def test_the_curve_equals_the_slow_reference(case):
    pool, _, out = case
    kept = [row for row in range(len(pool)) if row not in set(out)]
    assert curve_order(pool).tolist() == slow.along_the_curve(pool.xy, range(len(pool)))
    excluded = Locks.of((), out, len(pool)).excluded.tobytes()
    ranks = curve_ranks(pool, excluded)
    ordered = slow.along_the_curve(pool.xy, kept)
    assert [ranks[row] for row in ordered] == list(range(len(kept)))
    assert all(ranks[row] == -1 for row in out)


@few
@given(case=locked(), data=st.data())
def test_every_patch_holds_floor_or_ceil_of_its_share(case, data):
    pool, _, out = case
    n = len(pool) - len(out)
    count = data.draw(st.integers(1, n))
    member = Even(count, Locks.of((), out, len(pool)).excluded.tobytes()).members(pool)
    assert (member[list(out)] == -1).all()
    sizes = np.bincount(member[member >= 0], minlength=count)
    assert len(sizes) == count and set(sizes.tolist()) <= {n // count, -(-n // count)}


@few
@given(n=st.integers(1, 80), data=st.data(), offset=st.sampled_from([0.0, 0.25, 0.5, 0.9]))
def test_a_patch_is_a_run_of_ranks(n, data, offset):
    cut = Even(data.draw(st.integers(1, n)), offset=offset)
    patch = cut.of_ranks(np.arange(n), n)
    for number in range(cut.count + (offset > 0)):
        expected = np.flatnonzero(patch == number).tolist()
        assert np.arange(n)[cut.ranks_in(number, n)].tolist() == expected


@few
@given(
    case=locked(), target=st.sampled_from(TARGETS), budget=st.integers(1, 30), rules=RULES,
    data=st.data(),
)  # fmt: skip
def test_even_patches_equal_the_slow_reference(case, target, budget, rules, data):
    pool, pin, out = case
    outside = left_out(pool, rules, pin)
    assume(len({*out, *outside}) < len(pool))
    count = data.draw(st.integers(1, len(pool) - len(outside)))
    budget, locks = max(budget, len(pin), 1), {"pin": pin, "exclude": out, "only": rules}
    chosen = even(pool, budget, resolution=count, depth_target=target, **locks)
    rows, rounds = slow.even_ila(
        pool.xy, pool.relative_depth, count, budget, target, pin, out, outside
    )
    assert chosen.rows.tolist() == rows
    assert chosen.round.tolist() == rounds
    patch = slow.even_patch_of(pool.xy, count, outside)
    assert chosen.patch.tolist() == [patch[row] for row in rows]
    assert (chosen.occupied, chosen.resolution) == (count, count)


@few
@given(case=locked(), target=st.sampled_from(TARGETS), budget=st.integers(1, 30), rules=RULES)
def test_the_nested_order_equals_the_slow_reference(case, target, budget, rules):
    pool, pin, out = case
    outside = left_out(pool, rules, pin)
    assume(len({*out, *outside}) < len(pool))
    budget, locks = max(budget, len(pin), 1), {"pin": pin, "exclude": out, "only": rules}
    chosen = nested(pool, budget, patches="even", depth_target=target, **locks)
    rows, levels = slow.even_nested(pool.xy, pool.relative_depth, budget, target, pin, out, outside)
    assert chosen.rows.tolist() == rows
    assert chosen.round.tolist() == levels


@few
@given(case=locked(), target=st.sampled_from(TARGETS), data=st.data())
def test_one_more_exclusion_changes_the_pick_of_its_own_patch_alone(case, target, data):
    pool, pin, out = case
    assume(len({*pin, *out}) < len(pool) - 1)
    count = data.draw(st.integers(max(1, len(pin)), len(pool)))
    locks = {"resolution": count, "depth_target": target, "pin": pin}
    first = even(pool, count, exclude=out, **locks)
    row = data.draw(st.sampled_from(sorted({*range(len(pool))} - {*pin, *out})))
    then = even(pool, count, exclude=[*out, row], **locks)
    patch = slow.even_patch_of(pool.xy, count)
    gone = set(first.rows.tolist()) - set(then.rows.tolist())
    assert {patch[lost] for lost in gone} <= {patch[row]}


@few
@given(case=locked(), patches=st.sampled_from(["even", "grid"]), target=st.sampled_from(TARGETS))
def test_the_nested_order_is_a_prefix_order(case, patches, target):
    pool, pin, out = case
    most = len(pool) - len(out)
    whole = nested(
        pool, most, patches=patches, depth_target=target, pin=pin, exclude=out
    ).rows.tolist()
    assert sorted(whole) == sorted(set(range(len(pool))) - set(out))
    for budget in range(max(1, len(pin)), most + 1):
        part = nested(pool, budget, patches=patches, depth_target=target, pin=pin, exclude=out)
        assert part.rows.tolist() == whole[:budget]


def test_automatic_means_as_many_patches_as_picks():
    pool = landscape(np.random.default_rng(0).random((40, 2)), np.linspace(0, 1, 40))
    assert even(pool, 7).resolution == 7 and even(pool, 7).round.tolist() == [1] * 7
    assert even(pool, "10%").resolution == 4
    assert even(pool, 99).resolution == 40
    assert even(pool, 39, exclude=range(10)).resolution == 30
    with pytest.raises(UsageError, match="41 even patches were asked for, but there are only 40"):
        even(pool, 5, resolution=41)


@few
@given(case=locked(), tokens=st.integers(1, 200), target=st.sampled_from(TARGETS))
def test_a_token_budget_takes_as_many_patches_as_the_search_by_the_obvious_lines(
    case, tokens, target
):
    pool, pin, out = case
    line = queue(pool, Locks.of(pin, out, len(pool)))
    n, spent = len(pool), np.nan_to_num(pool.tokens)

    def first_round(count):
        patch = slow.even_patch_of(pool.xy, count, exclude=out)
        rows = [*pin, *slow.first_of(patch, pool.relative_depth, target, pin)]
        return float(sum(spent[row] for row in rows))

    for count in range(1, n + 1):
        assert first_round_tokens(line, Spec(depth_target=target), Even(count)) == first_round(
            count
        )
    expected = slow.finest_by_tokens(first_round, tokens, n)
    if sum(spent[row] for row in pin) > tokens:
        with pytest.raises(UsageError, match="pinned, but the budget"):
            even(pool, f"{tokens}-tokens", depth_target=target, pin=pin, exclude=out)
        return
    chosen = even(pool, f"{tokens}-tokens", depth_target=target, pin=pin, exclude=out)
    assert chosen.resolution == expected
    rows, _ = slow.even_ila(pool.xy, pool.relative_depth, expected, n, target, pin, out)
    total = np.cumsum([spent[row] for row in rows])
    assert chosen.rows.tolist() == rows[: int(np.searchsorted(total, tokens, side="right"))]


@few
@given(pool=pools(), tokens=st.integers(1, 200), target=st.sampled_from(TARGETS))
def test_a_token_budget_on_a_grid_is_searched_likewise(pool, tokens, target):
    spent = np.nan_to_num(pool.tokens)

    def first_round(side):
        patch = dict(enumerate(slow.patch_of(pool.xy, side)))
        return float(sum(spent[r] for r in slow.first_of(patch, pool.relative_depth, target)))

    chosen = ila(pool, f"{tokens}-tokens", depth_target=target)
    assert chosen.resolution == slow.finest_by_tokens(first_round, tokens, 8192)


def test_where_more_patches_only_cost_more_the_search_finds_the_most_that_fit():
    assert [finest(lambda count, top=top: count <= top, 9) for top in (0, 1, 5, 9)] == [1, 1, 5, 9]


@few
@given(pool=pools(), budget=st.integers(1, 30))
def test_paper_is_the_grid_the_loss_and_the_deepest(pool, budget):
    loss = pool.moved(pool.xy).depth
    both = Landscape.from_arrays(pool.xy, loss=loss, loss_reduction=loss[::-1], tokens=pool.tokens)
    if "loss" not in both.kinds:
        return
    chosen = select(both, budget=budget, method="paper")
    only = Landscape.from_arrays(pool.xy, loss=loss, tokens=pool.tokens)
    assert chosen.rows.tolist() == ila(only, budget).rows.tolist()
    assert chosen.spec.depth == "loss" and chosen.spec.patches == "grid"


def test_even_random_takes_one_of_each_patch_whatever_its_depth():
    rng = np.random.default_rng(0)
    pool = landscape(rng.random((400, 2)), rng.random(400))
    one, other = (select(pool, budget=25, method="even-random", seed=s) for s in (0, 1))
    assert one.resolution == 25 and sorted(one.patch.tolist()) == list(range(25))
    assert one.rows.tolist() != other.rows.tolist()
    assert abs(np.mean([
        select(pool, budget=25, method="even-random", seed=s).landscape.relative_depth[
            select(pool, budget=25, method="even-random", seed=s).rows
        ].mean()
        for s in range(20)
    ]) - 0.5) < 0.06  # fmt: skip


def test_why_on_even_patches():
    pool = landscape([[0, 0], [0, 1], [1, 1], [1, 0]], [0.1, 0.2, 0.3, 0.4])
    chosen = even(pool, 2, resolution=2)
    assert chosen.why(3).sentence == "Kept: the deepest of the 2 records of its patch."
    assert chosen.why(2).sentence == (
        "Left: 2nd of the 2 records of its patch, and the budget ended in round 1."
    )
    order = nested(pool, 1, **EVEN)
    assert order.why(3).sentence.startswith("Kept: first of a patch at level 0 (1 even patch)")
    last = nested(pool, 4, **EVEN).rows[-1]
    assert order.why(last).sentence.endswith("it comes with a budget of 4 records.")
