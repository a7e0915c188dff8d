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
from ila_core.artifacts import FINDINGS, MANIFEST, PLAN, STAGES
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.folder import pool_of, size_of
from ila_core.pipeline.settings import BuildSettings
from jobs import folders, process, servers
from jobs.process import PROGRESS, Job
from jobs.shelves import SELECTIONS
from jobs.uploads import EXPORTS, UPLOADS

STUDIES, PICKS, CLEANING = "studies", "picks", "cleaning"
TAKEN = frozenset({UPLOADS, EXPORTS, STUDIES, PICKS, CLEANING, SELECTIONS, folders.VISITORS})
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
    _check_same(runs / name, pool)
    process.launch(runs, name, [*COMMAND, *settings.words(pool, runs / name)])


def _check_same(folder: Path, pool: Sequence[str]) -> None:
    """Raise UsageError where a folder holds a landscape of files with other names.

    The build itself refuses files of the same names that hold something else.
    """
    held = pool_of(folder)
    files = [Path(one) for one in pool]
    if held is None or not all(file.is_file() for file in files):
        return
    if [name for _, name in held] != [file.name for file in files]:
        names = ", ".join(name for _, name in held)
        raise UsageError(
            f"{folder.name} is the name of a landscape of {names}; give this one another name, or "
            "delete that one first."
        )


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


def unfinished(folder: Path) -> Job | None:
    """Return how a folder stands that a build has begun to fill, be it ours or a command's.

    None where it holds a landscape already, and for any other folder: it may hold a pool.
    """
    begun = (folder / STAGES).is_dir() or (folder / PROGRESS).is_file()
    if not begun or any((folder / name).is_file() for name in (MANIFEST, PLAN, FINDINGS)):
        return None
    return process.look(folder.parent, folder.name)


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
