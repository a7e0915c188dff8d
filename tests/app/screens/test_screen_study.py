"""The Study screen in every state, and studies that run beside it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from app_helpers import button, fine, opened, surroundings, texts  # noqa: F401
from conftest import small_pool, write_jsonl
from streamlit.testing.v1 import AppTest

import ila_core as ila
from ila_core.errors import IlaError, UsageError
from ila_core.paths import SAMPLE
from ila_core.selection.spec import Spec
from ila_core.studies.findings import ILA, Study
from ila_core.studies.journal import identity, planned
from ila_core.studies.settings import StudySettings
from ila_core.studies.variant import Place, Variant
from jobs import builds, process, studies
from parts import study_tables
from parts.texts import path

SMALL = {
    "methods": ["random", "ila"], "budgets": ["10%", "30%"], "seeds": 2, "subsets": 10,
    "depth_targets": [0.5],
}  # fmt: skip


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landscape of 700 records, from which enough can be held out."""
    folder = tmp_path_factory.mktemp("large")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(700))
    ila.build(pool, out=folder / "run", projection="pca")
    return folder / "run"


@pytest.fixture(scope="module")
def finished(large: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study of it."""
    folder = tmp_path_factory.mktemp("finished") / "one"
    ila.study(ila.open(large), out=folder, **SMALL)
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def screen(landscape: Path, **query: str) -> AppTest:
    page = opened(landscape=str(landscape), **query)
    return fine(page.switch_page("screens/study.py").run())


def kept_in(runs: Path, finished: Path) -> Path:
    """Put the finished study where the page finds it."""
    folder = studies.home(runs) / "one"
    shutil.copytree(finished, folder)
    return folder


def waited(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 120
    while time.monotonic() < until and not condition():
        time.sleep(0.2)
    return condition()


# -- nothing yet ----------------------------------------------------------------------------------


def test_without_a_study_it_says_what_one_is_and_offers_to_run_one(large: Path) -> None:
    page = screen(large)
    told = texts(page)
    assert "trains many small models" in told and "held out before anything was selected" in told
    assert "No study of this landscape yet" in told
    assert "348 students (288 on selections, 60 for the regression)" in told
    assert button(page, "Start the study")
    assert not page.get("plotly_chart")


def test_a_pool_too_small_for_a_study_says_so(run: Path) -> None:
    page = screen(run)
    assert "needs at least 600 with a response; this pool has 60" in page.error[0].value
    assert not any(part.label == "Start the study" for part in page.button)


def test_what_is_asked_for_is_planned_or_refused(large: Path) -> None:
    page = screen(large)
    page.text_input(key="study_budgets").set_value("10%").run()
    page.number_input(key="study_subsets").set_value(0).run()
    assert "72 students (72 on selections)" in texts(fine(page))
    page.number_input(key="study_subsets").set_value(5).run()
    assert "needs at least 10" in fine(page).error[0].value
    page.number_input(key="study_subsets").set_value(10).run()
    page.text_input(key="study_budgets").set_value("lots").run()
    assert "is not understood" in fine(page).error[0].value
    page.text_input(key="study_budgets").set_value("").run()
    page.number_input(key="study_subsets").set_value(0).run()
    assert "has nothing to train" in fine(page).error[0].value


# -- a finished one -------------------------------------------------------------------------------


def loss_table(page: AppTest) -> pd.DataFrame:
    """The losses by method, of the tables that are shown."""
    return next(table.value for table in page.dataframe if "Method" in table.value)


def test_a_finished_study_is_shown_whole(large: Path, finished: Path, runs: Path) -> None:
    folder = kept_in(runs, finished)
    page = screen(large)
    study = Study.open(finished)
    told = texts(page).replace("\\", "")
    assert study.headline() in told
    for verdict in study.verdicts():
        assert verdict in told
    assert f"{study.regression['r2_micro_cv']:.2f}" in [metric.value for metric in page.metric]
    assert len(page.get("plotly_chart")) == 4
    losses = loss_table(page)
    assert losses["Method"].tolist() == ["random", "ila", "ila grid", "ila loss", "ila q=0.5"]
    assert losses["10%"][1] == study.mean(ILA, Place("records", "10%")).mean
    commands = [code.value for code in page.code]
    assert any(code.startswith(f"ila study {large} --out study --methods") for code in commands)
    assert path(str(folder)).replace("\\", "") in told.replace("\\", "")


def test_the_switches_change_what_is_shown(large: Path, finished: Path, runs: Path) -> None:
    kept_in(runs, finished)
    page, study = screen(large), Study.open(finished)
    page.segmented_control(key="knob_study loss").set_value("macro").run()
    page.segmented_control(key="knob_study unit").set_value("tokens").run()
    wanted = study.mean(ILA, Place("tokens", "30%"), "macro").mean
    assert loss_table(fine(page))["30%"][1] == wanted
    assert "Loss at equal tokens" in texts(page) and "mean over the domains" in texts(page)
    assert f"{study.regression['r2_macro_cv']:.2f}" in [metric.value for metric in page.metric]
    page.toggle(key="knob_study variants").set_value(True).run()
    assert len(fine(page).get("plotly_chart")) == 4


ADVICE = {"patches": "grid", "depth": "loss", "depth_target": 0.5, "confirmed": True,
          "gain_records": 0.25, "gain_tokens": None}  # fmt: skip


def with_advice(folder: Path, **entries: object) -> None:
    """Let a study advise something."""
    path = folder / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"advice": ADVICE | entries}))


def test_the_advice_is_a_sentence_says_what_it_rests_on_and_is_taken_over_with_one_press(
    large: Path, finished: Path, runs: Path
) -> None:
    with_advice(kept_in(runs, finished))
    page = screen(large, budget="20", resolution="9")
    told = texts(page)
    assert "Use **a grid, depth by loss, depth target 50%**: on a seed that had no" in told
    study = Study.open(finished)
    assert f"It rests on {len(study.curves)} students (ngram), 2 seeds and budgets of 10% and 30%" \
        in told  # fmt: skip
    assert "its loss beside random's is -0.250 at equal records on average" in told
    button(page, "Use it").click().run()
    page.switch_page("screens/map.py").run()
    assert fine(page).segmented_control(key="knob_patches").value == "grid"
    assert page.segmented_control(key="knob_depth").value == "loss"
    assert page.slider(key="knob_depth_target").value == 0.5
    assert page.query_params["budget"] == "20" and "resolution" not in page.query_params


def test_where_nothing_beats_random_the_advice_is_random(
    large: Path, finished: Path, runs: Path
) -> None:
    with_advice(kept_in(runs, finished), confirmed=False, gain_records=-0.1)
    page = screen(large)
    assert "Use **random** on this pool: nothing that was tried trained" in texts(page)
    button(page, "Use it").click().run()
    page.switch_page("screens/map.py").run()
    assert fine(page).query_params["method"] == "random"


def test_advice_of_one_seed_says_that_nothing_confirms_it(
    large: Path, finished: Path, runs: Path
) -> None:
    with_advice(kept_in(runs, finished), confirmed=False, gain_records=None)
    assert "Two seeds are the least that can confirm anything" in texts(screen(large))


def test_the_parts_are_taken_back_one_by_one(large: Path, finished: Path, runs: Path) -> None:
    kept_in(runs, finished)
    study = Study.open(finished)
    parts = study_tables.parts_lines(study, "records", "micro")
    assert [part.name for part in parts] == [
        "a grid in place of even patches", "depth by loss", "depth target 50% in place of 75%",
        "random in place of all",
    ]  # fmt: skip
    for part, row in zip(parts, (Spec(patches="grid"), Spec(depth="loss"),
                                 Spec(depth_target=0.5), Spec("random")), strict=True):  # fmt: skip
        losses = [
            study.mean(Variant(row), place).mean - study.mean(ILA, place).mean
            for place in study.places_of("records")
        ]
        assert part.worth == pytest.approx(np.mean(losses))
    assert "What each part is worth" in texts(screen(large))


def test_the_regression_says_what_each_variable_explains_and_adds(
    large: Path, finished: Path, runs: Path
) -> None:
    kept_in(runs, finished)
    entries = Study.open(finished).regression
    page = screen(large)
    models = next(t.value for t in page.dataframe if "Explained by" in t.value)
    assert models["R²"].tolist() == [entry["r2_micro_cv"] for entry in entries["models"]]
    assert models["Explained by"].iloc[0] == "coverage"
    adds = next(t.value for t in page.dataframe if "Adds" in t.value)
    assert adds["Adds"].tolist() == [entry["micro"] for entry in entries["adds"]]
    assert adds["What"].iloc[0] == "depth (loss reduction), to coverage"


def test_a_language_model_is_started_from_the_page(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = screen(large)
    page.segmented_control(key="knob_student").set_value("lm").run()
    told = texts(fine(page))
    assert "records to learn from in all; their time is known after the first" in told
    assert "matter of hours" in told and "--student lm" in told
    (tmp_path / "model").mkdir()
    page.text_input(key="study_lm").set_value("/etc").run()
    assert "outside the folders" in fine(page).error[0].value
    page.text_input(key="study_lm").set_value("smollm2").run()
    page.number_input(key="study_steps").set_value(20).run()
    assert "20 steps each" in texts(fine(page))
    started = []
    monkeypatch.setattr(studies, "start", lambda *job: started.append(job))
    button(page, "Start the study").click().run()
    [(*_, settings)] = started
    assert (settings.student, settings.lm, settings.steps) == ("lm", "smollm2", 20)


def test_a_study_without_advice_offers_none(large: Path, finished: Path, runs: Path) -> None:
    folder = kept_in(runs, finished)
    (folder / "study.json").write_text(
        json.dumps(json.loads((folder / "study.json").read_text()) | {"advice": {}})
    )
    assert not any(part.label == "Use it" for part in screen(large).button)


def test_the_parts_that_are_taken_back_are_those_of_the_landscape(large: Path) -> None:
    page = screen(large)
    chosen = {part.key: part.value for part in page.multiselect}
    assert chosen["study_patches"] == ["grid"] and chosen["study_depths"] == ["loss"]
    assert chosen["study_depth_targets"] == [1.0, 0.5]
    page.multiselect(key="study_patches").set_value([]).run()
    page.multiselect(key="study_depth_targets").set_value([1.0, 0.9]).run()
    fine(page)


def test_a_study_says_plainly_when_random_wins(large: Path, finished: Path, runs: Path) -> None:
    folder = kept_in(runs, finished)
    found = json.loads((folder / "study.json").read_text())
    for row in found["curves"]:
        row["micro"] = {"random": 3.0, "ila": 4.0}[row["method"]] + 0.01 * row["seed"]
    (folder / "study.json").write_text(json.dumps(found))
    told = texts(screen(large)).replace("\\", "")
    assert "At equal records random beats ILA at 10% and 30%." in told
    assert "ILA is WORSE than random (+1.000)" in told


def test_a_study_without_regression_and_depth_targets_is_shown(large: Path, runs: Path) -> None:
    options = SMALL | {"subsets": 0, "depth_targets": [], "budgets": ["10%"], "seeds": 1}
    ila.study(ila.open(large), out=studies.home(runs) / "bare", **options)
    page = screen(large)
    assert "No regression in this study" in texts(page)
    assert len(page.get("plotly_chart")) == 2


def test_a_study_of_the_regression_alone_is_shown(large: Path, runs: Path) -> None:
    options = SMALL | {"methods": [], "budgets": [], "depth_targets": []}
    ila.study(ila.open(large), out=studies.home(runs) / "alone", **options)
    page = screen(large)
    assert "does not set ILA against random" in texts(page)
    assert len(page.get("plotly_chart")) == 1


def test_a_damaged_study_is_told_in_a_sentence(large: Path, finished: Path, runs: Path) -> None:
    (kept_in(runs, finished) / "study.json").write_text("{", encoding="utf-8")
    assert "is damaged" in screen(large).error[0].value


def test_a_study_of_another_landscape_is_not_listed(
    run: Path, large: Path, finished: Path, runs: Path
) -> None:
    kept_in(runs, finished)
    assert not screen(run).selectbox
    assert screen(large).selectbox(key="knob_study").value


def test_a_folder_is_opened_by_its_path_and_stands_in_the_link(
    large: Path, run: Path, finished: Path
) -> None:
    page = screen(large)
    page.text_input(key="study_path").set_value(str(finished)).run()
    assert len(fine(page).get("plotly_chart")) == 4
    assert str(finished) in str(page.query_params["study"])
    page = screen(large, study=str(finished))
    assert len(page.get("plotly_chart")) == 4
    other = screen(run, study=str(finished))
    assert "of another landscape" in other.warning[0].value


@pytest.mark.parametrize("path", ["/etc", "PLAIN"])
def test_a_path_that_is_no_study_says_what_to_name(path: str, large: Path) -> None:
    page = screen(large, study=path.replace("PLAIN", str(large)))
    told = page.error[0].value
    assert "outside the folders" in told or "holds no study" in told
    assert button(page, "Start the study")


def test_the_sample_has_a_finished_study() -> None:
    told = planned(SAMPLE / "study")
    assert told is not None and told[0] == identity(ila.open(SAMPLE / "landscape"))
    page = fine(opened(landscape="sample").switch_page("screens/study.py").run())
    assert page.selectbox(key="knob_study").value == str(SAMPLE / "study")
    assert len(page.get("plotly_chart")) == 4


# -- one under way --------------------------------------------------------------------------------


def test_a_study_runs_beside_the_page_and_is_shown(large: Path, runs: Path) -> None:
    page = screen(large)
    page.text_input(key="study_budgets").set_value("10%").run()
    page.number_input(key="study_seeds").set_value(1).run()
    page.number_input(key="study_subsets").set_value(10).run()
    button(page, "Start the study").click().run()
    folder = studies.home(runs) / "run"
    assert str(folder) in str(fine(page).query_params["study"])
    assert waited(lambda: _state(folder) == "done"), _state(folder)
    page.run()
    assert len(fine(page).get("plotly_chart")) == 4
    assert button(page, "Delete this study")
    button(page, "Delete this study").click().run()
    button(page, "Delete").click().run()
    assert not folder.exists()
    assert "No study of this landscape yet" in texts(fine(page))


def test_a_running_study_tells_how_far_it_is(
    large: Path, finished: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept_in(runs, finished)
    (folder / "study.json").unlink()
    stages = [{"stage": "students", "state": "running", "done": 12, "total": 48, "seconds": 9.0,
               "rate": 1.5, "eta_s": 31.0}]  # fmt: skip
    told = {"pid": 1, "state": "running", "stages": stages, "started": time.time() - 9,
            "notices": ["48 students, about 1 min"]}  # fmt: skip
    (folder / "progress.json").write_text(json.dumps(told))
    monkeypatch.setattr(process, "alive", lambda pid: True)
    page = screen(large)
    assert "48 students, about 1 min" in texts(page)
    assert "12 of 48" in page.get("progress")[0].proto.text
    assert "left" in page.get("progress")[0].proto.text
    assert button(page, "Stop")
    monkeypatch.setattr(process, "alive", lambda pid: False)
    page.run()
    assert "The process is gone" in fine(page).warning[0].value


def test_a_stopped_study_goes_on(large: Path, finished: Path, runs: Path) -> None:
    landscape = ila.open(large)
    settings = StudySettings.of(**SMALL)
    studies.start(runs, "two", large, settings)
    folder = studies.home(runs) / "two"
    assert waited(lambda: (folder / "runs.jsonl").is_file() or _state(folder) == "done")
    process.stop(studies.home(runs), "two")
    entry = None

    def ended() -> bool:
        nonlocal entry
        entry = studies.look(runs, folder, identity(landscape))
        return entry is not None and entry.job.state in ("stopped", "done")

    assert waited(ended)
    assert entry is not None and entry.same and entry.ours
    if not entry.job.has_study:
        page = screen(large)
        assert page.warning
        button(page, "Go on").click().run()
        assert waited(lambda: _state(folder) == "done")
    assert Study.open(folder).curves == Study.open(finished).curves


def test_a_study_that_fails_says_why(run: Path, runs: Path) -> None:
    studies.start(runs, "small", run, StudySettings.of(**SMALL))
    folder = studies.home(runs) / "small"
    key = identity(ila.open(run))

    def failed() -> bool:
        entry = studies.look(runs, folder, key)
        return entry is not None and entry.job.state == "failed"

    assert waited(failed)
    page = screen(run, study=str(folder))
    assert "needs at least 600 with a response" in page.error[0].value
    assert button(page, "Try again")


def test_names_of_studies_are_folders_and_taken_once(
    large: Path, finished: Path, runs: Path
) -> None:
    kept_in(runs, finished)
    settings = StudySettings.of(**SMALL)
    with pytest.raises(IlaError, match="already"):
        studies.start(runs, "one", large, settings)
    for name in ("", "../up", "a b"):
        with pytest.raises(UsageError):
            studies.start(runs, name, large, settings)
    assert [build.name for build in builds.every(runs)] == []  # a study is no landscape


def _state(folder: Path) -> str:
    try:
        return str(json.loads((folder / "progress.json").read_text())["state"])
    except (OSError, ValueError):
        return ""
