"""Every method against the obvious lines, the traps by name, and the comparison of several."""

from __future__ import annotations

import importlib.metadata
import math
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ila_core.chance import library_seed, stream
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import CHANCE
from ila_core.measure.compare import compare, compared_unasked
from ila_core.measure.describe import describe
from ila_core.methods import registry
from ila_core.methods.facility import Dense, Sparse, lazy_greedy
from ila_core.methods.k_means import deepest_of_each
from ila_core.methods.registry import find, names
from ila_core.methods.select import select
from ila_core.methods.semdedup import nearest_earlier
from ila_core.methods.simple import random, shuffled
from ila_core.methods.vectors import clusters
from ila_core.selection.spec import Spec

NAN = float("nan")
ALL = [
    "random", "balanced", "loss-top", "loss-mid", "longest", "coverage-only", "even-random",
    "depth-only", "ila", "nested", "paper", "ifd", "deita", "k-center", "k-means",
    "facility-location", "qdit", "semdedup",
]  # fmt: skip


def exact_vectors(rng: np.random.Generator, n: int, d: int = 8) -> np.ndarray:
    """Unit vectors whose products are multiples of a quarter: exact in float32, full of ties."""
    vectors = np.zeros((n, d), np.float32)
    for row in vectors:
        row[rng.choice(d, 4, replace=False)] = rng.choice([-0.5, 0.5], 4)
    return vectors


def pool_of(seed: int, n: int, *, missing: float = 0.1) -> Landscape:
    """A pool of chance with ties, missing losses, repeated vectors and everything methods read."""
    rng = np.random.default_rng(seed)
    loss = rng.integers(1, 9, n) / 4
    loss[rng.random(n) < missing] = NAN
    loss[0] = 1.0
    return Landscape.from_arrays(
        rng.integers(0, 6, (n, 2)),
        loss=loss,
        tokens=rng.integers(1, 50, n),
        domain=rng.integers(0, 4, n),
        domain_names=list("abcd"),
        vectors=exact_vectors(rng, n),
        scores={"unconditional_loss": rng.integers(1, 9, n) / 4},
    )


pools = st.builds(pool_of, st.integers(0, 10_000), st.integers(1, 40))
budgets = st.integers(1, 45)
few = settings(max_examples=25)


def descending(values, rows=None):
    """Rows by value, highest first, ties by row, NaN left out."""
    rows = range(len(values)) if rows is None else rows
    return sorted((r for r in rows if not math.isnan(values[r])), key=lambda r: (-values[r], r))


def filled_up(pool, own, budget):
    """The obvious filling: what is missing comes from the deepest of the rest."""
    size = min(budget, len(pool))
    own = list(own)[:size]
    rest = descending(pool.relative_depth) + [
        r for r in range(len(pool)) if math.isnan(pool.relative_depth[r])
    ]
    more = [r for r in rest if r not in set(own)][: size - len(own)]
    return own + more, len(more)


def check(pool, budget, method, own, **parameters):
    """The selection is what the obvious lines chose, and what only fills up is counted."""
    found = select(pool, budget=budget, method=method, **parameters)
    rows, filled = filled_up(pool, own, budget)
    assert found.rows.tolist() == rows
    assert found.filled == filled


