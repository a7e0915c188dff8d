"""What students are trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from study_cases import pool_of, settings

from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select_by
from ila_core.selection.budget import Budget
from ila_core.studies import lessons
from ila_core.studies.lessons import Teacher, depth_column, random_subset
from ila_core.studies.plan import SubsetJob, plan


@pytest.mark.parametrize("kind", ["column", "loss-reduction", "loss"])
def test_depth_of_every_kind_is_ranked_without_the_held_out_records(kind):
    pool = pool_of(900, kinds=3)
    teacher = Teacher(pool, settings(), 0)
    ranks = Landscape.from_arrays(
        pool.xy[teacher.split.train],
        depth=pool.by(kind).depth[teacher.split.train],
        domain=pool.domain[teacher.split.train],
    ).relative_depth
    assert np.array_equal(teacher.pool.by(kind).relative_depth, ranks, equal_nan=True)
    whole = pool.by(kind).relative_depth[teacher.split.train]
    assert not np.array_equal(ranks, whole, equal_nan=True)


def test_every_selection_keeps_its_budget_and_stays_out_of_dev():
    pool = pool_of(2_000)
    options = settings(
        methods=["random", "coverage-only", "depth-only", "ila", "nested", "longest"],
        budgets=["1%", "10%", "150", "2000-tokens"],
        depth_targets=[0.75, 0.5],
        seeds=2,
        subsets=10,
    )
    teachers = {seed: Teacher(pool, options, seed) for seed in (0, 1)}
    for job in plan(pool, options):
        teacher = teachers[job.seed]
        lesson = teacher.lesson(job)
        assert not set(lesson.rows.tolist()) & set(teacher.split.dev.tolist())
        assert len(set(lesson.rows.tolist())) == len(lesson.rows)
        tokens = float(np.nansum(pool.tokens[lesson.rows]))
        assert lesson.tokens == tokens
        if isinstance(job, SubsetJob):
            assert len(lesson.rows) == int(0.04 * teacher.pool.scored)
            continue
        given = job.spec.asked
        if job.unit == "records":
            assert len(lesson.rows) == given.records(teacher.pool)
        else:
            share = given.records(teacher.pool) / 1_800 * teacher.pool.total_tokens
            wanted = given.value if given.kind == "tokens" else round(share)
            assert wanted - 60 < tokens <= wanted


def test_selections_are_those_of_select(monkeypatch):
    """Also where a method is asked only once for all budgets."""
    pool = pool_of(2_000)
    options = settings(methods=["random", "ila", "nested"], budgets=["1%", "3%", "10%"], subsets=0)
    asked = []
    monkeypatch.setattr(
        lessons,
        "select_by",
        lambda pool, spec: asked.append(spec.method) or select_by(pool, spec),
    )
    teacher = Teacher(pool, options, 1)
    for job in plan(pool, options):
        if job.seed == 1:
            budget = teacher.budget(job.spec.asked, job.unit)
            expected = select_by(teacher.pool, replace(job.spec, budget=budget.text)).rows
            assert teacher.lesson(job).rows.tolist() == teacher.split.train[expected].tolist()
    assert asked.count("random") <= 2 and asked.count("nested") <= 2


def test_depth_targets_of_one_method_are_not_mixed_up():
    """The order of a method that is asked once for all budgets is kept by all of its knobs."""
    pool = pool_of(2_000, missing=0)
    teacher = Teacher(pool, settings(budgets=["10%"]), 0)
    (job, *_) = plan(pool, settings(methods=["nested"], subsets=0))
    deep, middle = (
        teacher.rows(replace(job.spec, depth_target=target)).tolist() for target in (1.0, 0.5)
    )
    assert deep != middle


def test_a_budget_is_given_in_as_many_tokens_as_chance_would_take():
    pool = pool_of(2_000)
    teacher = Teacher(pool, settings(), 0)
    share = Budget.parse("10%")
    tokens = teacher.budget(share, "tokens")
    assert tokens.kind == "tokens"
    assert int(tokens.value) == pytest.approx(teacher.pool.total_tokens / 10, rel=0.01)
    assert teacher.budget(share, "records") is share
    given = Budget.parse("99-tokens")
    assert teacher.budget(given, "tokens") is given


# -- subsets of the regression --------------------------------------------------------------------


def test_random_subsets_use_no_method(monkeypatch):
    monkeypatch.setattr(lessons, "select_by", None)
    pool = pool_of(3_000)
    drawn = [random_subset(pool, np.random.default_rng(seed)) for seed in range(40)]
    assert {len(rows) for rows in drawn} == {int(0.04 * pool.scored)}
    assert all(np.isfinite(pool.relative_depth[rows]).all() for rows in drawn)
    again = random_subset(pool, np.random.default_rng(3))
    assert again.tolist() == drawn[3].tolist()
    depth = [pool.relative_depth[rows].mean() for rows in drawn]
    extent = [np.ptp(pool.xy[rows], axis=0).prod() for rows in drawn]
    assert min(depth) < 0.35 and max(depth) > 0.65  # bands low and high
    assert min(extent) < 0.8 and max(extent) > 0.95  # few regions and all


def test_bands_are_of_every_kind_of_depth_in_turn():
    """Else only one of the depths would vary, and the others could explain nothing."""
    pool = pool_of(3_000, missing=0, kinds=3)
    teacher = Teacher(pool, settings(), 0)
    drawn = [teacher.lesson(SubsetJob(number, 0, 0)) for number in range(45)]
    assert {len(lesson.rows) for lesson in drawn} == {int(0.04 * len(teacher.pool))}
    for turn, kind in enumerate(pool.kinds):
        of = [lesson.inputs[depth_column(kind)] for lesson in drawn]
        assert np.std(of[turn::3]) > 0.1
        for other in {0, 1, 2} - {turn}:  # a kind that is not banded stays in the middle
            assert np.std(of[other::3]) < 0.05


def test_what_is_noted_of_a_subset_by_hand():
    pool = pool_of(2_000, kinds=2)
    teacher = Teacher(pool, settings(), 0)
    lesson = teacher.lesson(SubsetJob(3, 0, 0))
    rows = np.searchsorted(teacher.split.train, lesson.rows)
    patch = teacher.pool.grid(128, 0.5).patches(teacher.pool.xy)
    touched = np.isin(patch, patch[rows])
    assert lesson.inputs == {
        "coverage": pytest.approx(len(set(patch[rows])) / len(set(patch))),
        "reach": pytest.approx(touched.mean()),
        "mean_relative_depth_column": pytest.approx(
            np.nanmean(teacher.pool.by("column").relative_depth[rows])
        ),
        "mean_relative_depth_loss": pytest.approx(
            teacher.pool.by("loss").relative_depth[rows].mean()
        ),
    }


def test_a_subset_without_any_depth_of_a_kind_has_none_to_note():
    """It is written as JSON, which knows no NaN."""
    pool = pool_of(900, missing=0, kinds=2)
    loss = np.full(900, np.nan)
    train = Teacher(pool, settings(), 0).split.train
    loss[train[:40]] = 1.0
    few = Landscape.from_arrays(pool.xy, depth=pool.depth, loss=loss, tokens=pool.tokens)
    lesson = Teacher(few, settings(), 0).lesson(SubsetJob(0, 0, 0))
    assert len(lesson.rows) == 1 and lesson.inputs["mean_relative_depth_loss"] in (None, 0.5)
    drawn = [Teacher(few, settings(), 0).lesson(SubsetJob(2 * k, 0, 0)) for k in range(20)]
    assert None in [lesson.inputs["mean_relative_depth_loss"] for lesson in drawn]


def test_subsets_differ_by_their_number_and_their_seed():
    pool = pool_of(2_000)
    teachers = [Teacher(pool, settings(), seed) for seed in (0, 1)]
    rows = [
        tuple(teacher.lesson(SubsetJob(number, teacher.seed, 0)).rows.tolist())
        for teacher in teachers
        for number in range(5)
    ]
    assert len(set(rows)) == 10


def test_a_pool_without_depths_has_no_subsets():
    pool = Landscape.from_arrays(np.random.default_rng(0).random((900, 2)), tokens=np.ones(900))
    with pytest.raises(IlaError, match=r"0 records of this pool have one.*--subsets 0"):
        random_subset(pool, np.random.default_rng(0))
