"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ila_core.errors import IlaError

_REFUSALS = frozenset((
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR,
    errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EIO,
))  # fmt: skip


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes `path`'s place when the block ends well.

    A failure leaves what was at `path` untouched and removes the unfinished file. A link stays a
    link: the file that it points to is replaced. A full disk, a folder that cannot be written, and
    a `path` that is no file, such as a folder or /dev/stdout, raise IlaError.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "greeting.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("hello")
    >>> target.read_text()
    'hello'
    """
    path = Path(path)
    with told(path):
        if path.exists() and not path.is_file():
            raise IlaError(f"{path} is {'a folder' if path.is_dir() else 'no file'}; name a file.")
        path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def told(path: str | Path) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into one sentence."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if disk_is_full(error):
            raise IlaError(
                f"The disk is full: {path} could not be written. What was finished before is "
                "kept; free some space and run the same command again."
            ) from error
        if error.errno not in _REFUSALS:
            raise
        raise IlaError(
            f"{path} cannot be written ({error.strerror}); choose another place with --out."
        ) from error


@contextmanager
def readable(path: str | Path) -> Iterator[None]:
    """Turn an operating system's refusal to read `path` into one sentence."""
    try:
        yield
    except OSError as error:
        raise IlaError(f"{path} cannot be read ({error.strerror or error}).") from error


def disk_is_full(error: OSError) -> bool:
    """Tell whether an error says that no more fits: on the disk, in a quota or in one file."""
    if error.errno is None:  # numpy's own: "464859 requested and 405440 written"
        return "requested and" in str(error) and str(error).endswith("written")
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
