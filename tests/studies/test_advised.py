"""The advice of a study's folder, for a selection."""

from __future__ import annotations

from dataclasses import replace

import pytest
from study_cases import pool_of, settings, study_of

from ila_core.errors import RunError
from ila_core.selection.spec import Spec
from ila_core.studies.advice import Advice, advise
from ila_core.studies.advised import advice_for
from ila_core.studies.journal import Journal


@pytest.fixture(scope="module")
def pool():
    return pool_of(900, kinds=2)


@pytest.fixture
def folder(pool, tmp_path):
    """A finished study of the pool, whose advice is another than the defaults."""
    losses = {"random": [3.0, 3.0], "ila": [2.5, 2.5], "ila@depth_target=1.0": [2.0, 2.0]}
    study = study_of(**losses)
    with Journal.of(tmp_path / "study", pool, settings()):
        advice = advise(study.losses, "column")
        replace(study, advice=advice.as_dict()).save(tmp_path / "study")
    return tmp_path / "study"


def test_the_advice_of_a_study_of_the_landscape_is_taken(pool, folder):
    assert advice_for(pool, folder) == Advice(
        Spec(depth="column", depth_target=1.0), True, 1.0, None
    )
    assert advice_for(pool.by("loss"), folder) == advice_for(pool, folder)


def test_the_study_of_another_landscape_is_refused(folder):
    with pytest.raises(RunError, match=r"holds the study of another landscape than this one; give"):
        advice_for(pool_of(900, seed=1), folder)


def test_a_study_that_says_not_of_what_it_is_is_refused(pool, folder):
    (folder / "plan.json").unlink()
    with pytest.raises(RunError, match=r"does not say which landscape .*plan.json is missing"):
        advice_for(pool, folder)


def test_a_study_without_advice_is_refused(pool, folder, tmp_path):
    study_of(random=[3.0]).save(folder)
    with pytest.raises(RunError, match=r"advises nothing: that takes the methods random and ila"):
        advice_for(pool, folder)
    with pytest.raises(RunError, match=r"holds no finished study"):
        advice_for(pool, tmp_path / "elsewhere")
