"""Domains: the parts of a pool within which depths are ranked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ila_core.blocks import MappedRows, Rows, Spread, here, row_blocks
from ila_core.space.names import name_domains

if TYPE_CHECKING:
    from sklearn.cluster import MiniBatchKMeans

LARGE = 20_000
"""Records above which the means are found in mini-batches."""
ASSIGNED = 1 << 15
"""Vectors that are given their domain together; scikit-learn multiplies 256 at a time, so that a
multiple of these makes the same sums as all at once."""
NO_VALUE = "(none)"
"""Name of the domain of records that have no value in the domain column."""


@dataclass(frozen=True, eq=False)
class Domains:
    """Every record's domain number, and the domains' names, the largest domain first."""

    domain: np.ndarray
    """(n,) int32, positions in `names`."""
    names: tuple[str, ...]


def domains_from_values(values: Sequence[object]) -> Domains:
    """Return one domain for each distinct value of a column, named by it.

    Missing values (None, NaN, blank text, an empty list) make the domain "(none)"; numbers and
    lists are named as JSON writes them. Ordered by size, ties by first occurrence.

    >>> domains = domains_from_values(["code", "math", None, "code"])
    >>> domains.names, domains.domain.tolist()
    (('code', 'math', '(none)'), [0, 1, 2, 0])
    """
    seen: dict[str, int] = {}
    codes = np.fromiter((seen.setdefault(_value_name(v), len(seen)) for v in values), np.int64)
    order, domain = _by_size(codes, len(seen))
    names = list(seen)
    return Domains(domain, tuple(names[code] for code in order))


def _value_name(value: object) -> str:
    if value is None or value != value or value == []:
        return NO_VALUE
    if isinstance(value, str):
        return " ".join(value.split()) or NO_VALUE
    if isinstance(value, (list, tuple)) and all(isinstance(entry, str) for entry in value):
        return ", ".join(value) or NO_VALUE
    return json.dumps(value, ensure_ascii=False, default=str)


def domains_by_kmeans(
    vectors: np.ndarray,
    texts: Callable[[], Iterable[str]],
    *,
    seed: int = 0,
    spread: Spread | None = None,
) -> Domains:
    """Return domains as k-means clusters of unit vectors (n, d), named by their telling words.

    k = min(number of distinct vectors, clip(round(sqrt(n / 2)), 8, 256)); mini-batch above 20,000
    records. `texts` gives the n texts in order; some of each domain are read for the names.
    Ordered by size, ties by first row. A `spread` gives blocks of a large pool's vectors their
    cluster elsewhere.

    >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    >>> domains = domains_by_kmeans(vectors, lambda: ["a poem", "a poem", "my code"])
    >>> domains.names, domains.domain.tolist()
    (('poem', 'code'), [0, 0, 1])
    """
    n = len(vectors)
    if n == 0:
        return Domains(np.zeros(0, np.int32), ())
    k = _distinct_up_to(vectors, int(np.clip(round(np.sqrt(n / 2)), 8, 256)))
    order, domain = _by_size(_kmeans(vectors, k, seed, spread or here), k)
    return Domains(domain, name_domains(domain, len(order), texts()))


def nearest_domains(
    known: np.ndarray, domain: np.ndarray, vectors: np.ndarray, chunk: int = 16_384
) -> np.ndarray:
    """Return for each vector (m, d) the domain whose mean of known vectors (n, d) is nearest.

    `domain` (n,) numbers the known ones'. The distance is k-means' own, Euclid's to the mean, ties
    by number: so a domain takes what it would have taken, and none is moved. (m,) int32.

    >>> known = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    >>> nearest_domains(known, np.array([0, 0, 1]), np.array([[0.7, 0.7], [0.1, 1.0]])).tolist()
    [0, 1]
    """
    count = int(domain.max()) + 1
    means = np.zeros((count, known.shape[1]))
    for start in range(0, len(known), chunk):
        part = np.asarray(known[start : start + chunk], np.float64)
        np.add.at(means, domain[start : start + chunk], part)
    sizes = np.bincount(domain, minlength=count)
    means /= np.maximum(sizes, 1)[:, None]
    lengths = np.where(sizes > 0, (means**2).sum(axis=1), np.inf)
    found = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), chunk):
        part = np.asarray(vectors[start : start + chunk], np.float64)
        found[start : start + chunk] = (lengths - 2 * part @ means.T).argmin(axis=1)
    return found


def domains_joined(first: Domains, second: Domains) -> Domains:
    """Return the domains of two pools as one after the other: those of one name are one.

    The first's keep their numbers; names that the second alone has come behind them.

    >>> both = domains_joined(
    ...     Domains(np.array([0, 1]), ("code", "math")), Domains(np.array([0, 1]), ("art", "code")))
    >>> both.names, both.domain.tolist()
    (('code', 'math', 'art'), [0, 1, 2, 0])
    """
    numbers = {name: number for number, name in enumerate(first.names)}
    for name in second.names:
        numbers.setdefault(name, len(numbers))
    renumbered = np.array([numbers[name] for name in second.names], np.int32)
    later = renumbered[second.domain] if len(second.names) else second.domain
    return Domains(np.concatenate([first.domain, later]).astype(np.int32), tuple(numbers))


def _by_size(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the non-empty codes by size, ties by first row, and the codes renumbered so."""
    sizes = np.bincount(codes, minlength=count)
    first = np.full(count, len(codes), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    order = np.lexsort((first, -sizes))[: int((sizes > 0).sum())]
    number = np.zeros(count, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return order, number[codes]


def _distinct_up_to(vectors: np.ndarray, limit: int) -> int:
    """Return the number of distinct rows, or `limit` as soon as there are so many."""
    seen: set[bytes] = set()
    for row in vectors:
        seen.add(row.tobytes())
        if len(seen) == limit:
            break
    return len(seen)


def _kmeans(vectors: np.ndarray, k: int, seed: int, spread: Spread) -> np.ndarray:
    """Return the cluster of each row, (n,). One thread, so that sums have one order."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    if k == 1:
        return np.zeros(len(vectors), dtype=np.int32)
    with threadpool_limits(limits=1):
        if len(vectors) <= LARGE:
            return KMeans(k, n_init=1, random_state=seed).fit(vectors).labels_
        model = MiniBatchKMeans(
            k, batch_size=4096, n_init=1, random_state=seed, compute_labels=False
        ).fit(vectors)
    blocks = row_blocks(len(vectors), ASSIGNED)
    return np.concatenate(list(spread(_Assigning(model, MappedRows.of(vectors)), blocks)))


@dataclass(frozen=True, eq=False)
class _Assigning:
    """What a worker that gives vectors their cluster has to know."""

    model: MiniBatchKMeans
    vectors: MappedRows

    def __call__(self) -> Callable[[Rows], np.ndarray]:
        return self._assigned

    def _assigned(self, rows: Rows) -> np.ndarray:
        from threadpoolctl import threadpool_limits

        first, end = rows
        with threadpool_limits(limits=1):
            return self.model.predict(self.vectors.array[first:end])
