"""The study: what is held out, who learns from what, what follows, how a stopped one goes on."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path

import numpy as np
import pytest
import tiny_lm
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core import cli
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.methods import select
from ila_core.selection.selection import Budget
from ila_core.studies import Study, StudySettings, identity, planned, students
from ila_core.studies import plan as planning
from ila_core.studies.plan import Teacher, plan, random_subset, split
from ila_core.studies.regression import r_squared, regress
from ila_core.studies.run import study
from ila_core.studies.students import NgramStudent, dev_loss

NAN = float("nan")
SMALL = {
    "methods": ["random", "coverage-only", "ila", "deita"],
    "budgets": ["5%", "20%"],
    "seeds": 2,
    "subsets": 12,
    "depth_targets": [0.5],
}
STUDENTS = 5 * 2 * 2 * 2 + 12  # variants x budgets x units x seeds, and the regression


def pool_of(n: int, *, seed: int = 0, missing: float = 0.1, silent: float = 0.05) -> Landscape:
    """Records of chance; some have no depth, some no response at all."""
    rng = np.random.default_rng(seed)
    depth, tokens = rng.random(n), rng.integers(1, 60, n).astype(float)
    depth[rng.random(n) < missing] = NAN
    tokens[rng.random(n) < silent] = 0
    return Landscape.from_arrays(
        rng.random((n, 2)), depth=depth, tokens=tokens, domain=rng.integers(0, 3, n)
    )


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """A landscape of 900 records with their texts, projected by PCA."""
    folder = tmp_path_factory.mktemp("study")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(900))
    return ila.build(pool, out=folder / "run", projection="pca")


@pytest.fixture(scope="module")
def finished(landscape: Landscape, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """The folder of an undisturbed study, and what it told on the way."""
    out, told = tmp_path_factory.mktemp("finished") / "study", []
    study(landscape, out=out, say=told.append, **SMALL)
    return out, told


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


def test_random_training_rows_have_nothing_to_do_with_the_held_out():
    """Permutations of one seed resemble each other: the places drawn would be the dev's thrice."""
    pool, alike = pool_of(9_000, silent=0), []
    for seed in range(10):
        parts = split(pool, seed)
        part = select(pool.subset(parts.train), budget=len(parts.dev), method="random", seed=seed)
        alike.append(len(np.intersect1d(part.rows, parts.dev)) / len(parts.dev))
    assert np.mean(alike) < 0.06  # the places, not the records: 4 % by chance


def test_a_pool_too_small_to_spare_a_part_is_refused():
    with pytest.raises(IlaError, match=r"holds out 200 records and needs at least 600.*has 599"):
        split(pool_of(599, silent=0), 0)
    assert len(split(pool_of(600, silent=0), 0).dev) == 200


# -- what students are trained on -----------------------------------------------------------------


def settings(**options):
    return StudySettings.of(**{"methods": ["random", "ila"], "budgets": ["10%"], **options})


def test_depth_is_ranked_without_the_held_out_records():
    pool = pool_of(900)
    teacher = Teacher(pool, settings(), 0)
    ranks = Landscape.from_arrays(
        pool.xy[teacher.split.train],
        depth=pool.depth[teacher.split.train],
        domain=pool.domain[teacher.split.train],
    ).relative_depth
    assert np.array_equal(teacher.pool.relative_depth, ranks, equal_nan=True)
    whole = pool.relative_depth[teacher.split.train]
    assert not np.array_equal(ranks, whole, equal_nan=True)


def test_every_selection_keeps_its_budget_and_stays_out_of_dev():
    pool = pool_of(2_000)
    options = settings(
        methods=["random", "coverage-only", "depth-only", "ila", "nested", "longest"],
        budgets=["1%", "10%", "150", "2000-tokens"],
        seeds=2,
        subsets=10,
    )
    teachers = {seed: Teacher(pool, options, seed) for seed in (0, 1)}
    for job in plan(pool, options):
        teacher = teachers[job.about["seed"]]
        lesson = teacher.lesson(job)
        assert not set(lesson.rows.tolist()) & set(teacher.split.dev.tolist())
        assert len(set(lesson.rows.tolist())) == len(lesson.rows) == lesson.found["records"]
        tokens = float(np.nansum(pool.tokens[lesson.rows]))
        assert lesson.found["tokens"] == tokens
        if job.about["kind"] == "regression":
            assert lesson.found["records"] == int(0.04 * teacher.pool.scored)
            continue
        given = Budget.parse(job.about["budget"])
        if job.about["unit"] == "records":
            assert len(lesson.rows) == given.records(teacher.pool)
        else:
            share = given.records(teacher.pool) / 1_800 * teacher.pool.total_tokens
            wanted = given.value if given.kind == "tokens" else round(share)
            assert wanted - 60 < tokens <= wanted


