"""A process that is killed right before one of the changes that it makes to a folder."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

CHANGES = {"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
"""Audit events of changes, beside files that are opened to be written."""


def killed_before(
    step: int, folder: Path, act: Callable[[], object], *, after: str = "", writes: bool = True
) -> bool:
    """Run `act` in a fork that is killed before its change number `step` below a folder.

    False where it came to its end with fewer changes. With `after`, they are counted from the one
    that names it; without `writes`, files that are opened to be written are no changes. Progress
    is not counted: it is written by the clock.
    """
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    seen, counts = 0, not after

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen, counts
        written = writes and event == "open" and set(str(arguments[1])) & set("wax+")
        told = str(arguments)
        if not (written or event in CHANGES) or str(folder) not in told or "progress.json" in told:
            return
        counts = counts or after in told
        seen += counts
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    act()
    os._exit(0)
