"""Which paths may be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ila_core.errors import IlaError, UsageError
from jobs.folders import allowed, inside, run_of


def test_only_paths_under_the_folders_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "pool.jsonl").touch()
    (tmp_path / "secret").touch()
    (inside / "link").symlink_to(tmp_path / "secret")
    monkeypatch.setenv("ILA_APP_ROOTS", str(inside))
    assert allowed(str(inside / "pool.jsonl")) == (inside / "pool.jsonl").resolve()
    for path in ("/etc/hostname", f"{inside}/../secret", f"{inside}/link", "\0"):
        with pytest.raises(UsageError):
            allowed(path)
    with pytest.raises(UsageError, match="does not exist"):
        allowed(str(inside / "absent"))


def test_a_folder_that_is_no_landscape_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_APP_ROOTS", str(tmp_path))
    with pytest.raises(IlaError, match="no finished landscape"):
        run_of(str(tmp_path))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that may be opened."""
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setenv("ILA_APP_ROOTS", str(root))
    monkeypatch.setenv("ILA_RUNS_DIR", str(root / "runs"))
    return root


def test_what_is_opened_is_what_was_checked(root: Path, tmp_path: Path) -> None:
    """A link that is turned elsewhere after the check does not matter any more."""
    (root / "pool.jsonl").touch()
    (root / "folder").mkdir()
    (root / "link.jsonl").symlink_to(root / "pool.jsonl")
    (root / "way").symlink_to(root / "folder")
    assert inside(str(root / "link.jsonl")) == root / "pool.jsonl"
    assert inside(str(root / "way" / "new.csv")) == root / "folder" / "new.csv"
    assert allowed(str(root / "way")) == root / "folder"


@pytest.mark.parametrize(
    "file",
    ["manifest.json", "records.parquet", "landscape.parquet", "embeddings.npy", "study.json",
     ".stages", ".stages/landscape-1", ".stages/landscape-1/landscape.parquet"],
)  # fmt: skip
def test_a_file_of_a_folder_that_leads_outside_closes_the_folder(
    file: str, root: Path, tmp_path: Path
) -> None:
    folder, outside = root / "run", tmp_path / "outside"
    (folder / file).parent.mkdir(parents=True)
    (folder / "manifest.json").touch()
    outside.mkdir()
    (outside / "secret").touch()
    (folder / file).unlink(missing_ok=True)
    (folder / file).symlink_to(outside if file.startswith(".stages") else outside / "secret")
    with pytest.raises(UsageError, match="leads outside the folders"):
        run_of(str(folder))
    (folder / file).unlink()
    (root / "inner").mkdir()
    (folder / file).symlink_to(root / "inner")
    assert allowed(str(folder)) == folder
