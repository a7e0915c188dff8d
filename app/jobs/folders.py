"""Which folders this page may open, and where it keeps what it makes: from the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ila_core import paths
from ila_core.artifacts import MANIFEST
from ila_core.errors import IlaError, UsageError
from view import SAMPLE


def opened_with() -> Path | None:
    """Return the run folder or pool that `ila app` was given."""
    text = os.environ.get("ILA_APP_OPEN", "")
    return Path(text) if text else None


def is_run(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def runs_folder() -> Path:
    """Return where uploads and landscapes built here are stored."""
    if text := os.environ.get("ILA_RUNS_DIR"):
        return Path(text).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "ila" / "runs"


def roots() -> tuple[Path, ...]:
    """Return the folders that this server may open paths under."""
    given = os.environ.get("ILA_APP_ROOTS", "").split(os.pathsep)
    return (*(Path(root) for root in given if root), runs_folder(), paths.SAMPLE)


def inside(text: str) -> Path:
    """Return the whole path a visitor named, its links as they are, be it there or not.

    UsageError where it lies outside the folders, or a link of it leads outside.
    """
    try:
        path = Path(os.path.abspath(Path(text.strip()).expanduser()))
        target = path.resolve()
        is_inside = any(target.is_relative_to(root.expanduser().resolve()) for root in roots())
        path.exists()  # too long a name, for one
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{text!r} is no path: {error}.") from error
    if not is_inside:
        folders = ", ".join(str(root) for root in roots())
        raise UsageError(
            f"{path} lies outside the folders this page may open ({folders}); start the page with "
            "ila app --root FOLDER to open more, or upload the file."
        )
    return path


def allowed(text: str) -> Path:
    """Return the path a visitor named; UsageError if it is outside the folders, or not there."""
    path = inside(text).resolve()
    if not path.exists():
        raise UsageError(f"{path} does not exist; check the spelling, or upload the file.")
    return path


def run_of(landscape: str) -> Path:
    """Return the folder of a link's landscape; IlaError if it may not or cannot be opened."""
    if landscape == SAMPLE:
        return paths.SAMPLE / "landscape"
    path = allowed(landscape)
    if not is_run(path):
        raise IlaError(
            f"{path} holds no finished landscape (no {MANIFEST}); open the pool on the Data "
            "screen to build one."
        )
    return path
