"""The methods that need no similarities: chance, shares, and single scores.

Every function takes the landscape, the number of records wanted and a seed, and returns row
numbers in pick order; fewer than wanted where the method runs dry.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.landscape.grid import frozen

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


def random(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return rows drawn uniformly without replacement. A bigger count extends a smaller one."""
    return shuffled(len(landscape), seed)[:count].astype(np.int64)


@lru_cache(maxsize=8)
def shuffled(n: int, seed: int) -> np.ndarray:
    """Return the rows of a pool of n in an order of chance, (n,) int32.

    It is kept, for another budget starts alike: 4 MB of a million records, for each of the seeds
    that chance is measured with.
    """
    from ila_core.methods.shuffling import permutation

    return frozen(permutation(stream(seed, "random"), n))


def balanced(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return as many random rows of every domain; what a small domain leaves goes to the others."""
    order = stream(seed, "balanced").permutation(len(landscape))
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = _position_in_group(landscape.domain[order])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return np.lexsort((rank, turn))[:count]


def loss_top(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return the rows of highest loss per token, highest first, ties by row."""
    del seed
    return _descending(landscape.loss)[:count]


def loss_mid(landscape: Landscape, count: int, seed: int, *, start: float = 0.33) -> np.ndarray:
    """Return the rows after the first `start` x (records of the pool) by descending loss."""
    del seed
    if not 0 <= start < 1:
        raise UsageError(f"Parameter start of loss-mid is {start}; give a share from 0 up to 1.")
    order = _descending(landscape.loss)
    first = int(start * len(landscape))
    return order[first : first + count]


def longest(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return the rows with most response tokens, longest first, ties by row."""
    del seed
    return _descending(landscape.tokens)[:count]


def depth_only(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return the rows of highest relative depth wherever they lie: one half of ILA."""
    del seed
    return landscape.order[: min(count, landscape.scored)]


def ifd(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    """Return the rows of highest IFD below 1, highest first (Cherry_LLM, arXiv 2308.12032).

    IFD is l(y | x) / l(y), a ratio of *losses* in nats per token. (Superfiltering's ratio is one of
    perplexities, exp(l(y | x)) / exp(l(y)), which orders records otherwise.) A ratio of 1 or more
    says that the instruction does not help the response: such rows are dropped.
    """
    del seed
    alone = landscape.scores["unconditional_loss"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = landscape.loss.astype(np.float64) / np.asarray(alone, np.float64)
    ratio[~(ratio < 1)] = np.nan
    return _descending(ratio)[:count]


def _descending(values: np.ndarray) -> np.ndarray:
    """Return the rows with a value, highest first, ties by row; NaN rows are left out."""
    rows = np.flatnonzero(np.isfinite(values))
    return rows[np.argsort(-np.asarray(values, np.float64)[rows], kind="stable")]


def _position_in_group(groups: np.ndarray) -> np.ndarray:
    """Return for every entry how many of its group came before it."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    position = np.empty(len(groups), dtype=np.int64)
    position[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return position