# -- what holds for every method ------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
@few
@given(pool=pools, budget=budgets, seed=st.integers(0, 3), data=st.data())
def test_exactly_the_budget_comes_out_pins_first_and_nothing_excluded(
    method, pool, budget, seed, data
):
    n = len(pool)
    rows = data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=6))
    pin, exclude = rows[: min(len(rows) // 2, budget)], rows[len(rows) // 2 :]
    found = select(pool, budget=budget, method=method, seed=seed, pin=pin, exclude=exclude)
    assert len(found) == min(budget, n - len(exclude)) == len(set(found.rows.tolist()))
    assert found.rows[: len(pin)].tolist() == pin
    assert not set(found.rows.tolist()) & set(exclude)
    again = select(pool, budget=budget, method=method, seed=seed, pin=pin, exclude=exclude)
    assert again.rows.tolist() == found.rows.tolist()
    assert (found.spec.method, found.spec.pinned) == (method, tuple(pin))


@pytest.mark.parametrize("method", ALL)
@few
@given(pool=pools, tokens=st.integers(50, 1200), data=st.data())
def test_a_token_budget_is_used_up_and_never_exceeded(method, pool, tokens, data):
    exclude = data.draw(st.lists(st.integers(0, len(pool) - 1), unique=True, max_size=3))
    if len(exclude) == len(pool):
        exclude = []
    found = select(pool, budget=f"{tokens}-tokens", method=method, exclude=exclude)
    assert found.tokens <= tokens
    if len(found) < len(pool) - len(exclude):
        assert found.tokens > tokens - 50  # the next record, of at most 49, did not fit


@pytest.mark.parametrize("method", [name for name in ALL if find(name).prefix])
@few
@given(pool=pools, budget=st.integers(1, 40))
def test_methods_said_to_be_prefixes_are(method, pool, budget):
    whole = select(pool, budget=len(pool), method=method).rows
    part = select(pool, budget=budget, method=method).rows
    assert part.tolist() == whole[: len(part)].tolist()


def test_a_percentage_is_a_budget_too():
    pool = pool_of(0, 40)
    assert len(select(pool, budget="10%", method="k-center")) == 4
    assert select(pool, budget="10%", method="k-center").spec.budget == "10%"


def test_the_names_are_those_of_the_method():
    assert names()[: len(ALL)] == ALL
    assert compared_unasked() == [
        "random", "balanced", "loss-top", "longest", "coverage-only", "even-random", "depth-only",
        "ila", "nested", "paper", "deita",
    ]  # fmt: skip


def test_every_method_has_a_source_and_its_defaults():
    for name in ALL:
        assert find(name).rule and find(name).source
        assert callable(find(name).pick)
    assert find("deita").defaults == {"tau": 0.9}
    assert find("loss-mid").defaults == {"start": 0.33}
    assert find("facility-location").defaults == {"k": 64}
    assert find("qdit").defaults == {"a": 0.3, "k": 64}
    assert find("semdedup").defaults == {"eps": None}
    assert find("k-center").defaults == {"start": "medoid"}


@pytest.mark.parametrize("method", ALL)
def test_a_method_says_which_knobs_it_reads(method):
    pool, known = pool_of(3, 40), find(method)
    start = select(pool, budget=12, method=method).rows.tolist()
    other = {"patches": "grid", "resolution": 2, "depth_target": 0.3, "seed": 5}
    for knob, value in other.items():
        if knob not in known.reads:
            assert select(pool, budget=12, method=method, **{knob: value}).rows.tolist() == start
    spec = Spec(method, budget="12", parameters={"tau": 0.5}, **other)
    applied = known.applied(spec)
    turned = {k for k in other if getattr(applied, k) == other[k]} - known.fixed.keys()
    assert turned == known.reads - {"map", "depth"}
    assert dict(applied.parameters) == ({"tau": 0.5} if method == "deita" else {})
    assert known.applied(applied) == applied


def test_only_chance_is_measured_over_several_seeds():
    assert {name for name in ALL if find(name).draws > 1} == {CHANCE}


# -- simple scores --------------------------------------------------------------------------------


def test_random_is_uniform_and_seeded():
    pool = pool_of(0, 20)
    drawn = [select(pool, budget=5, method="random", seed=seed).rows for seed in range(2_000)]
    times = np.bincount(np.concatenate(drawn), minlength=20)
    assert abs(times - 500).max() < 6 * math.sqrt(2_000 * 0.25 * 0.75)
    assert drawn[0].tolist() != drawn[1].tolist()


@few
@given(pool=pools, budget=budgets, seed=st.integers(0, 3))
def test_balanced_shares_equally_and_shares_out_the_leftovers(pool, budget, seed):
    found = select(pool, budget=budget, method="balanced", seed=seed)
    left = np.bincount(pool.domain, minlength=4)
    share = np.zeros(4, int)
    for _ in range(min(budget, len(pool))):  # one record at a time to whoever has least
        open_domains = [d for d in range(4) if left[d]]
        poorest = min(open_domains, key=lambda d: share[d])
        share[poorest] += 1
        left[poorest] -= 1
    assert sorted(np.bincount(pool.domain[found.rows], minlength=4)) == sorted(share)


def test_balanced_is_another_chance_than_random_of_the_same_seed():
    """With one stream for both, two domains of a size would share three quarters of their rows."""
    rng = np.random.default_rng(0)
    pool = Landscape.from_arrays(rng.random((4_000, 2)), domain=np.arange(4_000) % 2)
    for seed in range(3):
        both = [set(select(pool, budget=400, method=name, seed=seed).rows.tolist())
                for name in ("random", "balanced")]  # fmt: skip
        assert 20 < len(both[0] & both[1]) < 60


@few
@given(pool=pools, budget=budgets)
def test_scores_are_taken_from_the_top(pool, budget):
    loss = [float(value) for value in pool.loss]
    check(pool, budget, "loss-top", descending(loss))
    check(pool, budget, "loss-mid", descending(loss)[int(0.33 * len(pool)) :])
    check(pool, budget, "loss-mid", descending(loss)[int(0.5 * len(pool)) :], start=0.5)
    check(pool, budget, "longest", descending([float(t) for t in pool.tokens]))
    check(pool, budget, "depth-only", descending([float(r) for r in pool.relative_depth]))


def test_depth_only_runs_dry_where_no_record_has_a_depth():
    pool = Landscape.from_arrays(np.zeros((4, 2)), depth=[NAN, 2.0, NAN, 1.0])
    found = select(pool, budget=3, method="depth-only")
    assert found.rows.tolist() == [1, 3, 0] and found.filled == 1


def test_loss_mid_by_hand():
    pool = Landscape.from_arrays(np.zeros((6, 2)), loss=[6, 5, 4, 3, 2, 1])
    assert select(pool, budget=3, method="loss-mid").rows.tolist() == [1, 2, 3]
    late = select(pool, budget=5, method="loss-mid", start=0.5)
    assert late.rows.tolist() == [3, 4, 5, 0, 1] and late.filled == 2


def test_coverage_only_takes_one_of_each_patch_whatever_its_depth():
    rng = np.random.default_rng(0)
    pool = Landscape.from_arrays(rng.integers(0, 5, (400, 2)), depth=rng.random(400))
    found = select(pool, budget=25, method="coverage-only")
    assert describe(found).coverage == 1.0
    assert found.cut is not None and found.rounds == 1
    assert found.landscape is pool
    drawn = [select(pool, budget=25, method="coverage-only", seed=seed) for seed in range(9)]
    by_seed = {tuple(selection.rows) for selection in drawn}
    assert len(by_seed) == 9
    mean = np.mean([np.mean(pool.relative_depth[list(rows)]) for rows in by_seed])
    assert 0.4 < mean < 0.6


def test_coverage_only_keeps_out_of_a_pinned_patch():
    pool = Landscape.from_arrays([[0, 0], [0, 0], [4, 4]], depth=[1, 2, 3])
    found = select(pool, budget=2, method="coverage-only", pin=[0])
    assert found.rows.tolist() == [0, 2]


# -- IFD ------------------------------------------------------------------------------------------


def ifd_pool(loss, alone):
    return Landscape.from_arrays(
        np.zeros((len(loss), 2)), loss=loss, scores={"unconditional_loss": np.float32(alone)}
    )


@few
@given(pool=pools, budget=budgets)
def test_ifd_is_the_ratio_of_losses_below_one(pool, budget):
    alone = pool.scores["unconditional_loss"]
    ratio = [float(x) / float(y) for x, y in zip(pool.loss, alone, strict=True)]
    check(pool, budget, "ifd", descending([r if r < 1 else NAN for r in ratio]))


def test_ifd_drops_ratios_of_one_and_more():
    pool = ifd_pool([1.0, 2.0, 3.0, 1.0, 1.0], [2.0, 2.0, 2.0, 4.0, 0.0])
    found = select(pool, budget=2, method="ifd")
    assert found.rows.tolist() == [0, 3] and found.filled == 0
    assert select(pool, budget=4, method="ifd").filled == 2


def test_ifd_is_no_ratio_of_perplexities():
    loss, alone = np.array([1.0, 3.0]), np.array([2.0, 5.0])
    assert (loss / alone).argmax() == 1
    assert (np.exp(loss) / np.exp(alone)).argmax() == 0
    assert select(ifd_pool(loss, alone), budget=1, method="ifd").rows.tolist() == [1]


# -- Deita ----------------------------------------------------------------------------------------


def slow_deita(pool, score, tau):
    accepted = []
    missing = [r for r in range(len(pool)) if math.isnan(score[r])]
    for row in descending(score) + missing:
        if all(float(pool.vectors[row] @ pool.vectors[other]) <= tau for other in accepted):
            accepted.append(row)
    return accepted


@few
@given(pool=pools, budget=budgets, tau=st.sampled_from([-0.25, 0.25, 0.5, 0.9, 1.0]))
def test_deita_is_the_obvious_loop(pool, budget, tau):
    own = slow_deita(pool, [float(d) for d in pool.depth], tau)
    check(pool, budget, "deita", own, tau=tau)


def test_deita_in_several_blocks_is_the_obvious_loop():
    pool = pool_of(1, 1_300)
    own = slow_deita(pool, [float(d) for d in pool.depth], 0.5)
    check(pool, 400, "deita", own, tau=0.5)


def test_deita_compares_with_what_is_accepted_not_with_the_pool():
    """1 is too near to 0 and dropped; 2 is near to 1 alone, so it stays."""
    angle = np.deg2rad([0, 20, 40])
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    pool = Landscape.from_arrays(np.zeros((3, 2)), depth=[3, 2, 1], vectors=vectors)
    found = select(pool, budget=2, method="deita", tau=0.9)
    assert found.rows.tolist() == [0, 2] and found.filled == 0


def test_deita_takes_quality_times_complexity_where_both_are_there():
    columns = {"quality": np.array([1, 5, 3.0]), "complexity": np.array([6, 1, 3.0])}
    base = {"depth": [1, 3, 2], "vectors": np.eye(3)}
    both = Landscape.from_arrays(np.zeros((3, 2)), scores=columns, **base)
    assert select(both, budget=3, method="deita").rows.tolist() == [2, 0, 1]
    del columns["complexity"]
    one = Landscape.from_arrays(np.zeros((3, 2)), scores=columns, **base)
    assert select(one, budget=3, method="deita").rows.tolist() == [1, 2, 0]


# -- k-center -------------------------------------------------------------------------------------


def slow_k_center(vectors, count):
    chosen = [max(range(len(vectors)), key=lambda r: (float(vectors[r] @ vectors.sum(axis=0)), -r))]
    while len(chosen) < min(count, len(vectors)):
        rest = [r for r in range(len(vectors)) if r not in chosen]
        nearest = {r: max(float(vectors[r] @ vectors[c]) for c in chosen) for r in rest}
        chosen.append(min(rest, key=lambda r: (nearest[r], r)))
    return chosen


def radius(vectors, rows):
    return float((1 - vectors @ vectors[rows].T).min(axis=1).max())


@few
@given(pool=pools, budget=budgets)
def test_k_center_is_the_obvious_loop(pool, budget):
    check(pool, budget, "k-center", slow_k_center(pool.vectors, budget))


@few
@given(pool=pools, budget=budgets, watched=st.sampled_from([1, 3, 8]))
def test_k_center_that_watches_few_rows_is_the_obvious_loop(pool, budget, watched):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ila_core.methods.k_center.FARTHEST", watched)
        check(pool, budget, "k-center", slow_k_center(pool.vectors, budget))


def test_k_center_has_the_radius_of_the_reference_and_follows_the_seed():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(300, 12)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pool = Landscape.from_arrays(rng.random((300, 2)), vectors=vectors)
    found = select(pool, budget=30, method="k-center").rows
    assert radius(vectors, found) == pytest.approx(radius(vectors, slow_k_center(vectors, 30)))
    assert select(pool, budget=30, method="k-center", seed=9).rows.tolist() == found.tolist()
    starts = [
        select(pool, budget=30, method="k-center", start="random", seed=seed).rows.tolist()
        for seed in (1, 1, 2)
    ]
    assert starts[0] == starts[1] != starts[2]
    with pytest.raises(UsageError, match=r"start of k-center is 'middle'.*medoid or random"):
        select(pool, budget=30, method="k-center", start="middle")


# -- clusters -------------------------------------------------------------------------------------


@few
@given(pool=pools, seed=st.integers(0, 99))
def test_the_deepest_of_each_cluster(pool, seed):
    cluster = np.random.default_rng(seed).integers(0, 5, len(pool))
    depth = pool.relative_depth
    deepest = []
    for number in set(cluster.tolist()):
        members = [r for r in range(len(pool)) if cluster[r] == number]
        scored = descending([float(d) for d in depth], members)
        deepest.append((scored + members)[0])
    found = deepest_of_each(pool, cluster)
    assert sorted(found.tolist()) == sorted(deepest)
    assert found.tolist() == [r for r in pool.order.tolist() if r in set(deepest)]


def test_k_means_keeps_the_deepest_of_well_parted_clusters():
    rng = np.random.default_rng(0)
    cluster = np.arange(90) % 6
    vectors = np.eye(6)[cluster] + rng.normal(scale=0.01, size=(90, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    depth = rng.random(90)
    pool = Landscape.from_arrays(rng.random((90, 2)), depth=depth, vectors=vectors)
    deepest = {max(np.flatnonzero(cluster == c), key=lambda r: depth[r]) for c in range(6)}
    found = select(pool, budget=6, method="k-means")
    assert set(found.rows.tolist()) | deepest == deepest | set(found.rows.tolist())
    assert len(deepest & set(found.rows.tolist())) >= 6 - found.filled - 2


def test_k_means_fills_up_where_instructions_repeat():
    vectors = np.repeat(np.eye(3), 5, axis=0)
    depth = np.arange(15.0)
    pool = Landscape.from_arrays(np.zeros((15, 2)), depth=depth, vectors=vectors)
    found = select(pool, budget=9, method="k-means")
    assert len(found) == 9 and found.filled >= 6


def test_clusters_are_seeded_also_by_mini_batches(monkeypatch):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(500, 8)).astype(np.float32)
    for most in (50_000, 100):
        monkeypatch.setattr("ila_core.methods.vectors.MINI_BATCH_ROWS", most)
        found = [clusters(vectors, 40, seed).tolist() for seed in (0, 0, 1)]
        assert found[0] == found[1] != found[2]
        assert set(found[0]) <= set(range(40))


def test_mini_batches_begin_above_their_number_of_rows(monkeypatch):
    monkeypatch.setattr("ila_core.methods.vectors.MINI_BATCH_ROWS", 50)
    monkeypatch.setattr("sklearn.cluster.MiniBatchKMeans", None)
    vectors = np.random.default_rng(0).normal(size=(51, 4)).astype(np.float32)
    assert len(clusters(vectors[:50], 5, 0)) == 50
    with pytest.raises(TypeError):
        clusters(vectors, 5, 0)


def slow_nearest_earlier(vectors, cluster):
    nearest = []
    for row in range(len(vectors)):
        mates = [r for r in range(row) if cluster[r] == cluster[row]]
        earlier = [float(vectors[row] @ vectors[r]) for r in mates]
        nearest.append(max(earlier, default=-1.0))
    return nearest


@few
@given(pool=pools, seed=st.integers(0, 99))
def test_semdedup_looks_at_earlier_rows_of_the_cluster(pool, seed):
    cluster = np.random.default_rng(seed).integers(0, 3, len(pool))
    found = nearest_earlier(pool.vectors, cluster)
    assert found.tolist() == slow_nearest_earlier(pool.vectors, cluster)


def test_semdedup_in_several_blocks():
    rng = np.random.default_rng(0)
    vectors, cluster = exact_vectors(rng, 2_500, 6), np.zeros(2_500, int)
    similar = np.tril(vectors @ vectors.T, -1) - 9 * np.triu(np.ones((2_500, 2_500)))
    expected = np.r_[-1.0, similar.max(axis=1)[1:]]
    assert np.array_equal(nearest_earlier(vectors, cluster), np.maximum(expected, -1))


@few
@given(pool=pools, budget=budgets, seed=st.integers(0, 3))
def test_semdedup_is_the_obvious_rule(pool, budget, seed):
    n = len(pool)
    start = library_seed(seed, "semdedup clusters")
    cluster = clusters(pool.vectors, max(1, round((n / 2) ** 0.5)), start)
    nearest = slow_nearest_earlier(pool.vectors, cluster)
    by_distance = sorted(range(n), key=lambda r: (nearest[r], r))
    check(pool, budget, "semdedup", by_distance, seed=seed)
    for eps in (0.1, 0.5, 0.75):
        kept = [r for r in by_distance if not nearest[r] > 1 - eps]
        check(pool, budget, "semdedup", kept, seed=seed, eps=eps)


def test_semdedup_prunes_more_as_eps_grows():
    pool = pool_of(2, 300)
    kept = []
    for eps in (0.0, 0.2, 0.4, 0.6, 1.0, 1.6):
        found = select(pool, budget=300, method="semdedup", eps=eps)
        kept.append(len(found) - found.filled)
    assert kept == sorted(kept, reverse=True) and kept[0] > kept[2] > kept[-1]


# -- facility location ----------------------------------------------------------------------------


def slow_greedy(similarity, bonus, weight, count):
    """Greedy without laziness: every candidate's gain anew at every step, ties by row."""
    n = len(similarity)
    similarity = np.maximum(similarity.astype(np.float64), 0)
    best, chosen = np.zeros(n), []
    for _ in range(min(count, n)):
        gains = {
            row: weight * float(np.maximum(similarity[row] - best, 0).sum()) + bonus[row]
            for row in range(n)
            if row not in chosen
        }
        chosen.append(max(gains, key=lambda row: (gains[row], -row)))
        best = np.maximum(best, similarity[chosen[-1]])
    return chosen


@few
@given(pool=pools, budget=budgets)
def test_facility_location_is_the_greedy_choice(pool, budget):
    own = slow_greedy(pool.vectors @ pool.vectors.T, np.zeros(len(pool)), 1.0, budget)
    check(pool, budget, "facility-location", own)


@few
@given(pool=pools, budget=budgets, a=st.sampled_from([0.0, 0.3, 1.0]))
def test_qdit_is_the_greedy_choice_of_gain_and_depth(pool, budget, a):
    quality = a * np.nan_to_num(pool.relative_depth.astype(np.float64))
    own = slow_greedy(pool.vectors @ pool.vectors.T, quality, 1 - a, budget)
    check(pool, budget, "qdit", own, a=a)


def test_qdit_is_facility_location_at_one_end_and_depth_at_the_other():
    pool = pool_of(4, 40, missing=0)
    one_end = select(pool, budget=20, method="qdit", a=0.0).rows.tolist()
    assert one_end == select(pool, budget=20, method="facility-location").rows.tolist()
    other = select(pool, budget=20, method="qdit", a=1.0).rows.tolist()
    assert other == select(pool, budget=20, method="depth-only").rows.tolist()


@few
@given(pool=pools, budget=budgets)
def test_the_sparse_search_with_all_neighbours_is_the_dense_one(pool, budget):
    nothing = np.zeros(len(pool))
    dense = lazy_greedy(Dense.of(pool.vectors), nothing, 1.0, budget)
    sparse = lazy_greedy(Sparse.of(pool.vectors, len(pool)), nothing, 1.0, budget)
    assert sparse.tolist() == dense.tolist()


def clustered(n: int, groups: int, d: int = 32) -> np.ndarray:
    """Unit vectors in groups, as embeddings of a pool of tasks are."""
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(groups, d))
    vectors = centre[rng.integers(0, groups, n)] + 0.6 * rng.normal(size=(n, d))
    return np.float32(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_facility_location_by_hand():
    """Two groups of two and a loner: one of each group first, the loner third."""
    angle = np.deg2rad([0, 10, 90, 100, 200])
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    pool = Landscape.from_arrays(np.zeros((5, 2)), vectors=vectors)
    rows = select(pool, budget=3, method="facility-location").rows.tolist()
    assert {rows[0] // 2, rows[1] // 2} == {0, 1} and rows[2] == 4


# -- what is missing is said ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["loss-top", "loss-mid", "longest", "depth-only", "k-means",
                                    "qdit", "deita", "ifd"])  # fmt: skip
def test_without_a_loss_the_method_says_so(method):
    pool = Landscape.from_arrays(np.zeros((9, 2)), vectors=np.eye(9))
    with pytest.raises(IlaError, match=f"Method {method} needs .*--loss"):
        select(pool, budget=3, method=method)


@pytest.mark.parametrize("method", ["deita", "k-center", "k-means", "facility-location", "qdit",
                                    "semdedup"])  # fmt: skip
def test_without_vectors_the_method_says_so(method):
    pool = Landscape.from_arrays(np.zeros((9, 2)), depth=np.arange(9.0))
    with pytest.raises(IlaError, match=f"Method {method} needs embeddings.*--embeddings"):
        select(pool, budget=3, method=method)


def test_ifd_says_what_it_lacks():
    pool = Landscape.from_arrays(np.zeros((9, 2)), loss=np.ones(9))
    with pytest.raises(IlaError, match=r"ifd needs the loss .* without their inst.*--unc"):
        select(pool, budget=3, method="ifd")


@pytest.mark.parametrize("method", ["random", "balanced", "coverage-only", "ila", "nested",
                                    "k-center", "facility-location", "semdedup"])  # fmt: skip
def test_the_others_run_on_bare_instructions(method):
    pool = Landscape.from_arrays(np.random.default_rng(0).random((9, 2)), vectors=np.eye(9))
    assert len(select(pool, budget=3, method=method)) == 3


def test_a_method_whose_input_is_excluded_runs_dry_instead_of_refusing():
    pool = Landscape.from_arrays(np.zeros((3, 2)), loss=[1.0, NAN, NAN])
    found = select(pool, budget=2, method="loss-top", exclude=[0])
    assert found.rows.tolist() == [1, 2] and found.filled == 2


def test_an_unknown_method_lists_the_names():
    with pytest.raises(UsageError, match="Unknown method 'deta'; methods are random, balanced, "):
        select(pool_of(0, 5), budget=2, method="deta")


@pytest.mark.parametrize(
    ("method", "parameters", "message"),
    [
        ("deita", {"tua": 0.5}, "deita takes no parameter 'tua'; it takes tau"),
        ("random", {"tau": 0.5}, "random takes no parameter 'tau'; it takes none"),
        ("ila", {"tau": 0.5}, "ila takes no parameter 'tau'"),
        ("qdit", {"a": 2}, "a of qdit is 2"),
        ("facility-location", {"k": 0}, "k of facility-location is 0"),
        ("loss-mid", {"start": 1}, "start of loss-mid is 1"),
        ("semdedup", {"eps": -1}, "eps of semdedup is -1"),
    ],
)
def test_wrong_parameters_are_refused(method, parameters, message):
    with pytest.raises(UsageError, match=message):
        select(pool_of(0, 9), budget=2, method=method, **parameters)


# -- methods from outside -------------------------------------------------------------------------


def shortest(landscape, count, seed, *, least=0):
    """Return the rows with the fewest response tokens."""
    rows = np.flatnonzero(landscape.tokens >= least)
    return rows[np.argsort(landscape.tokens[rows], kind="stable")][:count]


def test_a_plain_function_is_a_method():
    pool = Landscape.from_arrays(np.zeros((4, 2)), tokens=[5, 2, 9, 1], depth=[1, 2, 3, 4])
    found = select(pool, budget=3, method=shortest, exclude=[3])
    assert found.rows.tolist() == [1, 0, 2]
    assert found.spec.method == "shortest"
    few_left = select(pool, budget=3, method=shortest, least=5)
    assert few_left.rows.tolist() == [0, 2, 3] and few_left.filled == 1
    assert few_left.spec.parameters == (("least", 5),)
    assert find(shortest).rule == "Return the rows with the fewest response tokens."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([0, 0], "returned a row twice"),
        ([0, 9], "returned rows outside 0 to 3"),
        ([-1, 0], "returned rows outside 0 to 3"),
        ([0, 1, 2], "returned 3 rows where 2 were asked"),
        ([0.5, 1.0], "returned float64 of shape"),
        ([[0], [1]], r"returned int64 of shape \(2, 1\)"),
    ],
)
def test_a_functions_wrong_answer_is_named(answer, message):
    pool = Landscape.from_arrays(np.zeros((4, 2)))
    with pytest.raises(IlaError, match=message):
        select(pool, budget=2, method=lambda landscape, count, seed: np.array(answer))


