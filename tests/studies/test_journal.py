"""A study's folder: what it says of itself, and who may go on in it."""

from __future__ import annotations

import json

import pytest
from study_cases import pool_of, settings

from ila_core.errors import RunError
from ila_core.studies import plan as planning
from ila_core.studies.journal import Journal, identity, planned
from ila_core.studies.plan import plan

RESULT = {"records": 3, "tokens": 9.0, "micro": 2.5, "macro": 2.25}


@pytest.fixture(scope="module")
def pool():
    return pool_of(900)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "study"


def test_what_is_noted_is_there_again(pool, folder):
    jobs = plan(pool, settings())
    with Journal.of(folder, pool, settings()) as journal:
        journal.add(jobs[0], RESULT)
        journal.add(jobs[-1], {**RESULT, "micro": None, "macro": None})
    with Journal.of(folder, pool, settings()) as journal:
        assert journal.done.keys() == {jobs[0].key, jobs[-1].key}
        assert {**RESULT, **jobs[0].about} == journal.done[jobs[0].key]
    for line in (folder / "runs.jsonl").read_text().splitlines():
        assert json.loads(line)["tokens"] == 9.0


@pytest.mark.parametrize(
    "torn", ['{"key": "ab', "[]", "7", "{}", '{"key": "ab", "records": 1}', '{"key": ["ab"]}']
)
def test_a_torn_line_is_passed_over_and_the_next_one_is_whole(pool, folder, torn):
    jobs = plan(pool, settings())
    with Journal.of(folder, pool, settings()) as journal:
        journal.add(jobs[0], RESULT)
    with (folder / "runs.jsonl").open("a") as stream:
        stream.write(torn)
    with Journal.of(folder, pool, settings()) as journal:
        assert list(journal.done) == [jobs[0].key]
        journal.add(jobs[1], RESULT)
    with Journal.of(folder, pool, settings()) as journal:
        assert list(journal.done) == [jobs[0].key, jobs[1].key]


def test_students_of_another_edition_are_trained_anew(pool, folder, monkeypatch):
    """What an older program trained may have come of other chance and other rules."""
    with Journal.of(folder, pool, settings()) as journal:
        journal.add(plan(pool, settings())[0], RESULT)
        old = set(journal.done)
    monkeypatch.setattr(planning, "EDITION", planning.EDITION + 1)
    assert not old & {job.key for job in plan(pool, settings())}


def test_a_folder_is_held_by_one_study(pool, folder):
    with (
        Journal.of(folder, pool, settings()),
        pytest.raises(RunError, match=r"A study runs in .*study already; wait for it, or stop it"),
        Journal.of(folder, pool, settings()),
    ):
        raise AssertionError
    with Journal.of(folder, pool, settings()):
        pass  # it was given back


def test_a_folder_whose_study_has_no_student_yet_may_be_taken(pool, folder):
    with Journal.of(folder, pool, settings()):
        (folder / "work").mkdir()
    (folder / "runs.jsonl").write_text('{"key": "torn')
    other = settings(subsets=0)
    with Journal.of(folder, pool, other):
        pass
    assert planned(folder) == (identity(pool), other)
    assert not (folder / "work").exists()  # tokens of another pool, perhaps


def test_a_study_that_has_begun_is_not_taken(pool, folder):
    with Journal.of(folder, pool, settings()) as journal:
        journal.add(plan(pool, settings())[0], RESULT)
    for landscape, others in ((pool, settings(subsets=0)), (pool_of(901), settings())):
        with (
            pytest.raises(RunError, match=r"holds a study of another landscape .*--out"),
            Journal.of(folder, landscape, others),
        ):
            raise AssertionError
    assert planned(folder) == (identity(pool), settings())


def test_findings_are_not_written_over(pool, folder):
    """Also where nothing else is left of the study."""
    folder.mkdir()
    (folder / "study.json").write_text("{}")
    with pytest.raises(RunError, match="holds a study of"), Journal.of(folder, pool, settings()):
        raise AssertionError


def test_a_folder_tells_what_its_study_is_of(pool, folder, tmp_path):
    with Journal.of(folder, pool, settings(seeds=2, budgets=["5%"])):
        assert planned(folder) == (identity(pool), settings(seeds=2, budgets=["5%"]))
    assert planned(tmp_path) is None
    for text in ("{", "[]", "{}", '{"landscape": "a", "settings": {"surprise": 1}}'):
        (tmp_path / "plan.json").write_text(text)
        assert planned(tmp_path) is None


def test_a_plan_that_lacks_an_option_of_today_is_of_its_default(pool, folder):
    with Journal.of(folder, pool, settings()):
        path = folder / "plan.json"
    about = json.loads(path.read_text())
    del about["settings"]["subsets"]
    path.write_text(json.dumps(about))
    assert planned(folder) == (identity(pool), settings())


def test_the_identity_is_of_places_depths_and_domains(pool):
    assert identity(pool) == identity(pool_of(900))
    assert identity(pool) != identity(pool_of(900, seed=1))
    assert identity(pool) != identity(pool.moved(pool.xy[:, ::-1]))


def test_the_identity_is_of_every_kind_of_depth_and_of_no_asked_one():
    both = pool_of(900, kinds=2)
    assert identity(both) == identity(both.by("loss"))
    assert identity(both) != identity(pool_of(900, kinds=3))


def test_a_plan_tells_only_what_its_student_reads(pool, folder):
    """Else a plan of one program could not be read by the next, for an option it has no use for."""
    with Journal.of(folder, pool, settings()):
        pass
    written = json.loads((folder / "plan.json").read_text())
    assert written["settings"]["student"] == "ngram" and "steps" not in written["settings"]
    written["settings"] |= {"steps": 200, "epochs": None, "lm": None}
    (folder / "plan.json").write_text(json.dumps(written))
    assert planned(folder) == (identity(pool), settings())
