"""The README is true: its snippets run, its pictures are there, its words name what exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ila_core.cli import parser
from ila_core.methods.registry import names
from ila_core.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the checkout to a snippet, and may be written to."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    return folder


def test_there_is_something_to_run() -> None:
    assert len(blocks("python")) >= 2 and len(blocks("console")) >= 2


@pytest.mark.parametrize("code", blocks("python"))
def test_python_snippets_run(code: str, workplace: Path) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=workplace, check=True)


def test_commands_run_in_their_order(workplace: Path) -> None:
    commands = [
        line.partition("#")[0].split()
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("ila ")
    ]
    assert len(commands) >= 5
    for _, *arguments in commands:
        command = [sys.executable, "-m", "ila_core.cli", *arguments]
        subprocess.run(command, cwd=workplace, check=True, capture_output=True)


@pytest.mark.parametrize("block", blocks("text"))
def test_commands_that_need_a_model_are_at_least_well_formed(block: str) -> None:
    for line in block.splitlines():
        if line.startswith("ila "):
            parser().parse_args(line.split()[1:])


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_pictures_and_links_exist() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_it_counts_the_methods() -> None:
    assert "Eighteen methods" in README and len(names()) == 18
