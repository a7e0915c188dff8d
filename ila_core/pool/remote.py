"""Files of a pool that lie in a bucket, s3:// or gs://: fetched once, then read as any other.

A copy lies in the cache folder under the name that it has in the bucket, in a folder that tells its
size and the time of its last change: what has changed is fetched anew. Credentials, region and
endpoint are those that the system or the environment gives (AWS_PROFILE, AWS_ENDPOINT_URL, ...).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.errors import IlaError, UsageError, first_line
from ila_core.files import key_of, replacing
from ila_core.paths import cache_folder

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

_URL = re.compile(r"(s3|gs)://([^/]+)/(.+)")
_COPIES = "pools"
_MAGIC = re.compile(r"[*?\[]")
_PIECE = 1 << 24
_addresses: dict[Path, str] = {}
"""Where the copies that this process has asked for come from."""


def is_remote(path: str) -> bool:
    """Tell whether a path names something in a bucket.

    >>> is_remote("s3://bucket/pool.jsonl"), is_remote("pool.jsonl")
    (True, False)
    """
    return re.match(r"(s3|gs)://", path) is not None


def fetched(url: str) -> list[Path]:
    """Return local copies of what an s3:// or gs:// address names, matches of a pattern sorted.

    UsageError for an address without a bucket and a name; IlaError for one where there is nothing,
    for a folder, and where the bucket cannot be read.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise UsageError(f"{url!r} names no file in a bucket; write s3://BUCKET/FILE.")
    scheme, bucket, name = found.groups()
    with bucket_errors(url, "read"):
        files = _filesystem(scheme)
        infos = list(_named(files, f"{bucket}/{name}"))
    if not infos:
        matches = "matches no file; check the pattern" if _MAGIC.search(name) else "was not found"
        raise IlaError(f"{url} {matches}.")
    return [_copied(files, scheme, info) for info in infos]


def address_of(path: Path) -> str | None:
    """Return the address that a local copy was fetched from; None for any other file."""
    return _addresses.get(path)


def _named(files: FileSystem, path: str) -> Iterator[FileInfo]:
    """The files of a path or a pattern; * stands for anything but a slash."""
    from pyarrow.fs import FileSelector, FileType

    if not _MAGIC.search(path):
        info = files.get_file_info(path)
        if info.type == FileType.Directory:
            raise IlaError(
                f"{path} is a folder of a bucket; name its files, as in {path.rstrip('/')}/*.jsonl."
            )
        if info.type == FileType.File:
            yield info
        return
    folder = path[: _MAGIC.search(path).start()].rpartition("/")[0]  # type: ignore[union-attr]
    listed = files.get_file_info(FileSelector(folder, recursive=True, allow_not_found=True))
    for info in sorted(listed, key=lambda one: one.path):
        parts, wanted = info.path.split("/"), path.split("/")
        if (
            info.type == FileType.File
            and len(parts) == len(wanted)
            and all(map(fnmatchcase, parts, wanted))
        ):
            yield info


def _copied(files: FileSystem, scheme: str, info: FileInfo) -> Path:
    state = key_of(scheme, info.path, info.size, info.mtime_ns)
    copy = cache_folder() / _COPIES / state / Path(info.path).name
    url = _addresses[copy] = f"{scheme}://{info.path}"
    if not (copy.is_file() and copy.stat().st_size == info.size):
        with bucket_errors(url, "read"):
            _fetch(files, info.path, copy)
    return copy


def _fetch(files: FileSystem, path: str, copy: Path) -> None:
    with (
        files.open_input_stream(path, compression=None) as source,
        replacing(copy) as temporary,
        open(temporary, "wb") as target,
    ):
        shutil.copyfileobj(source, target, _PIECE)


@dataclass(frozen=True)
class Place:
    """A folder of a bucket; names of files are relative to it, with slashes."""

    scheme: str
    path: str
    """BUCKET/FOLDER."""
    files: Any
    """pyarrow's file system."""

    @classmethod
    def of(cls, url: str) -> Place:
        """Return the place of an address; UsageError where it names none."""
        found = _URL.fullmatch(url.rstrip("/"))
        if found is None:
            raise UsageError(f"{url!r} names no folder in a bucket; write s3://BUCKET/RUN.")
        scheme, bucket, name = found.groups()
        with bucket_errors(url, "reached"):
            return cls(scheme, f"{bucket}/{name}", _filesystem(scheme))

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://{self.path}"

    def size(self, name: str) -> int | None:
        """Return the bytes of a file; None where there is none."""
        from pyarrow.fs import FileType

        info = self.files.get_file_info(f"{self.path}/{name}")
        return int(info.size) if info.type == FileType.File else None

    def read(self, name: str) -> bytes:
        """Return what a small file holds."""
        with self.files.open_input_stream(f"{self.path}/{name}", compression=None) as source:
            return bytes(source.read())

    def fetch(self, name: str, copy: Path) -> None:
        """Copy a file to this machine, all of it or nothing."""
        _fetch(self.files, f"{self.path}/{name}", copy)

    def send(self, source: Path, name: str) -> None:
        """Copy a file of this machine there."""
        path = f"{self.path}/{name}"
        with source.open("rb") as data, self.files.open_output_stream(path, compression=None) as to:
            shutil.copyfileobj(data, to, _PIECE)

    def keep(self, folder: str, names: Collection[str]) -> None:
        """Delete the files of a folder, and of those in it, but for these."""
        from pyarrow.fs import FileSelector, FileType

        within = f"{self.path}/{folder}"
        listed = self.files.get_file_info(
            FileSelector(within, recursive=True, allow_not_found=True)
        )
        for info in listed:
            if info.type == FileType.File and info.path.removeprefix(f"{within}/") not in names:
                self.files.delete_file(info.path)


def _filesystem(scheme: str) -> Any:
    from pyarrow import fs

    if scheme == "gs":
        return fs.GcsFileSystem()
    given = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    kind, _, host = given.rstrip("/").rpartition("://")  # Arrow takes no notice of these itself
    return fs.S3FileSystem(endpoint_override=host or None, scheme=kind or "https")


@contextmanager
def bucket_errors(url: str, what: str) -> Iterator[None]:
    """Tell in one sentence why something in a bucket cannot be read, or whatever was wanted."""
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise IlaError(
            f"{url} cannot be {what} ({first_line(error)}); check the address and the credentials "
            "of this machine."
        ) from error
