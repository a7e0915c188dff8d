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
    _, first, inverse = np.unique(row_hashes(vectors), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    return first[order], rank[inverse]


def row_hashes(vectors: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return 64 bits of the content of vectors[rows] as float32, (m,) uint64, wherever they stand.

    >>> hashes = row_hashes(np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-0.0, 0.0]]))
    >>> [bool(one == hashes[0]) for one in hashes], bool(hashes[1] == hashes[3])
    ([True, False, True, False], True)
    """
    rows = np.arange(len(vectors)) if rows is None else rows
    dim = vectors.shape[1]
    factors = stream(0, "hash factors").integers(1, 2**63, dim, dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), CHUNK):
        block = rows[start : start + CHUNK]
        part = np.asarray(vectors[block], np.float32) + 0.0  # -0 equals 0
        mixed = np.ascontiguousarray(part).view(np.uint32) * factors
        mixed ^= mixed >> np.uint64(32)
        hashes[start : start + CHUNK] = (mixed * factors).sum(axis=1, dtype=np.uint64)
    return hashes
