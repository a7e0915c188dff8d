"""Which rows of an array of vectors are different."""

from __future__ import annotations

import numpy as np

from ila_core.chance import stream

CHUNK = 16_384
"""Rows that are looked at together."""


def distinct_rows(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the first of each distinct vector, ascending, and each row's place there.

    Rows are compared as float32, by 64 bits of their hash, so that memory does not grow with d.

    >>> rows, place = distinct_rows(np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]]))
    >>> rows.tolist(), place.tolist()
    ([0, 1], [0, 1, 0])
    """
    n, dim = vectors.shape
    factors = stream(0, "hash factors").integers(1, 2**63, dim, dtype=np.uint64) * 2 + 1
    hashes = np.empty(n, np.uint64)
    for start in range(0, n, CHUNK):
        part = np.asarray(vectors[start : start + CHUNK], np.float32) + 0.0  # -0 equals 0
        mixed = np.ascontiguousarray(part).view(np.uint32) * factors
        mixed ^= mixed >> np.uint64(32)
        hashes[start : start + CHUNK] = (mixed * factors).sum(axis=1, dtype=np.uint64)
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    return first[order], rank[inverse]
