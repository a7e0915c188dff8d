"""Which records the inspector lists, in order: made as far as somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ila_core.landscape.facets import mask_of
from ila_core.selection.selection import Selection
from parts.scope import Scope


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows in the order they are listed in, of which the first are known at once.

    A page of a list of a million records shows 25 of them: what comes behind the chosen ones is
    put in order when somebody goes there.
    """

    first: np.ndarray
    """(k,) rows that the list begins with, k at most its length."""
    length: int
    whole: Callable[[], np.ndarray]
    """Returns all rows of the list, (length,), the first ones included."""

    @classmethod
    def of(cls, rows: np.ndarray) -> Listing:
        """Return the list of rows that are in order."""
        return cls(rows, len(rows), lambda: rows)

    def __len__(self) -> int:
        return self.length

    @cached_property
    def rows(self) -> np.ndarray:
        """(length,) rows, all of them."""
        return self.whole()

    def part(self, start: int, most: int) -> np.ndarray:
        """Return at most so many rows from a place on."""
        known = self.first if start + most <= len(self.first) else self.rows
        return known[start : start + most]

    def row(self, at: int) -> int:
        """Return the row at a place."""
        return int(self.part(at, 1)[0])

    def place_of(self, row: int | None) -> int:
        """Return where a row stands, 0 where it is none of them.

        >>> listing = Listing.of(np.array([7, 3, 5]))
        >>> listing.place_of(5), listing.place_of(4), listing.place_of(None)
        (2, 0, 0)
        """
        if row is None:
            return 0
        found = np.flatnonzero(self.first == row)
        if not len(found) and len(self) > len(self.first):
            found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else 0


def listing(selection: Selection, scope: Scope, by: np.ndarray | None = None) -> Listing:
    """Return the rows of a scope, all where nothing is asked for, in the order they are listed in.

    Chosen ones come first, then the deepest, or those that fit a search best; what a search by
    likeness found comes in its own order. `by`, (n,) all rows in an order, is that of the list
    where it is given.
    """
    if by is not None:
        return Listing.of(by[mask_of(scope.rows, len(by))[by]] if scope.asked else by)
    if not scope.asked:
        n = len(selection.landscape)
        return Listing(selection.rows, n, lambda: in_order(selection, np.arange(n)))
    if scope.ranked is None:
        return Listing.of(in_order(selection, scope.rows))
    if scope.nearest:
        return Listing.of(scope.ranked)
    return Listing.of(scope.ranked[np.argsort(~selection.mask[scope.ranked], kind="stable")])


def order_of(scope: Scope) -> str:
    """Say in what order records are listed."""
    if scope.nearest and scope.ranked is not None:
        return "the nearest"
    return f"chosen ones, then {'the deepest' if scope.ranked is None else 'the best matches'}"


def in_order(selection: Selection, rows: np.ndarray) -> np.ndarray:
    """Return rows with chosen ones first in pick order, then the deepest, missing last."""
    from ila_core.landscape.points_compiled import first_of_all

    wanted = np.zeros(len(selection.landscape), dtype=bool)
    wanted[rows] = True
    return first_of_all(selection.rows, selection.landscape.order, wanted, len(rows))
