"""Facility location and QDIT: greedy choice of rows that stand for the whole pool."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ila_core.errors import UsageError
from ila_core.methods.vectors import DENSE_ROWS, unit_vectors
from ila_core.progress import tell
from ila_core.space.neighbours import nearest_among

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


class Similarities(Protocol):
    """Who is served by whom: what the greedy search asks of a similarity matrix.

    `best` is (n,) float32, how well each row is served by the picks so far. Similarities below 0
    count as 0, because a record is never served worse than by nobody.
    """

    def totals(self) -> np.ndarray:
        """Return every candidate's gain while nothing is picked, shape (n,) float64."""

    def gain(self, row: int, best: np.ndarray) -> float:
        """Return by how much the pick of `row` would raise the sum of `best`."""

    def serve(self, row: int, best: np.ndarray) -> None:
        """Raise `best`, in place, by the pick of `row`."""


@dataclass(frozen=True)
class Dense:
    """Every pair: matrix (n, n) float32, symmetric. At most 20,000 rows."""

    matrix: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray) -> Dense:
        matrix = vectors @ vectors.T
        return cls(np.maximum(matrix, 0, out=matrix))

    def totals(self) -> np.ndarray:
        return self.matrix.sum(axis=0, dtype=np.float64)

    def gain(self, row: int, best: np.ndarray) -> float:
        return _kernels().dense(self.matrix[row], best)

    def serve(self, row: int, best: np.ndarray) -> None:
        np.maximum(best, self.matrix[row], out=best)


@dataclass(frozen=True)
class Sparse:
    """Only near pairs: candidate j serves rows[start[j]:start[j + 1]].

    start (n + 1,) int64, rows (nnz,) int32, values (nnz,) float32.
    """

    start: np.ndarray
    rows: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, k: int) -> Sparse:
        """Keep each row's k most similar candidates, itself among them."""
        near, similarity = nearest_among(vectors, min(k, len(vectors)))
        candidates = near.ravel()
        served = np.repeat(np.arange(len(vectors), dtype=np.int32), near.shape[1])
        order = np.argsort(candidates, kind="stable")
        counts = np.bincount(candidates, minlength=len(vectors))
        values = np.maximum(similarity.ravel()[order], 0)
        return cls(np.r_[0, np.cumsum(counts)], served[order], values)

    def totals(self) -> np.ndarray:
        sums = np.r_[0.0, np.cumsum(self.values, dtype=np.float64)]
        return sums[self.start[1:]] - sums[self.start[:-1]]

    def gain(self, row: int, best: np.ndarray) -> float:
        return _kernels().sparse(self.start[row], self.start[row + 1], self.rows, self.values, best)

    def serve(self, row: int, best: np.ndarray) -> None:
        part = slice(self.start[row], self.start[row + 1])
        served = self.rows[part]
        best[served] = np.maximum(best[served], self.values[part])


def facility_location(landscape: Landscape, count: int, seed: int, *, k: int = 64) -> np.ndarray:
    """Return rows that greedily raise the pool's summed similarity to the nearest pick.

    Lazy greedy (Minoux 1978), exact on the similarities it is given: all pairs up to 20,000 rows,
    above that each row's `k` nearest. Ties go to the lower row.
    """
    del seed
    nothing = np.zeros(len(landscape), dtype=np.float64)
    return lazy_greedy(_similarities(landscape, "facility-location", k), nothing, 1.0, count)


def qdit(landscape: Landscape, count: int, seed: int, *, a: float = 0.3, k: int = 64) -> np.ndarray:
    """Return rows by the greedy rule of QDIT (arXiv 2311.14736): diversity and quality together.

    A pick maximises (1 - a) x facility-location gain + a x R, R the relative depth; a row without
    a depth counts R = 0 here and nowhere else.
    """
    del seed
    if not 0 <= a <= 1:
        raise UsageError(f"Parameter a of qdit is {a}; it weighs quality from 0 to 1.")
    quality = a * np.nan_to_num(landscape.relative_depth.astype(np.float64))
    return lazy_greedy(_similarities(landscape, "qdit", k), quality, 1 - a, count)


def _similarities(landscape: Landscape, method: str, k: int) -> Similarities:
    if k < 1:
        raise UsageError(f"Parameter k of {method} is {k}; give at least 1 neighbour.")
    vectors = unit_vectors(landscape)
    return Dense.of(vectors) if len(vectors) <= DENSE_ROWS else Sparse.of(vectors, k)


def lazy_greedy(
    similarities: Similarities, bonus: np.ndarray, weight: float, count: int
) -> np.ndarray:
    """Return rows that greedily maximise weight x (facility-location gain) + bonus, ties by row.

    bonus: (n,) float64, added to a candidate's gain whenever it is picked. Gains only shrink as
    rows are picked, so a candidate whose fresh value still leads the heap is the best of all.
    """
    values = weight * similarities.totals() + bonus
    heap = [(-value, row) for row, value in enumerate(values.tolist())]
    heapq.heapify(heap)
    best = np.zeros(len(bonus), dtype=np.float32)
    fresh = np.zeros(len(bonus), dtype=np.int64)
    picked: list[int] = []
    while len(picked) < count and heap:
        row = heap[0][1]
        if fresh[row] == len(picked):
            heapq.heappop(heap)
            picked.append(row)
            similarities.serve(row, best)
            tell(len(picked), count)
        else:
            fresh[row] = len(picked)
            value = weight * similarities.gain(row, best) + bonus[row]
            heapq.heapreplace(heap, (-value, row))
    return np.asarray(picked, dtype=np.int64)


class _Kernels(NamedTuple):
    dense: Callable[..., float]
    sparse: Callable[..., float]


@cache
def _kernels() -> _Kernels:
    """Compile the sums of what a pick would add, once."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def dense(similarity, best):  # type: ignore[no-untyped-def]
        total = 0.0
        for row in range(len(best)):
            total += max(similarity[row] - best[row], 0.0)
        return total

    @njit(cache=True, nogil=True)
    def sparse(start, end, rows, values, best):  # type: ignore[no-untyped-def]
        total = 0.0
        for position in range(start, end):
            total += max(values[position] - best[rows[position]], 0.0)
        return total

    return _Kernels(dense, sparse)
