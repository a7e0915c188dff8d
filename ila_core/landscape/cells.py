"""The cells of the map: what each of them holds, and how much of it a selection keeps.

Two grids are kept apart. A selection may use up to 8192 patches a side; a screen shows 64 or 128
cells. Records fall into the cell that they lie in; a patch of the selection belongs to the
cell that holds its centre. Where the patches are larger than the cells, the cells are the patches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ila_core.landscape.even import Even, curve_order
from ila_core.landscape.grid import Grid, columns
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box

SIDES = (32, 64, 96, 128)
"""Cells along an axis that a screen may show."""


@dataclass(frozen=True)
class Frame:
    """Which cells are drawn: a block of columns and rows of a grid.

    The grid spans the whole pool where cells are patches or nothing is zoomed, and else the window.
    """

    grid: Grid
    columns: tuple[int, int]
    """First and one past the last."""
    rows: tuple[int, int]
    patches: bool
    """Whether a cell is one patch of the selection grid."""

    @property
    def side(self) -> int:
        return self.grid.resolution

    @property
    def box(self) -> Box:
        """The drawn rectangle."""
        (left, bottom), (width, height) = self.grid.low, self._cell
        return Box(
            left + self.columns[0] * width,
            bottom + self.rows[0] * height,
            left + self.columns[1] * width,
            bottom + self.rows[1] * height,
        )

    @property
    def _cell(self) -> tuple[float, float]:
        """Width and height of a cell; 1 where an axis has no extent, so that it can be drawn."""
        (x0, y0), (x1, y1) = self.grid.low, self.grid.high
        return (x1 - x0) / self.side or 1.0, (y1 - y0) / self.side or 1.0

    def locate(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return each point's cell number (column * side + row), (n,) int32; outside side ** 2."""
        from ila_core.landscape.points_compiled import locate_inside

        box = (*map(float, self.grid.low), *map(float, self.grid.high))
        return locate_inside(x, y, tuple(self.grid.scale), box, (*self.columns, *self.rows))

    def box_of(self, number: int) -> Box:
        """Return the rectangle of a cell.

        >>> frame(pool := Landscape.from_arrays([[0, 0], [4, 2]]), pool.grid(2)).box_of(3)
        Box(x0=2.0, y0=1.0, x1=4.0, y1=2.0)
        """
        (left, bottom), (width, height) = self.grid.low, self._cell
        column, row = divmod(number, self.side)
        x, y = left + column * width, bottom + row * height
        return Box(x, y, x + width, y + height)


def frame(
    landscape: Landscape, cut: Grid | Even, *, side: int = 64, window: Box | None = None
) -> Frame:
    """Return the cells to draw for a selection: the patches of its grid where these are larger.

    `side` cells are drawn along each axis of the window (the whole map where it is None).
    """
    whole = landscape.grid(side)
    box = window or Box(*whole.low, *whole.high)
    spans = [(high - low, end - start) for low, high, start, end in _axes(whole, box)]
    if isinstance(cut, Grid) and all(
        whole_span * side >= box_span * cut.resolution for whole_span, box_span in spans
    ):
        blocks = [_block(cut, axis, box) for axis in (0, 1)]
        return Frame(cut, blocks[0], blocks[1], patches=True)
    grid = Grid((box.x0, box.y0), (box.x1, box.y1), side)
    return Frame(grid, (0, side), (0, side), patches=False)


def _axes(grid: Grid, box: Box) -> list[tuple[float, float, float, float]]:
    return [
        (grid.low[0], grid.high[0], box.x0, box.x1),
        (grid.low[1], grid.high[1], box.y0, box.y1),
    ]


def _block(grid: Grid, axis: int, box: Box) -> tuple[int, int]:
    """First and one past the last patch along an axis that the box touches."""
    low, high = grid.low[axis], grid.high[axis]
    if high <= low:
        return 0, 1
    ends = (np.array([box[axis], box[axis + 2]]) - low) / (high - low) * grid.resolution
    first = int(np.clip(np.floor(ends[0] + 1e-9), 0, grid.resolution - 1))
    last = int(np.clip(np.ceil(ends[1] - 1e-9), first + 1, grid.resolution))
    return first, last


@dataclass(frozen=True, eq=False)
class Cells:
    """The occupied cells of a frame; every array but `member` has one entry a cell."""

    frame: Frame
    number: np.ndarray
    """int64, cell numbers, ascending; column * side + row."""
    count: np.ndarray
    """int32, records of the cell."""
    mean: np.ndarray
    """float32, mean relative depth of its records, NaN where none has a depth."""
    best: np.ndarray
    """float32, largest relative depth, NaN likewise."""
    member: np.ndarray
    """(n,) int32, position of each record's cell in the arrays above, -1 outside the frame."""

    def __len__(self) -> int:
        return len(self.number)

    @property
    def column(self) -> np.ndarray:
        return self.number // self.frame.side

    @property
    def row(self) -> np.ndarray:
        return self.number % self.frame.side

    def rows_of(self, numbers: np.ndarray | tuple[int, ...]) -> np.ndarray:
        """Return the records in the cells of these numbers, ascending."""
        wanted = np.append(np.isin(self.number, np.asarray(numbers, dtype=np.int64)), False)
        return np.flatnonzero(wanted[self.member])


