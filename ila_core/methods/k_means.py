"""As many clusters as records are wanted, and the deepest of each (like CaR, arXiv 2402.18191)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ila_core.chance import library_seed
from ila_core.methods.vectors import clusters, unit_vectors

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


def k_means(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return the deepest row of each of `count` clusters of the embeddings, deepest first.

    Fewer come out where clusters stay empty, as they do in a pool with repeated instructions.
    """
    start = library_seed(seed, "k-means clusters")
    return deepest_of_each(landscape, clusters(unit_vectors(landscape), count, start))


def deepest_of_each(landscape: Landscape, cluster: np.ndarray) -> np.ndarray:
    """Return the deepest row of every cluster, deepest first; `cluster` has shape (n,)."""
    order = landscape.order
    _, first = np.unique(cluster[order], return_index=True)
    return order[np.sort(first)]
