"""Even patches: the map cut into patches of equally many records, along a Hilbert curve.

Neighbours on the curve are neighbours on the map, so a patch is a small connected region: large
where the pool is thin, small where it is dense. A pick from each keeps the pool's own density,
which a grid flattens. Sampling along a space-filling curve is old in spatial statistics (Stevens
and Olsen 2004). One sort serves every number of patches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import frozen
from ila_core.landscape.kept import ROWS, kept_arrays
from ila_core.landscape.memory import remembered
from ila_core.landscape.sorting import by_key

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

BITS = 16
"""Of the curve along each axis: 65,536 steps a side."""
CURVE = 1
"""Version of the rule by which the curve runs through the map."""


@dataclass(frozen=True)
class Even:
    """`count` patches of equally many records of the pool, or of those that rules leave of it.

    The record of rank r of n along the curve lies in patch floor(r * count / n + offset); an
    offset above 0 cuts that fraction of a patch later and makes one patch more.
    """

    count: int
    outside: bytes = b""
    """The rows that count as no part of the pool, int64 ascending."""
    offset: float = 0.0

    def members(self, landscape: Landscape) -> np.ndarray:
        """Return each record's patch number, (n,) int32; -1 for those outside.

        >>> from ila_core import Landscape
        >>> Even(2).members(Landscape.from_arrays([[0, 0], [0, 1], [1, 1], [1, 0]])).tolist()
        [0, 0, 1, 1]
        """
        ranks = curve_ranks(landscape, self.outside)
        return self.of_ranks(ranks, len(landscape) - len(self.outside) // 8)

    def of_ranks(self, ranks: np.ndarray, n: int) -> np.ndarray:
        """Return the patch numbers of ranks along the curve of n records; -1 stays -1."""
        from ila_core.landscape.points_compiled import even_patches

        self.check(n)
        return even_patches(ranks, self.count, max(n, 1), int(np.floor(self.offset * n)))

    def ranks_in(self, patch: int, n: int) -> slice:
        """Return the ranks of a patch along the curve of n records."""
        shift = int(np.floor(self.offset * n))
        low, high = (-((shift - number * n) // self.count) for number in (patch, patch + 1))
        return slice(max(low, 0), min(high, n))

    def check(self, n: int) -> None:
        """Raise UsageError where there are more patches than n records."""
        if self.count > max(n, 1):
            raise UsageError(
                f"{self.count:,} even patches were asked for, but there are only {n:,} records to "
                "cut; give at most as many patches as records."
            )


@remembered(most=1, of_map=True)
def curve_order(landscape: Landscape) -> np.ndarray:
    """Return all rows in the order of the curve, (n,) int64; ties by row number.

    The curve fills the square at the map's low corner whose side is the map's longer side.
    """
    from ila_core.landscape.points_compiled import hilbert

    def made() -> dict[str, np.ndarray]:
        (x0, y0), (x1, y1) = landscape.bounds
        side = max(float(x1) - float(x0), float(y1) - float(y0)) or np.inf
        distance = hilbert(*landscape.columns, float(x0), float(y0), side, BITS)
        return {"order": by_key(distance)}

    kept = kept_arrays(landscape, "curve", CURVE, {"order": ROWS}, made)
    return frozen(kept["order"], np.int64)


@remembered(most=3, of_map=True)
def curve_ranks(landscape: Landscape, outside: bytes = b"") -> np.ndarray:
    """Return each record's rank along the curve among those not outside, (n,) int64; else -1."""
    order, ranks = curve_rows(landscape, outside), np.full(len(landscape), -1, np.int64)
    ranks[order] = np.arange(len(order))
    return frozen(ranks)


def curve_rows(landscape: Landscape, outside: bytes = b"") -> np.ndarray:
    """Return the rows that are not outside (int64 ascending) in the order of the curve."""
    order = curve_order(landscape)
    if not outside:
        return order
    inside = np.ones(len(landscape), dtype=bool)
    inside[np.frombuffer(outside, dtype=np.int64)] = False
    return order[inside[order]]