@pytest.fixture
def plug_in(monkeypatch):
    """Pretend that installed packages have these entry points, by name and value."""

    def install(**values):
        points = [importlib.metadata.EntryPoint(*v, "ila.methods") for v in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: points)
        registry.methods.cache_clear()

    yield install
    monkeypatch.undo()
    registry.methods.cache_clear()


def test_installed_packages_add_methods(plug_in, monkeypatch):
    package = types.ModuleType("their_package")
    package.shortest = shortest
    monkeypatch.setitem(__import__("sys").modules, "their_package", package)
    plug_in(shortest="their_package:shortest")
    pool = Landscape.from_arrays(np.zeros((4, 2)), tokens=[5, 2, 9, 1])
    assert names()[-1] == "shortest"
    assert select(pool, budget=2, method="shortest").rows.tolist() == [3, 1]
    assert select(pool, budget=1, method="shortest", least=4).rows.tolist() == [0]
    assert compare(pool, budget=2, methods=["shortest"])["shortest"].numbers["tokens"] == 3


def test_a_package_that_cannot_be_loaded_hurts_only_its_own_method(plug_in):
    plug_in(gone="no_such_package:pick")
    pool = pool_of(0, 9)
    assert len(select(pool, budget=3, method="random")) == 3
    with pytest.raises(IlaError, match="Method gone could not be loaded from no_such_package:pick"):
        select(pool, budget=3, method="gone")


