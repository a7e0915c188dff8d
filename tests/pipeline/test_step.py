"""A stage's key, and the one step that makes a stage or takes what was made."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import ila_core as ila
from ila_core.pipeline import step as stepping
from ila_core.pipeline.labelling import label
from ila_core.pipeline.placing import divide, encode, project
from ila_core.pipeline.publish import Run
from ila_core.pipeline.scoring import score
from ila_core.pipeline.settings import BuildSettings
from ila_core.pipeline.step import Made, Stage, Step
from ila_core.progress import Monitor


@dataclass(frozen=True)
class Double(Stage[int]):
    """Twice a number, with a note of it."""

    name = "double"

    number: Made[int]

    def make(self, desk):
        desk.folder.save(twice=np.array(2 * self.number.value))
        return {"asked": self.number.value}

    def load(self, folder):
        return int(folder.load()["twice"])

    def notes(self, value, facts):
        return (f"{facts['asked']} twice is {value}.",)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    run = Run.create(tmp_path / "run")
    return Step(run, Monitor(run.folder))


def test_a_stage_is_made_once_and_taken_up_with_what_it_told(step: Step) -> None:
    first = step(Double(Made(3, "three")))
    again = step(Double(Made(4, "three")))  # by its key it is the same
    assert first == again
    assert first.value == 6 and first.notes == ("3 twice is 6.",)
    assert first.facts["asked"] == 3 and first.facts["made_by"] == ila.__version__
    assert [stage.reused for stage in step.monitor.stages] == [False, True]
    assert step(Double(first)).value == 12


def test_what_is_made_already_needs_no_step(step: Step) -> None:
    given = Made(3, "three")
    assert step(given) is given and not step.monitor.stages


def test_no_stage_is_begun_for_a_build_that_cannot_end_well(step: Step) -> None:
    def refuse() -> None:
        raise ZeroDivisionError

    step.beforehand.append(refuse)
    with pytest.raises(ZeroDivisionError):
        step(Double(Made(3, "three")))
    assert not step.monitor.stages


def test_a_stage_that_failed_is_not_taken_for_finished(step: Step) -> None:
    class Broken(Double):
        def make(self, desk):
            super().make(desk)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        step(Broken(Made(3, "three")))
    assert step(Double(Made(3, "three"))).value == 6
    assert not any(stage.reused for stage in step.monitor.stages)


def keys(run: Path, encoder: str = BuildSettings.encoder) -> dict[str, str]:
    """The keys of the stages of a build, each by itself."""
    settings = BuildSettings.of(labels="column:topic", encoder=encoder)
    records = Made(ila.open(run).records, "records")
    vectors = Made(np.zeros((60, 2), np.float32), "vectors")
    none = Made({}, "columns")
    labels = Made(None, "labels")
    stages = [
        label(settings, records),
        score(settings, records),
        encode(settings, records),
        project(settings, none, vectors),
        divide(settings, records, labels, vectors),
    ]
    return {stage.name: stage.key for stage in stages}


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("umap-learn", {"projection"}),
        ("pynndescent", {"projection"}),
        ("scikit-learn", {"projection", "domains"}),
        ("model2vec", set()),
        ("tokenizers", {"embedding", "loss"}),
        ("numba", {"projection", "loss", "embedding"}),
        ("numpy", {"projection", "loss", "embedding", "domains"}),
        ("icu4py", {"domains"}),
        ("stopwordsiso", {"domains"}),
        ("transformers", set()),
    ],
)
def test_another_version_of_a_library_changes_the_stages_that_depend_on_it(
    run: Path, monkeypatch: pytest.MonkeyPatch, library: str, expected: set[str]
) -> None:
    before = keys(run)
    installed = importlib.metadata.version
    monkeypatch.setattr(
        stepping, "version", lambda name: "99" if name == library else installed(name)
    )
    after = keys(run)
    assert {name for name in before if before[name] != after[name]} == expected


@pytest.mark.parametrize("library", ["model2vec", "tokenizers"])
def test_the_english_encoder_depends_on_libraries_of_its_own(
    run: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    before = keys(run, "static")["embedding"]
    installed = importlib.metadata.version
    monkeypatch.setattr(
        stepping, "version", lambda name: "99" if name == library else installed(name)
    )
    assert keys(run, "static")["embedding"] != before


def test_the_version_of_a_stage_is_in_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Double(Made(3, "three")).key
    monkeypatch.setattr(Double, "version", 2)
    assert Double(Made(3, "three")).key != before
