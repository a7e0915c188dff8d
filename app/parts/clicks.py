"""Clicks on charts of cells: what a chart reports, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import session

Range = tuple[tuple[float, float], tuple[float, float]]


def cells_of(event: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of the cells in a chart's event, ascending.

    >>> cells_of({"selection": {"points": [{"customdata": [7, 3]}, {"customdata": {"0": 2}}]}})
    (2, 7)
    """
    points = (event.get("selection") or {}).get("points") or []
    numbers = {_first(point.get("customdata")) for point in points}
    return tuple(sorted(number for number in numbers if number is not None))


def range_of(event: Mapping[str, Any]) -> Range | None:
    """Return the last drawn box, or the rectangle around the lasso, in the chart's units."""
    selection = event.get("selection") or {}
    for kind in ("box", "lasso"):
        if shapes := selection.get(kind):
            x, y = shapes[-1]["x"], shapes[-1]["y"]
            return (min(x), max(x)), (min(y), max(y))
    return None


def _first(customdata: Any) -> int | None:
    """First entry of a point's customdata, which arrives as a list, an object or a number."""
    if isinstance(customdata, Mapping):
        customdata = customdata.get("0")
    elif isinstance(customdata, (list, tuple)):
        customdata = customdata[0] if customdata else None
    return None if customdata is None else int(customdata)


def line_of(event: Mapping[str, Any]) -> int | None:
    """Return the line that is selected in a table, None where none is."""
    lines = (event.get("selection") or {}).get("rows") or []
    return int(lines[0]) if lines else None


def pick(key: str) -> None:
    """Callback of the map: remember the cells, and the box if one was drawn."""
    event = session.event_of(key)
    session.change(patch=cells_of(event))
    session.remember("range", range_of(event))


def pick_for(content: object, key: str) -> None:
    """Callback of another chart of cells: remember what was chosen while it showed `content`."""
    session.remember("picked", (content, cells_of(session.event_of(key))), of=key)


def picked_for(content: object, key: str) -> tuple[int, ...]:
    """Return the cells chosen on a chart, none where it shows something else since."""
    noted = session.recall("picked", of=key)
    return noted[1] if noted is not None and noted[0] == content else ()


def still(content: object) -> tuple[int, ...]:
    """Return the cells that were chosen when the map's content last changed.

    A chart loses its zoom and selection when any byte of it changes, so the map may show the cells
    that were chosen before its content changed, never those that are clicked on it now.
    """
    noted = session.recall("still")
    if noted is None or noted[0] != content:
        noted = (content, session.view().patch)
        session.remember("still", noted)
    return noted[1]