def test_a_package_cannot_take_a_known_name(plug_in):
    plug_in(ila="their_package:pick")
    with pytest.raises(IlaError, match="names its method 'ila', which exists already"):
        names()


def test_random_draws_once_whatever_the_budget_and_gives_rows_that_nobody_can_spoil() -> None:
    pool = pool_of(3, 50)
    few, many = (select(pool, budget=size, method="random").rows for size in (7, 30))
    assert many[:7].tolist() == few.tolist()
    assert random(pool, 30, 0).tolist() == stream(0, "random").permutation(50)[:30].tolist()
    assert shuffled(50, 0) is shuffled(50, 0)
    own = random(pool, 50, 0)
    own[:] = 0
    assert random(pool, 7, 0).tolist() == few.tolist()


def test_vectors_are_taken_along_only_for_a_method_that_may_look_at_them(monkeypatch) -> None:
    pool = Landscape.from_arrays(np.zeros((9, 2)), vectors=np.eye(9, dtype=np.float32))
    taken = []
    whole = Landscape.subset

    def subset(self, rows, *, vectors=True, **how):
        taken.append(vectors)
        return whole(self, rows, vectors=vectors, **how)

    def by_vectors(landscape, count, seed):
        assert landscape.vectors.shape == (8, 9)
        return np.arange(count)

    monkeypatch.setattr(Landscape, "subset", subset)
    for seed in range(3):
        select(pool, budget=3, method="random", pin=[4], seed=seed)
    select(pool, budget=3, method=by_vectors, pin=[4])
    assert taken == [False, True]
    assert pool.subset(np.arange(3), vectors=False).vectors is None
