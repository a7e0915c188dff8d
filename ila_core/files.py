"""Writing files so that a reader never meets half of one, and telling one file from another."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ila_core.errors import IlaError, RunError

_REFUSALS = frozenset((
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR,
    errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EIO,
))  # fmt: skip
_MACHINE = f"{zlib.crc32(socket.gethostname().encode()):08x}"
_LOOK_SECONDS = 0.2
_UNFINISHED = re.compile(rf"\..*\.{_MACHINE}-(?P<process>\d+)-[0-9a-f]+-[0-9a-f]{{8}}\.part")


@contextmanager
def replacing(path: str | Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes `path`'s place when the block ends well.

    A power cut leaves the old file or the new one, never an empty one: what was written is on the
    disk before it takes the place, at the cost of one wait for the disk (some milliseconds). What
    is written often and made again where it is lost goes without, with `lasting` off.

    A failure leaves what was at `path` untouched and removes the unfinished file. A link stays a
    link: the file that it points to is replaced. Whoever writes the same `path` at the same time,
    in a thread or a process, writes to a file of their own; the last to finish stays. A full disk,
    a folder that cannot be written, and a `path` that is no file, such as a folder or /dev/stdout,
    raise IlaError. What killed processes of this machine left of the same `path` is removed.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "greeting.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("hello")
    >>> target.read_text()
    'hello'
    """
    path = Path(path)
    with writing_errors(path):
        if path.exists() and not path.is_file():
            raise IlaError(f"{path} is {'a folder' if path.is_dir() else 'no file'}; name a file.")
        path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(_unfinished_name(path.name))
    try:
        with writing_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if lasting:
                _sweep_beside(path)
            yield temporary
            if lasting:
                _to_disk(temporary)
            os.replace(temporary, path)
            if lasting:
                _names_to_disk(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def replacing_folder(folder: str | Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the place of `folder` when the block ends well.

    A failure leaves what was there, and removes the unfinished folder. Every file of it is on the
    disk before it takes the place. Who else may write the same `folder` must hold a lock meanwhile.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "model"
    >>> with replacing_folder(target) as temporary:
    ...     _ = (temporary / "config.json").write_text("{}")
    >>> [path.name for path in target.iterdir()]
    ['config.json']
    """
    folder = Path(folder)
    temporary = folder.with_name(_unfinished_name(folder.name))
    try:
        temporary.mkdir(parents=True)
        yield temporary
        files_to_disk(temporary)
        if folder.exists():
            old = folder.with_name(_unfinished_name(folder.name))
            os.replace(folder, old)
            shutil.rmtree(old, ignore_errors=True)
        os.replace(temporary, folder)
        _names_to_disk(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def files_to_disk(folder: Path) -> None:
    """Return when every file of a folder and below it is on the disk, and its name, too."""
    for path in [*folder.rglob("*"), folder]:
        (_names_to_disk if path.is_dir() else _to_disk)(path)


def _to_disk(file: Path) -> None:
    """Return when all that was written to a file is on the disk."""
    with open(file, "r+b") as stream:
        os.fsync(stream.fileno())


def _names_to_disk(folder: Path) -> None:
    """Return when the names of a folder's files are on the disk, where the system can tell."""
    with suppress(OSError):  # Windows opens no folder, some network drives sync none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unfinished_name(name: str) -> str:
    """A name that no other thread or process takes, and that tells which process has taken it."""
    owner = f"{_MACHINE}-{os.getpid()}-{threading.get_ident():x}-{secrets.token_hex(4)}"
    return f"{_unfinished_start(name)}{owner}.part"


def _unfinished_start(name: str) -> str:
    return f".{name[:40]}."  # clipped: a name has at most 255 bytes


def sweep(folder: str | Path) -> None:
    """Remove what killed processes of this machine left unfinished in a folder and below it.

    What `replacing` and `replacing_folder` write for a process which is still there is left alone,
    and so is all else.
    """
    _remove_unfinished(list(Path(folder).rglob(".*.part")))


def _sweep_beside(path: Path) -> None:
    """Remove what killed processes of this machine left unfinished of a file."""
    start = glob.escape(_unfinished_start(path.name))
    _remove_unfinished(list(path.parent.glob(f"{start}*.part")))


def _remove_unfinished(paths: Sequence[Path]) -> None:
    if os.name == "nt":  # asking after a process would end it
        return
    for path in paths:
        ours = _UNFINISHED.fullmatch(path.name)
        if not ours or _is_running(int(ours["process"])):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


@contextmanager
def writing_errors(
    path: str | Path, instead: str = "choose another place with --out"
) -> Iterator[None]:
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
        if _is_elsewhere(error.filename, Path(path)):  # it was read on the way
            raise IlaError(f"{error.filename} cannot be opened ({error.strerror}).") from error
        raise IlaError(f"{path} cannot be written ({error.strerror}); {instead}.") from error


def _is_elsewhere(named: object, path: Path) -> bool:
    """Whether what an error names has nothing to do with the writing of a path."""
    if not isinstance(named, str) or named.endswith(".part"):
        return False
    place, path = Path(os.path.abspath(named)), Path(os.path.abspath(path))
    return not (place.is_relative_to(path) or path.is_relative_to(place))


@contextmanager
def reading_errors(path: str | Path) -> Iterator[None]:
    """Turn an operating system's refusal to read `path` into one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise IlaError(f"{path} was not found; check the path.") from error
    except OSError as error:
        raise IlaError(f"{path} cannot be read ({error.strerror or error}).") from error


def disk_is_full(error: OSError) -> bool:
    """Tell whether an error says that no more fits: on the disk, in a quota or in one file."""
    if error.errno is None:  # numpy's own: "464859 requested and 405440 written"
        return "requested and" in str(error) and str(error).endswith("written")
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_text(path: str | Path, text: str, *, lasting: bool = True) -> None:
    r"""Write `text` as UTF-8, all of it or nothing; `lasting` as for `replacing`.

    Half a character (an unpaired surrogate, as in a file name that is not UTF-8) is written as
    \udcXX, which in JSON is that very character.
    """
    with replacing(path, lasting=lasting) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


@contextmanager
def locked(folder: str | Path, refusal: str, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder for one process; RunError with the sentence `refusal` where another does.

    With `wait`, until the other lets it go.
    """
    with writing_errors(folder):
        stream = open(Path(folder) / ".lock", "w")  # noqa: SIM115, held while the block runs
    with stream:
        while not _try_lock(stream.fileno()):
            if not wait:
                raise RunError(refusal)
            time.sleep(_LOOK_SECONDS)
        yield


@contextmanager
def in_turn(folder: str | Path) -> Iterator[None]:
    """Hold a folder while the block runs; whoever else wants it meanwhile waits.

    Nothing is left in it. Where the system cannot lock a folder, nobody waits.
    """
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # Windows opens no folder
        yield
        return
    try:
        with suppress(OSError):  # some network drives
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows has no flock; two at once are the user's care there
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def hash_file(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, in hex; IlaError if it cannot be read."""
    with reading_errors(path), open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def key_of(*parts: object) -> str:
    """Return 16 hex digits that change whenever any of the (JSON-able) parts changes.

    >>> key_of("umap", {"seed": 0}) == key_of("umap", {"seed": 0})
    True
    >>> key_of("umap", {"seed": 0}) == key_of("umap", {"seed": 1})
    False
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