def test_a_budget_in_tokens_has_no_second_unit():
    jobs = plan(pool_of(700), settings(budgets=["500-tokens"], subsets=0, seeds=1))
    assert [job.about["unit"] for job in jobs] == ["tokens"] * 4


def test_selections_are_those_of_select(monkeypatch):
    """Also where a method is asked only once for all budgets."""
    pool = pool_of(2_000)
    options = settings(methods=["random", "ila", "nested"], budgets=["1%", "3%", "10%"], subsets=0)
    asked = []
    monkeypatch.setattr(
        planning, "select", lambda pool, **how: asked.append(how["method"]) or select(pool, **how)
    )
    teacher = Teacher(pool, options, 1)
    for job in plan(pool, options):
        if job.about["seed"] == 1:
            budget = teacher.budget(job.about["budget"], job.about["unit"])
            how = {name: job.about[name] for name in ("method", "depth_target", "seed")}
            expected = select(teacher.pool, budget=budget, **how).rows
            assert teacher.lesson(job).rows.tolist() == teacher.split.train[expected].tolist()
    assert asked.count("random") <= 2 and asked.count("nested") <= 2


def test_the_plan_has_every_method_budget_unit_and_seed_once():
    jobs = plan(pool_of(700), settings(subsets=10, depth_targets=[0.75, 0.5, 1.0], seeds=3))
    curves = [job.about for job in jobs if job.about["kind"] == "curve"]
    assert len(curves) == 4 * 2 * 3 and len(jobs) == len(curves) + 10
    assert len({job.key for job in jobs}) == len(jobs)
    assert [about["depth_target"] for about in curves[:4]] == [1.0, 1.0, 0.75, 0.5]
    assert {job.about["seed"] for job in jobs if job.about["kind"] == "regression"} == {0}


# -- subsets of the regression --------------------------------------------------------------------


def test_random_subsets_use_no_method(monkeypatch):
    monkeypatch.setattr(planning, "select", None)
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


def test_a_pool_without_depths_has_no_regression(landscape, tmp_path):
    pool = Landscape.from_arrays(np.random.default_rng(0).random((900, 2)), tokens=np.ones(900))
    with pytest.raises(IlaError, match=r"0 records of this pool have one.*--subsets 0"):
        random_subset(pool, np.random.default_rng(0))


# -- the regression -------------------------------------------------------------------------------


def drawn_inputs(k=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.05, 1, k), rng.uniform(0.2, 0.8, k), rng


def test_a_linear_loss_is_explained_wholly():
    coverage, depth, _ = drawn_inputs()
    fit = regress(coverage, depth, 3.0 - 0.4 * np.log(coverage) + 0.7 * depth, 0)
    assert fit.r2_cv == pytest.approx(1) and fit.r2_in_sample == pytest.approx(1)
    assert fit.coefficients == pytest.approx((3.0, -0.4, 0.7))
    assert fit.r2_cv_low == pytest.approx(1) and fit.r2_cv_high == pytest.approx(1)


def test_noise_is_not_explained():
    coverage, depth, rng = drawn_inputs(400)
    fit = regress(coverage, depth, rng.normal(size=400), 0)
    assert abs(fit.r2_in_sample) < 0.05 and -0.1 < fit.r2_cv < 0.05


def test_half_explained_with_an_interval_that_brackets():
    coverage, depth, rng = drawn_inputs(400)
    signal = -0.4 * np.log(coverage) + 0.7 * depth
    loss = signal + rng.normal(scale=signal.std(), size=400)
    fit = regress(coverage, depth, loss, 0)
    assert fit.r2_cv_low < 0.5 < fit.r2_cv_high
    assert fit.r2_cv_low < fit.r2_cv < fit.r2_in_sample < fit.r2_cv_high
    assert fit.r2_cv_high - fit.r2_cv_low < 0.25


