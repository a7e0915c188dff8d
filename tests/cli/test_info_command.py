"""`ila info`: what is in a landscape and how it was made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import cli

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


@pytest.mark.parametrize("missing", ["counts", "settings", "stages"])
def test_a_manifest_with_a_hole_is_told(run: Path, tmp_path: Path, missing: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {missing: {}}))
    assert "is damaged" in cli("info", copy, code=1).stderr
