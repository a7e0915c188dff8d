"""What is computed once for all visitors: the only file with cache decorators.

Landscapes are kept as they are (a cached copy of one would cost more than many a computation) and
keyed by their fingerprint, because Streamlit hashes only a sample of a large array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

import builds
import cells as cell_work
import ila_core as ila
import ila_core.studies as ila_study
from cells import Box, Cells, Frame, Kept, Leading, Place
from ila_core import methods
from ila_core.landscape.landscape import Landscape
from ila_core.measure import describe as metrics
from ila_core.methods import Row
from ila_core.pipeline import estimate as doctor
from ila_core.pool import records
from ila_core.pool.records import Preview, Record, RecordsSettings
from ila_core.selection.selection import Selection
from ila_core.studies import Study, StudySettings

CURVE_POINTS = 12


@dataclass(frozen=True)
class Ask:
    """Everything that decides a selection from a landscape."""

    method: str
    budget: str
    resolution: int | str
    depth_target: float
    seed: int
    pin: tuple[int, ...] = ()
    exclude: tuple[int, ...] = ()


def landscape(folder: Path) -> Landscape:
    """Open a run folder, anew when its manifest has changed."""
    status = (folder / "manifest.json").stat()
    return _landscape(str(folder), status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=6, show_spinner="Opening the landscape …")
def _landscape(folder: str, changed: int, size: int) -> Landscape:
    return ila.open(folder)


def selection(landscape: Landscape, ask: Ask) -> Selection:
    """Select at least a record. UsageError and IlaError say what cannot be done."""
    return _selection(landscape, _key(landscape), ask)


@st.cache_resource(max_entries=48, show_spinner="Selecting …")
def _selection(_landscape: Landscape, key: str, ask: Ask) -> Selection:
    return ila.select(
        _landscape,
        budget=ask.budget,
        method=ask.method,
        resolution=ask.resolution,
        depth_target=ask.depth_target,
        seed=ask.seed,
        pin=ask.pin,
        exclude=ask.exclude,
    ).nonempty()


def numbers(selection: Selection, ask: Ask) -> metrics.Numbers:
    """Describe a selection, on the reference grid."""
    return _numbers(selection, _key(selection.landscape), ask)


@st.cache_resource(max_entries=256, show_spinner=False)
def _numbers(_selection: Selection, key: str, ask: Ask) -> metrics.Numbers:
    return metrics.describe(_selection, distances=False)


def chance(landscape: Landscape, size: int) -> metrics.Baseline:
    """Describe random selections of as many records."""
    return _chance(landscape, _key(landscape), size)


@st.cache_resource(max_entries=256, show_spinner=False)
def _chance(_landscape: Landscape, key: str, size: int) -> metrics.Baseline:
    return metrics.random_baseline(_landscape, size)


def drawn(landscape: Landscape, frame: Frame) -> Cells:
    """Count a frame's cells."""
    return _drawn(landscape, _key(landscape), frame)


@st.cache_resource(max_entries=24, show_spinner=False, hash_funcs={Frame: repr})
def _drawn(_landscape: Landscape, key: str, frame: Frame) -> Cells:
    return cell_work.draw(_landscape, frame)


def frame(landscape: Landscape, selection: Selection, side: int, box: Box | None) -> Frame:
    """Return the cells to draw for a selection."""
    return cell_work.frame(landscape, selection.shown_grid, side=side, window=box)


def kept(cells: Cells, selection: Selection, ask: Ask) -> Kept:
    """Return what a selection keeps of the cells."""
    return _kept(cells, selection, _key(selection.landscape), repr(cells.frame), ask)


@st.cache_resource(max_entries=48, show_spinner=False)
def _kept(_cells: Cells, _selection: Selection, key: str, frame: str, ask: Ask) -> Kept:
    return cell_work.kept(_cells, _selection)


def names(landscape: Landscape, cells: Cells) -> tuple[Place, ...]:
    """Return the domain names that fit on the map."""
    return _names(landscape, cells, _key(landscape), repr(cells.frame))


@st.cache_resource(max_entries=48, show_spinner=False)
def _names(_landscape: Landscape, _cells: Cells, key: str, frame: str) -> tuple[Place, ...]:
    return cell_work.places(_landscape, _cells)


def leading(landscape: Landscape, cells: Cells) -> Leading:
    """Return the domain that most records of every cell belong to."""
    return _leading(landscape, cells, _key(landscape), repr(cells.frame))


