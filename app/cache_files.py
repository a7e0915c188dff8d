"""What is computed once for all visitors of files: of pools, of exports and of studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cache import once
from ila_core.exports import llamafactory, messages, write
from ila_core.exports.sizes import estimated_bytes
from ila_core.exports.write import Format
from ila_core.landscape.landscape import Landscape
from ila_core.pipeline import estimate as doctor
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool import reading
from ila_core.pool.encodings import encodings_of
from ila_core.pool.reading import Preview
from ila_core.pool.settings import ReadSettings
from ila_core.pool.splits import Splits
from ila_core.selection.selection import Selection
from ila_core.studies import journal, run
from ila_core.studies.findings import Study
from ila_core.studies.settings import StudySettings
from jobs import builds, cleaning
from jobs.pools import Pool

PREVIEW_SECONDS = 20.0
"""How long a visitor waits for the first records of a pool; a usual one takes a tenth of one."""

# -- files for trainers ---------------------------------------------------------------------------


@once(max_entries=24)
def registered(
    selection: Selection, file_name: str, format: str
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Return the entry of LLaMA-Factory's register for a file, and what is to be said of it.

    IlaError says why there is none.
    """
    entry = llamafactory.dataset_entry(selection, file_name, format)
    return entry, llamafactory.remarks(entry, selection, format)


@once(max_entries=8, show_spinner="Splitting …")
def files(
    selection: Selection, name: str, format: Format, validation: str
) -> list[tuple[str, Selection]]:
    """Return the names of the files of an export, each with its records; UsageError for none."""
    parts = write.parts_of(selection, Path(name), format, validation)
    return [(place.name, part) for place, part in parts]


@once(max_entries=12)
def cleaned(found: Path) -> tuple[Mapping[str, Any], np.ndarray]:
    """Return what a search for records to leave out says, and the rows that it found."""
    return cleaning.found(found.parent), cleaning.rows(found.parent)


@once(max_entries=24)
def with_context(selection: Selection) -> int:
    """Return how many of the records have an answer that is kept out of the loss."""
    return messages.with_context(selection)


@once(max_entries=48)
def export_size(selection: Selection, format: Format) -> int:
    """Return how many bytes a file of the selection has: exact, or from a sample of its records."""
    return estimated_bytes(selection, format)


# -- pools that are about to be built -------------------------------------------------------------


@once(max_entries=24)
def splits(file: Path) -> Splits:
    """Return which lists or sheets a file holds; IlaError where it is no pool."""
    return Splits.of_file(file)


@once(max_entries=24)
def encodings(file: Path) -> list[str]:
    """Return how the text of a file may be encoded, the likeliest first."""
    return encodings_of(file)


@once(max_entries=8)
def preview(files: tuple[Path, ...], settings: ReadSettings, *, require_response: bool) -> Preview:
    """Read the first records of a pool's files, anew when one has changed."""
    return reading.preview(
        files, settings, require_response=require_response, seconds=PREVIEW_SECONDS
    )


def estimate(files: tuple[Path, ...], settings: BuildSettings) -> doctor.Estimate:
    """Estimate what building a pool with these settings takes on this machine.

    Other fields of the same records change next to nothing: for them nothing is tried again.
    """
    return _estimate(files, replace(settings, map=""), settings)


@once(max_entries=24)
def _estimate(
    files: tuple[Path, ...], but_for_fields: BuildSettings, _settings: BuildSettings
) -> doctor.Estimate:
    return doctor.estimate(files, _settings, seconds=PREVIEW_SECONDS)


@once(max_entries=24)
def tried(files: tuple[Path, ...], pool: Pool, settings: BuildSettings) -> Mapping[str, Any]:
    """Estimate likewise with models of one's own, in a process that takes them with it.

    `files` are those of the pool, and tell when it has changed. Returns "sentence" and "details"
    beside the numbers. IlaError says why one cannot be tried.
    """
    return builds.try_out(pool.given, settings)


# -- studies --------------------------------------------------------------------------------------


@once(max_entries=12)
def study(folder: Path) -> Study:
    """Open a finished study, anew when it has changed; RunError where there is none."""
    return Study.open(folder)


@once(max_entries=24)
def forecast(landscape: Landscape, settings: StudySettings) -> str:
    """Return the plan of a study and its cost in a line; IlaError where it cannot be run."""
    return run.forecast(landscape, settings)


@once(max_entries=12)
def identity(landscape: Landscape) -> str:
    """Return what tells the studies of this landscape from those of another."""
    return journal.identity(landscape)
