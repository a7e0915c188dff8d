"""Jobs that outlive the page: their states as the files tell them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ila_core.errors import IlaError
from jobs import process


def left(runs: Path, name: str, **progress: object) -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "progress.json").write_text(json.dumps(progress), encoding="utf-8")
    return folder


def test_nothing_is_known_of_an_unknown_name(tmp_path: Path) -> None:
    assert process.look(tmp_path, "absent") is None
    assert process.names(tmp_path / "nowhere") == set()


def test_a_build_whose_process_is_gone_is_stopped(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left(tmp_path, "a", state="running", pid=gone.pid)
    found = process.look(tmp_path, "a")
    assert found is not None
    assert found.state == "stopped"
    assert "The process is gone" in found.message


def test_a_strangers_process_under_the_same_number_is_not_ours(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        left(tmp_path, "a", state="running", pid=stranger.pid)
        found = process.look(tmp_path, "a")
        assert found is not None
        assert found.state == "stopped"
        process.stop(tmp_path, "a")
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_finished_folder_is_done(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.json").write_text("{}", encoding="utf-8")
    found = process.look(tmp_path, "a")
    assert found is not None
    assert (found.state, found.has_landscape) == ("done", True)


def test_a_running_build_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left(tmp_path, "a", state="running", pid=1)
    monkeypatch.setattr(process, "alive", lambda pid: True)
    with pytest.raises(IlaError, match="stop it before"):
        process.delete(tmp_path, "a")


def test_what_runs_is_not_started_a_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".jobs").mkdir()
    (tmp_path / ".jobs" / "a.json").write_text(json.dumps({"command": ["false"], "pid": 1}))
    left(tmp_path, "a", state="running", pid=1)
    monkeypatch.setattr(process, "alive", lambda pid: True)
    process.resume(tmp_path, "a")
    assert process.look(tmp_path, "a").state == "running"
    assert (tmp_path / "a" / "progress.json").is_file()
