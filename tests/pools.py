"""Landscapes of chance that several test modules measure."""

from __future__ import annotations

import numpy as np

from ila_core.landscape.landscape import Landscape

NAN = float("nan")


def pool_of(n, *, seed=0, dimensions=8, missing=0.1):
    rng = np.random.default_rng(seed)
    depth = rng.random(n).astype(np.float32)
    depth[rng.random(n) < missing] = NAN
    vectors = rng.normal(size=(n, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Landscape.from_arrays(
        rng.normal(size=(n, 2)),
        relative_depth=depth,
        depth=depth,
        tokens=rng.integers(1, 50, n),
        domain=rng.integers(0, 4, n),
        vectors=vectors,
    )
