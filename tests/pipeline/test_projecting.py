"""The map of a build: who puts it together at which size, what is told of it, and what it is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.cli.build import report
from ila_core.cli.info import lines
from ila_core.landscape.folder import projection_of
from ila_core.measure.stability import other_places
from ila_core.pipeline import estimate as estimating
from ila_core.pipeline import settings as options
from ila_core.pipeline.build import build
from ila_core.pipeline.estimate import estimate
from ila_core.pipeline.placing import Project
from ila_core.pipeline.step import Made
from ila_core.progress import Monitor
from ila_core.space import project as projection
from ila_core.space.project import ProjectionSettings

QUICK: dict[str, Any] = {"loss": "none", "domains": "column:topic"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool of 60 is large: above 50 records there are landmarks, of which there are 30."""
    monkeypatch.setattr(options, "LANDMARKS_ABOVE", 50)
    monkeypatch.setitem(projection.FITTED, "landmarks", 30)


def test_a_small_pool_is_projected_whole_and_nothing_is_told(pool: Path, tmp_path: Path) -> None:
    by_itself = build(pool, out=tmp_path / "auto", **QUICK)
    asked = build(pool, out=tmp_path / "umap", projection="umap", **QUICK)
    np.testing.assert_array_equal(by_itself.xy, asked.xy)
    facts = by_itself.manifest["stages"]["projection"]
    assert facts["method"] == "umap" and facts["distinct"] == 60 and "landmarks" not in facts
    assert not any("landmarks" in note for note in by_itself.manifest["notes"])
    assert by_itself.manifest["settings"]["projection"] == "auto"


@pytest.mark.usefixtures("small")
def test_a_large_pool_has_landmarks_and_is_told_so(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landscape = build(pool, out=tmp_path / "run", **QUICK)
    manifest = landscape.manifest
    facts = manifest["stages"]["projection"]
    assert (facts["method"], facts["distinct"], facts["landmarks"]) == ("landmarks", 60, 30)
    assert "--projection" not in manifest["command"]
    report(manifest, str(tmp_path / "run"))
    told = capsys.readouterr().err
    assert (
        "note: The map is fitted on 30 landmarks of 60 distinct instructions; the others lie among "
        "those most like them. --projection umap fits it on all." in told
    )
    assert dict(lines(manifest, landscape, 0))["projection"] == "landmarks"
    whole = build(pool, out=tmp_path / "umap", projection="umap", **QUICK)
    assert (whole.xy != landscape.xy).any()
    assert not any("landmarks" in note for note in whole.manifest["notes"])


def test_a_pool_between_is_projected_by_quick_umap(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "QUICK_ABOVE", 50)
    landscape = build(pool, out=tmp_path / "run", **QUICK)
    facts = landscape.manifest["stages"]["projection"]
    assert (facts["method"], facts["distinct"]) == ("quick-umap", 60) and "landmarks" not in facts
    asked = build(pool, out=tmp_path / "asked", projection="quick-umap", **QUICK)
    np.testing.assert_array_equal(landscape.xy, asked.xy)
    whole = build(pool, out=tmp_path / "umap", projection="umap", **QUICK)
    assert (whole.xy != landscape.xy).any()
    assert dict(lines(landscape.manifest, landscape, 0))["projection"] == "quick-umap"


@pytest.mark.usefixtures("small")
def test_the_order_of_a_large_pool_moves_no_record(tmp_path: Path) -> None:
    records = [{**record, "number": i} for i, record in enumerate(small_pool())]
    order = np.random.default_rng(3).permutation(60)
    first = build(write_jsonl(tmp_path / "a.jsonl", records), out=tmp_path / "a", **QUICK)
    turned = [records[row] for row in order]
    second = build(write_jsonl(tmp_path / "b.jsonl", turned), out=tmp_path / "b", **QUICK)
    np.testing.assert_array_equal(second.xy, first.xy[order])


@pytest.mark.usefixtures("small")
def test_a_build_that_was_stopped_while_it_projected_ends_with_the_same_bytes(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(pool, out=tmp_path / "whole", **QUICK)

    def stop(monitor: Monitor) -> None:
        if any(stage.name == "projection" for stage in monitor.stages):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(pool, out=tmp_path / "run", listener=stop, **QUICK)
    assert not (tmp_path / "run" / "landscape.parquet").exists()
    for _ in range(2):  # resumed, and then repeated
        build(pool, out=tmp_path / "run", **QUICK)
        made = (tmp_path / "run" / "landscape.parquet").read_bytes()
        assert made == (tmp_path / "whole" / "landscape.parquet").read_bytes()
    for folder in (tmp_path / "run" / ".stages").glob("projection-*"):
        shutil.rmtree(folder)
    build(pool, out=tmp_path / "run", **QUICK)
    assert (tmp_path / "run" / "landscape.parquet").read_bytes() == made


def test_how_many_landmarks_there_are_is_in_the_key_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def key(records: int, method: Any = "landmarks") -> str:
        vectors = Made(np.ones((records, 3), np.float32), "vectors")
        return Project(vectors, ProjectionSettings(method)).key

    small, large, umap = key(60), key(20_001), key(20_001, "umap")
    monkeypatch.setitem(projection.FITTED, "landmarks", 10_000)
    assert key(60) == small and key(20_001) != large and key(20_001, "umap") == umap


@pytest.mark.usefixtures("small")
def test_the_stability_of_a_large_pool_is_that_of_maps_with_landmarks(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landscape = build(pool, out=tmp_path / "run", **QUICK)
    asked: list[ProjectionSettings] = []

    def fake(vectors: np.ndarray, how: ProjectionSettings) -> np.ndarray:
        asked.append(how)
        return np.zeros((len(vectors), 2), np.float32)

    monkeypatch.setattr(projection, "project", fake)
    assert len(other_places(ila.open(landscape.run))) == 2
    assert [(how.method, how.seed) for how in asked] == [("landmarks", 1), ("landmarks", 2)]


@pytest.mark.usefixtures("small")
def test_an_estimate_takes_what_is_placed_by_the_time_of_placing(
    pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "PLACING_SECONDS", 1e6)  # of 30 records, a machine apart
    assert estimate([pool], loss="none").seconds > 1e6 > estimate([pool], projection="umap").seconds


@pytest.mark.parametrize(
    ("asked", "made", "told"),
    [
        ("auto", {"method": "landmarks"}, "landmarks"),
        ("auto", {}, "umap"),  # taken from before there was a choice
        ("pca", {}, "pca"),
        ("columns:x,y", None, "columns:x,y"),
    ],
)
def test_what_a_manifest_says_of_its_map(asked: str, made: Any, told: str) -> None:
    stages = {} if made is None else {"projection": made}
    assert projection_of({"settings": {"projection": asked}, "stages": stages}) == told
