"""What ships with the program is read only as it was shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ila_core.errors import IlaError
from ila_core.paths import ASSETS
from ila_core.space.shipped import SHA256, shipped


@pytest.mark.parametrize("folder", SHA256)
def test_the_shipped_encoders_are_what_was_shipped(folder: str) -> None:
    assert shipped(folder) == ASSETS / folder
    read = {path.name for path in (ASSETS / folder).iterdir()} - {"SOURCE.md"}
    assert {name for name in read if not name.startswith("LICENSE")} == set(SHA256[folder])


@pytest.mark.parametrize("name", SHA256["encoder"])
def test_another_file_in_its_place_is_refused(tmp_path: Path, name: str) -> None:
    shutil.copytree(ASSETS / "encoder", tmp_path / "encoder")
    file = tmp_path / "encoder" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(IlaError, match=f"{name} is not the file that came with this version"):
        shipped("encoder", tmp_path)
    file.unlink()
    with pytest.raises(IlaError, match=f"{name} is missing; install the program again"):
        shipped("encoder", tmp_path)
