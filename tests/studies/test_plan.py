"""Who is held out, who is trained, and what is refused before anybody is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from study_cases import NAN, pool_of, settings

from ila_core.chance import stream
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import methods
from ila_core.methods.select import select
from ila_core.selection.spec import Spec
from ila_core.studies.lessons import random_subset
from ila_core.studies.plan import CurveJob, SubsetJob, fewest_scored, plan, split, variants
from ila_core.studies.settings import SUBJECT, StudySettings
from ila_core.studies.variant import ILA, Variant

# -- what is held out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "held"), [(700, 200), (5_000, 200), (10_000, 400), (75_000, 3_000), (90_000, 3_000)]
)
def test_four_per_cent_are_held_out_200_at_least_and_3000_at_most(n, held):
    parts = split(pool_of(n, silent=0), 0)
    assert len(parts.dev) == held
    assert sorted([*parts.train, *parts.dev]) == list(range(n))


def test_the_held_out_have_a_response_and_follow_the_seed():
    pool = pool_of(900, silent=0.2)
    parts = split(pool, 1)
    assert (pool.tokens[parts.dev] > 0).all()
    assert split(pool, 1).dev.tolist() == parts.dev.tolist() != split(pool, 2).dev.tolist()


def test_a_pool_too_small_to_spare_a_part_is_refused():
    with pytest.raises(IlaError, match=r"holds out 200 records and needs at least 600.*has 599"):
        split(pool_of(599, silent=0), 0)
    assert len(split(pool_of(600, silent=0), 0).dev) == 200


# -- chance ---------------------------------------------------------------------------------------

SEEDED = [name for name, method in methods().items() if "seed" in method.reads]


@pytest.fixture(scope="module")
def scattered() -> Landscape:
    """1,200 records with everything that a method may need, nothing in the order of the rows."""
    rng = np.random.default_rng(7)
    n = 1_200
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    return Landscape.from_arrays(
        rng.random((n, 2)),
        depth=rng.random(n),
        loss=rng.random(n),
        tokens=rng.integers(1, 60, n),
        domain=rng.integers(0, 3, n),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        scores={"unconditional_loss": rng.random(n)},
    )


def off_by(pool: Landscape, places: Callable[[Landscape, int], np.ndarray], seeds: int) -> float:
    """How many standard deviations the places shared with the held-out are off chance."""
    n, surplus, variance = len(pool), 0.0, 0.0
    for seed in range(seeds):
        parts = split(pool, seed)
        chosen = places(pool.subset(parts.train, rerank=True), seed)
        share = len(parts.dev) / n
        surplus += len(np.intersect1d(chosen, parts.dev)) - len(chosen) * share
        variance += len(chosen) * share * (1 - share) * (n - len(chosen)) / (n - 1)
    return surplus / math.sqrt(variance)


@pytest.mark.parametrize("method", SEEDED)
def test_what_a_seeded_method_takes_has_nothing_to_do_with_the_held_out(scattered, method):
    """Permutations of one seed resemble each other: the places drawn would be the dev's thrice."""

    def places(pool: Landscape, seed: int) -> np.ndarray:
        return select(pool, budget=150, method=method, seed=seed).rows

    assert abs(off_by(scattered, places, seeds=5)) < 4


def test_subsets_have_nothing_to_do_with_the_held_out(scattered):
    def places(pool: Landscape, seed: int) -> np.ndarray:
        return random_subset(pool, stream(seed, "regression subset", seed))

    assert abs(off_by(scattered, places, seeds=40)) < 4


def test_a_shared_stream_would_be_noticed(scattered):
    def places(pool: Landscape, seed: int) -> np.ndarray:
        return stream(seed, "dev split").permutation(len(pool))[:200]

    assert off_by(scattered, places, seeds=5) > 10


# -- who is trained -------------------------------------------------------------------------------


def test_the_plan_has_every_method_budget_unit_and_seed_once():
    jobs = plan(pool_of(700), settings(subsets=10, depth_targets=[0.75, 0.5, 1.0], seeds=3))
    curves = [job for job in jobs if isinstance(job, CurveJob)]
    assert len(curves) == 4 * 2 * 3 and len(jobs) == len(curves) + 10  # 0.75 is ILA itself
    assert len({job.key for job in jobs}) == len(jobs)
    assert [job.spec.depth_target for job in curves[:4]] == [0.75, 0.75, 0.5, 1.0]
    assert [job.spec.method for job in curves[:4]] == ["random", SUBJECT, SUBJECT, SUBJECT]
    assert {job.seed for job in jobs if isinstance(job, SubsetJob)} == {0}