def test_cross_validation_is_the_obvious_loop():
    coverage, depth, rng = drawn_inputs(33)
    loss = rng.normal(size=33) - np.log(coverage)
    fold = np.random.default_rng(5).permutation(33) % 10
    predicted = np.empty(33)
    for row in range(33):
        rest = [r for r in range(33) if fold[r] != fold[row]]
        inputs = np.array([[1, math.log(coverage[r]), depth[r]] for r in rest])
        a, b, c = np.linalg.solve(inputs.T @ inputs, inputs.T @ loss[rest])
        predicted[row] = a + b * math.log(coverage[row]) + c * depth[row]
    fit = regress(coverage, depth, loss, 5)
    assert fit.r2_cv == pytest.approx(r_squared(loss, predicted))
    for row in range(33):
        rest = [r for r in range(33) if fold[r] != fold[row]]
        slope, start = np.polyfit(np.log(coverage[rest]), loss[rest], 1)
        predicted[row] = start + slope * math.log(coverage[row])
    assert fit.r2_cv_coverage == pytest.approx(r_squared(loss, predicted)) != fit.r2_cv
    assert regress(coverage, depth, loss, 5) == fit


def test_r_squared_by_hand():
    assert r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])) == pytest.approx(0.5)
    assert r_squared(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(-3)


def test_dev_loss_by_hand():
    nats, tokens = np.array([2.0, 12.0, NAN, 0.0]), np.array([2, 4, 3, 0])
    micro, macro = dev_loss(nats, tokens, np.array([0, 2, 0, 1]))
    assert micro == pytest.approx(14 / 6) and macro == pytest.approx((1 + 3) / 2)
    with pytest.raises(IlaError, match="none of the held-out"):
        dev_loss(np.array([NAN]), np.array([3]), np.array([0]))


# -- from end to end ------------------------------------------------------------------------------


def test_the_study_of_the_ngram_student(finished, landscape):
    out, _ = finished
    found = json.loads((out / "study.json").read_text())
    assert list(found) == ["student", "dev_records", "curves", "regression"]
    assert (found["student"], found["dev_records"]) == ("ngram", 200)
    assert len(found["curves"]) == STUDENTS - 12
    for row in found["curves"]:
        assert set(row) == {"method", "depth_target", "budget", "unit", "seed", "records",
                            "tokens", "micro", "macro"}  # fmt: skip
        assert 0 < row["micro"] < 12 and 0 < row["macro"] < 12
    regression = found["regression"]
    assert regression["subsets"] == 12 and regression["grid"] == 128
    for which in ("macro", "micro"):
        low, high = (regression[f"r2_{which}_cv_{end}"] for end in ("low", "high"))
        assert low <= regression[f"r2_{which}_cv"] <= high
        assert regression[f"r2_{which}_cv"] <= regression[f"r2_{which}_in_sample"] <= 1
    assert len(Study.open(out).subsets) == 12


def test_more_records_train_a_better_student(finished):
    found = Study.open(finished[0])
    for method in ("random", "coverage-only"):
        little, much = (found.mean(method, b, "records").mean for b in ("5%", "20%"))
        assert much < little


def test_the_plan_and_its_cost_come_before_the_first_student(finished, landscape, tmp_path):
    _, told = finished
    assert told[0].startswith(f"study: {STUDENTS} students ({STUDENTS - 12} on selections, 12 for")
    assert "each judged by 200 held-out records" in told[0]
    assert "about 1 min" in told[0]
    assert f"{STUDENTS} of {STUDENTS} students, about 0 s left" in told[-1]


def test_the_losses_are_those_of_the_student_on_the_selection(finished, landscape, tmp_path):
    """One curve point again, by hand."""
    row = Study.open(finished[0]).curves[7]
    parts = split(landscape, row["seed"])
    pool = landscape.subset(parts.train, rerank=True)
    how = {name: row[name] for name in ("method", "seed", "depth_target")}
    tokens = round(pool.total_tokens * int(0.05 * len(pool)) / len(pool))
    budget = row["budget"] if row["unit"] == "records" else f"{tokens}-tokens"
    rows = parts.train[select(pool, budget=budget, **how).rows]
    student = NgramStudent(landscape.records, tmp_path)
    student.prepare()
    nats, tokens = student.losses(rows, parts.dev, row["seed"])
    micro, macro = dev_loss(nats, tokens, landscape.domain[parts.dev])
    assert (row["micro"], row["macro"], row["records"]) == (micro, macro, len(rows))


class _Killed(BaseException):
    """As when the process is stopped."""


def test_a_stopped_study_goes_on_to_the_same_bytes(finished, landscape, tmp_path, monkeypatch):
    real, trained = NgramStudent.losses, []

    def until_stopped(self, train, dev, seed):
        trained.append(len(train))
        if len(trained) == 17:
            raise _Killed
        return real(self, train, dev, seed)

    monkeypatch.setattr(NgramStudent, "losses", until_stopped)
    out = tmp_path / "study"
    with pytest.raises(_Killed):
        study(landscape, out=out, **SMALL)
    assert not (out / "study.json").exists()
    journal = out / "runs.jsonl"
    whole = journal.read_text().splitlines()
    assert 10 <= len(whole) <= 16
    journal.write_text("\n".join(whole)[:-9])  # the last line is torn
    told: list[str] = []
    trained.clear()
    trained.extend([0] * 17)
    study(landscape, out=out, say=told.append, **SMALL)
    assert f"{len(whole) - 1} of them done" in told[0]
    assert len(trained) - 17 == STUDENTS - (len(whole) - 1)
    for name in ("study.json", "curves.parquet", "regression.parquet"):
        assert (out / name).read_bytes() == (finished[0] / name).read_bytes()


def test_a_finished_study_trains_nobody_again(finished, landscape, monkeypatch):
    monkeypatch.setattr(NgramStudent, "prepare", None)
    before = (finished[0] / "study.json").read_bytes()
    study(landscape, out=finished[0], **SMALL)
    assert (finished[0] / "study.json").read_bytes() == before


def test_other_settings_or_another_pool_in_the_same_folder_are_refused(finished, landscape):
    with pytest.raises(RunError, match="holds a study of another landscape or with other"):
        study(landscape, out=finished[0], **{**SMALL, "seeds": 1})
    moved = landscape.moved(landscape.xy[:, ::-1])
    with pytest.raises(RunError, match="choose another folder with --out"):
        study(moved, out=finished[0], **SMALL)


def test_a_method_that_cannot_run_is_told_before_anything_is_trained(landscape, tmp_path):
    with pytest.raises(IlaError, match=r"Method ifd needs the loss .* --unconditional"):
        study(landscape, out=tmp_path / "study", **{**SMALL, "methods": ["random", "ifd"]})
    assert not (tmp_path / "study").exists()


def test_a_landscape_without_texts_is_refused(tmp_path):
    with pytest.raises(IlaError, match="reads the records' texts"):
        study(pool_of(900), out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"student": "gpt"}, "Unknown student 'gpt'; choose ngram or lm"),
        ({"student": "lm"}, "add --lm ID_OR_PATH"),
        ({"methods": ["ili"]}, "Unknown method 'ili'"),
        ({"budgets": ["half"]}, "Budget 'half' is not understood"),
        ({"seeds": 0}, "--seeds is 0; give at least 1"),
        ({"subsets": 5}, "--subsets is 5; a regression needs at least 10"),
        ({"depth_targets": [2]}, "Depth target 2.0 is not a number from 0 to 1"),
        ({"budget": "1%"}, "Unknown option 'budget'; a study takes student, lm"),
        ({"budgets": [], "subsets": 0}, "nothing to train"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        StudySettings.of(**options)


def test_the_public_name_is_the_function_whatever_was_imported(finished, landscape):
    assert ila.study(landscape, out=finished[0], **SMALL).dev_records == 200


# -- findings -------------------------------------------------------------------------------------


def study_of(**losses: list[float]) -> Study:
    """A study of one budget: by method, the micro loss of each seed."""
    curves = [
        {"method": method.replace("_", "-"), "depth_target": 1.0, "budget": "10%",
         "unit": "records", "seed": seed, "records": 9, "tokens": 99.0, "micro": loss,
         "macro": loss}
        for method, values in losses.items()
        for seed, loss in enumerate(values)
    ]  # fmt: skip
    return Study("ngram", 200, curves)


def test_the_summary_says_plainly_when_random_wins():
    found = study_of(random=[3.0, 3.1, 3.2], ila=[3.4, 3.45, 3.65], nested=[3.5, 3.6, 3.7])
    text = found.summary()
    assert "At 10% and equal records, ILA is WORSE than random (+0.400); the lowest loss is that " \
           "of random, 3.100." in text  # fmt: skip


def test_the_summary_says_when_ila_wins_and_when_nobody_does():
    assert (
        "ILA is better than random (-0.400)"
        in study_of(random=[3.4, 3.45, 3.65], ila=[3.0, 3.1, 3.2]).summary()
    )
    draw = study_of(random=[3.0, 3.1, 3.2], ila=[3.1, 3.05, 3.2], deita=[2, 2.5, 3]).summary()
    assert "no better and no worse than random" in draw and "that of deita, 2.500" in draw
    assert (
        "ILA is better than random (-1.000, on one seed)"
        in study_of(random=[3.0], ila=[2.0]).summary()
    )


def test_the_same_difference_on_every_seed_counts_however_much_seeds_differ():
    found = study_of(random=[3.0, 5.0, 9.0], ila=[2.9, 4.9, 8.9])
    assert "better than random (-0.100)" in found.summary()


def test_a_summary_without_the_two_has_no_verdict():
    assert study_of(nested=[3.0], deita=[2.0]).verdicts() == []


def test_few_seeds_need_a_clear_difference():
    """3.5 standard errors on three seeds, 12 on two: by chance one time in thirteen."""
    assert "no better and no worse" in study_of(random=[3.0] * 3, ila=[2.95, 2.9, 2.85]).summary()
    assert "no better and no worse" in study_of(random=[3.0] * 2, ila=[2.93, 2.91]).summary()
    assert "ILA is better" in study_of(random=[3.0] * 3, ila=[2.92, 2.9, 2.88]).summary()


def test_the_two_losses_have_findings_of_their_own():
    found = study_of(random=[3.0, 3.1, 3.2], ila=[2.5, 2.6, 2.7])
    for row in found.curves:
        row["macro"] = 5.0 + (row["method"] == "ila")
    assert "ILA is better than random (-0.500)" in found.verdicts()[0]
    assert "ILA is WORSE than random (+1.000)" in found.verdicts("macro")[0]
    assert found.headline("macro") == "At equal records random beats ILA at 10%."
    text = found.summary()
    first, second = text.index("nats per token over all"), text.index("nats per token as the mean")
    assert first < text.index("better than random (-0.500)") < second
    assert second < text.index("WORSE than random (+1.000)")
    assert "6.000 ± 0.000" in text[second:]


def test_the_summary_has_the_tables_and_the_regression(finished):
    text = Study.open(finished[0]).summary()
    for words in (
        "Student ngram, judged by 200 held-out records.",
        "Loss at equal records",
        "Loss at equal tokens",
        "ila q=0.5",
        "Over 12 subsets that no method chose",
        "Log coverage alone explains",
    ):
        assert words in text  # fmt: skip


def test_the_headline_says_where_who_wins():
    found = study_of(random=[3.0, 3.1, 3.2], ila=[3.4, 3.45, 3.65])
    assert found.headline() == "At equal records random beats ILA at 10%."
    first = list(found.curves)
    found.curves.extend(
        {**row, "budget": budget, "micro": row["micro"] + shift * (row["method"] == "ila")}
        for budget, shift in (("20%", -1.0), ("30%", -1.0), ("40%", -0.4))
        for row in first
    )
    assert found.headline() == (
        "At equal records ILA beats random at 20% and 30%, random beats ILA at 10%, neither wins "
        "at 40%."
    )
    assert study_of(nested=[3.0]).headline() == "This study does not set ILA against random."


def test_a_method_stands_beside_random_seed_by_seed():
    found = study_of(random=[3.0, 5.0], deita=[2.9, 4.89], nested=[3.1, 4.0])
    gap = found.against_random("deita", "10%", "records")
    assert gap.mean == pytest.approx(-0.105) and (gap.seeds, gap.outcome) == (2, "better")
    assert found.against_random("nested", "10%", "records").outcome == "even"
    assert found.against_random("random", "10%", "records").outcome == "even"
    assert found.against_random("ila", "10%", "records") is None
    assert found.against_random("deita", "30%", "records") is None


def test_predictions_are_those_behind_the_cross_validated_share(finished):
    found = Study.open(finished[0])
    for which in ("micro", "macro"):
        actual, predicted = found.predictions(which)
        assert actual.tolist() == [row[which] for row in found.subsets]
        assert r_squared(actual, predicted) == pytest.approx(found.regression[f"r2_{which}_cv"])
    assert len(study_of(random=[1.0]).predictions()[0]) == 0


def test_how_far_a_study_is_stands_in_its_folder(landscape, tmp_path, monkeypatch):
    monkeypatch.setattr("ila_core.progress.EVERY", 0)
    seen = []

    def look(line: str) -> None:
        if "students, about" in line:
            seen.append(json.loads((tmp_path / "study" / "progress.json").read_text()))
            left = seen[-1]["stages"][-1]["eta_s"]  # by the records to come, not by the students
            assert f"about {left:,.0f} s left" in line or left % 1 == 0.5

    study(landscape, out=tmp_path / "study", say=look, **SMALL)
    assert {told["state"] for told in seen} == {"running"}
    assert all(told["stages"][-1]["stage"] == "students" for told in seen)
    assert {told["stages"][-1]["total"] for told in seen} == {STUDENTS}
    assert seen[-1]["notices"][0].startswith(f"{STUDENTS} students")
    ended = json.loads((tmp_path / "study" / "progress.json").read_text())
    assert ended["state"] == "done" and ended["stages"][-1]["done"] == STUDENTS


def test_a_folder_tells_what_its_study_is_of(finished, landscape, tmp_path):
    assert planned(finished[0]) == (identity(landscape), StudySettings.of(**SMALL))
    assert planned(tmp_path) is None
    for text in ("{", "[]", "{}", '{"landscape": "a", "settings": {"surprise": 1}}'):
        (tmp_path / "plan.json").write_text(text)
        assert planned(tmp_path) is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        SMALL,
        {"methods": ["ila"], "depth_targets": [], "seed": 4, "budgets": ["10%", "2000-tokens"]},
        {"student": "lm", "lm": "a/b c", "epochs": 0.5, "lr": 1e-05, "full": True, "steps": 7},
    ],
)
def test_the_command_of_a_study_asks_for_the_same_study(options):
    settings = StudySettings.of(**options)
    words = shlex.split(settings.command("RUN", "a folder"))
    given = cli.given_to_study(cli.parser().parse_args(words[1:]))
    assert words[:4] == ["ila", "study", "RUN", "--out"] and words[4] == "a folder"
    assert StudySettings.of(**given) == settings


