"""Budgets, locks, and the three rules against the obvious lines."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import slow_reference as slow
from hypothesis import given, settings
from hypothesis import strategies as st
from picking import by_hand, ila, nested

from ila_core.errors import UsageError
from ila_core.landscape.even import Even
from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select_by
from ila_core.selection.budget import Budget
from ila_core.selection.locks import Locks, read_locks
from ila_core.selection.order import auto_resolution
from ila_core.selection.order import nested as nested_order
from ila_core.selection.spec import Spec

NAN = float("nan")
TARGETS = [1.0, 0.75, 0.7, 0.5, 0.3, 0.1, 0.0]


def landscape(xy, depth, **more):
    return Landscape.from_arrays(xy, depth=depth, relative_depth=depth, **more)


def nine():
    """Nine points, one in each patch of 3 x 3, and a tenth beside the first."""
    xy = [[x, y] for x in (0.0, 1.5, 3.0) for y in (0.0, 1.5, 3.0)] + [[0.5, 0.5]]
    return landscape(xy, [0.1, 0.9, 0.3, 0.8, 0.5, 0.2, 0.7, 0.4, 0.6, 0.95])


@st.composite
def pools(draw, most=26):
    """Points on borders and on one another, depths that tie and are missing."""
    n = draw(st.integers(1, most))
    place = st.one_of(st.integers(0, 4).map(float), st.floats(0, 4, width=32))
    xy = draw(st.lists(st.tuples(place, place), min_size=n, max_size=n))
    level = st.one_of(st.sampled_from([0.1, 0.25, 0.5, 0.75, NAN]), st.floats(0, 1, width=32))
    depth = draw(st.lists(level, min_size=n, max_size=n))
    return landscape(np.array(xy, np.float32), np.array(depth, np.float32))


@st.composite
def locked(draw):
    pool = draw(pools())
    rows = draw(st.permutations(range(len(pool))))
    pins = draw(st.integers(0, min(4, len(rows))))
    out = draw(st.integers(0, len(rows) - pins))
    return pool, rows[:pins], rows[pins : pins + out]


# -- by hand --------------------------------------------------------------------------------------


def test_one_of_each_patch_deepest_first():
    chosen = ila(nine(), 9, resolution=3)
    assert chosen.rows.tolist() == [9, 1, 3, 6, 8, 4, 7, 2, 5]
    assert chosen.round.tolist() == [1] * 9
    assert chosen.patch.tolist() == [0, 1, 3, 6, 8, 4, 7, 2, 5]
    assert (chosen.occupied, chosen.rounds) == (9, 1)


def test_second_round_fills_what_the_budget_leaves():
    chosen = ila(nine(), 10, resolution=3)
    assert chosen.rows.tolist()[-1] == 0
    assert chosen.round.tolist() == [1] * 9 + [2]
    assert chosen.patch.tolist()[-1] == 0


def test_nested_by_hand():
    chosen = nested(nine(), 10)
    # level 0: row 9. level 1: patches of 1.5 a side; row 9 holds the first, the others give
    # 1 (upper left), 6 (lower right), 3 and 8 stand in patch 2 and 3: the deepest are 1, 3, 8.
    assert chosen.rows.tolist()[:4] == [9, 1, 3, 8]
    assert chosen.round.tolist()[:4] == [0, 1, 1, 1]
    assert sorted(chosen.rows.tolist()) == list(range(10))
    assert chosen.cut is None and chosen.rounds is None and chosen.occupied is None


def test_depth_target_half_starts_at_the_median():
    pool = landscape([[0, 0]] * 5, [0.1, 0.3, 0.5, 0.7, 0.9])
    chosen = ila(pool, 5, resolution=1, depth_target=0.5)
    assert chosen.rows.tolist() == [2, 3, 1, 4, 0]
    assert chosen.round.tolist() == [1, 2, 3, 4, 5]


def test_depth_target_ties_take_the_deeper():
    pool = landscape([[0, 0]] * 4, [0.9, 0.7, 0.5, 0.3])
    assert ila(pool, 4, resolution=1, depth_target=0.5).rows.tolist() == [1, 2, 0, 3]
    assert nested(pool, 1, depth_target=0.5).rows.tolist() == [1]


def test_depth_target_ties_survive_rounding():
    # 1 - 0.7 is 0.30000000000000004: the target lies at 1.5000000000000002, a tie of 1 and 2
    pool = landscape([[0, 0]] * 6, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    chosen = ila(pool, 6, resolution=1, depth_target=0.7)
    assert chosen.rows.tolist() == [1, 2, 0, 3, 4, 5]
    assert nested(pool, 1, depth_target=0.7).rows.tolist() == [1]


def test_missing_depth_comes_last_in_patch_and_round():
    pool = landscape([[0, 0], [0, 0], [1, 1]], [NAN, 0.2, NAN])
    chosen = ila(pool, 3, resolution=2)
    assert chosen.rows.tolist() == [1, 2, 0]
    assert chosen.round.tolist() == [1, 1, 2]


def test_all_missing_goes_by_row():
    pool = landscape([[0, 0], [0, 0], [1, 1]], [NAN] * 3)
    for target in TARGETS:
        chosen = ila(pool, 3, resolution=2, depth_target=target)
        assert chosen.rows.tolist() == [0, 2, 1]
        assert nested(pool, 3, depth_target=target).rows.tolist() == [0, 2, 1]


def test_one_record():
    pool = landscape([[3, 3]], [0.5])
    assert ila(pool, 1).rows.tolist() == [0]
    assert ila(pool, 1).resolution == 8192
    assert nested(pool, "100%").rows.tolist() == [0]


def test_all_on_one_point():
    pool = landscape([[3, 3]] * 4, [0.1, 0.4, 0.3, 0.4])
    assert ila(pool, 3).rows.tolist() == [1, 3, 2]
    assert nested(pool, 3).rows.tolist() == [1, 3, 2]


# -- against the obvious lines --------------------------------------------------------------------


@settings(max_examples=80)
@given(
    case=locked(),
    resolution=st.sampled_from([1, 2, 3, 4, 7, 64, 8192]),
    target=st.sampled_from(TARGETS),
    budget=st.integers(1, 30),
)
def test_grid_equals_the_slow_reference(case, resolution, target, budget):
    pool, pin, exclude = case
    budget = max(budget, len(pin))
    chosen = ila(pool, budget, resolution=resolution, depth_target=target, pin=pin, exclude=exclude)
    depth = pool.relative_depth.tolist()
    rows, rounds = slow.grid_ila(pool.xy, depth, resolution, budget, target, pin, exclude)
    assert chosen.rows.tolist() == rows
    assert chosen.round.tolist() == rounds
    assert chosen.patch.tolist() == [slow.patch_of(pool.xy, resolution)[r] for r in rows]
    assert len(rows) == min(budget, len(pool) - len(exclude))


@settings(max_examples=60)
@given(case=locked(), target=st.sampled_from(TARGETS), budget=st.integers(1, 30))
def test_nested_equals_the_slow_reference(case, target, budget):
    pool, pin, exclude = case
    budget = max(budget, len(pin))
    chosen = nested(pool, budget, depth_target=target, pin=pin, exclude=exclude)
    depth = pool.relative_depth.tolist()
    rows, levels = slow.nested_ila(pool.xy, depth, budget, target, pin, exclude)
    assert chosen.rows.tolist() == rows
    assert chosen.round.tolist() == levels


@settings(max_examples=40)
@given(pool=pools(), budget=st.integers(1, 30))
def test_automatic_resolution_equals_the_slow_reference(pool, budget):
    budget = min(budget, len(pool))
    assert auto_resolution(pool, budget) == slow.auto(pool.xy, budget)
    assert ila(pool, budget).resolution == slow.auto(pool.xy, budget)


def test_a_larger_pool_equals_the_slow_reference():
    rng = np.random.default_rng(1)
    depth = rng.integers(0, 300, 3000).astype(np.float32) / 300
    depth[rng.random(3000) < 0.1] = NAN
    pool = landscape(rng.normal(size=(3000, 2)), depth)
    for target in (1.0, 0.6):
        rows, _ = slow.grid_ila(pool.xy, depth.tolist(), 20, 900, target)
        chosen = ila(pool, 900, resolution=20, depth_target=target)
        assert chosen.rows.tolist() == rows
        rows, _ = slow.nested_ila(pool.xy, depth.tolist(), 3000, target)
        assert nested(pool, 3000, depth_target=target).rows.tolist() == rows
    for budget in (100, 500, 1234):
        assert auto_resolution(pool, budget) == slow.auto(pool.xy, budget)


# -- invariants -----------------------------------------------------------------------------------


@settings(max_examples=25)
@given(case=locked(), target=st.sampled_from(TARGETS), budgets=st.tuples(*[st.integers(4, 30)] * 2))
def test_bigger_budget_keeps_the_nested_selection_as_a_prefix(case, target, budgets):
    pool, pin, exclude = case
    small, large = (
        nested(pool, b, depth_target=target, pin=pin, exclude=exclude) for b in sorted(budgets)
    )
    assert large.rows.tolist()[: len(small)] == small.rows.tolist()
    assert large.first(len(small)).rows.tolist() == small.rows.tolist()


@settings(max_examples=60)
@given(pool=pools(), resolution=st.integers(1, 6), budget=st.integers(1, 30))
def test_every_first_round_pick_is_the_deepest_of_its_patch(pool, resolution, budget):
    chosen = ila(pool, budget, resolution=resolution)
    patch = chosen.cut.patches(pool.xy)
    depth = np.nan_to_num(pool.relative_depth, nan=-1)
    for row, turn in zip(chosen.rows, chosen.round, strict=True):
        if turn == 1:
            assert depth[row] == depth[patch == patch[row]].max()


@settings(max_examples=20)
@given(pool=pools(), seed=st.integers(0, 99), budget=st.integers(1, 30))
def test_shuffling_rows_changes_order_only(pool, seed, budget):
    unique = np.linspace(0, 1, len(pool), dtype=np.float32)  # without ties the rows do not matter
    pool = landscape(pool.xy, np.random.default_rng(seed + 1).permutation(unique))
    shuffle = np.random.default_rng(seed).permutation(len(pool))
    shuffled = landscape(pool.xy[shuffle], pool.relative_depth[shuffle])
    for select in (ila, nested):
        for target in (1.0, 0.4):
            rows = select(pool, budget, depth_target=target).rows
            same = shuffle[select(shuffled, budget, depth_target=target).rows]
            assert same.tolist() == rows.tolist()


@settings(max_examples=20)
@given(pool=pools())
def test_exactly_the_budget_comes_out_and_no_row_twice(pool):
    for budget in {1, len(pool), len(pool) + 3}:
        for select in (ila, nested):
            rows = select(pool, budget).rows
            assert len(set(rows.tolist())) == len(rows) == min(budget, len(pool))


@pytest.mark.parametrize("budget", [1, 3, 50, 199, 200])
def test_rows_by_number_whether_few_or_many(budget):
    pool = Landscape.from_arrays(np.zeros((200, 2)))
    chosen = select_by(pool, Spec("random", budget=str(budget)))
    assert chosen.ascending.tolist() == sorted(chosen.rows.tolist())
    assert chosen.ascending.dtype == np.int32


def test_the_same_call_gives_the_same_rows():
    pool = nine()
    assert ila(pool, 4).rows.tolist() == ila(pool, 4).rows.tolist()


# -- budgets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind", "value"),
    [
        (10000, "records", 10000),
        (np.int64(7), "records", 7),
        ("10000", "records", 10000),
        (" 10_000 ", "records", 10000),
        ("10,000", "records", 10000),
        ("10k", "records", 10000),
        ("1.5K", "records", 1500),
        ("5%", "percent", Fraction(5)),
        ("0.5 %", "percent", Fraction(1, 2)),
        ("100%", "percent", Fraction(100)),
        ("2M-tokens", "tokens", 2_000_000),
        ("500k-tokens", "tokens", 500_000),
        ("1234-tokens", "tokens", 1234),
        ("1.5M tokens", "tokens", 1_500_000),
    ],
)
def test_budgets_that_are_understood(given, kind, value):
    budget = Budget.parse(given)
    assert (budget.kind, budget.value) == (kind, value)
    assert Budget.parse(budget) is budget


@pytest.mark.parametrize(
    "given",
    [0, -5, "0", "-5", "abc", "", "0%", "100.1%", "101%", "nan", NAN, 0.5, 10.0, None, True, "1e4",
     "5%%", "2.5", "0.0001k", "0-tokens", "5-%-tokens", [3], "٣", "9" * 5000],
)  # fmt: skip
def test_budgets_that_cannot_be_meant(given):
    with pytest.raises(UsageError) as error:
        Budget.parse(given)
    assert repr(given) in str(error.value)
    assert 'a count such as 10000, a share such as "5%"' in str(error.value)


@pytest.mark.parametrize(
    ("given", "n", "expected"),
    [
        ("10%", 9, 1),
        ("20%", 9, 1),
        ("0.1%", 3000, 3),
        ("7%", 100, 7),
        ("1%", 10, 1),
        ("100%", 10, 10),
        (99, 10, 10),
    ],
)
def test_records_of_a_budget(given, n, expected):
    pool = landscape(np.zeros((n, 2)), np.linspace(0, 1, n))
    assert Budget.parse(given).records(pool) == expected
    assert len(ila(pool, given)) == expected


def test_tokens_stop_before_the_first_record_that_would_exceed():
    pool = landscape([[k, 0] for k in range(4)], [0.9, 0.8, 0.7, 0.6], tokens=[10, 30, 5, NAN])
    for select in (ila, nested):
        for budget in range(1, 50):
            chosen = select(pool, f"{budget}-tokens", **_finest(select))
            order = select(pool, 4, **_finest(select)).rows.tolist()
            spent = np.cumsum(np.nan_to_num(pool.tokens[order]))
            assert chosen.rows.tolist() == [
                r for r, s in zip(order, spent, strict=True) if s <= budget
            ]
            assert chosen.tokens <= budget


def _finest(select):
    return {"resolution": 4} if select is ila else {}


def test_tokens_may_take_more_records_than_the_mean_says():
    tokens = np.ones(400)
    tokens[0] = 10_000
    depth = np.linspace(1, 0, 400)
    depth[0] = -1
    pool = landscape(np.random.default_rng(0).random((400, 2)), depth, tokens=tokens)
    assert Budget.parse("399-tokens").records(pool) == 15
    assert len(ila(pool, "399-tokens", resolution=1)) == 399


@pytest.mark.parametrize("tokens", [None, [0.0] * 10])
def test_tokens_without_counts(tokens):
    pool = landscape(np.random.default_rng(0).random((10, 2)), [0.5] * 10, tokens=tokens)
    for select in (ila, nested):
        with pytest.raises(UsageError, match=r"'2M-tokens' counts response tokens, but none of"):
            select(pool, "2M-tokens")


# -- options that cannot be meant -----------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 8193, -1, 6.5, "fine", None])
def test_resolution_that_cannot_be_meant(value):
    with pytest.raises(UsageError, match="Resolution"):
        ila(nine(), 3, resolution=value)


@pytest.mark.parametrize("value", [-0.1, 1.1, NAN, "deep"])
@pytest.mark.parametrize("select", [ila, nested])
def test_depth_target_that_cannot_be_meant(select, value):
    with pytest.raises(UsageError, match=r"--depth-target is .* from 0 to 1"):
        select(nine(), 3, depth_target=value)


# -- locks ----------------------------------------------------------------------------------------


def test_pins_come_first_and_hold_their_patches():
    chosen = ila(nine(), 9, resolution=3, pin=[5, 0])
    assert chosen.rows.tolist() == [5, 0, 1, 3, 6, 8, 4, 7, 2]
    assert chosen.round.tolist() == [1] * 9
    assert chosen.patch.tolist()[:2] == [5, 0]
    assert chosen.spec.pinned == (5, 0)


def test_several_pins_of_a_patch_have_its_first_rounds():
    chosen = ila(nine(), 2, resolution=3, pin=[0, 9])
    assert chosen.rows.tolist() == [0, 9]
    assert chosen.round.tolist() == [1, 2]


def test_excluded_rows_are_never_chosen_and_leave_their_patch():
    chosen = ila(nine(), 99, resolution=3, exclude=[9, 4])
    assert chosen.rows.tolist() == [1, 3, 6, 8, 7, 2, 5, 0]
    assert chosen.round.tolist() == [1] * 8
    assert chosen.occupied == 9


def test_excluding_everything_chooses_nothing():
    for select in (ila, nested):
        chosen = select(nine(), 5, exclude=range(10))
        assert chosen.rows.tolist() == []
        assert chosen.mask.sum() == chosen.tokens == 0


def test_excluded_rows_stay_in_the_box_and_in_the_automatic_resolution():
    pool = nine()
    chosen = ila(pool, 5, exclude=[8])
    assert chosen.cut == pool.grid(auto_resolution(pool, 5))


@pytest.mark.parametrize("select", [ila, nested])
def test_locks_that_cannot_be_meant(select):
    pool = nine()
    with pytest.raises(UsageError, match="Row 3 is both pinned and excluded, and so are 1 more"):
        select(pool, 5, pin=[3, 4], exclude=[4, 3])
    with pytest.raises(
        UsageError, match="Row 10 is pinned, but does not exist; rows go from 0 to 9"
    ):
        select(pool, 5, pin=[10])
    with pytest.raises(UsageError, match="Row -1 is excluded"):
        select(pool, 5, exclude=[-1])
    with pytest.raises(UsageError, match=r"whole numbers; got 1\.5"):
        select(pool, 5, pin=[1.5])
    with pytest.raises(UsageError, match="3 records are pinned, but the budget 2 holds only 2"):
        select(pool, 2, pin=[1, 2, 3])


def test_pins_over_a_token_budget():
    pool = landscape([[0, 0], [1, 1]], [0.1, 0.2], tokens=[50, 50])
    for select in (ila, nested):
        with pytest.raises(UsageError, match="budget 60-tokens holds only 1"):
            select(pool, "60-tokens", pin=[0, 1])
        assert select(pool, "60-tokens", pin=[0]).rows.tolist() == [0]


def test_pinning_twice_is_pinning_once():
    assert Locks.of([4, 2, 4], [7, 7, 1], 9).pinned.tolist() == [4, 2]
    assert Locks.of([4, 2, 4], [7, 7, 1], 9).excluded.tolist() == [1, 7]


def test_locks_from_a_file(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_text("\ufeff3\n\n 0 \r\n7\n", encoding="utf-8")
    assert read_locks(path, 8).tolist() == [3, 0, 7]
    path.write_text("", encoding="utf-8")
    assert read_locks(path, 8).tolist() == []


@pytest.mark.parametrize("line", ["8", "-1", "1.0", "x", "1 2", "٣"])
def test_locks_from_a_file_with_a_line_that_is_no_row(tmp_path, line):
    path = tmp_path / "rows.txt"
    path.write_text(f"3\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"rows\.txt, line 2: .* no row of this pool; .* 0 to 7"):
        read_locks(path, 8)


def test_locks_from_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"none\.txt cannot be read \(No such file.*row numbers"):
        read_locks(tmp_path / "none.txt", 8)


# -- what a selection tells -----------------------------------------------------------------------


def test_mask_and_tokens():
    pool = landscape([[0, 0], [1, 1], [2, 2]], [0.1, 0.2, 0.3], tokens=[5, NAN, 7])
    chosen = ila(pool, 2, resolution=1)
    assert chosen.mask.tolist() == [False, True, True]
    assert chosen.tokens == 7.0


def test_arrays_are_read_only():
    for chosen in (ila(nine(), 3), nested(nine(), 3)):
        for array in (chosen.rows, chosen.round, chosen.patch):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


def test_the_spec_says_how_to_make_it_again():
    pool = nine()
    first = ila(pool, "50%", depth_target=0.5, pin=[2], exclude=[9])
    assert first.spec == Spec(
        "ila", "50%", patches="grid", depth="column", depth_target=0.5, pinned=(2,), excluded=(9,)
    )
    assert select_by(pool, first.spec).rows.tolist() == first.rows.tolist()
    assert (
        select_by(pool, Spec.from_dict(first.spec.as_dict())).rows.tolist() == first.rows.tolist()
    )


def test_a_method_without_patches_is_shown_on_as_many_even_ones_as_picks():
    pool = nine()
    chosen = by_hand(pool, [0, 9, 4])
    assert chosen.shown_cut == Even(3)
    assert (chosen.patch.tolist(), chosen.round.tolist()) == ([-1] * 3, [0] * 3)


# -- why ------------------------------------------------------------------------------------------


def test_why_on_a_grid():
    chosen = ila(nine(), 9, resolution=3, exclude=[5])
    kept, left, out = chosen.why(9), chosen.why(0), chosen.why(5)
    assert (kept.kept, kept.pick, kept.rank, kept.round, kept.count) == (True, 1, 1, 1, 2)
    assert kept.sentence == "Kept: the deepest of the 2 records of its patch."
    assert (left.rank, left.round) == (2, 2)
    assert chosen.why(4).sentence == "Kept: the only record of its patch."
    assert out.sentence == "Left: excluded by hand."
    left = ila(nine(), 8, resolution=3).why(0)
    assert (
        left.sentence == "Left: 2nd of the 2 records of its patch, and the budget ended in round 1."
    )


def test_why_pinned_and_missing():
    pool = landscape([[0, 0]] * 3, [0.2, NAN, 0.1])
    chosen = ila(pool, 2, resolution=1, pin=[2])
    assert chosen.why(2).sentence == "Kept: pinned by hand."
    assert (chosen.why(0).round, chosen.why(0).rank) == (2, 1)
    assert "for it has no depth" in chosen.why(1).sentence


def test_why_nested_names_the_budget_that_is_needed():
    chosen = nested(nine(), 2)
    order, _ = nested_order(nine(), Spec(patches="grid", depth_target=1.0), Locks.of([], [], 10))
    last = int(order[-1])
    assert chosen.why(9).sentence.startswith("Kept: first of a patch at level 0 (1 x 1), pick 1")
    assert chosen.why(last).sentence.endswith("it comes with a budget of 10 records.")


def test_why_of_another_method_says_only_what_it_knows():
    chosen = by_hand(nine(), [3], "random")
    assert chosen.why(3).sentence == "Kept by random as pick 1."
    assert chosen.why(0).sentence == "Left by random."


def test_why_of_a_row_that_does_not_exist():
    with pytest.raises(UsageError, match="Row 10 does not exist"):
        ila(nine(), 2).why(10)


@settings(max_examples=25)
@given(case=locked(), resolution=st.integers(1, 4), target=st.sampled_from(TARGETS))
def test_why_agrees_with_the_selection(case, resolution, target):
    pool, pin, exclude = case
    chosen = ila(pool, 99, resolution=resolution, depth_target=target, pin=pin, exclude=exclude)
    for row, turn in zip(chosen.rows.tolist(), chosen.round.tolist(), strict=True):
        assert chosen.why(row).round == turn
        assert chosen.why(row).sentence.endswith(".")
