"""What a visitor may name as a pool, and that every file of it lies inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pool_files import lines, put

from ila_core.errors import IlaError, UsageError
from jobs.pools import Pool, named


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may be opened, beside a file that may not."""
    monkeypatch.setenv("ILA_APP_ROOTS", str(tmp_path / "root"))
    monkeypatch.setenv("ILA_RUNS_DIR", str(tmp_path / "runs"))
    put(tmp_path, lines(), "secret.jsonl")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def test_a_file_a_folder_and_a_pattern(root: Path) -> None:
    (root / "pool").mkdir()
    files = tuple(put(root / "pool", lines(), name) for name in ("a.jsonl", "b.jsonl"))
    put(root / "pool", lines(), "[1].jsonl")
    assert named(f" {files[0]} ") == Pool((str(files[0]),))
    assert named(str(root / "pool" / "[1].jsonl")).name == "[1].jsonl"
    assert named(str(root / "pool")).folder == root / "pool"
    pattern = named(str(root / "p*" / "[ab].jsonl"))
    assert pattern.files() == files and pattern.name == "root" and pattern.folder is None
    with pytest.raises(UsageError, match="does not exist"):
        named(str(root / "absent.jsonl"))
    with pytest.raises(IlaError, match="matches no file"):
        named(str(root / "*.csv")).files()


def test_a_link_keeps_the_name_that_tells_what_the_file_is(root: Path) -> None:
    """As a cache of downloads has them: named as the data set has them, stored by their hash."""
    blob = put(root, b"question,answer\nWhy?,So.\n", "5a3c")
    (root / "pool.csv").symlink_to(blob)
    assert named(str(root / "pool.csv")).files() == (root / "pool.csv",)


@pytest.mark.parametrize("what", ["../secret.jsonl", "../*.jsonl", "*/../../secret.jsonl", "/etc"])
def test_nothing_is_named_outside(root: Path, what: str) -> None:
    with pytest.raises(UsageError, match="lies outside the folders"):
        named(str(root / what))


def test_no_link_leads_outside(root: Path) -> None:
    (root / "out").symlink_to(root.parent)
    (root / "link.jsonl").symlink_to(root.parent / "secret.jsonl")
    for text in ("link.jsonl", "out", "out/secret.jsonl", "out/*.jsonl"):
        with pytest.raises(UsageError, match="lies outside the folders"):
            named(str(root / text))
    for text in ("*.jsonl", "*/secret.jsonl", "."):
        with pytest.raises(UsageError, match="lies outside the folders"):
            named(str(root / text)).files()


def test_no_note_of_datasets_leads_outside(root: Path) -> None:
    outside = root.parent / "set"
    outside.mkdir()
    note = outside / "state.json"
    note.write_text(json.dumps({"_data_files": [{"filename": "a.arrow"}]}))
    inner = root / "linked"
    inner.mkdir()
    (inner / "state.json").symlink_to(note)
    dictionary = root / "dictionary"
    dictionary.mkdir()
    (dictionary / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    (dictionary / "train").symlink_to(outside)
    for folder in (inner, dictionary):
        with pytest.raises(UsageError, match="lies outside the folders"):
            named(str(folder))
