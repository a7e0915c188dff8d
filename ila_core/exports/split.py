"""A selection in two: records to train on, and some of every part of it to watch the training by.

Validation records are drawn in proportion from all over the map and from every domain. What is
equal or nearly equal stays on one side, or the loss on the validation part would be that of
records that were trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.landscape.even import curve_ranks
from ila_core.selection.budget import Budget

if TYPE_CHECKING:
    from ila_core.selection.selection import Selection


@dataclass(frozen=True, eq=False)
class Split:
    """The two parts of a selection, each in its pick order."""

    train: Selection
    validation: Selection


def split(selection: Selection, share: str, *, group: np.ndarray | None = None) -> Split:
    """Return a selection in two parts, the second of `share` of its records: 5%, or a count.

    Along the list of all picks by domain, and in a domain along the curve over the map that even
    patches are cut from, one of so many is taken: every domain and every region has its share, to
    a record. The seed of the selection says where the list begins; equal requests give equal
    parts. `group` (k,) numbers the picks so that those of one number stay together: they count as
    their first, and the share is met but for them. UsageError for a share that leaves either part
    empty.

    >>> import ila_core as ila
    >>> pool = ila.Landscape.from_arrays([[x, y] for x in range(10) for y in range(10)])
    >>> parts = split(ila.select(pool, budget=40), "10%")
    >>> len(parts.train), len(parts.validation)
    (36, 4)
    """
    k = len(selection)
    size = size_of(share, k)
    if not 0 < size < k:
        raise UsageError(
            f"--validation is {share}: of {k:,} records that is {size:,}, which leaves one part "
            "empty; give a share such as 5%, or a count below the number of records."
        )
    first = np.arange(k)
    if group is not None:
        _, start, number = np.unique(group, return_index=True, return_inverse=True)
        first = start[number]
    landscape, rows = selection.landscape, selection.rows
    heads = np.flatnonzero(first == np.arange(k))
    ranks = curve_ranks(landscape)[rows[heads]]
    order = np.lexsort((ranks, landscape.domain[rows[heads]]))
    weight = np.bincount(first, minlength=k)[heads][order]
    begin = stream(0, "validation split").random()
    passed = np.floor(np.cumsum(weight) * size / k + begin)
    drawn = np.diff(passed, prepend=np.floor(begin)) > 0
    taken = np.zeros(k, bool)
    taken[heads[order[drawn]]] = True
    taken = taken[first]
    if not 0 < taken.sum() < k:
        raise UsageError(
            f"--validation is {share}, but the {k:,} records are so alike that they stay together; "
            "leave the split out, or duplicates."
        )
    return Split(_part(selection, ~taken), _part(selection, taken))


def size_of(share: str, k: int) -> int:
    """Return how many of k records a share is: 5%, or a count; UsageError for anything else.

    >>> size_of("5%", 200), size_of("12", 200)
    (10, 12)
    """
    budget = Budget.parse(share)
    if budget.kind == "tokens":
        raise UsageError(f"--validation is {share}; give a share such as 5%, or a count.")
    return round(budget.value * k / 100) if budget.kind == "percent" else int(budget.value)


def _part(selection: Selection, kept: np.ndarray) -> Selection:
    return replace(
        selection,
        rows=selection.rows[kept],
        round=selection.round[kept],
        patch=selection.patch[kept],
        filled=0,
    )


def near_groups(selection: Selection) -> np.ndarray | None:
    """Return numbers of the picks, equal for those that say the same or nearly, (k,) int64.

    None for a selection of a landscape without records. It takes half a millisecond a record.
    """
    from ila_core.overlap.duplicates import grouped

    records = selection.landscape.records
    return None if records is None else grouped(records, selection.rows)
