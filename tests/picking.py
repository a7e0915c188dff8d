"""Selections as tests ask for them: the two rules on patches, and rows by hand."""

from __future__ import annotations

from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec

PAPER = {"patches": "grid", "depth_target": 1.0}
EVEN = {"patches": "even", "depth_target": 1.0}


def ila(landscape: Landscape, budget, **knobs) -> Selection:
    """A selection by rounds, of the deepest records of a grid unless knobs say otherwise."""
    return select(landscape, budget=budget, method="ila", **{**PAPER, **knobs})


def nested(landscape: Landscape, budget, **knobs) -> Selection:
    """A selection by levels, of the deepest records of a grid unless knobs say otherwise."""
    return select(landscape, budget=budget, method="nested", **{**PAPER, **knobs})


def even(landscape: Landscape, budget, **knobs) -> Selection:
    """A selection by rounds of even patches, the deepest records first unless knobs say so."""
    return ila(landscape, budget, **{**EVEN, **knobs})


def by_hand(landscape: Landscape, rows, method: str = "hand") -> Selection:
    return Selection.of_rows(landscape, Spec(method, budget=str(max(len(rows), 1))), rows)