def count(landscape: Landscape, frame: Frame) -> Cells:
    """Count the records of every cell of a frame, with their best and mean relative depth.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> cells = count(pool, frame(pool, pool.grid(2)))
    >>> cells.number.tolist(), cells.count.tolist(), cells.member.tolist()
    ([0, 1, 3], [1, 1, 1], [0, 1, 2])
    """
    from ila_core.landscape.points_compiled import compact, summarise

    side = frame.side
    member, number = compact(frame.locate(*landscape.columns), side * side + 1)
    size = len(number)
    if size and number[-1] == side * side:  # the records outside the frame
        member[member == size - 1] = -1
        size -= 1
    inside = member if size == len(number) else member[member >= 0]
    depth = landscape.relative_depth
    if size < len(number):
        depth = depth[member >= 0]
    records, best, mean = summarise(inside, size, np.ascontiguousarray(depth))
    return Cells(frame, number[:size].astype(np.int64), records, mean, best, member)


@dataclass(frozen=True, eq=False)
class Kept:
    """What a selection keeps of each cell."""

    records: np.ndarray
    """Chosen records of the cell."""
    share: np.ndarray
    """Share of the cell's occupied selection patches that hold a chosen record."""


def kept(cells: Cells, landscape: Landscape, cut: Grid | Even, rows: np.ndarray) -> Kept:
    """Return how much of every cell is kept by `rows`, chosen with the patches of `cut`.

    A cell that holds records but the centre of none of the pool's patches (patches are not always
    smaller than cells) takes the patches of its own records.
    """
    size = len(cells)
    chosen = cells.member[rows]
    records = np.bincount(chosen[chosen >= 0], minlength=size)
    patch_of, centres = _patches(landscape, cut)
    is_kept = np.zeros(len(centres), dtype=bool)
    is_kept[patch_of[rows]] = True

    centre_cell = cells.frame.locate(*columns(centres))
    position = np.searchsorted(cells.number, centre_cell)
    position[position == size] = 0
    drawn = cells.number[position] == centre_cell if size else np.zeros(len(centres), dtype=bool)
    patches = np.bincount(position[drawn], minlength=size)
    held = np.bincount(position[drawn], weights=is_kept[drawn], minlength=size)
    share = np.divide(held, patches, out=np.zeros(size), where=patches > 0)

    bare = np.append(patches == 0, False)
    inside = np.flatnonzero(bare[cells.member] & (patch_of >= 0))
    if len(inside):
        pairs = np.unique(np.stack([cells.member[inside], patch_of[inside]]), axis=1)
        total = np.bincount(pairs[0], minlength=size)
        held = np.bincount(pairs[0], weights=is_kept[pairs[1]], minlength=size)
        share = np.where(bare[:-1], held / np.maximum(total, 1), share)
    return Kept(records, share)


def _patches(landscape: Landscape, cut: Grid | Even) -> tuple[np.ndarray, np.ndarray]:
    """Return each record's patch, (n,), -1 for none, and the patches' centres, (m, 2).

    The centre of an even patch is its middle record along the curve.
    """
    if isinstance(cut, Grid):
        member, number = cut.members(*landscape.columns)
        return member, cut.centres(number)
    member = cut.members(landscape)
    order = curve_order(landscape)
    order = order[member[order] >= 0]
    size = np.bincount(member[order])
    return member, landscape.xy[order[np.cumsum(size) - size + size // 2]]


@dataclass(frozen=True, eq=False)
class Leading:
    """The domain that most records of each cell belong to; both arrays have one entry a cell."""

    domain: np.ndarray
    """Position in `names`; of domains with equally many records of a cell the first."""
    share: np.ndarray
    """Share of the cell's records that belong to it."""
    largest: tuple[int, ...]
    """The domains with most records of the whole pool, the largest first."""
    names: tuple[str, ...]

    @property
    def others(self) -> int:
        """Number of domains beside the largest."""
        return len(self.names) - len(self.largest)


def leading(landscape: Landscape, cells: Cells, *, most: int = 8) -> Leading:
    """Return the leading domain of every cell, and the `most` largest domains of the pool.

    Which are the largest does not depend on the frame: colours stay when one zooms.
    """
    from ila_core.landscape.points_compiled import most_frequent

    names = landscape.domain_names
    sizes = np.bincount(landscape.domain, minlength=len(names))
    largest = [int(k) for k in np.argsort(-sizes, kind="stable")[:most] if sizes[k]]
    domain, times = most_frequent(cells.member, len(cells), landscape.domain, len(names))
    return Leading(domain, times / cells.count, tuple(largest), names)
