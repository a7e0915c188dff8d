"""Which records are looked at: those of the region, and what narrows them further."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import cache
from draw.marks import Mark
from ila_core.selection.selection import Selection
from view import View


@dataclass(frozen=True, eq=False)
class Scope:
    """The records that the inspector lists."""

    rows: np.ndarray
    """(m,) int64, ascending; none where nothing is asked for."""
    why: str
    """What they are, as a heading says it: "the place you chose"."""
    asked: bool
    """Whether anything was asked for: a place, or what narrows it."""


def scope(view: View, selection: Selection) -> Scope:
    """Return the records of the region of the view."""
    if view.region is None:
        return Scope(np.zeros(0, dtype=np.int64), "", asked=False)
    rows = cache.rows_in(selection.landscape, view.region)
    return Scope(rows, "the place you chose", asked=True)


def marks(view: View, selection: Selection) -> dict[Mark, np.ndarray]:
    """Return the records that stand out on the map, by kind, in the order they are drawn."""
    spec = selection.spec
    opened = [] if view.record is None else [view.record]
    return {
        "excluded": np.array(spec.excluded, dtype=np.int64),
        "pins": np.array(spec.pinned, dtype=np.int64),
        "open": np.array(opened, dtype=np.int64),
    }
