"""What visitors upload and export stays their own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from jobs.uploads import export_folder, store_upload


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/abs/pool.jsonl", ".x", "ü.jsonl"])
def test_an_upload_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    path = store_upload(tmp_path, name, io.BytesIO(b"{}\n"))
    assert path.parent.parent == tmp_path / "uploads"
    assert path.read_bytes() == b"{}\n"
    assert not list(path.parent.glob(".*.part"))


def test_two_visitors_upload_files_of_one_name(tmp_path: Path) -> None:
    mine = store_upload(tmp_path, "pool.jsonl", io.BytesIO(b"mine"))
    yours = store_upload(tmp_path, "pool.jsonl", io.BytesIO(b"yours"))
    assert (mine.read_bytes(), yours.read_bytes()) == (b"mine", b"yours")
    assert mine.name == yours.name == "pool.jsonl"
    assert store_upload(tmp_path, "pool.jsonl", io.BytesIO(b"mine")) == mine


def test_two_visitors_export_as_many_records(tmp_path: Path) -> None:
    mine = export_folder(tmp_path, "landscape", {"method": "ila", "pinned": (3,)})
    yours = export_folder(tmp_path, "landscape", {"method": "ila", "pinned": (4,)})
    assert mine.parent == yours.parent == tmp_path / "exports" and mine != yours
    assert export_folder(tmp_path, "landscape", {"method": "ila", "pinned": (3,)}) == mine
