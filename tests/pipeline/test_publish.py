"""A run folder: stages, publishing, and every way in which it can be broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import script

from ila_core.errors import IlaError, RunError
from ila_core.pipeline.build import build
from ila_core.pipeline.publish import Run


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match="too long"):
        Run.create(tmp_path / ("x" * 300))


def test_a_folder_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IlaError, match=r"cannot be written|is a file"):
        Run.create(tmp_path / "file" / "run")


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file"):
        Run.create(tmp_path / "file")


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(RunError, match="no landscape"):
        Run.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_stage_is_finished_only_by_its_mark(tmp_path: Path) -> None:
    stage = Run.create(tmp_path / "run").stage("loss", "k1")
    stage.work.mkdir()
    stage.save(loss=np.arange(3, dtype=np.float32))
    assert not stage.finished
    stage.finish(seconds=1.5, meta={"n": np.int64(3)})
    assert stage.finished and not stage.work.exists()
    assert stage.load()["loss"].tolist() == [0, 1, 2]
    assert stage.facts == {"seconds": 1.5, "meta": {"n": 3}}


@pytest.mark.parametrize("harm", ["cut", "remove", "unmark"])
def test_a_stage_whose_files_are_not_whole_is_not_finished(tmp_path: Path, harm: str) -> None:
    stage = Run.create(tmp_path / "run").stage("loss", "k1")
    stage.save(loss=np.arange(300, dtype=np.float32))
    stage.finish(seconds=1.5)
    assert stage.finished
    arrays = stage.path / "arrays.npz"
    if harm == "cut":
        arrays.write_bytes(arrays.read_bytes()[:100])
    elif harm == "remove":
        arrays.unlink()
    else:
        (stage.path / "done.json").write_bytes(b"")
    assert not stage.finished


def test_a_stage_with_other_bytes_of_the_same_length_is_told(tmp_path: Path) -> None:
    stage = Run.create(tmp_path / "run").stage("loss", "k1")
    stage.save(loss=np.arange(3, dtype=np.float32))
    stage.finish()
    arrays = stage.path / "arrays.npz"
    arrays.write_bytes(b"x" * arrays.stat().st_size)
    assert not stage.finished
    with pytest.raises(RunError, match="delete the folder"):
        stage.load()


def test_two_builds_of_one_folder_at_once_are_refused(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    with run.locked(), pytest.raises(RunError, match="another process"), run.locked():
        pass
    with run.locked():
        pass


def test_publishing_drops_only_stages_that_nobody_reads(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    kept, dropped = run.stage("loss", "new"), run.stage("loss", "old")
    run.publish([kept], {})
    assert kept.path.is_dir() and not dropped.path.exists()


KILLED = """
import os, shutil, sys
from pathlib import Path
import ila_core as ila
from killed import killed_before

ready, pool, place = map(Path, sys.argv[1:4])
new = {"projection": "pca", "labels": "none", "depth_column": "score"}
def state(out):
    found = ila.open(out)
    return found.depth.tolist(), found.labels_of(range(60)), found.skills.tolist()

def left(out):
    parts = [path.name for path in out.rglob("*.part")]
    return sorted([*parts, *os.listdir(out / ".stages")])

def public(out):
    return {p.name: p.read_bytes() for p in out.iterdir() if p.suffix in (".parquet", ".npy")}

old = state(ready)
shutil.copytree(ready, place / "new")
ila.build(pool, out=place / "new", **new)
whole, files, stages = state(place / "new"), public(place / "new"), left(place / "new")
assert old != whole and "labels.parquet" not in files
found, step = [], 1
while True:
    out = place / str(step)
    shutil.copytree(ready, out)
    killed = killed_before(step, out, lambda: ila.build(pool, out=out, **new))
    now = state(out)
    assert now in (old, whole), f"a mixture after {step} steps"
    found.append(now == whole)
    if not killed:
        break
    if step % 4 == 1:  # the next build mends what was left
        ila.build(pool, out=out, **new)
        assert state(out) == whole and public(out) == files, step
        assert left(out) == stages, (step, left(out), stages)
    shutil.rmtree(out)
    step += 1
assert found == sorted(found) and not found[0] and found[-1]
print(len(found), found.count(True))
"""


def test_a_build_that_is_killed_at_any_step_leaves_the_old_landscape_or_the_new_one(
    pool: Path, tmp_path: Path
) -> None:
    build(pool, out=tmp_path / "ready", projection="pca", labels="column:topic")
    steps, after_the_switch = map(int, script(KILLED, tmp_path / "ready", pool, tmp_path).split())
    assert steps > 15 and after_the_switch > 5
