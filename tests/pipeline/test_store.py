"""A run folder: stages, publishing, and every way in which it can be broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ila_core.errors import IlaError, RunError
from ila_core.files import write_text
from ila_core.pipeline import store


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match="too long"):
        store.Run.create(tmp_path / ("x" * 300))


def test_a_folder_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IlaError, match=r"cannot be written|is a file"):
        store.Run.create(tmp_path / "file" / "run")


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file"):
        store.Run.create(tmp_path / "file")


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(RunError, match="no landscape"):
        store.Run.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_stage_is_finished_only_by_its_mark(tmp_path: Path) -> None:
    stage = store.Run.create(tmp_path / "run").stage("loss", "k1")
    stage.work.mkdir()
    stage.save(loss=np.arange(3, dtype=np.float32))
    assert not stage.finished
    stage.finish(seconds=1.5, meta={"n": np.int64(3)})
    assert stage.finished and not stage.work.exists()
    assert stage.load()["loss"].tolist() == [0, 1, 2]
    assert stage.result == {"seconds": 1.5, "meta": {"n": 3}}


@pytest.mark.parametrize("harm", ["cut", "remove", "unmark"])
def test_a_stage_whose_files_are_not_whole_is_not_finished(tmp_path: Path, harm: str) -> None:
    stage = store.Run.create(tmp_path / "run").stage("loss", "k1")
    stage.save(loss=np.arange(300, dtype=np.float32))
    stage.finish(seconds=1.5)
    assert stage.finished
    arrays = stage.path("arrays.npz")
    if harm == "cut":
        arrays.write_bytes(arrays.read_bytes()[:100])
    elif harm == "remove":
        arrays.unlink()
    else:
        stage.path("done.json").write_bytes(b"")
    assert not stage.finished


def test_a_stage_with_other_bytes_of_the_same_length_is_told(tmp_path: Path) -> None:
    stage = store.Run.create(tmp_path / "run").stage("loss", "k1")
    stage.save(loss=np.arange(3, dtype=np.float32))
    stage.finish()
    stage.path("arrays.npz").write_bytes(b"x" * stage.path("arrays.npz").stat().st_size)
    with pytest.raises(RunError, match="delete the folder"):
        stage.load()


def test_two_builds_of_one_folder_at_once_are_refused(tmp_path: Path) -> None:
    run = store.Run.create(tmp_path / "run")
    with run.locked(), pytest.raises(RunError, match="another process"), run.locked():
        pass
    with run.locked():
        pass


def test_prune_drops_only_unused_stages(tmp_path: Path) -> None:
    run = store.Run.create(tmp_path / "run")
    kept, dropped = run.stage("loss", "new"), run.stage("loss", "old")
    run.prune([kept])
    assert kept.folder.is_dir() and not dropped.folder.exists()


def published(folder: Path, n: int = 3) -> Path:
    """Make a whole, if small, run folder by hand."""
    run = store.Run.create(folder)
    stage = run.stage("landscape", "k")
    columns = {name: np.linspace(0, 1, n, dtype=np.float32) for name in store.COLUMNS}
    extra = {"tuned_loss": np.full(n, 2, np.float32)}
    domain = np.array([0, 1, 0], np.int32)[:n]
    store.write_landscape(stage.path("l"), columns | extra, domain, ["maths", "code"])
    np.save(stage.path("e.npy"), np.eye(n, 4, dtype=np.float32))
    manifest = {
        "format": store.FORMAT, "counts": {"kept": n}, "fingerprint": "f", "command": "ila build",
        "built": "today", "settings": {}, "inputs": [{"name": "p.jsonl", "sha256": "0"}],
        "notes": [], "stages": {},
    }  # fmt: skip
    run.publish(
        {"landscape.parquet": stage.path("l"), "embeddings.npy": stage.path("e.npy")}, manifest
    )
    return folder


def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    landscape = store.read_landscape(published(tmp_path / "run"))
    assert len(landscape) == 3
    assert landscape.domain_names == ("maths", "code")
    assert landscape.domain.tolist() == [0, 1, 0]
    assert landscape.scores["tuned_loss"].tolist() == [2, 2, 2]
    assert landscape.vectors.shape == (3, 4)
    assert landscape.fingerprint == "f"


def _remove(name: str):
    return lambda run: (run / name).unlink()


def _cut(name: str):
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:40])


def _empty(name: str):
    return lambda run: (run / name).write_bytes(b"")


def _without(entry: str):
    def harm(run: Path) -> None:
        manifest = json.loads((run / "manifest.json").read_text())
        write_text(run / "manifest.json", json.dumps(manifest | {entry: None}))

    return harm


def _newer(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    write_text(run / "manifest.json", json.dumps(manifest | {"format": 99}))


def _other_count(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    write_text(run / "manifest.json", json.dumps(manifest | {"counts": {"kept": 4}}))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_remove("manifest.json"), "half there"),
        (_remove("landscape.parquet"), "damaged"),
        (_remove("embeddings.npy"), "damaged"),
        (_cut("manifest.json"), "damaged"),
        (_cut("landscape.parquet"), "damaged"),
        (_cut("embeddings.npy"), "damaged"),
        (_empty("manifest.json"), "damaged"),
        (_empty("landscape.parquet"), "landscape.parquet is not whole Parquet"),
        (_empty("embeddings.npy"), "embeddings.npy is no array"),
        (_without("settings"), "'settings'"),
        (_without("inputs"), "'inputs'"),
        (_without("counts"), "'counts'"),
        (_newer, "newer version"),
        (_other_count, "counts 4 records"),
    ],
)
def test_a_broken_run_folder_is_told_in_one_sentence(tmp_path: Path, harm, message: str) -> None:
    run = published(tmp_path / "run")
    harm(run)
    with pytest.raises(RunError, match=message) as caught:
        store.read_landscape(run)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_or_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        store.read_landscape(tmp_path / "nowhere")
    with pytest.raises(RunError, match="no landscape"):
        store.read_landscape(tmp_path)


def test_hard_links_are_counted_once(tmp_path: Path) -> None:
    first = tmp_path / "a"
    first.write_bytes(b"x" * 100)
    (tmp_path / "b").hardlink_to(first)
    assert store.size_of(tmp_path) == 100