def test_a_study_is_read_back_as_it_was(finished):
    found = Study.open(finished[0])
    found.save(finished[0])
    assert Study.open(finished[0]) == found


def test_a_missing_or_damaged_study_is_told(finished, tmp_path):
    with pytest.raises(RunError, match=r"no finished study \(no study.json\)"):
        Study.open(tmp_path)
    for text in ("{", "[]", '{"student": "ngram"}', '{"surprise": 1}'):
        (tmp_path / "study.json").write_text(text)
        with pytest.raises(RunError, match=r"study.json is damaged .*; run the study again"):
            Study.open(tmp_path)
    (tmp_path / "study.json").write_bytes((finished[0] / "study.json").read_bytes())
    (tmp_path / "regression.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match="damaged"):
        Study.open(tmp_path)


# -- the language-model student -------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    return tiny_lm.save(tmp_path_factory.mktemp("lm") / "base", model, tokenizer)


@pytest.fixture
def one_thread():
    yield from tiny_lm.one_thread()


@pytest.mark.parametrize("full", [False, True])
def test_the_study_of_a_language_model(landscape, base, tmp_path, full, one_thread):
    told: list[str] = []
    found = study(
        landscape, out=tmp_path / "study", say=told.append, student="lm", lm=base, full=full,
        methods=["random", "ila"], budgets=["5%"], depth_targets=[], seeds=1, subsets=0, steps=3,
        batch_tokens=200, max_length=128, lr=5e-3,
    )  # fmt: skip
    assert len(found.curves) == 4 and found.regression == {}
    assert all(0 < row["micro"] < 20 for row in found.curves)
    assert "3 steps each, 0.0 M tokens in all" in told[0]
    assert "At 5% and equal records, ILA is" in found.summary()


def test_the_language_model_learns_from_the_rows_it_is_given(landscape, base, tmp_path, one_thread):
    """Fifty steps on one kind of task lower the loss on that kind."""
    options = StudySettings.of(student="lm", lm=base, steps=50, lr=1e-2, batch_tokens=300)
    student = students.student_of(landscape, options, tmp_path)
    haiku = np.arange(2, 900, 5)
    taught = dev_loss(*student.losses(haiku[:60], haiku[100:120], 0), np.zeros(20, int))[0]
    other = dev_loss(*student.losses(haiku[:60] + 1, haiku[100:120], 0), np.zeros(20, int))[0]
    assert taught < other - 0.3
