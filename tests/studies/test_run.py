"""A study from end to end: what comes of it, and how a stopped one goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_lm
from study_cases import ALONE, NAN, SMALL, STUDENTS, built, pool_of

import ila_core as ila
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select
from ila_core.selection.spec import STUDIED, Spec
from ila_core.studies.advice import advise
from ila_core.studies.findings import Study
from ila_core.studies.journal import identity, planned
from ila_core.studies.plan import split
from ila_core.studies.run import forecast, study
from ila_core.studies.settings import StudySettings
from ila_core.studies.students import NgramStudent, dev_loss
from ila_core.studies.variant import Place, Variant

QUICK = {"methods": ["random"], "budgets": ["5%"], "seeds": 1, "subsets": 0}


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    return built(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """The same records without any depth."""
    return built(tmp_path_factory.mktemp("flat"), loss="none")


@pytest.fixture(scope="module")
def finished(
    landscape: Landscape, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """The folder of an undisturbed study, not to be changed, and what it said on the way."""
    out, said = tmp_path_factory.mktemp("finished") / "study", []
    study(landscape, out=out, say=said.append, **SMALL)
    return out, said


def test_the_study_of_the_ngram_student(finished):
    out, _ = finished
    written = json.loads((out / "study.json").read_text())
    assert list(written) == [
        "student",
        "dev_records",
        "depth",
        "untrained",
        "curves",
        "regression",
        "advice",
    ]
    assert (written["student"], written["dev_records"]) == ("ngram", 200)
    assert len(written["curves"]) == STUDENTS - 12
    for row in written["curves"]:
        assert list(row) == ["method", "patches", "depth", "depth_target", "budget", "unit",
                             "seed", "records", "tokens", "micro", "macro", "error"]  # fmt: skip
        known = row["method"] == "ila"
        assert (row["patches"], row["depth_target"] is not None) == (
            "even" if known else None,
            known,
        )
        deep = "loss-reduction" if row["method"] in ("ila", "deita") else None
        assert row["depth"] == deep
        assert 0 < row["micro"] < 12 and 0 < row["macro"] < 12
    regression = written["regression"]
    assert regression["subsets"] == 12 and regression["grid"] == 128
    for which in ("macro", "micro"):
        low, high = (regression[f"r2_{which}_cv_{end}"] for end in ("low", "high"))
        assert low <= regression[f"r2_{which}_cv"] <= high
        assert regression[f"r2_{which}_cv"] <= regression[f"r2_{which}_in_sample"] <= 1
    assert len(Study.open(out).subsets) == 12


def test_the_advice_is_that_of_the_curves(finished):
    findings = Study.open(finished[0])
    advice = advise(findings.losses, "loss-reduction")
    assert findings.advice == advice.as_dict() and findings.advised == advice
    assert advice.spec.depth == "loss-reduction" and advice.spec.depth_target in (0.5, 0.75)
    assert list(findings.advice) == ["patches", "depth", "depth_target", "confirmed",
                                     "gain_records", "gain_tokens"]  # fmt: skip
    assert advice.summary() in findings.summary()


def test_what_comes_of_a_study_is_what_its_folder_holds(finished, landscape, tmp_path):
    findings = study(landscape, out=finished[0], **SMALL)
    assert findings == Study.open(finished[0])
    assert planned(finished[0]) == (identity(landscape), StudySettings.of(**SMALL))
    findings.save(tmp_path)
    for name in ("study.json", "curves.parquet", "regression.parquet"):
        assert (tmp_path / name).read_bytes() == (finished[0] / name).read_bytes()
    for words in ("ila q=0.5", "Over 12 subsets that no method chose", "Loss at equal tokens"):
        assert words in findings.summary()


def test_more_records_train_a_better_student(finished):
    findings = Study.open(finished[0])
    for method in ("random", "coverage-only"):
        little, much = (
            findings.mean(Variant(Spec(method)), Place("records", budget)).mean
            for budget in ("5%", "20%")
        )
        assert much < little


def test_the_plan_and_its_cost_come_before_the_first_student(finished, landscape):
    _, said = finished
    assert said[0].startswith(f"study: {STUDENTS} students ({STUDENTS - 12} on selections, 12 for")
    assert "each judged by 200 held-out records" in said[0]
    assert "about 1 min" in said[0]
    assert f"{STUDENTS} of {STUDENTS} students, about 0 s left" in said[-1]
    assert said[0] == f"study: {forecast(landscape, StudySettings.of(**SMALL))}"


def test_the_losses_are_those_of_the_student_on_the_selection(finished, landscape, tmp_path):
    """One curve point again, by hand."""
    row = Study.open(finished[0]).curves[7]
    parts = split(landscape, row["seed"])
    pool = landscape.subset(parts.train, rerank=True)
    how = {name: row[name] for name in ("method", "seed", *STUDIED) if row[name] is not None}
    tokens = round(pool.total_tokens * int(0.05 * len(pool)) / len(pool))
    budget = row["budget"] if row["unit"] == "records" else f"{tokens}-tokens"
    rows = parts.train[select(pool, budget=budget, **how).rows]
    student = NgramStudent(landscape.records, tmp_path)
    student.prepare()
    nats, tokens = student.losses(rows, parts.dev, row["seed"], len(rows))
    micro, macro = dev_loss(nats, tokens, landscape.domain[parts.dev])
    assert (row["micro"], row["macro"], row["records"]) == (micro, macro, len(rows))


# -- a stopped study goes on ----------------------------------------------------------------------


class _Killed(BaseException):
    """As when the process is stopped."""


def test_a_stopped_study_goes_on_to_the_same_bytes(finished, landscape, tmp_path, monkeypatch):
    real, trained = NgramStudent.losses, []

    def until_stopped(self, train, dev, seed, records):
        trained.append(len(train))
        if len(trained) == 17:
            raise _Killed
        return real(self, train, dev, seed, records)

    monkeypatch.setattr(NgramStudent, "losses", until_stopped)
    out = tmp_path / "study"
    with pytest.raises(_Killed):
        study(landscape, out=out, **SMALL)
    assert not (out / "study.json").exists()
    journal = out / "runs.jsonl"
    whole = journal.read_text().splitlines()
    assert 10 <= len(whole) <= 16
    journal.write_text("\n".join(whole)[:-9])  # the last line is torn
    said: list[str] = []
    trained.clear()
    trained.extend([0] * 17)
    study(landscape, out=out, say=said.append, **SMALL)
    assert f"{len(whole) - 1} of them done" in said[0]
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
    moved = replace(landscape.moved(landscape.xy[:, ::-1]), given_records=landscape.records)
    with pytest.raises(RunError, match="choose another folder with --out"):
        study(moved, out=finished[0], **SMALL)


def test_a_second_study_in_the_folder_of_one_that_runs_is_refused(landscape, tmp_path):
    refusals = []

    def start_another(line: str) -> None:
        if "students, about" in line:
            with pytest.raises(RunError, match=r"A study runs in .* already") as refused:
                study(landscape, out=tmp_path / "study", **QUICK)
            refusals.append(refused.value)

    study(landscape, out=tmp_path / "study", say=start_another, **QUICK)
    assert refusals
    assert len((tmp_path / "study" / "runs.jsonl").read_text().splitlines()) == 2


def test_how_far_a_study_is_stands_in_its_folder(landscape, tmp_path, monkeypatch):
    monkeypatch.setattr("ila_core.progress.EVERY", 0)
    seen = []

    def look(line: str) -> None:
        if "students, about" in line:
            seen.append(json.loads((tmp_path / "study" / "progress.json").read_text()))
            left = seen[-1]["stages"][-1]["eta_s"]  # by the records to come, not by the students
            assert f"about {left:,.0f} s left" in line or left % 1 == 0.5

    study(landscape, out=tmp_path / "study", say=look, **SMALL)
    assert {entry["state"] for entry in seen} == {"running"}
    assert all(entry["stages"][-1]["stage"] == "students" for entry in seen)
    assert {entry["stages"][-1]["total"] for entry in seen} == {STUDENTS}
    assert seen[-1]["notices"][0].startswith(f"{STUDENTS} students")
    ended = json.loads((tmp_path / "study" / "progress.json").read_text())
    assert ended["state"] == "done" and ended["stages"][-1]["done"] == STUDENTS


# -- what cannot be done is told before anybody is trained ----------------------------------------


def test_a_method_that_cannot_run_is_told_before_anything_is_trained(landscape, tmp_path):
    with pytest.raises(IlaError, match=r"Method ifd needs the loss .* --unconditional"):
        study(landscape, out=tmp_path / "study", **{**QUICK, "methods": ["random", "ifd"]})
    assert not (tmp_path / "study").exists()


def test_a_landscape_without_texts_is_refused(tmp_path):
    with pytest.raises(IlaError, match="reads the records' texts"):
        study(pool_of(900), out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_pool_without_depth_is_told_at_once_and_the_advice_can_be_taken(
    flat, tmp_path, monkeypatch
):
    out, said = tmp_path / "study", []
    with pytest.raises(IlaError, match=r"0 records of this pool have one.*--subsets 0"):
        study(flat, out=out, say=said.append, **{**QUICK, "subsets": 60})
    assert said == [] and not (out / "runs.jsonl").exists()
    assert len(study(flat, out=out, **QUICK).curves) == 2


def test_a_planned_study_that_failed_before_its_first_student_may_be_changed(
    landscape, tmp_path, monkeypatch
):
    out = tmp_path / "study"
    with monkeypatch.context() as patch:
        patch.setattr(NgramStudent, "prepare", None)  # as when a model cannot be loaded
        with pytest.raises(TypeError):
            study(landscape, out=out, **QUICK)
    assert (out / "plan.json").exists()
    assert len(study(landscape, out=out, **{**QUICK, "budgets": ["6%"]}).curves) == 2


def test_a_seed_below_zero_is_told(landscape, tmp_path):
    with pytest.raises(UsageError, match="--seed is -1; give a whole number from 0 to"):
        study(landscape, out=tmp_path / "study", seed=-1)


# -- edges ----------------------------------------------------------------------------------------


def test_a_budget_that_holds_no_response_is_left_out_and_told(landscape, tmp_path):
    """Its student would have learnt nothing, and its loss would have been compared."""
    said: list[str] = []
    options = {**QUICK, "budgets": ["1-tokens", "5%"], "methods": ["random", "longest"]}
    findings = study(landscape, out=tmp_path / "study", say=said.append, **options)
    assert findings.places == [Place("records", "5%"), Place("tokens", "5%")]
    assert said[-1] == (
        "study: 2 students are left out: what was chosen for them holds no response (random at "
        "1-tokens and equal tokens, longest at 1-tokens and equal tokens); give larger budgets."
    )
    again = study(landscape, out=tmp_path / "study", **options)
    assert again.as_dict() == findings.as_dict()


def test_a_budget_above_the_pool_trains_on_all_that_is_not_held_out(landscape, tmp_path):
    options = {**QUICK, "budgets": ["100000"], "methods": ["random", "ila"], **ALONE}
    findings = study(landscape, out=tmp_path / "study", **options)
    assert {row["records"] for row in findings.curves} == {700}


def test_students_that_are_all_alike_explain_nothing(landscape, tmp_path, monkeypatch):
    def alike(self, train, dev, seed, records):
        return np.full(len(dev), 2.5), np.ones(len(dev), np.int64)

    monkeypatch.setattr(NgramStudent, "losses", alike)
    findings = study(landscape, out=tmp_path / "study", **{**QUICK, "subsets": 10})

    def no_number(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    text = (tmp_path / "study" / "study.json").read_text()
    assert json.loads(text, parse_constant=no_number)["regression"]["r2_macro_cv"] is None
    assert "nothing can be explained" in findings.summary()


def test_held_out_records_that_cannot_be_scored_do_not_count(landscape, tmp_path, monkeypatch):
    def half(self, train, dev, seed, records):
        nats = np.full(len(dev), 2.0)
        nats[::2] = NAN
        return nats, np.ones(len(dev), np.int64)

    monkeypatch.setattr(NgramStudent, "losses", half)
    findings = study(landscape, out=tmp_path / "study", **QUICK)
    assert {row["micro"] for row in findings.curves} == {2.0}


def test_the_public_name_is_the_function_whatever_was_imported(finished, landscape):
    assert ila.study is study
    assert ila.study(landscape, out=finished[0], **SMALL).dev_records == 200


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
    said: list[str] = []
    findings = study(
        landscape, out=tmp_path / "study", say=said.append, student="lm", lm=base, full=full,
        methods=["random", "ila"], budgets=["5%"], seeds=1, subsets=0, steps=3, **ALONE,
        batch_tokens=200, max_length=128, lr=5e-3,
    )  # fmt: skip
    assert len(findings.curves) == 4 and findings.regression == {}
    assert all(0 < row["micro"] < 20 for row in findings.curves)
    assert "(4 on selections, 1 untrained)" in said[0]
    assert "3 steps each, 0.0 M tokens in all" in said[0]
    (before,) = findings.untrained
    assert before["micro"] > max(row["micro"] for row in findings.curves)
    errors = {row["method"]: row["error"] for row in findings.curves}
    assert errors["random"] is None and 0 < errors["ila"] < 1
    assert "less random's on the same records" in findings.summary()
    assert "Before it learns, its loss is" in findings.summary()
    assert "At 5% and equal records, ILA is" in findings.summary()