@st.cache_resource(max_entries=24, show_spinner=False)
def _leading(_landscape: Landscape, _cells: Cells, key: str, frame: str) -> Leading:
    return cell_work.leading(_landscape, _cells)


def reasons(selection: Selection, ask: Ask, rows: np.ndarray) -> list[str]:
    """Return, for each row, why it was kept or left."""
    return _reasons(selection, _key(selection.landscape), ask, tuple(rows.tolist()))


@st.cache_resource(max_entries=48, show_spinner=False)
def _reasons(_selection: Selection, key: str, ask: Ask, rows: tuple[int, ...]) -> list[str]:
    return [_selection.why(row).sentence for row in rows]


@dataclass(frozen=True)
class Growth:
    """How a method's numbers grow with the budget, beside those of random records."""

    method: metrics.Curve
    random: metrics.Curve


def growth(selection: Selection, ask: Ask) -> Growth:
    """Return how coverage and fidelity grow with the budget.

    For ILA every budget is selected anew. Another method is shown along its own pick order, up to
    the present budget.
    """
    landscape = selection.landscape
    if ask.method in ("ila", "nested"):
        curve = _curve(landscape, _key(landscape), replace(ask, budget=""))
    else:
        curve = _prefixes(selection, _key(landscape), ask)
    return Growth(curve, _random_curve(landscape, _key(landscape)))


@st.cache_resource(max_entries=24, show_spinner=False)
def _curve(_landscape: Landscape, key: str, ask: Ask) -> metrics.Curve:
    return metrics.curve(
        _landscape,
        method=ask.method,  # type: ignore[arg-type]
        budgets=metrics.round_budgets(len(_landscape), CURVE_POINTS),
        resolution=ask.resolution,
        depth_target=ask.depth_target,
        pin=ask.pin,
        exclude=ask.exclude,
    )


@st.cache_resource(max_entries=24, show_spinner=False)
def _prefixes(_selection: Selection, key: str, ask: Ask) -> metrics.Curve:
    return _thinned(metrics.growth(_selection.landscape, _selection.rows))


@st.cache_resource(max_entries=6, show_spinner=False)
def _random_curve(_landscape: Landscape, key: str) -> metrics.Curve:
    rows = np.random.default_rng(0).permutation(len(_landscape))
    return _thinned(metrics.growth(_landscape, rows))


def _thinned(curve: metrics.Curve) -> metrics.Curve:
    """Return the curve at a few budgets: a line needs no more points."""
    if not len(curve):
        return curve
    at = np.array(metrics.round_budgets(len(curve), 2 * CURVE_POINTS)) - 1
    return metrics.Curve(
        curve.records[at], curve.tokens[at], curve.coverage[at], curve.fidelity[at],
        curve.reference_grid,
    )  # fmt: skip


def solve(landscape: Landscape, ask: Ask, coverage: float) -> int:
    """Return the fewest records that reach a coverage; UsageError where none do."""
    found = metrics.solve(
        landscape,
        coverage=coverage,
        method="nested" if ask.method == "nested" else "ila",
        depth_target=ask.depth_target,
        pin=ask.pin,
        exclude=ask.exclude,
    )
    return len(found)


def _key(landscape: Landscape) -> str:
    return f"{landscape.run}:{landscape.fingerprint}"


# -- methods side by side --------------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """What one method is compared at."""

    method: str
    budget: str
    seed: int
    novelty: bool = False
    stability: bool = False

    @property
    def plain(self) -> Match:
        """The same without the numbers that cost time beside."""
        return replace(self, novelty=False, stability=False)


def ready(landscape: Landscape, match: Match) -> bool:
    """Whether a method has been measured already, so that no wait need be told."""
    return (_key(landscape), match) in _measured()


def measured(landscape: Landscape, match: Match) -> Row:
    """Run a method and describe its selection; what was asked for beside costs more time."""
    row = _row(landscape, _key(landscape), match.plain)
    _measured().add((_key(landscape), match.plain))
    if match.novelty:
        row = _with_novelty(row, _key(landscape), match.plain)
    if match.stability:
        stable = _with_stability(row, _key(landscape), match.plain)
        row = replace(row, numbers={**row.numbers, "stability": stable.numbers.get("stability")})
    _measured().add((_key(landscape), match))
    return row


