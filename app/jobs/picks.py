"""Selections that take long, made beside the page, each in RUNS/picks/KEY."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from ila_core.errors import IlaError
from ila_core.files import key_of
from ila_core.landscape.landscape import Landscape
from ila_core.methods import beside
from ila_core.selection.spec import Spec
from jobs import process
from jobs.builds import PICKS
from jobs.process import Job

COMMAND = (sys.executable, "-m", "ila_core.methods.beside")
MOST_KEPT = 60
"""Selections that stay on disk, the latest: 8 bytes a chosen record each."""


def home(runs: Path) -> Path:
    """Return the folder of the selections that are made here."""
    return runs / PICKS


def folder_of(runs: Path, landscape: Landscape, spec: Spec) -> Path:
    """Return where a selection is made and kept; it need not be there."""
    return home(runs) / key_of(*beside.place_of(landscape, spec))


def look(folder: Path) -> Job | None:
    """Return how a selection stands; None where it was never asked for."""
    return process.look(folder.parent, folder.name)


def start(runs: Path, landscape: Landscape, spec: Spec) -> None:
    """Start making a selection, unless it is being made."""
    if landscape.run is None:
        raise IlaError("This landscape lies in no folder that another process could open.")
    folder = folder_of(runs, landscape, spec)
    job = look(folder)
    if job is not None and job.state == "running":
        return
    _forget_oldest(runs)
    folder.mkdir(parents=True, exist_ok=True)
    beside.ask(folder, landscape.run, spec)
    process.launch(folder.parent, folder.name, [*COMMAND, str(folder.resolve())])


def _forget_oldest(runs: Path) -> None:
    jobs = [process.look(home(runs), name) for name in process.names(home(runs))]
    known = sorted((job for job in jobs if job is not None), key=lambda job: -job.changed)
    for job in known[MOST_KEPT - 1 :]:
        with suppress(IlaError):  # it is being made
            process.delete(job.place, job.name)
