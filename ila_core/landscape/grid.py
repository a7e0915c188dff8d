"""Patches of the map: which point lies in which, how many are occupied, in which order they give.

The bounding box of the pool is cut into resolution x resolution equal patches. Arithmetic is
float64 on the stored float32 coordinates, in one fixed order of operations, so that every machine
puts a point on a border into the same patch.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ila_core.errors import UsageError

MAX_RESOLUTION = 8192
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
    >>> grid.box(2)
    (0.0, 2.0, 1.0, 3.0)
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

    @classmethod
    def over(cls, xy: Any, resolution: int, offset: float = 0.0) -> Grid:
        """Return the grid over the bounding box of points, (n, 2)."""
        return cls(*bounds(xy), resolution, offset)

    @classmethod
    def reference(cls, xy: Any, resolution: int = 256) -> Grid:
        """Return a grid to measure with: shifted by half a patch, so nothing selects with it."""
        return cls.over(xy, resolution, 0.5)

    @property
    def side(self) -> int:
        """Patches along each axis."""
        return self.resolution + (self.offset > 0)

    @property
    def shape(self) -> tuple[int, int]:
        return self.side, self.side

    def patches(self, xy: Any) -> np.ndarray:
        """Return each point's patch number, column * side + row, (n,) int64.

        Points outside the box belong to the nearest border patch.
        """
        return self.locate(*columns(xy)).astype(np.int64)

    def locate(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the patch numbers of points given by coordinate, (n,) int32."""
        from ila_core.landscape import loops as kernels

        return kernels.locate(x, y, *self._numbers())

    def count_occupied(self, x: np.ndarray, y: np.ndarray, limit: int | None = None) -> int:
        """Return how many patches hold a point; counting stops at limit + 1."""
        from ila_core.landscape import loops as kernels

        stop = len(x) if limit is None else limit
        return int(kernels.count_occupied(x, y, *self._numbers(), stop))

    def members(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each point's position among the occupied patches, and these patches' numbers.

        Both int32, of shapes (n,) and (occupied,); the numbers ascend.
        """
        from ila_core.landscape import loops as kernels

        return kernels.compact(self.locate(x, y), self.side * self.side)

    def box(self, patch: int) -> tuple[float, float, float, float]:
        """Return a patch's rectangle inside the grid's box: x0, y0, x1, y1."""
        x0, y0, x1, y1 = self._edges(np.array([patch], dtype=np.int64))[0].tolist()
        return x0, y0, x1, y1

    def centres(self, patches: Any) -> np.ndarray:
        """Return the centres of patches, (m, 2) float64."""
        edges = self._edges(np.asarray(patches, dtype=np.int64))
        return (edges[:, :2] + edges[:, 2:]) / 2

    def _edges(self, patch: np.ndarray) -> np.ndarray:
        low, high = np.array(self.low), np.array(self.high)
        index = np.stack(np.divmod(patch, self.side), axis=1) - self.offset
        steps = np.concatenate([index, index + 1], axis=1).clip(0, self.resolution)
        return np.tile(low, 2) + steps / self.resolution * np.tile(high - low, 2)

    def _numbers(self) -> tuple[float, float, float, float, int, float, int]:
        """Return what the kernels take; dividing by infinity gives an empty axis index 0."""
        (x0, y0), (x1, y1) = self.low, self.high
        width, height = (float(x1) - float(x0)) or np.inf, (float(y1) - float(y0)) or np.inf
        return (
            float(x0),
            float(y0),
            width,
            height,
            self.resolution,
            float(self.offset),
            self.side,
        )


def bounds(xy: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the lower left and upper right corner of points, (n, 2) with n >= 1."""
    points = np.asarray(xy)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return (x0, y0), (x1, y1)


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


@dataclass(frozen=True, eq=False)
class Queue:
    """Points in the order in which a patch gives them at depth target 1: deepest first.

    Ties stand by row number; those without a depth stand last, by row number.
    """

    rows: np.ndarray
    """(m,) int64, rows of the pool."""
    x: np.ndarray
    """(m,) float32."""
    y: np.ndarray
    scored: int
    """How many have a depth: the first so many."""
    pinned: np.ndarray
    """(m,) bool, or empty where nothing is pinned."""

    @classmethod
    def of(cls, xy: np.ndarray, order: np.ndarray, scored: int) -> Queue:
        """Return the queue of all points, `order` being their rows deepest first."""
        x, y = columns(xy[order])
        return cls(frozen(order), x, y, scored, frozen(np.zeros(0, dtype=np.bool_)))

    def __len__(self) -> int:
        return len(self.rows)

    def locked(self, pinned: np.ndarray, excluded: np.ndarray) -> Queue:
        """Return the queue without the excluded rows, the pinned ones marked."""
        if not len(pinned) and not len(excluded):
            return self
        kind = np.zeros(int(self.rows.max(initial=-1)) + 1, dtype=np.int8)
        kind[pinned], kind[excluded] = 1, 2
        kinds = kind[self.rows]
        keep = kinds != 2
        return Queue(
            frozen(self.rows[keep]),
            frozen(self.x[keep]),
            frozen(self.y[keep]),
            int(np.count_nonzero(keep[: self.scored])),
            frozen((kinds == 1)[keep]) if len(pinned) else self.pinned,
        )

    def rounds(self, grid: Grid, depth_target: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return each point's round in its patch (from 1; 0 for the pinned), and its patch."""
        from ila_core.landscape import loops as kernels

        patch = grid.locate(self.x, self.y)
        member, number = kernels.compact(patch, grid.side * grid.side)
        share = 1.0 - depth_target
        return kernels.rounds(member, len(number), self.scored, share, self.pinned), patch

    def levels(self, grid: Grid, depth_target: float = 1.0) -> np.ndarray:
        """Return the level (0 to 13; 14: the rest; -1: pinned) at which each point is chosen.

        Of the grid only the box and the offset count; its resolution is that of each level.
        """
        from ila_core.landscape import loops as kernels

        x0, y0, width, height, _, offset, _ = grid._numbers()
        share = 1.0 - depth_target
        return kernels.levels(
            self.x, self.y, x0, y0, width, height, offset, self.scored, share, self.pinned
        )


def first_by_round(rounds: np.ndarray, limit: int) -> np.ndarray:
    """Return the first `limit` queue positions by (round, position); round 0 is left out.

    >>> first_by_round(np.array([2, 1, 0, 1, 3]), 3).tolist()
    [1, 3, 0]
    """
    from ila_core.landscape import loops as kernels

    return kernels.by_round(np.asarray(rounds, dtype=np.int32), limit)
