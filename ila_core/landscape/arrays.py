"""Arrays as a landscape keeps them: of one length, read-only, and told where they are not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape.grid import frozen


def as_places(xy: Any) -> np.ndarray:
    """Return places, (n, 2) float32; IlaError for a wrong shape or one that is not finite."""
    place = np.asarray(xy, dtype=np.float32)
    if place.ndim != 2 or place.shape[1] != 2:
        raise IlaError(f"xy has shape {place.shape}; it must be (records, 2).")
    if not len(place):
        raise IlaError("A landscape needs at least one record; xy is empty.")
    if not np.isfinite(place).all():
        finite = np.isfinite(place).all(axis=1)
        row = int(np.argmin(finite))
        raise IlaError(
            f"{np.count_nonzero(~finite):,} of {len(place):,} places are not finite, row {row} the "
            f"first: ({place[row, 0]}, {place[row, 1]}). Project these records anew."
        )
    return frozen(place)


def as_column(
    name: str, values: Any, n: int, *, missing: float = np.nan, dtype: Any = np.float32
) -> np.ndarray:
    """Return a column of n values, `missing` in all where there is none; IlaError for a shape."""
    if values is None:
        return frozen(np.full(n, missing, dtype=dtype))
    if np.shape(values) != (n,):
        raise IlaError(f"{name} has shape {np.shape(values)}; {n:,} records need ({n},).")
    return frozen(values, dtype)


def as_domains(
    domain: Any, names: Sequence[str] | None, n: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return every record's domain, (n,) int32, and the names; IlaError for one without a name."""
    if domain is None:
        return frozen(np.zeros(n, dtype=np.int32)), tuple(names or ("all",))
    number = as_column("domain", domain, n, dtype=np.int32)
    top = int(number.max())
    if names is None:
        names = [str(k) for k in range(top + 1)]
    if number.min() < 0 or top >= len(names):
        worst = int(number.min()) if number.min() < 0 else top
        raise IlaError(
            f"domain holds {worst}; with {len(names)} names it must be 0 to {len(names) - 1}."
        )
    return number, tuple(map(str, names))


def fingerprint_of(*arrays: np.ndarray) -> str:
    """Return 16 hex digits that tell these arrays from others."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def check_vectors(vectors: Any, n: int) -> None:
    """Raise IlaError where vectors are there, but not one of each of n records."""
    if vectors is not None and (np.ndim(vectors) != 2 or len(vectors) != n):
        raise IlaError(
            f"vectors have shape {np.shape(vectors)}; {n} records need ({n}, dimensions)."
        )
