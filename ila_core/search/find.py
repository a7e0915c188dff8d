"""Records that hold words, that mean alike, or that are like one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.progress import Progress, no_progress
from ila_core.search import index
from ila_core.search.query import Query
from ila_core.space.encode import unit
from ila_core.space.encoders import Encoder, load_encoder, load_speller

BLOCK = 1 << 16
"""Vectors read from the disk at a time: 134 MB of 512 dimensions."""
LIKE_ITSELF = 0.98
"""Cosine that a record's own instruction must reach with its vector: batches and devices move it by
less than a thousandth, another encoder or another version of it by far more."""
PROBES = 8


@dataclass(frozen=True, eq=False)
class Hits:
    """Records that were found."""

    rows: np.ndarray
    """(k,) int64, the best first."""
    score: np.ndarray | None = None
    """(k,) float32, the cosine, of a search by meaning."""

    def __len__(self) -> int:
        return len(self.rows)


def by_words(landscape: Landscape, text: str, progress: Progress = no_progress) -> Hits:
    """Return all records in which the words occur, in any of their turns.

    Words must all occur; "words in quotation marks" follow each other; `word*` need only begin so;
    `-word` must not occur. Letter case and accents make no difference; in Chinese, Japanese, Korean
    and Thai any run of characters is found. The first search of a landscape makes its index, about
    0.1 ms a record; `progress` counts them.

    UsageError for a query that makes no sense, IlaError for a landscape without texts.
    """
    query = Query.parse(text)
    return Hits(_found(landscape, str(index.made(landscape, progress)), query))


@remembered(most=4, of_map=True)
def _found(landscape: Landscape, path: str, query: Query) -> np.ndarray:
    from pathlib import Path

    return frozen(index.matches(Path(path), query))


def by_meaning(landscape: Landscape, text: str, count: int = 20) -> Hits:
    """Return the `count` records whose instructions are nearest to a text, by cosine.

    The text is read by the encoder that made the landscape's vectors. UsageError where there are
    none, or where that encoder is not at hand.

    >>> from ila_core.paths import SAMPLE
    >>> import ila_core
    >>> pool = ila_core.open(SAMPLE / "landscape")
    >>> by_meaning(pool, "sorting a list in Python", 1).rows.shape
    (1,)
    """
    if not any(sign.isalnum() for sign in text):
        raise UsageError(f"{text!r} says nothing; describe in a few words what records are about.")
    encoder = encoder_of(landscape)
    vector = unit(np.asarray(encoder.encode([text]), dtype=np.float32))[0]
    if not vector.any():
        raise UsageError(
            f"The encoder {encoder.name!r} knows nothing of {text!r}; try other words."
        )
    return nearest(landscape, vector, count)


def similar(landscape: Landscape, row: int, count: int = 20) -> Hits:
    """Return the `count` records nearest to one of them, itself left out, by cosine.

    UsageError where the landscape has no vectors or no such row.
    """
    vectors = _vectors(landscape)
    if not 0 <= row < len(landscape):
        raise UsageError(f"Row {row} does not exist; rows go from 0 to {len(landscape) - 1}.")
    found = nearest(landscape, np.array(vectors[row]), count + 1)
    others = found.rows != row
    if others.all():  # its duplicates fill the list
        others[-1] = False
    return Hits(found.rows[others], None if found.score is None else found.score[others])


def nearest(landscape: Landscape, vector: np.ndarray, count: int) -> Hits:
    """Return the `count` records of the largest cosine with a unit vector (d,), ties by row."""
    vectors = _vectors(landscape)
    if vector.shape != vectors.shape[1:]:
        raise UsageError(
            f"A vector of {len(vector)} dimensions has no place among those of this landscape, "
            f"which have {vectors.shape[1]}."
        )
    cosine = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        cosine[start : start + BLOCK] = vectors[start : start + BLOCK] @ vector
    count = min(max(count, 0), len(cosine))
    best = np.argpartition(-cosine, count - 1)[:count] if count else np.zeros(0, np.int64)
    best = best[np.lexsort((best, -cosine[best]))]
    return Hits(frozen(best, np.int64), frozen(cosine[best]))


def encoder_of(landscape: Landscape) -> Encoder:
    """Return the encoder that made a landscape's vectors, or one that gives the very same.

    Kept with the landscape. `lexical` is learned from the pool again, in some ten seconds.
    UsageError where the vectors came from a file, and where the encoder gives others now.
    """
    _vectors(landscape)
    return _encoder(landscape)


@remembered(most=1, of_map=True)
def _encoder(landscape: Landscape) -> Encoder:
    settings = landscape.manifest.get("settings", {})
    records = landscape.records
    instead = "search for words, or for records that are like one of them"
    if given := settings.get("embeddings"):
        raise UsageError(
            f"The vectors of this landscape came from a file ({given}), and nothing here can put a "
            f"question among them; {instead}."
        )
    if records is None or not settings.get("encoder"):
        raise UsageError(f"It is not known what made the vectors of this landscape; {instead}.")
    name = str(settings["encoder"])
    if name == "lexical":
        from ila_core.space.lexical import learn

        speller = load_speller()
        encoder: Encoder = learn(records.instructions, len(records), speller, seed=settings["seed"])
    else:
        encoder = _loaded(name)
    if not _is_that_of(encoder, landscape):
        raise UsageError(
            f"The encoder {name!r} gives other vectors now than when this landscape was built; "
            f"build it again, or {instead}."
        )
    return encoder


@lru_cache(maxsize=2)
def _loaded(name: str) -> Encoder:
    return load_encoder(name)


def _is_that_of(encoder: Encoder, landscape: Landscape) -> bool:
    """Tell whether an encoder gives records the vectors that they have."""
    n = len(landscape)
    rows = np.unique(np.linspace(0, n - 1, min(n, PROBES)).astype(np.int64))
    assert landscape.records is not None
    texts = [record.instruction for record in landscape.records.take(rows)]
    vectors = unit(np.asarray(encoder.encode(texts), dtype=np.float32))
    known = vectors.any(axis=1)  # those of which it knows nothing have the pool's mean
    own = np.asarray(landscape.vectors[rows])  # type: ignore[index]
    if vectors.shape != own.shape:
        return False
    return bool(((vectors * own).sum(axis=1)[known] >= LIKE_ITSELF).all())


def _vectors(landscape: Landscape) -> Any:
    if landscape.vectors is None:
        raise UsageError("This landscape has no vectors; search for words instead.")
    return landscape.vectors
