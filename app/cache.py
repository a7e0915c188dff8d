"""What is computed once for all visitors: the only file with cache decorators.

Results are kept as they are (a cached copy of a landscape would cost more than many a computation)
and keyed by what they are of: a landscape by its folder and fingerprint, because Streamlit hashes
only a sample of a large array; a file by its path, time and size, so that it is read anew when it
has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import streamlit as st

import ila_core as ila
from draw import names
from draw.names import Place
from ila_core.artifacts import FINDINGS, MANIFEST
from ila_core.exports import llamafactory, messages
from ila_core.landscape import cells as drawing
from ila_core.landscape.cells import Cells, Frame, Kept, Leading
from ila_core.landscape.landscape import Landscape
from ila_core.measure import baseline, compare
from ila_core.measure.baseline import Baseline
from ila_core.measure.compare import Row
from ila_core.measure.curve import Curve, round_budgets
from ila_core.measure.curve import curve as curve_of
from ila_core.measure.curve import growth as growth_of
from ila_core.measure.describe import Numbers, describe
from ila_core.measure.solve import solve
from ila_core.measure.stability import other_places
from ila_core.methods.select import select_by
from ila_core.pipeline import estimate as doctor
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool import reading
from ila_core.pool.encodings import encodings_of
from ila_core.pool.reading import Preview
from ila_core.pool.record import Record
from ila_core.pool.settings import ReadSettings
from ila_core.pool.splits import Splits
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec
from ila_core.studies import journal, run
from ila_core.studies.findings import Study
from ila_core.studies.settings import StudySettings
from jobs import builds
from jobs.pools import Pool

CURVE_POINTS = 12
PREVIEW_SECONDS = 20.0
"""How long a visitor waits for the first records of a pool; a usual one takes a tenth of one."""
T = TypeVar("T")


def _landscape_key(landscape: Landscape) -> str:
    return f"{landscape.run}:{landscape.fingerprint}:{landscape.kind}"


def _selection_key(selection: Selection) -> tuple[str, str]:
    return _landscape_key(selection.landscape), repr(selection.spec)


def _path_key(path: Path) -> tuple[object, ...]:
    """Return what changes when a file does; of a folder, when what is read of it does."""
    files = [path, path / MANIFEST, path / FINDINGS]
    states = [file.stat() for file in files if file.is_file()]
    return str(path), *((state.st_mtime_ns, state.st_size) for state in states)


_KEYS = {
    Landscape: _landscape_key,
    Selection: _selection_key,
    Cells: lambda cells: repr(cells.frame),
    Frame: repr,
    Spec: repr,
    Pool: repr,
    type(Path()): _path_key,
}
_once = partial(st.cache_resource, show_spinner=False, hash_funcs=_KEYS)


@_once(max_entries=6, show_spinner="Opening the landscape …")
def landscape(folder: Path) -> Landscape:
    """Open a run folder, anew when its manifest has changed."""
    return ila.open(folder)


@_once(max_entries=48, show_spinner="Selecting …")
def selection(landscape: Landscape, spec: Spec) -> Selection:
    """Select at least a record. UsageError and IlaError say what cannot be done."""
    return select_by(landscape, spec).nonempty()


@_once(max_entries=256)
def numbers(selection: Selection) -> Numbers:
    """Describe a selection, on the reference grid."""
    return describe(selection, distances=False)


@_once(max_entries=256)
def chance(landscape: Landscape, spec: Spec) -> Baseline:
    """Describe random selections at a spec: the same number beside random on every screen."""
    return baseline.baseline(landscape, spec)


# -- what the map draws ---------------------------------------------------------------------------


@_once(max_entries=24)
def drawn(landscape: Landscape, frame: Frame) -> Cells:
    """Count a frame's cells."""
    return drawing.count(landscape, frame)


@_once(max_entries=48)
def kept(cells: Cells, selection: Selection) -> Kept:
    """Return what a selection keeps of the cells."""
    return drawing.kept(cells, selection.landscape, selection.shown_cut, selection.rows)


@_once(max_entries=48)
def places(landscape: Landscape, cells: Cells) -> tuple[Place, ...]:
    """Return the domain names that fit on the map."""
    return names.places(landscape, cells)


@_once(max_entries=24)
def leading(landscape: Landscape, cells: Cells) -> Leading:
    """Return the domain that most records of every cell belong to."""
    return drawing.leading(landscape, cells)


@_once(max_entries=48)
def reasons(selection: Selection, rows: np.ndarray) -> list[str]:
    """Return, for each row, why it was kept or left."""
    return [selection.why(row).sentence for row in rows.tolist()]


@_once(max_entries=64)
def texts(landscape: Landscape, rows: np.ndarray) -> list[Record]:
    """Return the records of rows, which lie on disk, for lists that are drawn again and again."""
    assert landscape.records is not None
    return landscape.records.take(rows)


