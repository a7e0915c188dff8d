"""What is computed once for all visitors: the only file that makes cache decorators.

Results are kept as they are (a cached copy of a landscape would cost more than many a computation)
and keyed by what they are of: a landscape by its folder and fingerprint, because Streamlit hashes
only a sample of a large array; a file by its path, time and size, to be read anew when it changes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st

import ila_core as ila
from draw import ground as grounds
from draw import names, pictures
from draw.ground import Ground
from draw.layers import Layer, Theme
from draw.names import Place
from draw.pictures import Picture
from ila_core.artifacts import FINDINGS, MANIFEST
from ila_core.landscape import cells as drawing
from ila_core.landscape.cells import Cells, Frame, Kept, Leading
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.naming import named_regions
from ila_core.landscape.region import Box, rows_in
from ila_core.landscape.surface import sample_of_window, whole
from ila_core.measure import baseline, compare
from ila_core.measure.baseline import Baseline
from ila_core.measure.compare import Row
from ila_core.measure.curve import Curve, round_budgets
from ila_core.measure.curve import curve as curve_of
from ila_core.measure.curve import growth as growth_of
from ila_core.measure.describe import Numbers, describe
from ila_core.measure.pairs import Pair
from ila_core.measure.pairs import pairs as pairs_of
from ila_core.measure.solve import Best, most_coverage, solve
from ila_core.measure.stability import other_places
from ila_core.methods import beside
from ila_core.methods.select import select_by
from ila_core.pool.record import Record
from ila_core.search import find
from ila_core.search.find import Hits
from ila_core.selection.rules import Rule
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec
from jobs.pools import Pool

if TYPE_CHECKING:
    import pyarrow as pa

CURVE_POINTS = 12
NEAREST = 200
"""Records that a search by meaning finds: more than one reads, few enough to stay alike."""
MOST_POINTS = 500
"""Records of a window that are drawn as points."""
BEGINNING = 400
"""Letters of a record that its first line is taken from."""
T = TypeVar("T")


def _landscape_key(landscape: Landscape) -> str:
    return f"{landscape.run}:{landscape.fingerprint}:{landscape.kind}"


def _selection_key(selection: Selection) -> tuple[object, ...]:
    """Return what a selection is: the two parts of a split have one spec, and other rows."""
    rows = zlib.crc32(selection.rows.tobytes())
    return _landscape_key(selection.landscape), repr(selection.spec), len(selection), rows


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
once = partial(st.cache_resource, show_spinner=False, hash_funcs=_KEYS)


@once(max_entries=6, show_spinner="Opening the landscape …")
def landscape(folder: Path) -> Landscape:
    """Open a run folder, anew when its manifest has changed."""
    return ila.open(folder)


@once(max_entries=48, show_spinner="Selecting …")
def selection(landscape: Landscape, spec: Spec) -> Selection:
    """Select at least a record. UsageError and IlaError say what cannot be done."""
    return select_by(landscape, spec).nonempty()


@once(max_entries=24)
def picked(file: Path, landscape: Landscape, spec: Spec) -> Selection | None:
    """Return a selection that was made beside the page; None where the file is not enough."""
    return beside.made(file.parent, landscape, spec)


@once(max_entries=256)
def numbers(selection: Selection) -> Numbers:
    """Describe a selection, on the reference grid."""
    return describe(selection, distances=False)


@once(max_entries=256)
def chance(landscape: Landscape, spec: Spec) -> Baseline:
    """Describe random selections at a spec: the same number beside random on every screen."""
    return baseline.baseline(landscape, spec)


@once(max_entries=24)
def ahead(landscape: Landscape, seed: int) -> Future[None]:
    """Begin, beside what is drawn, what the first look at a large landscape waits for."""

    def work() -> None:
        named_regions(landscape)  # which the map waits for
        baseline.shuffle_ahead(landscape, seed)

    one = ThreadPoolExecutor(1)
    begun = one.submit(work)
    one.shutdown(wait=False)
    return begun


# -- what the map draws ---------------------------------------------------------------------------


@once(max_entries=48)
def ground(landscape: Landscape, box: Box | None) -> Ground:
    """Return how many records lie where in a window of the map."""
    return grounds.ground(landscape, box)


@once(max_entries=96)
def picture(
    selection: Selection,
    layer: Layer,
    box: Box | None,
    theme: Theme,
    other: Selection | None,
    colour: str,
) -> Picture:
    """Return a layer of a window; the difference is that to the `other` selection."""
    return pictures.draw(layer, ground(selection.landscape, box), selection, theme, other, colour)


@once(max_entries=48)
def sample(landscape: Landscape, box: Box | None) -> tuple[np.ndarray, int]:
    """Return a sample of a window's records, and how many there are."""
    covered = whole(landscape) if box is None else box
    drawn = sample_of_window(landscape, covered, most=MOST_POINTS)
    return drawn, len(rows_in(landscape, covered))


