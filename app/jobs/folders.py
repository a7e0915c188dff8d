"""Which folders this page may open, and where it keeps what it makes: from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ila_core import paths
from ila_core.artifacts import MANIFEST, STAGES
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
    """Return where a path leads that a visitor named, be anything there or not.

    Its links are followed, so that what is opened is what was checked; only a last one under which
    a file has another suffix stays, since that tells what the file is. UsageError where the path
    lies outside the folders, or a link of it leads outside.
    """
    try:
        path = Path(os.path.abspath(Path(text.strip()).expanduser()))
        target = path.resolve()
        path.exists()  # too long a name, for one
        named = path.parent.resolve() / path.name
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{text!r} is no path: {error}.") from error
    if not _is_inside(target):
        folders = ", ".join(str(root) for root in roots())
        raise UsageError(
            f"{path} lies outside the folders this page may open ({folders}); start the page with "
            "ila app --root FOLDER to open more, or upload the file."
        )
    return target if target.suffix == path.suffix else named


def allowed(text: str) -> Path:
    """Return the path a visitor named, its links followed, to be opened as a whole.

    UsageError if it is outside the folders, or not there, or a folder of which a file is a link
    that leads outside.
    """
    path = inside(text).resolve()
    if not path.exists():
        raise UsageError(f"{path} does not exist; check the spelling, or upload the file.")
    for link in _links_in(path):
        if not _is_inside(link.resolve()):
            raise UsageError(
                f"{link} leads outside the folders this page may open; put the file itself there, "
                "or start the page with ila app --root FOLDER to open more."
            )
    return path


def _is_inside(target: Path) -> bool:
    return any(target.is_relative_to(root.expanduser().resolve()) for root in roots())


def _links_in(folder: Path) -> Iterator[Path]:
    """Yield the links among the entries of a folder and of the stages of a build in it."""
    places = [folder, folder / STAGES, *(folder / STAGES).glob("*")]
    for place in places:
        if place.is_dir():
            yield from (path for path in place.iterdir() if path.is_symlink())


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
