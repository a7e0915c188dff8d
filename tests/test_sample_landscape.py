"""The landscape that ships with the program: whole, and what its first screen keeps."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.paths import SAMPLE

FOLDER = SAMPLE / "landscape"
FIRST = [752, 1477, 1648, 1904, 502, 53, 369, 1408, 1593, 522, 708, 120, 184, 1431, 1802, 1295,
         1848, 1850, 1374, 1165]  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> Landscape:
    return ila.open(FOLDER)


def test_it_opens_from_its_public_files_alone(sample: Landscape, tmp_path: Path) -> None:
    public = [path for path in FOLDER.iterdir() if not path.name.startswith(".")]
    for path in public:
        shutil.copy(path, tmp_path)
    copied = ila.open(tmp_path)
    assert len(copied) == len(sample) and copied.records is not None
    assert copied.kinds == ("loss-reduction", "loss") and copied.missing == 0


def test_it_ships_without_what_a_build_keeps_for_itself() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "."], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no checkout")
    assert sorted(listed.stdout.split()) == [
        "embeddings.npy", "landscape.parquet", "manifest.json", "records.parquet", "rejects.jsonl",
    ]  # fmt: skip


def test_the_first_screen_keeps_a_list_that_does_not_change(sample: Landscape) -> None:
    selection = ila.select(sample, budget="10%")
    assert len(selection) == 206 == selection.resolution
    assert selection.rows[: len(FIRST)].tolist() == FIRST