@_once(max_entries=24)
def curve(landscape: Landscape, spec: Spec) -> Curve:
    """Return how coverage and fidelity grow with the budget, the spec's own aside."""
    return curve_of(landscape, spec, round_budgets(len(landscape), CURVE_POINTS))


@_once(max_entries=24)
def growth(selection: Selection) -> Curve:
    """Return how coverage and fidelity grow along a selection's own pick order."""
    marks = round_budgets(len(selection), 2 * CURVE_POINTS)  # a line needs no more points
    return growth_of(selection.landscape, selection.rows).at(marks)


@_once(max_entries=24)
def random_curve(landscape: Landscape, spec: Spec) -> Curve:
    """Return how coverage and fidelity of random records grow, the spec's budget aside."""
    return baseline.random_curve(landscape, spec, 2 * CURVE_POINTS)


@_once(max_entries=24)
def solved(landscape: Landscape, spec: Spec, coverage: float) -> int:
    """Return the fewest records that reach a coverage; UsageError where none do."""
    return len(solve(landscape, spec, coverage))


# -- methods side by side -------------------------------------------------------------------------


class NotYet(Exception):
    """Raised where a result would have to be computed and may not: it is not in the cache."""


def known(compute: Callable[..., T], *arguments: Any) -> T | None:
    """Return what a function has in the cache for its arguments, and None where it has nothing.

    The cache itself is asked, so a result that has been thrown out is not known.
    """
    try:
        return compute(*arguments, _may_run=False)
    except NotYet:
        return None


def _only_if(may_run: bool) -> None:
    if not may_run:
        raise NotYet


@_once(max_entries=96)
def measured(landscape: Landscape, spec: Spec, _may_run: bool = True) -> Row:
    """Run a method and describe its selection; a row without one where it cannot run."""
    _only_if(_may_run)
    return compare.measure(landscape, spec)


@_once(max_entries=96)
def novelty(landscape: Landscape, spec: Spec, _may_run: bool = True) -> Mapping[str, Any]:
    """Return the NovelSum of what a method selects, among its numbers."""
    _only_if(_may_run)
    return compare.with_novelty(measured(landscape, spec)).numbers


@_once(max_entries=96)
def stability(landscape: Landscape, spec: Spec, _may_run: bool = True) -> Mapping[str, Any]:
    """Return what survives of a method's selection on other maps, among its numbers."""
    _only_if(_may_run)
    row = measured(landscape, spec)
    if row.selection is None:
        return {}
    return compare.with_stability(row, other_places(landscape)).numbers


# -- studies --------------------------------------------------------------------------------------


@_once(max_entries=12)
def study(folder: Path) -> Study:
    """Open a finished study, anew when it has changed; RunError where there is none."""
    return Study.open(folder)


@_once(max_entries=24)
def forecast(landscape: Landscape, settings: StudySettings) -> str:
    """Return the plan of a study and its cost in a line; IlaError where it cannot be run."""
    return run.forecast(landscape, settings)


@_once(max_entries=12)
def identity(landscape: Landscape) -> str:
    """Return what tells the studies of this landscape from those of another."""
    return journal.identity(landscape)


# -- files for trainers ---------------------------------------------------------------------------


@_once(max_entries=24)
def registered(
    selection: Selection, file_name: str, format: str
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Return the entry of LLaMA-Factory's register for a file, and what is to be said of it.

    IlaError says why there is none.
    """
    entry = llamafactory.dataset_entry(selection, file_name, format)
    return entry, llamafactory.remarks(entry, selection, format)


@_once(max_entries=24)
def with_context(selection: Selection) -> int:
    """Return how many of the records have an answer that is kept out of the loss."""
    return messages.with_context(selection)


# -- pools that are about to be built -------------------------------------------------------------


@_once(max_entries=24)
def splits(file: Path) -> Splits:
    """Return which lists or sheets a file holds; IlaError where it is no pool."""
    return Splits.of_file(file)


@_once(max_entries=24)
def encodings(file: Path) -> list[str]:
    """Return how the text of a file may be encoded, the likeliest first."""
    return encodings_of(file)


@_once(max_entries=8)
def preview(files: tuple[Path, ...], settings: ReadSettings, *, require_response: bool) -> Preview:
    """Read the first records of a pool's files, anew when one has changed."""
    return reading.preview(
        files, settings, require_response=require_response, seconds=PREVIEW_SECONDS
    )


@_once(max_entries=24)
def estimate(files: tuple[Path, ...], settings: BuildSettings) -> doctor.Estimate:
    """Estimate what building a pool with these settings takes on this machine."""
    return doctor.estimate(files, settings, seconds=PREVIEW_SECONDS)


@_once(max_entries=24)
def tried(files: tuple[Path, ...], pool: Pool, settings: BuildSettings) -> Mapping[str, Any]:
    """Estimate likewise with models of one's own, in a process that takes them with it.

    `files` are those of the pool, and tell when it has changed. Returns "sentence" and "details"
    beside the numbers. IlaError says why one cannot be tried.
    """
    return builds.try_out(pool.given, settings)