def test_a_job_tells_all_that_its_row_needs():
    job = plan(pool_of(700), settings(budgets=["7%"], subsets=0, seed=4, seeds=1))[1]
    assert list(job.about.items()) == [
        ("method", "ila"), ("patches", "even"), ("depth", "auto"), ("depth_target", 0.75),
        ("budget", "7%"), ("unit", "records"), ("seed", 4),
    ]  # fmt: skip


def test_a_budget_in_tokens_has_no_second_unit():
    options = settings(budgets=["500-tokens"], subsets=0, seeds=1, depth_targets=[0.5])
    jobs = plan(pool_of(700), options)
    assert [job.unit for job in jobs] == ["tokens"] * 3


def test_ilas_parts_are_taken_back_one_at_a_time_beside_the_methods():
    """The defaults of a study: 8 methods, and ILA with each of its three parts as it was."""
    curves = variants(pool_of(700, kinds=3).by("loss-reduction"), StudySettings())
    assert [str(curve) for curve in curves] == [
        "random", "even-random", "coverage-only", "depth-only", "ila", "nested", "paper", "deita",
        "ila grid", "ila loss", "ila q=1", "ila q=0.5",
    ]  # fmt: skip
    asked = StudySettings(methods=["nested", "random"])
    assert variants(pool_of(700), asked) == [Variant(Spec("nested")), Variant(Spec("random"))]


def test_a_part_that_is_ilas_own_is_no_second_curve():
    options = StudySettings(
        methods=["ila"], patches=["even"], depths=["column"], depth_targets=[0.75, 1]
    )
    assert variants(pool_of(700, kinds=2), options) == [ILA, Variant(Spec("ila", depth_target=1.0))]


def test_a_kind_of_depth_that_is_not_there_is_left_out_unless_it_was_asked_for():
    pool = pool_of(700)
    assert [curve.spec.depth for curve in variants(pool, StudySettings(methods=["ila"]))] == [
        "auto"
    ] * 4
    with pytest.raises(UsageError, match="no depth of the kind 'loss-reduction'; it has column"):
        plan(pool, settings(depths=["loss-reduction"], subsets=0))


# -- what is refused ------------------------------------------------------------------------------


def without_depth(n: int = 900) -> Landscape:
    return Landscape.from_arrays(np.random.default_rng(0).random((n, 2)), tokens=np.ones(n))


def test_a_regression_without_depths_is_refused():
    with pytest.raises(IlaError, match=r"0 records of this pool have one.*--subsets 0"):
        plan(without_depth(), settings())
    assert len(plan(without_depth(), settings(subsets=0, seeds=1))) == 4


def test_a_regression_with_too_few_depths_beside_the_held_out_is_refused():
    """The held-out records may have the only ones: they are not counted."""
    pool = pool_of(900, missing=0, silent=0)
    depth = np.full(900, NAN)
    dev = split(pool, 0).dev
    depth[dev] = 1.0
    few = Landscape.from_arrays(pool.xy, depth=depth, tokens=pool.tokens)
    with pytest.raises(IlaError, match=r"0 records of this pool have one.*--subsets 0"):
        plan(few, settings())
    with pytest.raises(IlaError, match="Method depth-only needs depths"):
        plan(few, settings(methods=["depth-only"], subsets=0, seeds=1))
    assert plan(few, settings(methods=["depth-only"], subsets=0, seed=1, seeds=1))


def test_subsets_are_as_large_as_the_kind_allows_that_the_fewest_have():
    pool = pool_of(900, missing=0.5, kinds=3)
    assert fewest_scored(pool) == pool.by("column").scored < pool.by("loss").scored == 900
    assert fewest_scored(without_depth()) == 0


def test_a_method_that_lacks_an_input_is_refused():
    with pytest.raises(IlaError, match="Method longest needs the responses' token counts"):
        plan(Landscape.from_arrays(np.zeros((9, 2)), depth=np.ones(9)),
             settings(methods=["longest"]))  # fmt: skip
    with pytest.raises(IlaError, match="Method deita needs embeddings"):
        plan(pool_of(900), settings(methods=["random", "deita"]))
