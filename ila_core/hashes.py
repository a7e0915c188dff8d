"""The sha256 of large files, read once for each state of a file."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from ila_core.errors import IlaError
from ila_core.files import hash_file, key_of, replacing
from ila_core.paths import cache_folder

READ_AGAIN = 1 << 24
"""Size up to which a file is read each time: that takes some milliseconds."""
_SETTLED = 1.0
"""Seconds after which a file's times would tell of another change; clocks tick coarsely."""
_known: dict[str, tuple[list[int], str]] = {}


def hash_once(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, in hex; IlaError if it cannot be read.

    What was read before is told again while the file is the same one, of the same size and the
    same times: by this process, and by what others left in the cache folder. What changes bytes
    and no time, a failing disk, is found by `hash_file` alone.
    """
    path = Path(path)
    state = _state(path)
    if state is None or state[2] <= READ_AGAIN:
        return hash_file(path)
    name = os.path.realpath(path)
    for known in (_known.get(name), _kept(name)):
        if known is not None and known[0] == state:
            _known[name] = known
            return known[1]
    digest = hash_file(path)
    if _state(path) == state and time.time() - max(state[3], state[4]) / 1e9 > _SETTLED:
        _known[name] = state, digest
        _keep(name, state, digest)
    return digest


def _state(path: Path) -> list[int] | None:
    """Return what tells one state of a file from another; None where it cannot be asked."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _place(name: str) -> Path:
    return cache_folder() / "hashes" / f"{key_of(name)}.json"


def _kept(name: str) -> tuple[list[int], str] | None:
    try:
        entry = json.loads(_place(name).read_text(encoding="utf-8"))
        return [int(number) for number in entry["state"]], str(entry["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(name: str, state: list[int], digest: str) -> None:
    """Leave what was read to other processes; where that cannot be written they read it again."""
    with suppress(IlaError, OSError), replacing(_place(name), lasting=False) as temporary:
        temporary.write_text(json.dumps({"file": name, "state": state, "sha256": digest}))
