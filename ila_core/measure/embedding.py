"""How near a selection comes to the pool, and how diverse it is, in the embedding space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape

POOL_SAMPLE = 10_000
"""Pool records whose distance to the selection is measured, in larger pools."""
NEIGHBOUR_SAMPLE = 20_000
"""Pool records among which NovelSum looks for neighbours, in larger pools."""
BLOCK = (2048, 4096)
"""Rows and columns of a table of products: large enough for the matrix library, 34 MB."""
SORTED_ROWS = 256
"""Rows of a table that is sorted in place."""


@dataclass(frozen=True)
class Distances:
    """Cosine distance from pool records to the nearest chosen one."""

    mean: float
    p95: float
    measured: int
    """Pool records measured: all, or a seeded sample."""


def embedding_distance(
    landscape: Landscape, rows: np.ndarray, *, sample: int = POOL_SAMPLE, seed: int = 0
) -> Distances:
    """Return how far pool records lie from the nearest chosen one, in the embedding space.

    Chosen records have distance 0. Above `sample` records a seeded sample of the pool is measured.
    IlaError without vectors or without rows.

    >>> pool = Landscape.from_arrays([[0, 0], [1, 1]], vectors=[[1.0, 0.0], [0.0, 1.0]])
    >>> embedding_distance(pool, np.array([0])).mean
    0.5
    """
    vectors = _vectors(landscape)
    if not len(rows):
        raise IlaError(
            "The distance to the nearest chosen record needs at least one chosen record."
        )
    n = len(landscape)
    measured = np.arange(n)
    if n > sample:
        measured = np.sort(stream(seed, "distance sample").choice(n, sample, replace=False))
    away = np.zeros(len(measured), dtype=np.float32)
    left = np.flatnonzero(~np.isin(measured, rows))
    chosen = vectors[np.sort(rows)]
    for part, block in _blocks(vectors, measured[left], BLOCK[0]):
        away[left[part]] = 1 - _largest_product(block, chosen)
    away = away.clip(0, 2)
    mean, p95 = float(away.mean(dtype=np.float64)), float(np.percentile(away, 95))
    return Distances(mean, p95, len(measured))


def _largest_product(block: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return each row's largest dot product with any other; no larger table than a block's."""
    best = np.full(len(block), -np.inf, dtype=np.float32)
    for start in range(0, len(others), BLOCK[1]):
        products = block @ others[start : start + BLOCK[1]].T
        np.maximum(best, products.max(axis=1), out=best)
    return best


def novelsum(
    landscape: Landscape,
    rows: np.ndarray,
    *,
    neighbours: int = 10,
    sample: int = NEIGHBOUR_SAMPLE,
    seed: int = 0,
) -> float:
    """Return NovelSum (arXiv 2502.17184) of chosen rows: the larger, the more diverse.

    The mean over chosen rows of their density times the 1/rank-weighted mean of their cosine
    distances to all chosen rows, nearest (the row itself) first. The density is the mean squared
    Euclidean distance to the 10 nearest other distinct records of the pool, plus 1e-9, to the
    power -0.5, as in the authors' program. Neighbours are looked for in a seeded sample of pools
    above `sample` records, and the mean runs over 2,000 seeded rows of selections above it.
    """
    vectors = _vectors(landscape)
    rng = stream(seed, "neighbour sample")
    n, chosen = len(landscape), np.sort(rows)
    if not len(chosen):
        raise IlaError("NovelSum needs at least one chosen record.")
    among = np.arange(n) if n <= sample else np.sort(rng.choice(n, sample, replace=False))
    over = chosen
    if len(chosen) > sample:
        over = np.sort(rng.choice(chosen, min(2_000, len(chosen)), replace=False))
    pool, others = _distinct(vectors[among]), vectors[chosen]
    weight = 1 / np.arange(1, len(chosen) + 1)
    weight = (weight / weight.sum()).astype(np.float32)
    total = 0.0
    for _, block in _blocks(vectors, over, SORTED_ROWS):
        away = block @ others.T
        np.subtract(1, away, out=away)
        away.clip(0, 2, out=away).sort(axis=1)
        total += float((away @ weight) @ _density(block, pool, neighbours))
    return total / len(over)


def _density(block: np.ndarray, pool: np.ndarray, neighbours: int) -> np.ndarray:
    """Return (mean squared distance to the nearest other pool vectors + 1e-9) ** -0.5."""
    count = min(neighbours + 1, len(pool))
    product = block @ pool.T
    product.partition(len(pool) - count, axis=1)
    largest = np.sort(product[:, len(pool) - count :].astype(np.float64), axis=1)[:, ::-1]
    nearest = (2 - 2 * largest).clip(0, 4)
    itself = nearest[:, 0] < 1e-6  # absent where the pool is a sample without this record
    first = np.where(itself[:, None], nearest[:, 1:], nearest[:, : count - 1])
    mean = first.mean(axis=1) if count > 1 else np.zeros(len(block))
    return (mean + 1e-9) ** -0.5


def _distinct(vectors: np.ndarray) -> np.ndarray:
    """Return each different row once."""
    packed = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.shape[1] * 4)))
    _, first = np.unique(packed.reshape(-1), return_index=True)
    return vectors[np.sort(first)]


def _vectors(landscape: Landscape) -> np.ndarray:
    if landscape.vectors is None:
        raise IlaError("This landscape has no vectors; distances in the embedding space need them.")
    return np.asarray(landscape.vectors, dtype=np.float32)


def _blocks(vectors: np.ndarray, rows: np.ndarray, size: int) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        yield part, vectors[rows[part]]
