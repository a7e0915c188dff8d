"""Selections as tests ask for them: the two rules on patches, and rows by hand."""

from __future__ import annotations

from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def ila(landscape: Landscape, budget, **knobs) -> Selection:
    return select(landscape, budget=budget, method="ila", **knobs)


def nested(landscape: Landscape, budget, **knobs) -> Selection:
    return select(landscape, budget=budget, method="nested", **knobs)


def by_hand(landscape: Landscape, rows, method: str = "hand") -> Selection:
    return Selection.of_rows(landscape, Spec(method, budget=str(max(len(rows), 1))), rows)
