"""Regions of the map, in three levels, and their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

LEVELS = (10, 36, 120)
"""Regions of each level of a large pool, the broadest first."""
SMALLEST = 12
"""Records that a region should hold on average at least."""

Texts = Callable[[np.ndarray], Iterable[str]]
"""Gives the texts of rows, in their order."""


@dataclass(frozen=True)
class NamedRegion:
    """A part of the map with a name."""

    level: int
    """0 for the broadest."""
    parent: int
    """Position of the region that it is part of, -1 at level 0."""
    words: tuple[str, ...]
    """One to four words, the most telling first."""
    x: float
    y: float
    """Its densest place, in map coordinates."""
    count: int
    """Records that it holds."""
    box: tuple[float, float, float, float]
    """Where the middle nine tenths of its records lie along each axis: x0, y0, x1, y1."""

    @property
    def name(self) -> str:
        return " · ".join(self.words)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a map: those of a level hold all records."""

    regions: tuple[NamedRegion, ...]
    """By level, then by size, the largest first."""
    of_record: np.ndarray
    """(levels, n) int32, position of each record's region of every level."""
    domain_order: np.ndarray
    """(domains,) int32, the domains' places in a row in which neighbours on the map, as the
    hierarchy has them, stand together: for hues that show it."""

    def at(self, level: int) -> tuple[NamedRegion, ...]:
        """Return the regions of a level, the largest first."""
        return tuple(region for region in self.regions if region.level == level)


def find_regions(
    xy: np.ndarray,
    domain: np.ndarray,
    domain_names: Sequence[str],
    texts: Texts | None = None,
) -> Regions:
    """Return the named regions of a map of n records, (n, 2).

    Without texts their names are made of their domains' names.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    n = len(xy)
    sizes = np.bincount(domain, minlength=len(domain_names))
    held = np.flatnonzero(sizes)
    centre = np.column_stack(
        [np.bincount(domain, xy[:, k], len(domain_names))[held] / sizes[held] for k in (0, 1)]
    )
    tree = linkage(centre, "ward") if len(held) > 1 else None
    regions: list[NamedRegion] = []
    of_record = np.zeros((len(LEVELS), n), np.int32)
    slot = np.zeros(len(domain_names), np.int64)
    slot[held] = np.arange(len(held))
    for level, most in enumerate(LEVELS):
        k = max(1, min(most, n // SMALLEST))
        part = np.zeros(len(held), int) if tree is None else fcluster(tree, k, "maxclust") - 1
        member = part[slot[domain]]
        count = np.bincount(member)
        place = np.argsort(-count, kind="stable")
        number = np.empty_like(place)
        number[place] = len(regions) + np.arange(len(place))
        of_record[level] = number[member]
        for one in place:
            rows = np.flatnonzero(member == one)
            (x0, y0), (x1, y1) = np.quantile(xy[rows], [0.05, 0.95], axis=0)
            x, y = np.median(xy[rows], axis=0)
            most_held = int(np.bincount(domain[rows]).argmax())
            words = tuple(domain_names[most_held].split(" · ")[:4])
            parent = int(of_record[level - 1, rows[0]]) if level else -1
            regions.append(
                NamedRegion(level, parent, words, float(x), float(y), len(rows),
                            (float(x0), float(y0), float(x1), float(y1)))
            )  # fmt: skip
    order = np.arange(len(domain_names), dtype=np.int32)
    return Regions(tuple(regions), of_record, order)