@st.cache_resource(show_spinner=False)
def _measured() -> set[tuple[str, Match]]:
    return set()


@st.cache_resource(max_entries=96, show_spinner=False)
def _row(_landscape: Landscape, key: str, match: Match) -> Row:
    return methods.measure(_landscape, match.method, match.budget, seed=match.seed)


@st.cache_resource(max_entries=96, show_spinner=False)
def _with_novelty(_row: Row, key: str, match: Match) -> Row:
    return methods.with_novelty(_row)


@st.cache_resource(max_entries=96, show_spinner=False)
def _with_stability(_row: Row, key: str, match: Match) -> Row:
    if _row.selection is None:
        return _row
    return methods.with_stability(_row, methods.other_places(_row.selection.landscape))


def texts(landscape: Landscape, rows: np.ndarray) -> list[Record]:
    """Return the records of rows, which lie on disk, for lists that are drawn again and again."""
    return _texts(landscape, _key(landscape), tuple(rows.tolist()))


@st.cache_resource(max_entries=64, show_spinner=False)
def _texts(_landscape: Landscape, key: str, rows: tuple[int, ...]) -> list[Record]:
    assert _landscape.records is not None
    return _landscape.records.take(np.array(rows, dtype=np.int64))


def shares(cells: Cells, row: Row, match: Match) -> Kept:
    """Return what a measured method keeps of the cells."""
    assert row.selection is not None
    key = _key(row.selection.landscape)
    return _kept(cells, row.selection, key, repr(cells.frame), _ask_of(match))


def _ask_of(match: Match) -> Ask:
    return Ask(match.method, match.budget, "auto", 1.0, match.seed)


# -- studies ---------------------------------------------------------------------------------------


def study(folder: Path) -> Study:
    """Open a finished study, anew when it has changed; RunError where there is none."""
    try:
        status = (folder / "study.json").stat()
    except OSError:
        return Study.open(folder)  # it says what is missing
    return _study(str(folder), status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=12, show_spinner=False)
def _study(folder: str, changed: int, size: int) -> Study:
    return Study.open(folder)


def forecast(landscape: Landscape, settings: StudySettings) -> str:
    """Return the plan of a study and its cost in a line; IlaError where it cannot be run."""
    return _forecast(landscape, _key(landscape), settings)


@st.cache_resource(max_entries=24, show_spinner=False)
def _forecast(_landscape: Landscape, key: str, settings: StudySettings) -> str:
    return ila_study.forecast(_landscape, settings)


def identity(landscape: Landscape) -> str:
    """Return what tells the studies of this landscape from those of another."""
    return _identity(landscape, _key(landscape))


@st.cache_resource(max_entries=12, show_spinner=False)
def _identity(_landscape: Landscape, key: str) -> str:
    return ila_study.identity(_landscape)


# -- pools that are about to be built -------------------------------------------------------------


def preview(
    pool: Path, mapping: tuple[tuple[str, str], ...], partial: bool, instructions_only: bool
) -> Preview:
    """Read the first records of a pool, anew when the file has changed."""
    status = pool.stat()
    settings = RecordsSettings(map=mapping, partial=partial, require_response=not instructions_only)
    return _preview(str(pool), settings, status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=8, show_spinner=False)
def _preview(pool: str, settings: RecordsSettings, changed: int, size: int) -> Preview:
    return records.preview([pool], settings)


def estimate(pool: Path, options: tuple[tuple[str, str], ...]) -> doctor.Estimate:
    """Estimate what building a pool with these options takes on this machine."""
    status = pool.stat()
    return _estimate(str(pool), options, status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=24, show_spinner=False)
def _estimate(
    pool: str, options: tuple[tuple[str, str], ...], changed: int, size: int
) -> doctor.Estimate:
    given = {name.replace("-", "_"): value or True for name, value in options}
    return doctor.estimate([pool], **given)


def tried(pool: Path, options: Mapping[str, str]) -> Mapping[str, Any]:
    """Estimate likewise with models of one's own, in a process that takes them with it.

    Returns "sentence" and "details" beside the numbers. IlaError says why one cannot be tried.
    """
    status = pool.stat()
    return _tried(str(pool), tuple(sorted(options.items())), status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=24, show_spinner=False)
def _tried(
    pool: str, options: tuple[tuple[str, str], ...], changed: int, size: int
) -> Mapping[str, Any]:
    return builds.try_out(pool, dict(options))
