"""Semantic deduplication: drop what an earlier row of its cluster says already (SemDeDup)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ila_core.chance import library_seed
from ila_core.errors import UsageError
from ila_core.methods.vectors import blocks, clusters, unit_vectors
from ila_core.progress import tell

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

MOST_CLUSTERS = 256


def semdedup(
    landscape: Landscape, count: int, seed: int, *, eps: float | None = None
) -> np.ndarray:
    """Return the rows that semantic deduplication keeps (SemDeDup, arXiv 2303.09540).

    Inside a k-means cluster the later of two rows with similarity above 1 - eps is dropped: a
    larger `eps` prunes more. So a row is kept while eps is at most its distance to the nearest
    earlier row of its cluster. Without `eps` it is solved for the count: the `count` rows with the
    largest such distance are what the fitting eps keeps. They come out most distinct first, ties
    by row.
    """
    if eps is not None and not 0 <= eps <= 2:
        raise UsageError(f"Parameter eps of semdedup is {eps}; give a cosine distance, 0 to 2.")
    vectors = unit_vectors(landscape)
    k = int(np.clip(round((len(vectors) / 2) ** 0.5), 1, MOST_CLUSTERS))
    start = library_seed(seed, "semdedup clusters")
    nearest = nearest_earlier(vectors, clusters(vectors, k, start))
    order = np.argsort(nearest, kind="stable")
    if eps is not None:
        order = order[nearest[order] <= 1 - eps]
    return order[:count]


def nearest_earlier(vectors: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Return every row's largest similarity to an earlier row of its cluster, (n,) float32.

    The first row of a cluster has -1.
    """
    nearest = np.full(len(vectors), -1.0, dtype=np.float32)
    done = 0
    for members in _groups(cluster):
        tell(done, len(cluster))
        done += len(members)
        for part in blocks(len(members)):
            similar = vectors[members[part]] @ vectors[members[: part.stop]].T
            place = np.arange(part.stop)
            similar[place >= place[part, None]] = -1.0
            nearest[members[part]] = similar.max(axis=1)
    return nearest


def _groups(cluster: np.ndarray) -> list[np.ndarray]:
    """Return the rows of every cluster, in row order."""
    order = np.argsort(cluster, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)
