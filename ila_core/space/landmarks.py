"""Places on a map that is finished: a vector lies among the places of those most like it.

Who has a place already is a landmark. Of another vector's ten nearest landmarks by cosine, each
weighted by one over its distance squared, the most central on the map is found: the one from whose
place the others are the least far, by weight. The vector lies at the weighted mean of the half of
them that are nearest to that one's place. A mean of all ten would lie between two regions of the
map, in neither, wherever its neighbours lie in both: on maps whose records were held out and placed
anew it loses up to 0.06 of trustworthiness (k = 15), this rule 0.007 and, with a tenth held out,
0.001.

A vector that is a landmark's has its place to the bit, any other lies inside the hull of some, so
no landmark moves and the map keeps its bounds. A record unlike anything on the map gets a place
too, which means little: `Placed.distance` says so, and `usual_distance` what is usual among the
landmarks.

The place of a vector depends on itself and on the landmarks alone: not on the vectors beside it,
their order or number, or how many threads multiply. Candidates come from products in float32,
whose rounding differs from block to block; the nearest are chosen among more of them than are
needed, by distances that are summed anew in float64 in one order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from ila_core.blocks import MappedRows, Rows, Spread, here, keeping, row_blocks
from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.progress import Progress, no_progress
from ila_core.space.distinct import CHUNK, distinct_rows, row_hashes
from ila_core.space.neighbours import nearest

RULE = 3
"""Raised whenever a vector would get another place."""
CHOICE = 1
"""Raised whenever others of some vectors would be the landmarks."""
NEIGHBOURS = 10
SPARE = 16
"""Candidates beyond those needed: rounding in float32 may swap that many equally near ones."""
SAME = 1e-9
"""Cosine distance up to which two vectors are one: what rounding makes of a text that is encoded
twice, in other batches."""

QUERIES = 4096
"""Vectors that are placed together: with the landmarks looked at beside them under 150 MB at 512
dimensions."""
EXACT_AMONG, EXACT_PAIRS = 60_000, 60_000_000_000
"""Landmarks up to which every vector is compared with all of them, and pairs up to which it is done
among more: that takes ten minutes on two cores. Beyond both there is a search index, whose library
takes most of a minute to compile."""

USUAL = 0.99
"""Share of the landmarks that are nearer to another one than what is called far."""
USUAL_SAMPLE = 2_000
"""Landmarks that the usual distance is taken from, where there are more."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Where m vectors lie among landmarks."""

    xy: np.ndarray
    """(m, 2) float32."""
    nearest: np.ndarray
    """(m,) int64, the row of the nearest landmark: of equal ones the first."""
    distance: np.ndarray
    """(m,) float64, the cosine distance to it, 0 to 2."""

    @property
    def same(self) -> np.ndarray:
        """(m,) bool, whether the nearest landmark is the same vector, up to rounding."""
        return self.distance <= SAME


def choose(vectors: np.ndarray, rows: np.ndarray, count: int, *, seed: int = 0) -> np.ndarray:
    """Return which of the distinct vectors[rows] (m, d) are landmarks, (min(count, m),) positions.

    They are drawn by a hash of their content and come in its order: the same vectors, in the same
    order, however the rows are shuffled, and nearly the same when some rows come or go. A draw
    without repetitions is as dense as the pool is various, and in no part as dense as one text is
    frequent.

    >>> vectors = np.arange(8.0)[:, None]
    >>> first = choose(vectors, np.arange(8), 3)
    >>> turned = choose(vectors[::-1], np.arange(8), 3)
    >>> len(first), bool((vectors[first] == vectors[::-1][turned]).all())
    (3, True)
    """
    salt = stream(seed, "landmarks").integers(2**64, dtype=np.uint64)
    return np.argsort(_scattered(row_hashes(vectors, rows) ^ salt), kind="stable")[:count]


