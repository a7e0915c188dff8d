"""Deita's filter: take by score, unless too near to what is taken already (arXiv 2312.15685)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ila_core.methods.vectors import unit_vectors
from ila_core.progress import tell

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

BLOCK = 512


def deita(landscape: Landscape, count: int, seed: int, *, tau: float = 0.9) -> np.ndarray:
    """Return rows by descending score, each at most `tau` similar to every one before it.

    The score is quality x complexity where the pool has both columns, else the depth. A candidate
    is held against the *accepted* rows, not against the pool. Rows without a score come last, in
    row order. The work grows with the rows looked at times the rows accepted.
    """
    del seed
    vectors = unit_vectors(landscape)
    order = _by_score(landscape)
    accepted = np.empty((count, vectors.shape[1]), dtype=np.float32)
    rows: list[int] = []
    for start in range(0, len(order), BLOCK):
        if len(rows) == count:
            break
        tell(len(rows), count)
        block = order[start : start + BLOCK]
        candidates = np.ascontiguousarray(vectors[block])
        far = np.ones(len(block), dtype=bool)
        if rows:
            far = (candidates @ accepted[: len(rows)].T).max(axis=1) <= tau
        among = candidates @ candidates.T
        taken: list[int] = []
        for position in np.flatnonzero(far):
            if len(rows) == count:
                break
            if not taken or among[position, taken].max() <= tau:
                accepted[len(rows)] = candidates[position]
                rows.append(int(block[position]))
                taken.append(int(position))
    return np.asarray(rows, dtype=np.int64)


def _by_score(landscape: Landscape) -> np.ndarray:
    quality, complexity = (landscape.scores.get(name) for name in ("quality", "complexity"))
    if quality is None or complexity is None:
        score = landscape.depth
    else:
        score = np.asarray(quality, np.float64) * np.asarray(complexity, np.float64)
    return np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")
