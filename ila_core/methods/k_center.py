"""k-center greedy: always the row farthest from what is chosen (core-set, arXiv 1708.00489)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import UsageError
from ila_core.methods.vectors import unit_vectors

if TYPE_CHECKING:
    from ila_core.landscape import Landscape


def k_center(landscape: Landscape, count: int, seed: int, *, start: str = "medoid") -> np.ndarray:
    """Return rows of which each is the farthest, by cosine, from all before it; ties by row.

    The first is the medoid, the row most similar to the pool as a whole; `start="random"` draws
    it with the seed instead. One pass over the vectors for every row that is chosen. The rule
    seeks outliers on purpose: it is the wrong choice for a pool with garbage in it.
    """
    vectors = np.ascontiguousarray(unit_vectors(landscape))
    if start not in ("medoid", "random"):
        raise UsageError(f"Parameter start of k-center is {start!r}; choose medoid or random.")
    if start == "random":
        row = int(np.random.default_rng(seed).integers(len(vectors)))
    else:
        row = int(np.argmax(vectors @ vectors.sum(axis=0, dtype=np.float64).astype(np.float32)))
    nearest = np.full(len(vectors), -np.inf, dtype=np.float32)
    rows = np.empty(count, dtype=np.int64)
    for position in range(count):
        rows[position] = row
        np.maximum(nearest, vectors @ vectors[row], out=nearest)
        nearest[row] = np.inf  # a chosen row is never the farthest again
        row = int(np.argmin(nearest))
    return rows
