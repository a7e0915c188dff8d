"""Losses that need no model: a column of the pool's own, or none at all.

Both count the response tokens all the same, because budgets are in tokens too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ila_core.blocks import Spread
from ila_core.errors import UsageError
from ila_core.loss.ngram.score import count_tokens
from ila_core.loss.result import LossResult
from ila_core.loss.turns import Conversations
from ila_core.progress import Progress, no_progress


def given(
    values: np.ndarray,
    name: str,
    conversations: Conversations,
    *,
    tokenizer: str | None = None,
    seed: int = 0,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> LossResult:
    """Return the losses that a column of the pool holds, nats per token by the user's word.

    values: (n,) numbers of the column `name`, not finite where a record has none, which is a
    missing loss. tokenizer, seed, work, spread: as in `count_tokens`. UsageError if no value is
    finite.

    >>> from collections import namedtuple
    >>> Turn = namedtuple("Turn", "role text scored")
    >>> pool = [(Turn("assistant", "ok", True),), (Turn("assistant", "yes", True),)]
    >>> result = given(np.array([1.5, np.nan]), "nll", lambda: pool)
    >>> result.loss.tolist(), dict(result.missing)
    ([1.5, nan], {'no finite number in nll': 1})
    """
    check_given(values, name)
    tokens = count_tokens(
        conversations, len(values), tokenizer=tokenizer, seed=seed,
        work=work, spread=spread, progress=progress,
    )  # fmt: skip
    return taken(values, name, tokens)


def taken(values: np.ndarray, name: str, tokens: np.ndarray) -> LossResult:
    """Return values (n,) of the column `name` as losses, one that is not finite as missing.

    >>> taken(np.array([np.nan]), "nll", np.ones(1)).missing
    {'no finite number in nll': 1}
    """
    finite = np.isfinite(values)
    missing = len(values) - int(finite.sum())
    return LossResult(
        loss=np.where(finite, values, np.nan).astype(np.float32),
        tokens=tokens,
        missing={f"no finite number in {name}": missing} if missing else {},
        meta={"column": name},
    )


def check_given(values: np.ndarray, name: str) -> None:
    """Raise UsageError where no value of a column is finite."""
    if not np.isfinite(values).any():
        raise UsageError(
            f"Field {name!r} of --loss has no finite number in any of the {len(values):,} records; "
            "name another one, or use --loss none."
        )


def none(
    conversations: Conversations,
    n: int,
    *,
    tokenizer: str | None = None,
    seed: int = 0,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> LossResult:
    """Return no losses: every record's is missing, so the landscape has no depth.

    tokenizer, seed, work, spread: as in `count_tokens`.
    """
    return LossResult(
        loss=np.full(n, np.nan, np.float32),
        tokens=count_tokens(
            conversations, n, tokenizer=tokenizer, seed=seed,
            work=work, spread=spread, progress=progress,
        ),
        missing={"no loss asked for": n},
    )  # fmt: skip
