"""Landscapes that are built beside the page, each in RUNS/NAME."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ila_core import options
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.folder import size_of
from ila_core.pipeline.settings import BuildSettings
from jobs import process, servers
from jobs.process import Job
from jobs.uploads import EXPORTS, UPLOADS

STUDIES, PICKS = "studies", "picks"
TAKEN = frozenset({UPLOADS, EXPORTS, STUDIES, PICKS})
"""Folders beside the landscapes that hold something else."""
COMMAND = (sys.executable, "-m", "ila_core.cli")


def start(runs: Path, name: str, pool: Sequence[str], settings: BuildSettings) -> None:
    """Start building a pool into RUNS/name, or go on where an earlier build of it stopped."""
    if not (name and name == process.slug(name)):
        raise UsageError(f"{name!r} is no name for a landscape; use letters, digits, - and _.")
    if name in TAKEN:
        raise UsageError(f"{name} is a folder of this page's own; give the landscape another name.")
    job = process.look(runs, name)
    if job is not None and job.state == "running":
        raise IlaError(f"{name} is being built already; wait for it or stop it first.")
    process.launch(runs, name, [*COMMAND, *settings.words(pool, runs / name)])


def try_out(
    pool: Sequence[str], settings: BuildSettings, *, timeout: float = 1800
) -> dict[str, Any]:
    """Return what `ila doctor` estimates for a build, models of one's own tried for some seconds.

    IlaError in the command's own sentence, or where it takes longer than `timeout` seconds.
    """
    words = [*COMMAND, "doctor", *pool, "--json", *options.words(settings)]
    servers.check(words)
    try:
        with TemporaryDirectory() as nowhere:  # where no model's id is the name of a folder
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=timeout, cwd=nowhere,
                env=servers.environment(words),
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise IlaError(
            f"The model was not ready within {timeout / 60:.0f} minutes; try it with ila doctor on "
            "the command line."
        ) from None
    if done.returncode:
        line, _ = process.last_line(done.stderr)
        raise IlaError(line or "It ended early.")
    return json.loads(done.stdout)["estimate"]  # type: ignore[no-any-return]


def every(runs: Path) -> list[Job]:
    """Return the landscapes of ours, the latest first."""
    jobs = [process.look(runs, name) for name in process.names(runs) - TAKEN]
    return sorted((job for job in jobs if job is not None), key=lambda job: -job.changed)


def free_name(runs: Path, wished: str) -> str:
    """Return a name that no landscape has yet: the wished one, or with a number behind it."""
    return process.free_name(runs, wished, taken=TAKEN)


def bytes_of(folder: Path) -> int:
    """Return the disk that a folder takes; 0 where there is none."""
    return size_of(folder) if folder.is_dir() else 0
