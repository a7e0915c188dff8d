"""The command line as a whole: its help, its exit codes, and every number it takes."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path

import pytest
from command import cli

import ila_core as ila
from ila_core.cli import main, parser
from ila_core.lm import tune
from ila_core.lm.settings import TuneSettings
from ila_core.options import options_of
from ila_core.pipeline.settings import BuildSettings
from ila_core.selection.spec import Spec
from ila_core.studies.settings import StudySettings


def test_version_and_help() -> None:
    assert cli("--version").stdout.strip() == f"ila {ila.__version__}"
    assert "build" in cli("--help").stdout


def test_a_missing_run_is_told(tmp_path: Path) -> None:
    assert "does not exist" in cli("select", tmp_path / "no", "--budget", 5, code=1).stderr


# -- every number of every command ----------------------------------------------------------------

SETTINGS = {
    "build": BuildSettings,
    "doctor": BuildSettings,
    "select": Spec,
    "compare": Spec,
    "tune": TuneSettings,
    "study": StudySettings,
}
BESIDE = {
    "build": ["POOL", "--out", "OUT", "--loss", "lm", "--lm", "no/model"],
    "doctor": ["--loss", "lm", "--lm", "no/model"],
    "select": ["RUN", "--budget", "5"],
    "compare": ["RUN", "--budget", "5", "--methods", "ila"],
    "tune": ["RUN", "--lm", "no/model", "--out", "OUT"],
    "study": ["RUN", "--student", "lm", "--lm", "no/model", "--out", "OUT"],
    "app": [],
}
"""What each command needs so that all of its numbers mean something."""


def numbers_of(command: str) -> list[str]:
    """The flags of a command that take numbers, read off its help."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])
    flags = re.findall(r"^  (--[a-z-]+) ([A-Z]\S*)", shown.getvalue(), re.MULTILINE)
    known = options_of(SETTINGS[command]) if command in SETTINGS else {}
    counted = {o.flag for o in known.values() if o.item in (int, float)}
    return [flag for flag, metavar in flags if metavar == "N" or flag in counted]


NUMBERS = [(command, flag) for command in BESIDE for flag in numbers_of(command)]


def test_the_numbers_of_the_commands_were_found() -> None:
    assert len(NUMBERS) > 25
    for some in [("build", "--seed"), ("study", "--seeds"), ("tune", "--lr"), ("app", "--port"),
                 ("select", "--depth-target"), ("study", "--depth-targets")]:  # fmt: skip
        assert some in NUMBERS


@pytest.mark.parametrize("value", ["-1", "0", "9" * 30, "-1e308", "1e400", "nan", "x"])
@pytest.mark.parametrize(("command", "flag"), NUMBERS)
def test_a_number_that_cannot_be_meant_is_told_and_any_other_is_taken(
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    flag: str,
    value: str,
) -> None:
    taken: list[object] = []
    monkeypatch.setattr(os, "execv", lambda *words: taken.append(words))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setitem(vars(ila), "build", lambda pool, **given: stop(taken, given))
    monkeypatch.setitem(vars(ila), "study", lambda landscape, **given: stop(taken, given))
    monkeypatch.setattr(tune, "tune", lambda turns, n, settings, **given: stop(taken, settings))
    words = [str(run) if word == "RUN" else word for word in BESIDE[command]]
    try:
        code = main([command, *words, f"{flag}={value}"])
    except SystemExit as told:
        code = told.code
    except Taken:
        code = 0
    said = capsys.readouterr().err
    assert code in (0, 2), said
    if code == 2:
        named = flag in said or flag[2:].replace("-", " ") in said.lower()
        assert named and value[:9] in said and not taken
    if code == 0 and command not in ("select", "compare", "doctor"):
        assert taken
    if value in ("nan", "x", "1e400"):
        assert code == 2


class Taken(Exception):
    """The command has read what it was given, and would begin."""


def stop(taken: list[object], given: object) -> None:
    taken.append(given)
    raise Taken
