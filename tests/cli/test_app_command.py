"""`ila app`: which page is started, for whom, and what it may open."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ila_core.cli import main


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would take this process's place; the environment is put back."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: commands.append(words))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return commands


def test_the_page_is_for_this_machine_alone_unless_an_address_is_given(
    started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["app"])
    words = started[0]
    assert words[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert words[words.index("--server.address") + 1] == "127.0.0.1"
    assert words[words.index("--browser.gatherUsageStats") + 1] == "false"
    assert os.environ["ILA_APP_ROOTS"].split(os.pathsep) == [str(tmp_path), str(Path.home())]
    main(["app", "--address", "0.0.0.0", "--port", "8600"])
    assert started[1][-2:] == ["--server.port", "8600"] and "0.0.0.0" in started[1]
    assert os.environ["ILA_APP_ROOTS"] == str(tmp_path), "a home is nobody else's to open"


def test_what_is_named_is_opened_and_its_folder_may_be(
    started: list[list[str]], pool: Path, tmp_path: Path
) -> None:
    main(["app", str(pool), "--root", str(tmp_path)])
    assert os.environ["ILA_APP_OPEN"] == str(pool)
    assert os.environ["ILA_APP_ROOTS"].split(os.pathsep) == [str(tmp_path), str(pool.parent)]


def test_a_labels_server_is_passed_on(
    started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["app", "--labels-url", "http://127.0.0.1:8000/v1"])
    assert os.environ["ILA_APP_LABELS_URL"] == "http://127.0.0.1:8000/v1"
    assert main(["app", "--labels-url", "https://me:secret@labels.example"]) == 2
    assert len(started) == 1


@pytest.mark.parametrize("words", [["absent.jsonl"], ["--root", "absent"]])
def test_what_is_not_there_is_told(words: list[str], started: list[list[str]]) -> None:
    assert main(["app", *words]) == 2 and not started
