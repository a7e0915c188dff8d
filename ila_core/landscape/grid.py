"""Patches of a grid: which point lies in which, and how many are occupied.

The bounding box of the pool is cut into resolution x resolution equal patches. Arithmetic is
float64 on the stored float32 coordinates, in one fixed order of operations, so that every machine
puts a point on a border into the same patch.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ila_core.errors import UsageError
from ila_core.twos import by_two

MAX_RESOLUTION = 8192
HALVED = 1_000_000
"""Points from which two threads count the patches that hold one."""
LEVELS = 14
"""Levels of the quadtree of the nested order: 1, 2, 4 ... 8192 patches a side."""


def check_resolution(value: object) -> int:
    """Return a resolution as int; UsageError unless it is a whole number from 1 to 8192.

    >>> check_resolution(0)
    Traceback (most recent call last):
    ila_core.errors.UsageError: Resolution 0 is not a whole number from 1 to 8192.
    """
    try:
        resolution = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        resolution = 0
    if isinstance(value, (bool, np.bool_)) or not 1 <= resolution <= MAX_RESOLUTION:
        raise UsageError(f"Resolution {value!r} is not a whole number from 1 to {MAX_RESOLUTION}.")
    return resolution


@dataclass(frozen=True)
class Grid:
    """Equal patches over a box: `resolution` a side, shifted by `offset` of a patch.

    A shifted grid has one patch more along each axis, and those at the border are cut.

    >>> grid = Grid((0.0, 0.0), (3.0, 3.0), 3)
    >>> grid.patches([[0, 0], [0.5, 2.5], [3, 3]]).tolist()
    [0, 2, 8]
    >>> grid.centres([2]).tolist()
    [[0.5, 2.5]]
    """

    low: tuple[float, float]
    high: tuple[float, float]
    resolution: int
    offset: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "resolution", check_resolution(self.resolution))
        if not 0 <= self.offset < 1:
            raise UsageError(f"A grid's offset is {self.offset!r}; it must be from 0 to below 1.")
        if not np.isfinite([*self.low, *self.high]).all():
            raise UsageError(f"A grid cannot span {self.low} to {self.high}: not finite.")

    @property
    def side(self) -> int:
        """Patches along each axis."""
        return self.resolution + (self.offset > 0)

    def patches(self, xy: Any) -> np.ndarray:
        """Return each point's patch number, column * side + row, (n,) int64.

        Points outside the box belong to the nearest border patch.
        """
        return self.locate(*columns(xy)).astype(np.int64)

    def locate(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the patch numbers of points given by coordinate, (n,) int32."""
        from ila_core.landscape.points_compiled import locate

        return locate(x, y, *self.scale)

    def count_occupied(self, x: np.ndarray, y: np.ndarray, limit: int | None = None) -> int:
        """Return how many patches hold a point; counting stops at limit + 1."""
        from ila_core.landscape.points_compiled import count_either, mark_occupied

        stop = len(x) if limit is None else limit
        words = (self.side * self.side + 63) // 64
        if len(x) < HALVED:
            return int(mark_occupied(x, y, *self.scale, stop, np.zeros(words, np.uint64)))
        halves, middle = np.zeros((2, words), np.uint64), len(x) // 2

        def marked(part: slice, seen: np.ndarray) -> int:
            return int(mark_occupied(x[part], y[part], *self.scale, stop, seen))

        counts = by_two(marked, (slice(0, middle), slice(middle, None)), halves)
        return min(stop + 1, max(*counts, int(count_either(*halves))))

    def members(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each point's position among the occupied patches, and these patches' numbers.

        Both int32, of shapes (n,) and (occupied,); the numbers ascend.
        """
        from ila_core.landscape.points_compiled import compact

        return compact(self.locate(x, y), self.side * self.side)

    def centres(self, patches: Any) -> np.ndarray:
        """Return the centres of patches, inside the grid's box, (m, 2) float64."""
        low, high = np.array(self.low), np.array(self.high)
        index = np.stack(np.divmod(np.asarray(patches), self.side), axis=1) - self.offset
        first, last = (
            low + steps.clip(0, self.resolution) / self.resolution * (high - low)
            for steps in (index, index + 1)
        )
        return (first + last) / 2

    @property
    def scale(self) -> Scale:
        """What the compiled loops take; dividing by infinity gives an empty axis index 0."""
        (x0, y0), (x1, y1) = self.low, self.high
        width, height = (float(x1) - float(x0)) or np.inf, (float(y1) - float(y0)) or np.inf
        return Scale(
            float(x0), float(y0), width, height, self.resolution, float(self.offset), self.side
        )


class Scale(NamedTuple):
    """A grid as numbers: its low corner, its extent, and its patches along an axis."""

    x0: float
    y0: float
    width: float
    height: float
    resolution: int
    offset: float
    side: int


def bounds(xy: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the lower left and upper right corner of points, (n, 2) with n >= 1."""
    points = np.asarray(xy)
    (x0, x1), (y0, y1) = ((float(one.min()), float(one.max())) for one in points.T)  # not by axis:
    return (x0, y0), (x1, y1)  # numpy takes a hundred times as long over short rows


def columns(xy: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of points, (n, 2), as two contiguous float32 arrays.

    Read-only, like a landscape's: one compiled kernel then serves all callers.
    """
    points = np.asarray(xy, dtype=np.float32).reshape(-1, 2)
    return frozen(points[:, 0]), frozen(points[:, 1])


def frozen(array: Any, dtype: Any = None) -> np.ndarray:
    """Return a contiguous read-only view of an array; a copy only where it must be one."""
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view