@once(max_entries=48)
def beginnings(landscape: Landscape, rows: np.ndarray) -> list[str]:
    """Return the beginning of each record's instruction, for lists and the map's tooltip."""
    if landscape.records is None:
        return [""] * len(rows)
    places = [landscape.records.group_of(row) for row in rows.tolist()]
    read = {group: _group_of_beginnings(landscape, group) for group, _ in places}
    return [read[group][line].as_py() for group, line in places]


@once(max_entries=512)  # all of a million records: a hundred MB, less of short ones
def _group_of_beginnings(landscape: Landscape, group: int) -> pa.ChunkedArray:
    """Return the beginnings of all records that lie together on disk: a list's lie all over it."""
    assert landscape.records is not None
    return landscape.records.beginnings(group, BEGINNING)


@once(max_entries=24)
def drawn(landscape: Landscape, frame: Frame) -> Cells:
    """Count a frame's cells."""
    return drawing.count(landscape, frame)


@once(max_entries=48)
def kept(cells: Cells, selection: Selection) -> Kept:
    """Return what a selection keeps of the cells."""
    return drawing.kept(cells, selection.landscape, selection.shown_cut, selection.rows)


@once(max_entries=48)
def places(landscape: Landscape, cells: Cells) -> tuple[Place, ...]:
    """Return the domain names that fit on the map."""
    return names.places(landscape, cells)


@once(max_entries=24)
def leading(landscape: Landscape, cells: Cells) -> Leading:
    """Return the domain that most records of every cell belong to."""
    return drawing.leading(landscape, cells)


@once(max_entries=48)
def reasons(selection: Selection, rows: np.ndarray) -> list[str]:
    """Return, for each row, why it was kept or left."""
    return [selection.why(row).sentence for row in rows.tolist()]


@once(max_entries=24)
def pairs(selection: Selection) -> list[Pair]:
    """Return kept records, each beside a left one, to judge a selection by."""
    return pairs_of(selection)


@once(max_entries=64)
def texts(landscape: Landscape, rows: np.ndarray) -> list[Record]:
    """Return the records of rows, which lie on disk, for lists that are drawn again and again."""
    assert landscape.records is not None
    return landscape.records.take(rows)


# -- what is looked at ----------------------------------------------------------------------------


@once(max_entries=96)
def matching(landscape: Landscape, rule: str) -> np.ndarray:
    """Return which records a rule means, (n,) bool; UsageError where it can mean none."""
    return Rule.parse(rule).mask(landscape)


@once(max_entries=64)
def by_words(landscape: Landscape, text: str) -> Hits:
    """Return the records that hold words; UsageError for a query that makes no sense."""
    return find.by_words(landscape, text)


@once(max_entries=64, show_spinner="Searching …")
def by_meaning(landscape: Landscape, text: str) -> Hits:
    """Return the records that mean most alike; UsageError where that cannot be told."""
    return find.by_meaning(landscape, text, NEAREST)


@once(max_entries=64)
def similar(landscape: Landscape, row: int) -> Hits:
    """Return the records that are most like one; UsageError where that cannot be told."""
    return find.similar(landscape, row, NEAREST)


# -- curves ---------------------------------------------------------------------------------------


@once(max_entries=24)
def curve(landscape: Landscape, spec: Spec) -> Curve:
    """Return how coverage and fidelity grow with the budget, the spec's own aside."""
    return curve_of(landscape, spec, round_budgets(len(landscape), CURVE_POINTS))


@once(max_entries=24)
def growth(selection: Selection) -> Curve:
    """Return how coverage and fidelity grow along a selection's own pick order."""
    marks = round_budgets(len(selection), 2 * CURVE_POINTS)  # a line needs no more points
    return growth_of(selection.landscape, selection.rows).at(marks)


@once(max_entries=24)
def random_curve(landscape: Landscape, spec: Spec) -> Curve:
    """Return how coverage and fidelity of random records grow, the spec's budget aside."""
    return baseline.random_curve(landscape, spec, 2 * CURVE_POINTS)


@once(max_entries=24)
def solved(landscape: Landscape, spec: Spec, coverage: float) -> int:
    """Return the fewest records that reach a coverage; UsageError where none do."""
    return len(solve(landscape, spec, coverage))


@once(max_entries=24)
def best(landscape: Landscape, spec: Spec) -> Best:
    """Return the knobs with which a spec's budget covers most."""
    return most_coverage(landscape, spec)


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


@once(max_entries=96)
def measured(landscape: Landscape, spec: Spec, _may_run: bool = True) -> Row:
    """Run a method and describe its selection; a row without one where it cannot run."""
    _only_if(_may_run)
    return compare.measure(landscape, spec)


@once(max_entries=96)
def novelty(landscape: Landscape, spec: Spec, _may_run: bool = True) -> Mapping[str, Any]:
    """Return the NovelSum of what a method selects, among its numbers."""
    _only_if(_may_run)
    return compare.with_novelty(measured(landscape, spec)).numbers


@once(max_entries=96)
def stability(landscape: Landscape, spec: Spec, _may_run: bool = True) -> Mapping[str, Any]:
    """Return what survives of a method's selection on other maps, among its numbers."""
    _only_if(_may_run)
    row = measured(landscape, spec)
    if row.selection is None:
        return {}
    return compare.with_stability(row, other_places(landscape)).numbers
