"""Clicks on charts of cells: what a chart reports, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import session


def cells_of(event: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of the cells in a chart's event, ascending.

    >>> cells_of({"selection": {"points": [{"customdata": [7, 3]}, {"customdata": {"0": 2}}]}})
    (2, 7)
    """
    points = (event.get("selection") or {}).get("points") or []
    numbers = {_first(point.get("customdata")) for point in points}
    return tuple(sorted(number for number in numbers if number is not None))


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


def pick_for(content: object, key: str) -> None:
    """Callback of another chart of cells: remember what was chosen while it showed `content`."""
    session.remember("picked", (content, cells_of(session.event_of(key))), of=key)


def picked_for(content: object, key: str) -> tuple[int, ...]:
    """Return the cells chosen on a chart, none where it shows something else since."""
    noted = session.recall("picked", of=key)
    return noted[1] if noted is not None and noted[0] == content else ()
