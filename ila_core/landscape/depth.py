"""Information depth: how much a response holds that the model did not expect, or could learn.

    depth          D = loss reduction (or loss) per token x number of skills
    relative depth R = mid-rank of D among the records of its domain, a share between 0 and 1

A record whose loss is not known has a missing depth, NaN, and never a made-up one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ila_core.landscape.sorting import by_number
from ila_core.pool.labels import Labels, distinct

SMALLEST_DOMAIN = 5
"""Scored records below which a domain's ranks mean nothing: it ranks in the whole pool."""


def count_skills(labels: Sequence[Labels], *, unlabelled: float = 1.0) -> np.ndarray:
    """S of every record, (n,) float32: its distinct labels, at least 1.

    A record whose labels are None counts `unlabelled`: 1 where the user's own column is silent,
    NaN (a missing depth) where a server was asked and failed to answer, since any number there
    would be made up.

    >>> count_skills([("sql", "SQL", "joins"), (), None])
    array([2., 1., 1.], dtype=float32)
    """
    counts = (unlabelled if some is None else max(1, len(distinct(some))) for some in labels)
    return np.fromiter(counts, dtype=np.float32, count=len(labels))


def depth(loss: np.ndarray, skills: np.ndarray | float = 1.0) -> np.ndarray:
    """Return loss x skills, of shape (n,), float32, NaN where the loss is not finite.

    `loss` is in nats per token, `skills` counts a record's distinct labels, at least 1.

    >>> depth(np.array([1.5, 2.0, np.nan]), np.array([2, 1, 3])).tolist()
    [3.0, 2.0, nan]
    """
    loss = np.asarray(loss, dtype=np.float32)
    known = np.where(np.isfinite(loss), loss, np.float32(np.nan))
    return (known * np.maximum(skills, 1)).astype(np.float32)


def loss_reduction(
    base_loss: np.ndarray, tuned_loss: np.ndarray, skills: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return what tuning took off the loss x skills, of shape (n,), float32.

    Both losses are in nats per token of the same tokens. Negative where tuning made a response
    less likely; NaN where either loss is not finite.

    >>> loss_reduction(np.array([3.0, 1.0]), np.array([1.0, 1.5]), np.array([2, 1])).tolist()
    [4.0, -0.5]
    """
    base = np.asarray(base_loss, dtype=np.float64)
    tuned = np.asarray(tuned_loss, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return depth(base - tuned, skills)


def relative_depth(depth: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """Return each record's mid-rank among the scored records of its domain, (n,) float32.

    R = (number of smaller depths + half the number of equal ones, itself included) / m. A domain
    with fewer than 5 scored records takes its ranks in the whole pool. NaN where depth is NaN.

    >>> relative_depth(np.array([3.0, 1.0, 2.0, 2.0, np.nan]), np.zeros(5, int)).tolist()
    [0.875, 0.125, 0.5, 0.5, nan]
    """
    from ila_core.landscape.points_compiled import mid_ranks

    depth, domain = np.asarray(depth), np.asarray(domain)
    if len(domain) and domain.min() >= 0 and domain.max() < 2**16:
        domain = domain.astype(np.uint16)  # 16 bits are sorted by radix, several times faster
    relative = np.full(len(depth), np.nan, dtype=np.float32)
    scored = np.flatnonzero(~np.isnan(depth))
    if depth.dtype == np.float32:
        by_depth = by_number(depth)[: len(scored)]  # those without one come last
    else:
        by_depth = scored[np.argsort(depth[scored], kind="stable")]
    by_domain = by_depth[np.argsort(domain[by_depth], kind="stable")]
    members = domain[by_domain]
    starts = _starts(members[1:] != members[:-1])
    sizes = np.diff(starts, append=len(members))
    relative[by_domain] = mid_ranks(depth[by_domain], starts)
    small = np.repeat(sizes < SMALLEST_DOMAIN, sizes)
    if small.any():
        in_pool = np.empty(len(depth), dtype=np.float64)
        in_pool[by_depth] = mid_ranks(depth[by_depth], np.zeros(1, dtype=np.int64))
        relative[by_domain[small]] = in_pool[by_domain[small]]
    return relative


def _starts(differs: np.ndarray) -> np.ndarray:
    """Return where runs begin, given for each element but the first whether it begins one."""
    return np.concatenate([[0], np.flatnonzero(differs) + 1]).astype(np.int64)
