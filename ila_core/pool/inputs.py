"""Which files make a pool, and whether they are still what they were.

Each file is hashed once, before it is read: the hash names what a build is made of. That it was
read as it was hashed is told by its size and the time of its last change.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ila_core.errors import IlaError
from ila_core.files import hash_file, reading_errors
from ila_core.pool.folders import files_of, unread_in
from ila_core.pool.remote import address_of, fetched, is_remote
from ila_core.progress import Progress, no_progress

Paths = Sequence[str | Path] | str | Path
"""Paths and globs, or one of them."""


@dataclass(frozen=True)
class Input:
    """A file of a pool as it was when it was hashed; `changed` is in nanoseconds."""

    path: Path
    bytes: int
    changed: int
    sha256: str

    @property
    def key(self) -> str:
        """What tells its content from another's."""
        return self.sha256

    @classmethod
    def of(cls, path: Path) -> Input:
        """The file as it is now. Raises IlaError where it cannot be read, or changes meanwhile."""
        with reading_errors(path):
            status = path.stat()
        seen = cls(path, status.st_size, status.st_mtime_ns, hash_file(path))
        seen.check()
        return seen

    def check(self) -> None:
        """Raise IlaError where the file has changed since."""
        with reading_errors(self.path):
            status = self.path.stat()
        if (status.st_size, status.st_mtime_ns) != (self.bytes, self.changed):
            raise IlaError(
                f"{self.path} changed while it was read; run the same command again when it is "
                "complete."
            )


def hashed(paths: Paths, *, split: str = "", progress: Progress = no_progress) -> list[Input]:
    """The files that paths, globs and folders name, hashed, as `expand` orders them."""
    files = expand(paths, split)
    inputs = []
    for path in files:
        inputs.append(Input.of(path))
        progress(len(inputs), len(files))
    return inputs


def expand(paths: Paths, split: str = "") -> list[Path]:
    """The files that paths, globs and folders name, in the order given, matches of a glob sorted.

    Of an s3:// or gs:// address a copy on this machine, see `remote`.

    Of a folder with splits those of `split` are taken, or of its training part. A file named twice
    is read once. Raises IlaError for a path that is not there, a glob without a match, and a folder
    that is no data set.
    """
    files: dict[Path, Path] = {}
    for given in [paths] if isinstance(paths, str | Path) else paths:
        for path in _matches(str(given), split):
            files.setdefault(path.resolve(), path)
    if not files:
        raise IlaError("No file was named; name the files of the pool.")
    return list(files.values())


def unread(paths: Paths, split: str = "") -> list[str]:
    """A sentence for each of the folders named, of which other splits are there but not read."""
    sentences = []
    for given in [paths] if isinstance(paths, str | Path) else paths:
        folder = Path(given).expanduser()
        if folder.is_dir() and (others := unread_in(folder, split)):
            told = ", ".join(
                name if count is None else f"{name} ({count:,} record{'s' * (count != 1)})"
                for name, count in others.items()
            )
            sentences.append(
                f"Of {shown(folder)} one split was read; the others hold {told}: "
                "choose another with --split NAME."
            )
    return sentences


def _matches(given: str, split: str) -> list[Path]:
    if is_remote(given):
        return fetched(given)
    path = Path(given).expanduser()
    if path.is_dir():
        return files_of(path, split)
    if path.exists():
        return [path]
    if not glob.has_magic(given):
        raise IlaError(f"{given} was not found; check the path.")
    matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    files = [match for match in matches if not match.is_dir()]
    if not files:
        raise IlaError(f"{given} matches no file; check the pattern.")
    return files


def shown(path: Path) -> str:
    r"""A path as text that can be written anywhere: bytes that are not UTF-8 as \xNN.

    Of a copy from a bucket, the address that it was fetched from.
    """
    if (address := address_of(path)) is not None:
        return address
    return os.fsencode(path).decode("utf-8", "backslashreplace")
