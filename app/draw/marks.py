"""Single records and cells on the map, as its component takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from draw.encoding import encoded
from ila_core.landscape.cells import Cells, Kept
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Lasso, Region

Mark = Literal["hits", "pins", "excluded", "open"]
"""Kinds of marks: what a search found, what a hand said, and the record that is read."""
MARK_WORDS: dict[Mark, str] = {
    "hits": "found",
    "pins": "pinned",
    "excluded": "excluded",
    "open": "open",
}
MOST_MARKED = 2_000
"""Records of one kind that are marked: more would hide the map, and weigh more than it."""
UINT16 = 2**16 - 1


def points_data(landscape: Landscape, rows: np.ndarray) -> dict[str, Any]:
    """Return records by their places and rows."""
    return {
        "x": encoded(landscape.xy[rows, 0], "f4"),
        "y": encoded(landscape.xy[rows, 1], "f4"),
        "rows": encoded(rows, "u4"),
    }


def sample_data(
    landscape: Landscape, rows: np.ndarray, kept: np.ndarray, texts: Sequence[str]
) -> dict[str, Any]:
    """Return a sample of records with the first line of each, and whether it is kept."""
    return {
        **points_data(landscape, rows),
        "kept": encoded(kept, "u1"),
        "texts": list(texts),
    }


def marks_data(landscape: Landscape, marks: Mapping[Mark, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Return the first MOST_MARKED marked records of every kind that has any."""
    return {
        kind: points_data(landscape, np.asarray(rows[:MOST_MARKED], dtype=np.int64))
        for kind, rows in marks.items()
        if len(rows)
    }


def cells_data(cells: Cells, kept: Kept) -> dict[str, Any]:
    """Return the cells of a frame: records, kept ones and mean depth of each, column by column."""
    (left, right), (low, high) = cells.frame.columns, cells.frame.rows
    place = (cells.column - left) * (high - low) + cells.row - low
    size = (right - left) * (high - low)
    wide = int(cells.count.max(initial=0)) > UINT16
    number, chosen, depth = (np.zeros(size, dtype) for dtype in (np.uint32, np.uint32, np.uint8))
    number[place], chosen[place] = cells.count, kept.records
    known = np.isfinite(cells.mean)
    depth[place[known]] = 1 + np.rint(254 * cells.mean[known])
    kind = "u4" if wide else "u2"
    return {
        "box": list(cells.frame.box),
        "across": right - left,
        "up": high - low,
        "wide": wide,
        "count": encoded(number, kind),
        "kept": encoded(chosen, kind),
        "depth": encoded(depth, "u1"),
    }


def region_data(region: Region | None) -> dict[str, Any] | None:
    """Return a region as the map's component takes it, and reports it."""
    if region is None:
        return None
    if isinstance(region, Lasso):
        return {"points": [list(corner) for corner in region.points]}
    return {"box": list(region)}
