"""Searches for records that should not be chosen, beside the page, each in RUNS/cleaning/KEY."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ila_core.artifacts import FOUND, FOUND_ROWS
from ila_core.errors import IlaError
from ila_core.files import key_of
from ila_core.landscape.landscape import Landscape
from jobs import process
from jobs.builds import CLEANING, COMMAND
from jobs.process import Job

Search = Literal["duplicates", "decontaminate", "trained"]
"""The command of each."""


def home(runs: Path) -> Path:
    """Return the folder of the searches that are made here."""
    return runs / CLEANING


def start(runs: Path, landscape: Landscape, search: Search, words: Sequence[str]) -> Path:
    """Start a search with these words of its command line, and return its folder.

    One that has found something already, or is under way, is not started again.
    """
    if landscape.run is None:
        raise IlaError("This landscape lies in no folder that another process could open.")
    folder = (home(runs) / key_of(landscape.fingerprint, search, list(words))).resolve()
    job = look(folder)
    if job is None or job.state not in ("running", "done"):
        folder.mkdir(parents=True, exist_ok=True)
        line = [search, str(landscape.run.resolve()), *words, "--into", str(folder)]
        process.launch(folder.parent, folder.name, [*COMMAND, *line])
    return folder


def look(folder: Path) -> Job | None:
    """Return how a search stands; None where it was never asked for."""
    return process.look(folder.parent, folder.name)


def found(folder: Path) -> Mapping[str, Any]:
    """Return what a finished search says; IlaError where it cannot be read."""
    try:
        told: Mapping[str, Any] = json.loads((folder / FOUND).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IlaError(f"What was found is gone ({error}); search again.") from error
    return told


def rows(folder: Path) -> np.ndarray:
    """Return the rows that a finished search found, (k,) int64, ascending."""
    return np.array((folder / FOUND_ROWS).read_text(encoding="utf-8").split(), dtype=np.int64)