def place(
    landmarks: np.ndarray,
    xy: np.ndarray,
    vectors: np.ndarray,
    *,
    rows: np.ndarray | None = None,
    k: int = NEIGHBOURS,
    seed: int = 0,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> Placed:
    """Return the places of vectors (m, d) among landmarks (n, d) that lie at xy (n, 2).

    `rows` places those of the vectors alone. Vectors of any length are taken by their direction;
    both arrays may be memory-mapped, and are read in blocks. Equal landmarks count once, at the
    place of the first; fewer than k are all taken. The nearest are exact up to 60,000 landmarks or
    60 billion pairs, above they come from an index whose chance is drawn by `seed`. With a `spread`
    blocks of vectors are placed in other processes, which read them where they are memory-mapped
    from a .npy file; those that are finished are kept in the folder `work`. IlaError without a
    landmark, for xy of another length, and for vectors of another dimension.

    >>> landmarks, xy = np.eye(3), np.array([[0, 0], [9, 0], [0, 9]])
    >>> placed = place(landmarks, xy, np.array([[1, 0, 0], [0, 2, 2], [3, 1, 1]]), k=2)
    >>> placed.xy.round(2).tolist(), placed.nearest.tolist(), placed.same.tolist()
    ([[0.0, 0.0], [9.0, 0.0], [0.0, 0.0]], [0, 1, 0], [True, False, False])
    """
    _check(landmarks, xy, vectors)
    rows = np.arange(len(vectors)) if rows is None else rows
    known = distinct_rows(landmarks)[0]
    at = np.asarray(xy, np.float64)[known]
    k = min(k, len(known))
    placing = _Placing(landmarks, known, at, k, len(rows), seed, MappedRows.of(vectors), rows)
    blocks = row_blocks(len(rows), QUERIES)
    placed = np.empty((len(rows), 2), np.float32)
    first, distance = np.empty(len(rows), np.int64), np.empty(len(rows), np.float64)
    made = keeping(spread, work) if spread else here
    for (start, end), part in zip(blocks, made(placing, blocks), strict=True):
        placed[start:end], first[start:end] = part["xy"], part["nearest"]
        distance[start:end] = part["distance"]
        progress(end, len(rows))
    return Placed(placed, first, distance)


@dataclass(frozen=True, eq=False)
class _Placing:
    """Places blocks of the vectors of `rows` among the `known` landmarks, which lie at `at`."""

    landmarks: np.ndarray
    known: np.ndarray
    at: np.ndarray
    k: int
    queries: int
    seed: int
    vectors: MappedRows
    rows: np.ndarray

    def __call__(self) -> Callable[[Rows], dict[str, np.ndarray]]:
        count = min(self.k + SPARE, len(self.known))
        near = _Nearest(self.landmarks, self.known, count, self.queries, self.seed)
        return partial(self._place, near)

    def _place(self, near: _Nearest, block: Rows) -> dict[str, np.ndarray]:
        vectors = self.vectors.array[self.rows[slice(*block)]]
        found, apart = near(np.asarray(vectors, np.float32))
        found, apart = found[:, : self.k], apart[:, : self.k]
        nearest = self.known[found[:, 0]]
        return {"xy": _among(self.at[found], apart), "nearest": nearest, "distance": apart[:, 0]}


def usual_distance(landmarks: np.ndarray, *, seed: int = 0) -> float:
    """Return the cosine distance within which 99 % of the landmarks have another one.

    Equal ones count once; a seeded 2,000 of them stand for the rest. 2, the largest there is, where
    there is but one.

    >>> usual_distance(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    1.0
    """
    known = distinct_rows(landmarks)[0]
    if len(known) < 2:
        return 2.0
    drawn = known[np.sort(stream(seed, "usual distance").permutation(len(known))[:USUAL_SAMPLE])]
    near = _Nearest(landmarks, known, min(2 + SPARE, len(known)), len(drawn), seed)
    nexts = []
    for start in range(0, len(drawn), QUERIES):
        rows = drawn[start : start + QUERIES]
        found, apart = near(np.asarray(landmarks[rows], np.float32))
        itself = known[found] == rows[:, None]
        nexts.append(np.where(itself, np.inf, apart).min(axis=1))
    return float(np.quantile(np.concatenate(nexts), USUAL))


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of length 1, zero rows as they are.

    >>> unit_rows(np.array([[0.0, 2.0], [0.0, 0.0]])).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _scattered(hashes: np.ndarray) -> np.ndarray:
    """Return hashes (m,) uint64 one to one, every bit depending on all bits.

    The finalizer of splitmix64: hashes that are sums of products have ordered upper bits.
    """
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _check(landmarks: np.ndarray, xy: np.ndarray, vectors: np.ndarray) -> None:
    if not len(landmarks):
        raise IlaError("There is no landmark; a map with at least one record is needed.")
    if np.shape(xy) != (len(landmarks), 2):
        raise IlaError(
            f"xy has shape {np.shape(xy)}; {len(landmarks):,} landmarks need ({len(landmarks)}, 2)."
        )
    if landmarks.shape[1] != vectors.shape[1]:
        raise IlaError(
            f"The vectors have {vectors.shape[1]:,} dimensions; those of the map have "
            f"{landmarks.shape[1]:,}."
        )


def _among(places: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return a place (m, 2) among each row's neighbours' (m, k, 2), the nearest first."""
    weights = np.maximum(apart, SAME) ** -2.0
    between = np.linalg.norm(places[:, :, None] - places[:, None], axis=3)
    central = (between * weights[:, None]).sum(axis=2).argmin(axis=1)
    reach = between[np.arange(len(places)), central]
    weights = np.where(reach <= np.median(reach, axis=1, keepdims=True), weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    same = apart[:, 0] <= SAME
    return np.where(same[:, None], places[:, 0], (places * weights[:, :, None]).sum(axis=1))


class _Nearest:
    """Finds `count` of the known landmarks for each of some vectors, the nearest first.

    Results are positions in `known` (m, count) and distances (m, count) float64, ties by position.
    """

    def __init__(
        self, landmarks: np.ndarray, known: np.ndarray, count: int, queries: int, seed: int
    ) -> None:
        self._landmarks, self._known, self._count = landmarks, known, count
        exact = len(known) <= EXACT_AMONG or len(known) * queries <= EXACT_PAIRS
        self._lengths = np.empty(len(landmarks))
        _lengths()(_plain(landmarks), self._lengths)
        self._index = None if exact else _indexed(self._part(0, None), count, seed)

    def __call__(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        vectors = np.ascontiguousarray(vectors)
        found = np.sort(self._candidates(unit_rows(vectors)), axis=1)
        rows = self._known[found]
        apart = np.empty(found.shape)
        lengths = np.empty(len(vectors))
        _lengths()(vectors, lengths)
        _distances()(_plain(self._landmarks), self._lengths, vectors, lengths, rows, apart)
        order = np.argsort(apart, axis=1, kind="stable")
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(apart, order, axis=1)

    def _candidates(self, unit: np.ndarray) -> np.ndarray:
        if self._index is None:
            return self._compared(unit)
        found = self._index(unit)
        lost = (found < 0).any(axis=1)  # of a vector without a direction it finds none
        if lost.any():
            found[lost] = self._compared(unit[lost])
        return found

    def _part(self, start: int, stop: int | None) -> np.ndarray:
        return unit_rows(self._landmarks[self._known[start:stop]])

    def _compared(self, unit: np.ndarray) -> np.ndarray:
        """Return candidates by comparing all landmarks, some at a time."""
        best, values = None, None
        for start in range(0, len(self._known), CHUNK):
            part = self._part(start, start + CHUNK)
            found, cosines = nearest(unit, part, min(self._count, len(part)))
            found = found.astype(np.int64) + start
            if best is None or values is None:
                best, values = found, cosines
                continue
            found = np.concatenate([best, found], axis=1)
            cosines = np.concatenate([values, cosines], axis=1)
            kept = np.argsort(-cosines, axis=1, kind="stable")[:, : self._count]
            best = np.take_along_axis(found, kept, axis=1)
            values = np.take_along_axis(cosines, kept, axis=1)
        assert best is not None
        return best


def _indexed(unit: np.ndarray, count: int, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return what finds candidates by an index, of each vector by itself.

    Vectors that are asked for together share the index's chance, so that one's answer would depend
    on those before it.
    """
    from pynndescent import NNDescent

    index = NNDescent(unit, metric="cosine", n_neighbors=15, random_state=seed, n_jobs=1)
    index.prepare()

    def find(vectors: np.ndarray) -> np.ndarray:
        found = [index.query(one[None], k=count)[0][0] for one in vectors]
        return np.array(found, np.int64).reshape(len(vectors), count)

    return find


def _plain(array: np.ndarray) -> np.ndarray:
    """Return an array that may be memory-mapped as what a kernel is compiled for."""
    return np.asarray(array).view(np.ndarray)


@cache
def _lengths() -> Callable[[np.ndarray, np.ndarray], None]:
    """Compile, once, the lengths of rows, summed in order."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def lengths(rows, out):  # type: ignore[no-untyped-def]
        for i in range(rows.shape[0]):
            total = 0.0
            for j in range(rows.shape[1]):
                total += np.float64(rows[i, j]) ** 2
            out[i] = max(np.sqrt(total), 1e-12)

    return lengths


@cache
def _distances() -> Callable[..., None]:
    """Compile, once, the cosine distances of rows of landmarks to vectors, summed in order."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def distances(landmarks, lengths, vectors, own, rows, out):  # type: ignore[no-untyped-def]
        for i in range(vectors.shape[0]):
            for c in range(rows.shape[1]):
                row = rows[i, c]
                apart = 0.0
                for j in range(vectors.shape[1]):
                    apart += (vectors[i, j] / own[i] - landmarks[row, j] / lengths[row]) ** 2
                out[i, c] = apart / 2

    return distances
