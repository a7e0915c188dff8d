"""What the records of a landscape can be sorted by: numbers in bins, and categories.

A facet knows every record's bin or category as a small number, so that counting a part of the pool
is one pass over these, whatever the pool's size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.languages import known, languages
from ila_core.landscape.memory import remembered
from ila_core.landscape.sorting import by_number

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["number", "category"]
KINDS: Mapping[str, Kind] = {
    "source": "category",
    "domain": "category",
    "label": "category",
    "language": "category",
    "tokens": "number",
    "loss": "number",
    "reduction": "number",
    "depth": "number",
    "skills": "number",
}
"""Everything that records can be sorted by, in the order in which a page shows it."""

FIELD = "field."
"""Before the name of any field of the records: `field.quality`, or `field.meta.quality` inside."""
FIELDS_KEPT = 8
"""Fields whose numbers or categories stay with a landscape."""

NONE = ""
"""The category of records that have none."""

BINS = 30
"""About how many bars a panel of 360 pixels can show so that each can be met with a finger."""
_TAIL = 0.001
"""Share of the records at each end that the outermost bins take up, however far out they lie."""
_LOOKED_AT = 1 << 20
"""Values, evenly spaced, from which the span of the bins is told."""
_TOLD_BY = 1_000
"""Values, evenly spaced, in which a number that tells records apart mostly does."""
_LISTED = 5


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number that records have, and the bins of its histogram.

    The first and the last bin reach to whatever lies beyond their outer edge.
    """

    name: str
    values: np.ndarray
    """(n,) float32, NaN where it is missing."""
    edges: np.ndarray
    """(bins + 1,) float64, ascending, round numbers."""
    whole: bool
    """Whether all values are whole numbers."""
    log: bool
    """Whether the bins grow with the number."""

    @cached_property
    def bin(self) -> np.ndarray:
        """(n,) uint8, every record's bin, `size` for a missing number."""
        return frozen(self._bin(self.values), np.uint8)

    def _bin(self, values: np.ndarray) -> np.ndarray:
        code = np.searchsorted(self.edges[1:-1].astype(np.float32), values, side="right")
        code[np.isnan(values)] = self.size
        return code

    @property
    def tells(self) -> bool:
        """Whether it tells records apart: more than one bar holds some."""
        few = self._bin(self.values[:: max(1, len(self.values) // _TOLD_BY)])
        return bool((few != few[0]).any() or np.count_nonzero(self.counts()) > 1)

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1

    def counts(self, part: np.ndarray | None = None) -> np.ndarray:
        """Return the records of every bin, and last those without the number, (size + 1,) int64.

        Of the whole pool, of a mask (n,) bool, or of row numbers.
        """
        return self._totals if part is None else self._count(self.bin[part])

    @cached_property
    def _totals(self) -> np.ndarray:
        return frozen(self._count(self.bin))

    def _count(self, code: np.ndarray) -> np.ndarray:
        return np.bincount(code, minlength=self.size + 1)

    @cached_property
    def falling(self) -> np.ndarray:
        """(n,) int32, rows from the highest number on, ties by row, missing ones last."""
        return frozen(by_number(self.values, falling=True))

    @cached_property
    def rising(self) -> np.ndarray:
        """(n,) int32, rows from the lowest number on, ties by row, missing ones last."""
        return frozen(by_number(self.values))

    def within(self, low: float, high: float) -> np.ndarray:
        """Return which records have a number from `low` to `high`, both included, (n,) bool."""
        with np.errstate(over="ignore"):  # a bound beyond all float32 is no bound
            return (self.values >= np.float32(low)) & (self.values <= np.float32(high))

    def span(self, first: int, last: int) -> tuple[float, float]:
        """Return the bounds of the bins from `first` to `last`, infinite at the outer edges.

        >>> pool = Landscape.from_arrays([[0, 0]] * 4, loss=[0.5, 1.0, 1.5, 2.5])
        >>> facet(pool, "loss").span(0, 9)
        (-inf, 1.5)
        """
        first, last = sorted((min(max(first, 0), self.size - 1), min(max(last, 0), self.size - 1)))
        low = -math.inf if first == 0 else float(self.edges[first])
        high = math.inf if last == self.size - 1 else float(self.edges[last + 1])
        if self.whole and last < self.size - 1:
            high = math.ceil(high) - 1.0
        return low, high

    def bins(self, low: float, high: float) -> tuple[int, int]:
        """Return the first and the last bin that numbers from `low` to `high` lie in."""
        inner = self.edges[1:-1]
        first = int(np.searchsorted(inner, low, side="right"))
        last = int(np.searchsorted(inner, high, side="right" if self.whole else "left"))
        return first, max(first, last)


@dataclass(frozen=True, eq=False)
class Categories:
    """What kinds of records there are in one respect; a record may be of several."""

    name: str
    names: tuple[str, ...]
    """The most frequent first; last, where there is one, that of the records that have none."""
    code: np.ndarray
    """(m,) int32, positions in names."""
    row: np.ndarray | None
    """(m,) int64 ascending, the record of each; None where it is the position itself."""
    n: int

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def tells(self) -> bool:
        """Whether it tells records apart: more than one category holds some."""
        return bool(np.count_nonzero(self.counts()) > 1)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The position of every name."""
        return {name: place for place, name in enumerate(self.names)}

    def counts(self, part: np.ndarray | None = None) -> np.ndarray:
        """Return the records of every category, (size,) int64; a record counts in all it is of.

        Of the whole pool, of a mask (n,) bool, or of row numbers.
        """
        if part is None:
            return self._totals
        if self.row is not None:
            if part.dtype != bool:
                part = mask_of(part, self.n)
            part = part[self.row]
        return np.bincount(self.code[part], minlength=self.size)

    @cached_property
    def _totals(self) -> np.ndarray:
        return frozen(np.bincount(self.code, minlength=self.size))

    def among(self, names: Iterable[str]) -> np.ndarray:
        """Return which records are of one of these categories, (n,) bool; UsageError if none can.

        >>> pool = Landscape.from_arrays([[0, 0]] * 3, domain=[0, 1, 0], domain_names=["a", "b"])
        >>> facet(pool, "domain").among(["b"]).tolist()
        [False, True, False]
        """
        wanted = np.zeros(self.size, dtype=bool)
        for name in names:
            if name not in self.place:
                raise UsageError(self._unknown(name))
            wanted[self.place[name]] = True
        chosen = wanted[self.code]
        return chosen if self.row is None else mask_of(self.row[chosen], self.n)

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        if name == NONE:
            return f"Every record has a {self.name}; name one of them."
        near = get_close_matches(name, self.names[:10_000], n=_LISTED, cutoff=0.4)
        listed = list(dict.fromkeys([*near, *filter(None, self.names)]))[:_LISTED]
        more = self.size - len(listed)
        return (
            f"No record has the {self.name} {name!r}; there {'is' if self.size == 1 else 'are'} "
            f"{', '.join(map(repr, listed))}" + (f" and {more:,} more." if more > 0 else ".")
        )


Facet = Numbers | Categories


def facet(landscape: Landscape, name: str) -> Facet:
    """Return what the records can be sorted by under this name; UsageError where there is nothing.

    Kept with the landscape. The first time, `source` and `label` are read from the run folder, and
    `language` is worked out, which takes some 0.2 ms a record. `field.NAME` is a field of the
    records' own, whose originals are read for it: numbers where all that have one hold a number or
    a text that spells one, else categories, of a list each of its parts.

    >>> facet(Landscape.from_arrays([[0, 0]]), "field.quality")
    Traceback (most recent call last):
    ila_core.errors.UsageError: This landscape holds no records, so it has no field 'quality'.
    """
    if not is_facet(name):
        raise UsageError(f"Records cannot be sorted by {name!r}; choose {known_facets()}.")
    if name.startswith(FIELD):
        return _of_field(landscape, name)
    found = _of_depth(landscape) if name == "depth" else _of_map(landscape, name)
    if found is None:
        raise UsageError(_ABSENT[name])
    return found


def is_facet(name: str) -> bool:
    """Tell whether records can be sorted by this, where a landscape has it."""
    return name in KINDS or (name.startswith(FIELD) and len(name) > len(FIELD))


def known_facets() -> str:
    """Return what records can be sorted by, as a sentence lists it."""
    return f"{', '.join(KINDS)}, or {FIELD}NAME for a field of the records"


def names(landscape: Landscape, *, wait: bool = False, kind: Kind | None = None) -> tuple[str, ...]:
    """Return what tells records of this landscape apart, in the order of `KINDS`.

    One of a single bar that holds records tells nothing. Languages count only where they are known
    already, unless `wait` says that they may be worked out. `kind`: only numbers, or categories.

    >>> names(Landscape.from_arrays([[0, 0]] * 2, loss=[1, 2], domain=[0, 1]))
    ('domain', 'loss', 'depth')
    """
    shown = []
    for name in (name for name in KINDS if kind in (None, KINDS[name])):
        late = name == "language" and not wait
        if late and (landscape.records is None or not known(landscape)):
            continue
        try:
            if facet(landscape, name).tells:
                shown.append(name)
        except UsageError:
            continue
    return tuple(shown)


def mask_of(rows: np.ndarray, n: int) -> np.ndarray:
    """Return which of n records are among `rows`, (n,) bool."""
    mask = np.zeros(n, dtype=bool)
    mask[rows] = True
    return mask


_ABSENT = {
    "source": "The records of this landscape have no source.",
    "domain": "This landscape has one domain only.",
    "label": "The records of this landscape have no labels; build it with --labels.",
    "language": "The language of these records cannot be told: the landscape holds no texts.",
    "tokens": "No record of this landscape has response tokens.",
    "loss": "No record of this landscape has a loss; build it with --loss ngram.",
    "reduction": "No record of this landscape has a loss reduction; build it with --loss ngram.",
    "depth": "No record of this landscape has a depth; build it with --loss ngram.",
    "skills": "No record of this landscape has skills.",
}


@remembered(most=len(KINDS), of_map=True)
def _of_map(landscape: Landscape, name: str) -> Facet | None:
    """What does not change with the kind of depth that is read."""
    if name == "domain":
        return _single(name, landscape.domain, landscape.domain_names)
    if name in ("source", "label", "language"):
        return _read(landscape, name)
    columns = {
        "tokens": landscape.tokens,
        "loss": landscape.loss,
        "reduction": landscape.loss_reduction,
        "skills": landscape.skills,
    }
    return _binned(name, columns[name], log=name == "tokens")


@remembered(most=FIELDS_KEPT, of_map=True)
def _of_field(landscape: Landscape, name: str) -> Facet:
    field = name.removeprefix(FIELD)
    if landscape.records is None:
        raise UsageError(f"This landscape holds no records, so it has no field {field!r}.")
    values = landscape.records.field(field)
    if any(isinstance(value, dict) for value in values):
        raise UsageError(
            f"Field {field!r} holds objects; name a part of them, such as {FIELD}{field}.NAME."
        )
    told = [value for value in values if value not in (None, "")]
    numbers = None if any(map(_is_no_number, told)) else _numbers_of(values)
    if numbers is not None and (found := _binned(name, numbers)) is not None:
        return found
    lists = [value if isinstance(value, list) else [value] for value in values]
    spelled = [list(dict.fromkeys(map(_spelled, one))) or [NONE] for one in lists]
    place: dict[str, int] = {}
    code = np.array([place.setdefault(text, len(place)) for one in spelled for text in one],
                    dtype=np.int32)  # fmt: skip
    row = np.repeat(np.arange(len(values), dtype=np.int64), [len(one) for one in spelled])
    single = len(row) == len(values)
    return _sorted(name, code, None if single else frozen(row), len(values), list(place))


def _is_no_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return True
    try:
        return not math.isfinite(float(value))
    except (ValueError, OverflowError):
        return True


def _numbers_of(values: list[Any]) -> np.ndarray:
    return np.array([math.nan if value in (None, "") else float(value) for value in values])


def _spelled(value: Any) -> str:
    """Return a part of a field as the text of a category; "" for none."""
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


@remembered(most=1)
def _of_depth(landscape: Landscape) -> Facet | None:
    edges = np.round(np.linspace(0, 1, 21), 2)
    return _binned("depth", landscape.relative_depth, edges=edges)


# -- numbers --------------------------------------------------------------------------------------


def _binned(
    name: str, values: np.ndarray, *, log: bool = False, edges: np.ndarray | None = None
) -> Numbers | None:
    values = frozen(values, np.float32)
    sample = values[:: max(1, len(values) // _LOOKED_AT)]
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        sample = values[np.isfinite(values)]
        if not len(sample):
            return None
    whole = bool((sample == np.rint(sample)).all()) and edges is None
    if edges is None:
        low = float(np.quantile(sample, _TAIL, method="lower"))
        high = float(np.quantile(sample, 1 - _TAIL, method="higher"))
        edges = _log_edges(low, high) if log else _even_edges(low, high, whole=whole)
    return Numbers(name, values, edges, whole, log)


def _even_edges(low: float, high: float, *, whole: bool) -> np.ndarray:
    """Return edges at round numbers, about `BINS` of them, that enclose what lies between.

    >>> _even_edges(0.13, 2.9, whole=False)[:4].tolist()
    [0.1, 0.2, 0.3, 0.4]
    """
    least = 1.0 if whole else 1e-9 * max(abs(low), abs(high), 1e-30)
    step = _round_step(max((high - low) / BINS, least))
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return np.array([float(f"{k * step:.10g}") for k in range(first, last + 1)])


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20 ... that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step for m in (1, 2, 5, 10, 20) if (step := m * power) >= least * (1 - 1e-9))


def _log_edges(low: float, high: float) -> np.ndarray:
    """Return edges that grow by one factor, rounded to two digits, from 0 or 1 on.

    >>> _log_edges(3, 5000)[:8].tolist()
    [3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 17.0]
    """
    start, end = max(1.0, low), max(2.0, low + 1, high + 1)
    steps = start * (end / start) ** (np.arange(BINS + 1) / BINS)
    rounded = [float(f"{step:.2g}") if step >= 10 else float(round(step)) for step in steps]
    edges = np.unique([math.floor(low) if low < 1 else rounded[0], *rounded])
    return edges if len(edges) > 1 else np.array([edges[0], edges[0] + 1])


# -- categories -----------------------------------------------------------------------------------


def _single(name: str, code: np.ndarray, names: Iterable[str | None]) -> Categories:
    """Return a facet of one category a record, sorted; names that are equal become one."""
    return _sorted(name, np.asarray(code), None, len(code), names)


def _sorted(
    name: str, code: np.ndarray, row: np.ndarray | None, n: int, names: Iterable[str | None]
) -> Categories:
    known: dict[str, int] = {}
    to = np.array([known.setdefault(one or NONE, len(known)) for one in names], dtype=np.int32)
    code = to[code] if len(to) else np.zeros(0, np.int32)
    count = np.bincount(code, minlength=len(known))
    texts = list(known)
    order = sorted(
        np.flatnonzero(count).tolist(), key=lambda k: (texts[k] == NONE, -count[k], texts[k])
    )
    place = np.zeros(len(known), dtype=np.int32)
    place[order] = np.arange(len(order))
    return Categories(name, tuple(texts[k] for k in order), frozen(place[code]), row, n)


def _read(landscape: Landscape, name: str) -> Categories | None:
    if name == "language":
        if landscape.records is None:
            return None
        found = languages(landscape)
        return Categories(name, found.names, found.code, None, len(landscape))
    column = landscape.column("label" if name == "label" else "source")
    if column is None or len(column) != len(landscape) or column.null_count == len(column):
        return None
    return _of_lists(name, column) if name == "label" else _of_texts(name, column)


def _of_texts(name: str, column: pa.ChunkedArray) -> Categories:
    coded = _one(column.dictionary_encode())
    code = np.from_dlpack(coded.indices.fill_null(len(coded.dictionary)))
    return _single(name, code, [*coded.dictionary.to_pylist(), None])


def _of_lists(name: str, column: pa.ChunkedArray) -> Categories | None:
    """Return the facet of a column of lists; a name that a list holds twice counts once."""
    import pyarrow.compute as pc

    lists = _one(column)
    sizes = np.from_dlpack(pc.list_value_length(lists).fill_null(0)).astype(np.int64)
    coded = pc.list_flatten(lists).dictionary_encode()
    if not len(coded):
        return None
    texts = [*coded.dictionary.to_pylist(), None]
    row = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    code = np.from_dlpack(coded.indices.fill_null(len(texts) - 1)).astype(np.int64)
    bare = np.flatnonzero(sizes == 0)
    row, code = np.append(row, bare), np.append(code, np.full(len(bare), len(texts) - 1))
    row, code = np.divmod(np.unique(row * len(texts) + code), len(texts))
    return _sorted(name, code, frozen(row), len(sizes), texts)


def _one(column: pa.ChunkedArray) -> Any:
    """Return a column as one array, its dictionaries made one."""
    import pyarrow as pa

    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    return whole
