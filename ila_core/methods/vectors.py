"""What the methods that compare embeddings share: the vectors, blocks of rows, clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

DENSE_ROWS = 20_000
"""Up to here an N x N matrix of similarities may be made; above, never."""

MINI_BATCH_ROWS = 50_000
"""Above this many rows k-means works on mini-batches."""


def unit_vectors(landscape: Landscape) -> np.ndarray:
    """Return the embeddings, shape (n, d) float32."""
    return np.asarray(landscape.vectors, dtype=np.float32)


def blocks(n: int, size: int = 1024) -> Iterator[slice]:
    """Yield the slices that cut n rows into blocks."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def clusters(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return every row's cluster, shape (n,), 0 to k - 1; some clusters may stay empty.

    Lloyd's algorithm up to 50,000 rows, mini-batches above. The centres start at random rows:
    k-means++ costs k^2 similarities, more than all the rest where k is a budget.
    """
    import warnings

    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    k = min(k, len(vectors))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # duplicates leave clusters empty
        if len(vectors) <= MINI_BATCH_ROWS:
            model = KMeans(k, init="random", n_init=1, max_iter=20, random_state=seed)
        else:
            model = MiniBatchKMeans(
                k,
                init="random",
                n_init=1,
                batch_size=8192,
                max_iter=5,
                reassignment_ratio=0.0,
                random_state=seed,
            )
        return model.fit_predict(vectors)
