"""Domains: the parts of a pool within which depths are ranked, and their names."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np

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
    vectors: np.ndarray, texts: Callable[[], Iterable[str]], *, seed: int = 0
) -> Domains:
    """Return domains as k-means clusters of unit vectors (n, d), named by their telling words.

    k = min(number of distinct vectors, clip(round(sqrt(n / 2)), 8, 256)); mini-batch above 20,000
    records. `texts` gives the n texts in order; some of each domain are read for the names.
    Ordered by size, ties by first row.

    >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    >>> domains = domains_by_kmeans(vectors, lambda: ["a poem", "a poem", "my code"])
    >>> domains.names, domains.domain.tolist()
    (('poem', 'code'), [0, 0, 1])
    """
    n = len(vectors)
    if n == 0:
        return Domains(np.zeros(0, np.int32), ())
    k = _distinct_up_to(vectors, int(np.clip(round(np.sqrt(n / 2)), 8, 256)))
    order, domain = _by_size(_kmeans(vectors, k, seed), k)
    return Domains(domain, name_domains(domain, len(order), texts()))


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


def _kmeans(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return the cluster of each row, (n,). One thread, so that sums have one order."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    if k == 1:
        return np.zeros(len(vectors), dtype=np.int32)
    model: KMeans | MiniBatchKMeans
    if len(vectors) > 20_000:
        model = MiniBatchKMeans(k, batch_size=4096, n_init=1, random_state=seed)
    else:
        model = KMeans(k, n_init=1, random_state=seed)
    with threadpool_limits(limits=1):
        return model.fit(vectors).labels_


# -- names ----------------------------------------------------------------------------------------

WORDS_IN_NAME = 3
READ_PER_DOMAIN = 100
READ_CHARACTERS = 2000
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]{1,2}"  # Chinese and Japanese put no spaces: two signs at a time
    r"|[^\W\d_\u3040-\u30ff\u3400-\u9fff][^\W\u3040-\u30ff\u3400-\u9fff]{1,23}"
)


def name_domains(domain: np.ndarray, count: int, texts: Iterable[str]) -> tuple[str, ...]:
    """Return `count` different names: the words that tell each domain from the others.

    A word's weight is p log(p / q), p the share of the domain's texts that hold it, q the mean of
    these shares over all domains: words that are everywhere, in any language, weigh nothing.
    English function words, which tell how a question is put and not what it is about, name a
    domain only where it has no other word. The first 100 texts of each domain are read, 2,000
    characters of each.
    """
    words = _words_by_domain(domain, count, texts)
    anywhere: Counter[str] = Counter()
    for shares in words:
        anywhere.update(shares)
    names: dict[str, None] = {}
    for number, shares in enumerate(words):
        telling = _telling(shares, anywhere, count)
        names[_unused_name(telling, names, number)] = None
    return tuple(names)


def _words_by_domain(
    domain: np.ndarray, count: int, texts: Iterable[str]
) -> list[dict[str, float]]:
    """Return for each domain the share of its texts that hold a word, by word."""
    held: list[Counter[str]] = [Counter() for _ in range(count)]
    read = [0] * count
    for text, number in zip(texts, domain.tolist(), strict=False):
        if read[number] < READ_PER_DOMAIN:
            read[number] += 1
            held[number].update(set(_WORD.findall(text[:READ_CHARACTERS].lower())))
    # A word of a single text out of many tells nothing, and most words are such.
    return [
        {word: times / total for word, times in words.items() if times > 1 or total < 20}
        for words, total in zip(held, read, strict=True)
    ]


def _telling(shares: dict[str, float], anywhere: Counter[str], count: int) -> list[str]:
    """Return a domain's words that are rarer elsewhere, the most telling first, else by share."""
    weights = {
        word: share * math.log(share * count / anywhere[word]) for word, share in shares.items()
    }
    if max(weights.values(), default=0) < 1e-9:
        weights = shares
    telling = [word for word, weight in weights.items() if weight >= 1e-9]
    content = [word for word in telling if word not in _function_words()]
    return sorted(content or telling, key=lambda word: (-weights[word], word))


@cache
def _function_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return ENGLISH_STOP_WORDS | {"did", "does", "don", "doesn", "isn", "just", "like", "ll", "ve"}


def _unused_name(telling: Sequence[str], used: Iterable[str], number: int) -> str:
    """Return the first words that make a name not yet used, else the domain's number with them."""
    chosen: list[str] = []
    for word in islice(telling, 12):
        if any(word in other or other in word for other in chosen):
            continue
        chosen.append(word)
        name = " · ".join(chosen)
        if len(chosen) >= WORDS_IN_NAME and name not in used:
            return name
    name = " · ".join(chosen[:WORDS_IN_NAME])
    return name if name and name not in used else f"{name} ({number})".strip()
