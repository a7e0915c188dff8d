"""Records that say the same: exactly, or in nearly the same words.

Of each group one record is kept, and each that is left out is like that one: no chain of neighbours
joins what is not alike itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ila_core.errors import IlaError
from ila_core.files import writing_errors
from ila_core.options import check, option
from ila_core.overlap.alike import sketch, stand_ins
from ila_core.overlap.wording import fingerprints
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.pool.records import Records


@dataclass(frozen=True)
class DuplicateSettings:
    """What counts as the same, and which record of a group is kept."""

    threshold: float = option(
        0.8, "share of runs of three words that instructions and responses have in common, each; 1 "
        "finds exact duplicates alone", above=0, most=1,
    )  # fmt: skip
    keep: Literal["deepest", "first"] = option(
        "deepest", "which record of a group is kept", metavar="WHICH", choices={
            "deepest": "the deepest one; where none has a depth, the first",
            "first": "the first in file order",
        },
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Group:
    """Records that say the same."""

    kept: int
    left: np.ndarray
    """(k,) int64, rows in file order."""
    likeness: np.ndarray
    """(k,) float32, of each to the kept one; 1 for an exact duplicate."""


@dataclass(frozen=True, eq=False)
class Duplicates:
    """What can be left out because another record says the same."""

    settings: DuplicateSettings
    records: int
    rows: np.ndarray
    """(m,) int64, rows that are left out, ascending."""
    kept: np.ndarray
    """(m,) int64, the row that is kept for each."""
    likeness: np.ndarray
    """(m,) float32, to that one."""
    is_exact: np.ndarray
    """(m,) bool, whether it says the same but for spaces and capital letters."""

    @property
    def exact(self) -> int:
        """How many are left out because another one says exactly the same."""
        return int(self.is_exact.sum())

    @property
    def near(self) -> int:
        return len(self.rows) - self.exact

    @cached_property
    def groups(self) -> Sequence[Group]:
        """The groups, the largest first, then in file order of the kept ones."""
        order = np.lexsort((self.rows, self.kept))
        kept, starts = np.unique(self.kept[order], return_index=True)
        parts = np.split(order, starts[1:]) if len(kept) else []
        groups = [
            Group(row, self.rows[part], self.likeness[part])
            for row, part in zip(kept.tolist(), parts, strict=True)
        ]
        return sorted(groups, key=lambda group: -len(group.left))

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        if not len(self.rows):
            return f"None of the {self.records:,} records says what another one says."
        found = f"{self.exact:,} exactly"
        if self.settings.threshold < 1:
            found += f", {self.near:,} nearly (likeness {self.settings.threshold:g} or more)"
        return (
            f"{len(self.rows):,} of {self.records:,} records say what another one says: {found}; "
            f"{len(self.groups):,} are kept for them."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `ila duplicates --json` prints."""
        return {
            "sentence": self.sentence,
            "records": self.records,
            "threshold": self.settings.threshold,
            "keep": self.settings.keep,
            "left": len(self.rows),
            "exact": self.exact,
            "near": self.near,
            "groups": [
                {"kept": group.kept, "left": group.left.tolist(),
                 "likeness": [float(f"{one:.3f}") for one in group.likeness.tolist()]}
                for group in self.groups
            ],
        }  # fmt: skip


def duplicates(
    landscape: Landscape,
    settings: DuplicateSettings | None = None,
    *,
    progress: Progress = no_progress,
) -> Duplicates:
    """Return which records of a landscape say the same as another one.

    Records are taken up the deepest first, or in file order: whichever is like none before it is
    kept, the others are left out for the most alike of the kept ones. `progress` counts records.
    Time grows with the pool, memory is half a kilobyte a record; 12 bytes a word go to a temporary
    file. IlaError for a landscape without records.
    """
    settings = settings or DuplicateSettings()
    check(settings)
    records = records_of(landscape)
    order = _order(landscape, settings.keep)
    kept, likeness, is_exact = _kept(records, None, order, settings.threshold, progress)
    rows = np.flatnonzero(kept != np.arange(len(records)))
    return Duplicates(
        settings, len(records), rows, kept[rows], likeness[rows], is_exact=is_exact[rows]
    )


def grouped(records: Records, rows: np.ndarray) -> np.ndarray:
    """Return a number for each of these records, equal for those of one group, (k,) int64.

    Groups are those of `duplicates` among these records alone, at its usual threshold.
    """
    ascending = np.argsort(rows, kind="stable")
    order = np.arange(len(rows))
    kept, *_ = _kept(records, rows[ascending], order, DuplicateSettings().threshold, no_progress)
    number = np.empty(len(rows), np.int64)
    number[ascending] = kept
    return number


def _kept(
    records: Records,
    rows: np.ndarray | None,
    order: np.ndarray,
    threshold: float,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which record is kept for each, how alike it is, and whether they are equal.

    Records are counted by their place among `rows`, all of them where None; the first of `order`
    are kept.
    """
    kept = _first_equal(fingerprints(records, rows), order)
    is_exact = kept != np.arange(len(kept))
    likeness = np.ones(len(kept), np.float32)
    if threshold < 1:
        room = "set TMPDIR to a folder with more room"
        with writing_errors(tempfile.gettempdir(), room), tempfile.TemporaryFile() as spool:
            sketches = sketch(records, spool, rows, progress=progress)
            different = order[~is_exact[order]]
            for row, other, alike in stand_ins(sketches, different, threshold):
                kept[row], likeness[row] = other, alike
    likeness[is_exact] = likeness[kept[is_exact]]  # as alike as the one that it is equal to
    return kept[kept], likeness, is_exact


def records_of(landscape: Landscape) -> Records:
    """Return the records of a landscape; IlaError where it has none."""
    if landscape.records is None:
        raise IlaError(
            "This landscape has no records (it was made from arrays); there are no texts to "
            "compare."
        )
    return landscape.records


def _order(landscape: Landscape, keep: str) -> np.ndarray:
    """Return the rows in the order in which they are kept, (n,) int64; without a depth last."""
    rows = np.arange(len(landscape))
    if keep == "first":
        return rows
    return np.lexsort((rows, -np.nan_to_num(landscape.depth, nan=-np.inf)))


def _first_equal(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return for each row the first one of `order` that has its value, (n,) int64."""
    _, first, number = np.unique(values[order], return_index=True, return_inverse=True)
    kept = np.empty(len(order), np.int64)
    kept[order] = order[first][number]
    return kept
