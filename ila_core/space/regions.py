"""Regions of the map, in three levels, and their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEVELS = (10, 36, 120)
"""Regions of each level of a large pool, the broadest first."""
SMALLEST = 12
"""Records that a region should hold on average at least."""

LOOKED_AT = 10_000
"""Records of a region, evenly taken, from which its middle and its box are told at most."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The regions of a level before they have names: parts of a pool, made of whole domains.

    >>> Parts(np.array([0, 1, 2, 0]), np.array([0, 1, 0], np.int32), np.array([3, 1])).some_rows(2)
    [array([0, 3]), array([1])]
    """

    domain: np.ndarray
    """(n,) the domain of every record."""
    part: np.ndarray
    """(domains,) int32, the part that a domain lies in."""
    counts: np.ndarray
    """(parts,) int64, the records of each."""

    def __len__(self) -> int:
        return len(self.counts)

    def some_rows(self, most: int) -> list[np.ndarray]:
        """Return at most so many rows of each part, ascending and evenly taken, in one pass."""
        from ila_core.space.regions_compiled import some_of_each

        step = np.maximum(1, -(-self.counts // most))
        ends = np.cumsum(-(-self.counts // step))
        return np.split(some_of_each(self.domain, self.part, step, ends), ends[:-1])


Name = Callable[[Parts], Sequence[Sequence[str]]]
"""Gives names to parts of a pool: words, none where one has no name."""


@dataclass(frozen=True)
class NamedRegion:
    """A part of the map with a name."""

    level: int
    """0 for the broadest."""
    parent: int
    """Position of the region that it is part of, -1 at level 0."""
    words: tuple[str, ...]
    """One to four, the most telling first."""
    x: float
    y: float
    """The medians of its records, of each axis alone, in map coordinates."""
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
    domain_order: np.ndarray
    """(domains,) int32, the domains' places in a row in which neighbours on the map, as the
    hierarchy has them, stand together: for hues that show it."""

    def at(self, level: int) -> tuple[NamedRegion, ...]:
        """Return the regions of a level, the largest first."""
        return tuple(region for region in self.regions if region.level == level)


def find_regions(
    xy: np.ndarray, domain: np.ndarray, domain_names: Sequence[str], name: Name | None = None
) -> Regions:
    """Return the regions of a map of n records, (n, 2), made of neighbouring domains.

    `name` is asked once a level for all its regions; one without a name has its largest domain's.
    """
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import pdist

    n = len(xy)
    sizes = np.bincount(domain, minlength=len(domain_names))
    held = np.flatnonzero(sizes)
    centre = np.column_stack(
        [np.bincount(domain, xy[:, k], len(domain_names))[held] / sizes[held] for k in (0, 1)]
    )
    tree = linkage(pdist(centre), "ward") if len(held) > 1 else None
    regions: list[NamedRegion] = []
    above = np.full(len(held), -1)
    for level, most in enumerate(LEVELS):
        k = max(1, min(most, n // SMALLEST))
        part = np.zeros(len(held), int) if tree is None else fcluster(tree, k, "maxclust") - 1
        of_domain = np.zeros(len(domain_names), np.int32)
        of_domain[held] = part
        parts = Parts(domain, of_domain, np.bincount(part, sizes[held]).astype(np.int64))
        place = np.argsort(-parts.counts, kind="stable")
        names = name(parts) if name is not None else [()] * len(parts)
        looked_at = parts.some_rows(LOOKED_AT)
        for one in place.tolist():
            middle = looked_at[one]
            (x0, y0), (x1, y1) = np.quantile(xy[middle], [0.05, 0.95], axis=0)
            x, y = np.median(xy[middle], axis=0)
            own = held[part == one]
            words = names[one] or domain_names[own[sizes[own].argmax()]].split(" · ")[:4]
            regions.append(
                NamedRegion(level, int(above[part == one][0]), tuple(words), float(x), float(y),
                            int(parts.counts[one]), (float(x0), float(y0), float(x1), float(y1)))
            )  # fmt: skip
        number = np.empty_like(place)
        number[place] = len(regions) - len(place) + np.arange(len(place))
        above = number[part]
    order = np.arange(len(domain_names), dtype=np.int32)
    if tree is not None:
        order[held[leaves_list(tree)]] = np.sort(order[held])
    return Regions(tuple(regions), order)
