"""Builds that outlive the page: their states as the files tell them, and real processes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import builds
from ila_core.errors import IlaError, UsageError


def told(runs: Path, name: str, **progress: object) -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "progress.json").write_text(json.dumps(progress), encoding="utf-8")
    return folder


def wait(runs: Path, name: str, *states: str) -> builds.Build:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = builds.look(runs, name)
        if found is not None and found.state in states:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{name} is {builds.look(runs, name)}")


def test_nothing_is_known_of_an_unknown_name(tmp_path: Path) -> None:
    assert builds.look(tmp_path, "absent") is None
    assert builds.every(tmp_path / "nowhere") == []


def test_a_build_whose_process_is_gone_is_stopped(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    told(tmp_path, "a", state="running", pid=gone.pid)
    found = builds.look(tmp_path, "a")
    assert found is not None
    assert found.state == "stopped"
    assert "The process is gone" in found.message


def test_a_strangers_process_under_the_same_number_is_not_ours(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        told(tmp_path, "a", state="running", pid=stranger.pid)
        found = builds.look(tmp_path, "a")
        assert found is not None
        assert found.state == "stopped"
        builds.stop(tmp_path, "a")
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_finished_folder_is_done(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.json").write_text("{}", encoding="utf-8")
    found = builds.look(tmp_path, "a")
    assert found is not None
    assert (found.state, found.finished) == ("done", True)


def test_a_failure_is_told_in_its_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("nothing here\n", encoding="utf-8")
    runs = tmp_path / "runs"
    builds.start(runs, "bad", [str(bad)], {})
    found = wait(runs, "bad", "failed", "done")
    assert found.state == "failed"
    assert "bad.jsonl" in found.message


def test_a_build_can_be_stopped_and_goes_on(pool: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    builds.start(runs, "pool", [str(pool)], {"projection": "pca"})
    wait(runs, "pool", "running", "done")
    builds.stop(runs, "pool")
    wait(runs, "pool", "stopped", "failed", "done")
    builds.resume(runs, "pool")
    assert wait(runs, "pool", "done", "failed").finished
    assert [build.name for build in builds.every(runs)] == ["pool"]
    builds.delete(runs, "pool")
    assert builds.every(runs) == []


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "a/b"])
def test_a_name_that_is_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        builds.start(tmp_path, name, ["pool.jsonl"], {})
    if name:
        with pytest.raises(UsageError):
            builds.delete(tmp_path, name)


def test_a_running_build_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(tmp_path, "a", state="running", pid=1)
    monkeypatch.setattr(builds, "_alive", lambda pid: True)
    with pytest.raises(IlaError, match="stop it before"):
        builds.delete(tmp_path, "a")


def test_what_runs_is_not_started_a_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".jobs").mkdir()
    (tmp_path / ".jobs" / "a.json").write_text(json.dumps({"command": ["false"], "pid": 1}))
    told(tmp_path, "a", state="running", pid=1)
    monkeypatch.setattr(builds, "_alive", lambda pid: True)
    builds.resume(tmp_path, "a")
    assert builds.look(tmp_path, "a").state == "running"
    assert (tmp_path / "a" / "progress.json").is_file()


def test_names_are_free(tmp_path: Path) -> None:
    assert builds.free_name(tmp_path, "my pool.v2.jsonl.gz") == "my-pool"
    (tmp_path / "my-pool").mkdir()
    assert builds.free_name(tmp_path, "my pool.jsonl") == "my-pool-2"
    assert builds.free_name(tmp_path, "uploads.jsonl") == "uploads-2"


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/abs/pool.jsonl", ".x", "ü.jsonl"])
def test_an_upload_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    path = builds.store_upload(tmp_path, name, io.BytesIO(b"{}\n"))
    assert path.parent.parent == tmp_path / "uploads"
    assert path.read_bytes() == b"{}\n"
    assert not list(path.parent.glob(".*.part"))


def test_two_visitors_upload_files_of_one_name(tmp_path: Path) -> None:
    mine = builds.store_upload(tmp_path, "pool.jsonl", io.BytesIO(b"mine"))
    yours = builds.store_upload(tmp_path, "pool.jsonl", io.BytesIO(b"yours"))
    assert (mine.read_bytes(), yours.read_bytes()) == (b"mine", b"yours")
    assert mine.name == yours.name == "pool.jsonl"
    assert builds.store_upload(tmp_path, "pool.jsonl", io.BytesIO(b"mine")) == mine


def test_two_visitors_export_as_many_records(tmp_path: Path) -> None:
    mine = builds.export_folder(tmp_path, "landscape", {"method": "ila", "pinned": (3,)})
    yours = builds.export_folder(tmp_path, "landscape", {"method": "ila", "pinned": (4,)})
    assert mine.parent == yours.parent == tmp_path / "exports" and mine != yours
    assert builds.export_folder(tmp_path, "landscape", {"method": "ila", "pinned": (3,)}) == mine


@pytest.mark.parametrize("name", sorted(builds.TAKEN))
def test_no_landscape_is_built_where_something_else_is_kept(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="another name"):
        builds.start(tmp_path, name, ["pool.jsonl"], {})
