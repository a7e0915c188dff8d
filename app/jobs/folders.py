"""Which folders this page may open, and where it keeps what it makes: from the environment."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ila_core import paths
from ila_core.artifacts import MANIFEST, STAGES
from ila_core.errors import IlaError, UsageError
from view import SAMPLE

VISITORS = "visitors"
"""The folder, beside what this page makes itself, that has one for each visitor."""


def opened_with() -> Path | None:
    """Return the run folder or pool that `ila app` was given."""
    text = os.environ.get("ILA_APP_OPEN", "")
    return Path(text) if text else None


def is_run(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def tells_visitors() -> bool:
    """Whether each visitor has a folder of their own, as where a page is served to several."""
    return bool(os.environ.get("ILA_APP_VISITORS"))


def ask_visitor(asked: Callable[[], str]) -> None:
    """Learn the token of the visitor who is being answered from this, "" for none."""
    global _visitor
    _visitor = asked


_visitor: Callable[[], str] = str


def runs_folder() -> Path:
    """Return where uploads and landscapes built here are stored: those of the present visitor.

    The folder does not tell the visitor's token. UsageError where it has to be known and is not.
    """
    if not tells_visitors():
        return shared_folder()
    if not (token := _visitor()):
        raise UsageError(
            "This page keeps what its visitors open apart by a cookie, and this browser sent none; "
            "allow cookies for it and load it again."
        )
    return _of_visitors() / hashlib.sha256(token.encode()).hexdigest()[:32]


def _of_visitors() -> Path:
    return shared_folder() / VISITORS


def shared_folder() -> Path:
    """Return where this page keeps what it makes."""
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
    if tells_visitors() and target.is_relative_to(_of_visitors().resolve()):
        return target.is_relative_to(runs_folder().resolve())  # no root opens another visitor's
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
