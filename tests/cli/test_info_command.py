"""`ila info`: what is in a landscape and how it was made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import cli
from studies_made import FOUND

import ila_core as ila


def test_info_tells_what_is_in_a_landscape(run: Path) -> None:
    assert "60 kept" in cli("info", run).stdout
    assert json.loads(cli("info", run, "--json").stdout)["counts"]["kept"] == 60


def test_a_stage_that_another_version_made_is_told(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["stages"]["embedding"]["made_by"] = "0.0.9"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert f"by ila {ila.__version__}; embedding by 0.0.9" in cli("info", copy).stdout


def test_a_landscape_with_labels_that_are_no_more_opens_and_is_not_made_again(
    run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["settings"]["labels"] = "taxonomy"
    manifest["command"] += " --labels taxonomy"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert len(ila.open(copy)) == 60
    replay = cli("info", copy).stdout.split("command")[1].split("\n")[0].split()
    refused = cli(*replay[1:], code=2).stderr
    assert "--labels taxonomy is no more: three in four of its labels were wrong" in refused


@pytest.mark.parametrize("missing", ["counts", "settings", "stages"])
def test_a_manifest_with_a_hole_is_told(run: Path, tmp_path: Path, missing: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {missing: {}}))
    assert "is damaged" in cli("info", copy, code=1).stderr


@pytest.fixture
def studies(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / "study-tasks", tmp_path / "maths"]
    for folder in folders:
        folder.mkdir()
        FOUND.save(folder)
    return folders


def test_info_tells_what_studies_found_one_after_another(run: Path, studies: list[Path]) -> None:
    assert cli("info", studies[0]).stdout == FOUND.summary() + "\n"
    told = cli("info", run, *studies).stdout
    assert told.count(FOUND.summary()) == 2 and "60 kept" in told
    assert json.loads(cli("info", studies[0], "--json").stdout) == FOUND.as_dict()


def test_info_sets_studies_side_by_side(studies: list[Path]) -> None:
    lines = cli("info", "--table", *studies).stdout.splitlines()
    assert lines[2] == "| pool | budget | random | ila | ila q=0.5 | deita |"
    assert [line.split(" | ")[0] for line in lines[4:8]] == ["| tasks"] * 2 + ["| maths"] * 2
    assert lines[4].split(" | ")[3] == "**-0.500 ± 0.000**"


def test_forms_that_exclude_each_other_are_refused(run: Path, studies: list[Path]) -> None:
    assert "two forms of the same" in cli("info", "--table", "--json", *studies, code=2).stderr
    assert "name one folder" in cli("info", "--json", *studies, code=2).stderr
    assert "no finished study" in cli("info", "--table", run, code=1).stderr
