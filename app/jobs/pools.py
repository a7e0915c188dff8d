"""A pool as a visitor names it: files, a folder or a glob, and nothing outside the folders."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from ila_core.errors import UsageError
from ila_core.pool.folders import MARKS
from ila_core.pool.inputs import expand
from jobs import folders


@dataclass(frozen=True)
class Pool:
    """What is read, as the command line takes it: whole paths, one folder, or one glob."""

    given: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.given)

    @property
    def name(self) -> str:
        """What the pool is called: its first file, its folder, or the folder of the glob."""
        first = Path(self.given[0])
        while glob.has_magic(first.name) and not first.exists():
            first = first.parent
        return first.name

    @property
    def folder(self) -> Path | None:
        """The folder that it is; None for files."""
        first = Path(self.given[0])
        return first if first.is_dir() else None

    def files(self, split: str = "") -> tuple[Path, ...]:
        """Return the files that are read, of a folder's `split`, none of them opened yet.

        IlaError as the build raises it; UsageError where one of them lies outside the folders.
        """
        files = expand(self.given, split)
        for file in files:
            folders.inside(str(file))
        return tuple(files)


def named(text: str) -> Pool:
    """Return the pool at a path or a glob; UsageError if it lies outside the folders, or nowhere.

    Links stay as they are named, so that a file keeps its suffix; where they lead is checked.
    """
    path = folders.inside(text)
    if not path.exists() and not glob.has_magic(str(path)):
        raise UsageError(f"{path} does not exist; check the spelling, or upload the file.")
    if path.is_dir():
        for mark in MARKS:
            for file in (path / mark, *path.glob(f"*/{mark}")):
                folders.inside(str(file))
    return Pool((str(path),))
