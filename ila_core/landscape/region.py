"""Places on the map, in its own coordinates: a rectangle or a drawn outline, and who lies in it.

A region outlives every grid: it means the same records whatever the budget, the cells or the zoom.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape

MOST_CORNERS = 60
"""Corners of an outline: what a hand draws keeps its form, and a link stays short."""
STRIPS = 256
"""Horizontal strips that an outline is cut into, so that a point is held against few edges."""


class Box(NamedTuple):
    """A rectangle of the map, its border included."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __str__(self) -> str:
        return ",".join(f"{end:.6g}" for end in self)

    @property
    def box(self) -> Box:
        """Itself."""
        return self


@dataclass(frozen=True)
class Lasso:
    """An outline of at least three corners; what an odd number of its turns goes round is inside.

    >>> str(Lasso(((0, 0), (2, 0), (1, 1.5))))
    '0,0;2,0;1,1.5'
    """

    points: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        return ";".join(f"{x:.6g},{y:.6g}" for x, y in self.points)

    @property
    def box(self) -> Box:
        """The rectangle around it."""
        x, y = zip(*self.points, strict=True)
        return Box(min(x), min(y), max(x), max(y))


Region = Box | Lasso


def drawn(points: Iterable[tuple[float, float]]) -> Lasso:
    """Return the outline that a hand drew, with at most MOST_CORNERS corners.

    The corner that spans the smallest triangle with its neighbours goes first (Visvalingam and
    Whyatt 1993), the earlier of equals. UsageError for fewer than three corners.

    >>> drawn([(0, 0), (1, 0), (1, 1), (0, 1)]).points
    ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    """
    corners = [(float(x), float(y)) for x, y in points]
    while len(corners) > MOST_CORNERS:
        here = np.array(corners)
        before, after = np.roll(here, 1, axis=0) - here, np.roll(here, -1, axis=0) - here
        del corners[int(np.argmin(np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])))]
    return _lasso(corners, "The outline drawn")


def parse(text: str) -> Region:
    """Return the region of a link or of a command: what `str` of a region writes.

    UsageError where the text is neither four numbers, the lower left before the upper right
    corner, nor three to MOST_CORNERS corners.

    >>> parse("-1,0,2.5,3"), parse("0,0;2,0;1,1.5").points[2]
    (Box(x0=-1.0, y0=0.0, x1=2.5, y1=3.0), (1.0, 1.5))
    """
    what = f"The region {text!r}"
    try:
        corners = [tuple(float(part) for part in corner.split(",")) for corner in text.split(";")]
    except ValueError:
        corners = []
    if len(corners) == 1 and len(corners[0]) == 4:
        x0, y0, x1, y1 = corners[0]
        if -math.inf < x0 <= x1 < math.inf and -math.inf < y0 <= y1 < math.inf:
            return Box(x0, y0, x1, y1)
    elif corners and all(len(corner) == 2 for corner in corners):
        return _lasso([(corner[0], corner[1]) for corner in corners], what)
    raise UsageError(f"{what} is none of the map: give a box as x0,y0,x1,y1 with x0 <= x1 and "
                     "y0 <= y1, or the corners of an outline as x,y;x,y;x,y.")  # fmt: skip


def _lasso(corners: list[tuple[float, float]], what: str) -> Lasso:
    if not 3 <= len(corners) <= MOST_CORNERS:
        raise UsageError(f"{what} has {len(corners)} corners; an outline has 3 to {MOST_CORNERS}.")
    if not np.isfinite(corners).all():
        raise UsageError(f"{what} has a corner that is not on the map; give finite numbers.")
    return Lasso(tuple(corners))


def rows_in(landscape: Landscape, region: Region) -> np.ndarray:
    """Return the rows of the records in a region, (m,) int64, ascending.

    >>> pool = Landscape.from_arrays([[0, 0], [1, 1], [2, 0.5]])
    >>> rows_in(pool, Box(0.5, 0, 2, 1)).tolist(), rows_in(pool, parse("-1,-1;1,-1;0,1")).tolist()
    ([1, 2], [0])
    """
    from ila_core.landscape.region_compiled import within_box, within_outline

    x, y = landscape.columns
    if isinstance(region, Box):
        return np.flatnonzero(within_box(x, y, tuple(map(float, region))))
    corners = np.array(region.points, dtype=np.float64)
    return np.flatnonzero(within_outline(x, y, tuple(map(float, region.box)), corners, STRIPS))
