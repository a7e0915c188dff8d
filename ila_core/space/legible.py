"""What an encoder could make of a pool: how much of it it read, and whether it tells it apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import compress

import numpy as np

from ila_core.chance import stream
from ila_core.space.encoders import Encoder, Legible

SAMPLE = 2_000
UNREAD = 0.3
"""A text of which more of the pieces are unknown counts as not read."""


@dataclass(frozen=True)
class Legibility:
    """How a pool looks to an encoder; None for what cannot be said of this one."""

    long: int | None
    """Texts of which only the head and the tail were read."""
    characters: int | None
    """How much of a long text was read."""
    unread: float | None
    """Share of 2,000 texts of which more than three pieces in ten are unknown."""
    likeness: float | None
    """Mean cosine of 2,000 pairs of different texts: where it is near 1, all texts look alike."""


def legibility(
    texts: Callable[[], Iterable[str]], vectors: np.ndarray, encoder: Encoder | None = None
) -> Legibility:
    """Return what an encoder made of the n texts, whose unit vectors (n, d) are given.

    `texts` gives them in order. Without an encoder, for vectors that came from elsewhere, only the
    likeness is known. Texts and pairs are drawn by a seed of their own.
    """
    n = len(vectors)
    rows = stream(0, "legibility").permutation(n)[:SAMPLE]
    drawn = np.zeros(n, bool)
    drawn[rows] = True
    known = encoder if isinstance(encoder, Legible) else None
    characters = known.characters if known else None
    lengths: list[int] = []
    measured = _measuring(texts(), lengths)
    sample = dict(zip(np.sort(rows).tolist(), compress(measured, drawn), strict=True))
    unread = None
    if known and sample:
        unread = float(np.mean(known.unknown_share(list(sample.values())) > UNREAD))
    return Legibility(
        long=int((np.array(lengths) > characters).sum()) if characters else None,
        characters=characters,
        unread=unread,
        likeness=_likeness(rows, sample, vectors),
    )


def _measuring(texts: Iterable[str], lengths: list[int]) -> Iterable[str]:
    for text in texts:
        lengths.append(len(text))
        yield text


def _likeness(rows: np.ndarray, sample: dict[int, str], vectors: np.ndarray) -> float | None:
    """Return the mean cosine of neighbours in a ring of the rows; equal texts are passed over."""
    ring = np.column_stack([rows, np.roll(rows, 1)]).tolist()
    pairs = [(a, b) for a, b in ring if sample[a] != sample[b]]
    if not pairs:
        return None
    a, b = np.array(pairs).T
    return float(np.einsum("ij,ij->i", vectors[a], vectors[b], dtype=np.float64).mean())
