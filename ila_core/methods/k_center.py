"""k-center greedy: always the row farthest from what is chosen (core-set, arXiv 1708.00489)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.methods.vectors import blocks, unit_vectors
from ila_core.progress import tell

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

FARTHEST = 4096
"""Rows that are kept up to date with every pick; the others wait until one of them may be next."""


def k_center(landscape: Landscape, count: int, seed: int, *, start: str = "medoid") -> np.ndarray:
    """Return rows of which each is the farthest, by cosine, from all before it; ties by row.

    The first is the medoid, the row most similar to the pool as a whole; `start="random"` draws
    it with the seed instead. The rule seeks outliers on purpose: it is the wrong choice for a pool
    with garbage in it.

    A row only comes nearer to the picks as these grow. So the farthest rows are watched, and as
    long as one of them is farther than all others were when last looked at, it is the next.
    """
    from threadpoolctl import threadpool_limits

    vectors = np.ascontiguousarray(unit_vectors(landscape))
    if start not in ("medoid", "random"):
        raise UsageError(f"Parameter start of k-center is {start!r}; choose medoid or random.")
    if start == "random":
        row = int(stream(seed, "k-center start").integers(len(vectors)))
    else:
        row = int(np.argmax(vectors @ vectors.sum(axis=0, dtype=np.float64).astype(np.float32)))
    nearest = np.full(len(vectors), -np.inf, dtype=np.float32)
    rows, seen = [row], 0
    while len(rows) < count:
        tell(len(rows), count)
        _come_nearer(nearest, vectors, rows[seen:])
        seen = len(rows)
        rows.append(int(np.argmin(nearest)))
        watched, others = _farthest(nearest)
        near, close = nearest[watched], vectors[watched]
        with threadpool_limits(limits=1, user_api="blas"):  # two would wait for each other
            while len(rows) < count:
                np.maximum(near, close @ vectors[rows[-1]], out=near)
                near[watched == rows[-1]] = np.inf  # a chosen row is never the farthest again
                first = int(np.argmin(near))
                if not near[first] < others:
                    break
                rows.append(int(watched[first]))
    return np.array(rows[:count], dtype=np.int64)


def _come_nearer(nearest: np.ndarray, vectors: np.ndarray, picks: list[int]) -> None:
    """Raise `nearest`, (n,), in place to the similarity to any of the picks; theirs to infinity."""
    chosen = vectors[picks].T
    for part in blocks(len(vectors)):
        np.maximum(nearest[part], (vectors[part] @ chosen).max(axis=1), out=nearest[part])
    nearest[picks] = np.inf


def _farthest(nearest: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the rows of smallest `nearest`, ascending, and the smallest of all the others."""
    if len(nearest) <= FARTHEST:
        return np.arange(len(nearest)), np.inf
    order = np.argpartition(nearest, FARTHEST)
    return np.sort(order[:FARTHEST]), float(nearest[order[FARTHEST]])
