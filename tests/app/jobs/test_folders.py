"""Which paths may be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ila_core.errors import IlaError, UsageError
from jobs.folders import allowed, run_of


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
