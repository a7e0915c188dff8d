"""Chance: the only place that makes our generators, one named stream for each purpose.

Two purposes that shared a seed would share their draws: the records that are held out would be
those that are balanced, a random selection would lie in one half of the cross-fitting. So a stream
is named by what it is drawn for, and streams of different names are independent by construction.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

import numpy as np

Purpose = Literal[
    "random",  # the method, and the baseline that numbers are held against
    "balanced",
    "coverage-only",
    "even-random",
    "k-center start",
    "k-means clusters",
    "semdedup clusters",
    "dev split",
    "regression subset",
    "regression folds",
    "bootstrap",
    "n-gram halves",
    "n-gram before",
    "n-gram sample",
    "n-gram tokenizer",
    "lm probe",
    "record length",
    "lm sample",
    "lm precision check",
    "tuned part",
    "tuning order",
    "projection start",
    "landmarks",
    "usual distance",
    "lexical sample",
    "lexical axes",
    "legibility",
    "hash factors",
    "distance sample",
    "neighbour sample",
    "validation split",
    "neighbour search",
    "window sample",
]
"""What chance is used for. A new purpose is a new name here."""

_PURPOSES = frozenset(get_args(Purpose))


def stream(seed: int, purpose: Purpose, *more: int) -> np.random.Generator:
    """Return the generator of a purpose at a seed; `more` numbers tell its repetitions apart.

    The same arguments give the same draws on every machine (PCG64, seeded through NumPy's
    SeedSequence by the SHA-256 of the purpose). ValueError for a purpose that is not known.

    >>> bool(stream(0, "random").random() == stream(0, "random").random())
    True
    >>> bool(stream(0, "random").random() == stream(0, "balanced").random())
    False
    """
    if purpose not in _PURPOSES:
        raise ValueError(f"Unknown purpose {purpose!r}; add it to chance.Purpose.")
    digest = hashlib.sha256(purpose.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.default_rng(np.random.SeedSequence([seed, *words, *more]))


def library_seed(seed: int, purpose: Purpose) -> int:
    """Return the first whole number of a stream, below 2^32: the seed of a library's own generator.

    >>> library_seed(0, "k-means clusters") == library_seed(0, "semdedup clusters")
    False
    """
    return int(stream(seed, purpose).integers(2**32))
