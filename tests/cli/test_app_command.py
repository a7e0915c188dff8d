"""`ila app`: which page is started, for whom, and what it may open."""

from __future__ import annotations

import os
import socket
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
    for unasked in ("--browser.gatherUsageStats", "--server.showEmailPrompt"):
        assert words[words.index(unasked) + 1] == "false"
    assert os.environ["ILA_APP_ROOTS"].split(os.pathsep) == [str(tmp_path), str(Path.home())]
    assert not {"ILA_APP_PASSWORD", "ILA_APP_VISITORS", "ILA_APP_DOOR"} & os.environ.keys()
    assert os.environ["ILA_APP_VISITOR_SPACE"] == "", "one's own machine is one's own"


def test_what_is_named_is_opened_and_its_folder_may_be(
    started: list[list[str]], pool: Path, tmp_path: Path
) -> None:
    main(["app", str(pool), "--root", str(tmp_path)])
    assert os.environ["ILA_APP_OPEN"] == str(pool)
    assert os.environ["ILA_APP_ROOTS"].split(os.pathsep) == [str(tmp_path), str(pool.parent)]


def test_served_to_others_the_page_has_a_key_hosts_and_nothing_else_to_open(
    started: list[list[str]], pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    main(["app", str(pool), "--address", "0.0.0.0", "--port", "8600", "--host", "ila.example"])
    assert started[0][-2:] == ["--server.port", "8600"] and "0.0.0.0" in started[0]
    told, key = capsys.readouterr().err, os.environ["ILA_APP_PASSWORD"]
    assert len(key) == 22 and f"  http://ila.example:8600/?key={key}\n" in told
    assert "not encrypted" in told and os.environ["ILA_APP_VISITORS"] == "1"
    assert os.environ["ILA_APP_HOSTS"] == f"ila.example,{socket.gethostname()}"
    assert (
        '"https://ila.example"' in started[0][started[0].index("--server.corsAllowedOrigins") + 1]
    )
    assert os.environ["ILA_APP_ROOTS"] == str(pool), "neither a home nor the folder around it"
    assert os.environ["ILA_APP_VISITOR_SPACE"] == "20000000000"
    assert os.environ["ILA_APP_DOOR"] == "ours"
    del os.environ["ILA_APP_PASSWORD"]
    main(["app", "--address", "10.0.0.7", "--port", "8600", "--visitor-space", "1.5 GB"])
    assert os.environ["ILA_APP_VISITOR_SPACE"] == "1500000000"
    assert os.environ["ILA_APP_ROOTS"] == "" and os.environ["ILA_APP_PASSWORD"] != key


def test_a_key_of_ones_own_is_asked_for_and_not_shown(
    started: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_text("the cat sat on it\n")
    main(["app", "--password-file", str(tmp_path / "key")])
    assert os.environ["ILA_APP_PASSWORD"] == "the cat sat on it" and "--server.port" in started[0]
    assert "the cat" not in capsys.readouterr().err
    assert main(["app", "--open"]) == 2, "the variable is still set"
    os.environ["ILA_APP_PASSWORD"] = "short"
    assert main(["app"]) == 2 and "has 5 characters" in capsys.readouterr().err
    del os.environ["ILA_APP_PASSWORD"]
    main(["app", "--address", "10.0.0.7", "--port", "8600", "--open"])
    assert os.environ["ILA_APP_PASSWORD"] == "" and "without a key" in capsys.readouterr().err
    assert len(started) == 2


def test_the_port_of_the_link_is_one_that_is_free(
    started: list[list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(port))
        main(["app", "--host", "ila.example"])
    used = int(started[0][-1])
    assert used > port and f"http://127.0.0.1:{used}/?key=" in capsys.readouterr().err


def test_a_labels_server_is_passed_on(
    started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["app", "--labels-url", "http://127.0.0.1:8000/v1"])
    assert os.environ["ILA_APP_LABELS_URL"] == "http://127.0.0.1:8000/v1"
    assert main(["app", "--labels-url", "https://me:secret@labels.example"]) == 2
    assert len(started) == 1


@pytest.mark.parametrize(
    "words", [["absent.jsonl"], ["--root", "absent"], ["--host", "https://ila.example"]]
)
def test_what_is_not_there_is_told(words: list[str], started: list[list[str]]) -> None:
    assert main(["app", *words]) == 2 and not started
