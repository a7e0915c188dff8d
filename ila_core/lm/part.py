"""Scoring a part of a pool, drawn at random, where the whole would take too long."""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np

from ila_core.chance import stream
from ila_core.lm.batches import windows
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import count_response_tokens
from ila_core.lm.jobs import WINDOW
from ila_core.lm.model import load_tokenizer
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult
from ila_core.loss.turns import Conversations
from ila_core.progress import Progress, Say, no_progress, silent

NOT_IN_SAMPLE = "not in the sample"


def drawn(n: int, size: int, seed: int) -> np.ndarray:
    """Return `size` of n rows, ascending, (size,) int64; all of them where there are no more.

    A larger draw of the same seed holds the smaller ones.

    >>> set(drawn(100, 5, seed=0)) <= set(drawn(100, 9, seed=0))
    True
    """
    return np.sort(stream(seed, "lm sample").permutation(n)[:size])


def score_part(
    conversations: Conversations,
    n: int,
    rows: np.ndarray,
    settings: LmSettings,
    *,
    work: Path | None = None,
    progress: Progress = no_progress,
    say: Say = silent,
) -> LossResult:
    """Score the conversations of these rows, ascending, of `n`, as `score` does.

    The others have no loss, for the reason "not in the sample", but the model's count of their
    response tokens.
    """
    inside = np.zeros(n, dtype=bool)
    inside[rows] = True

    part = score(
        lambda: compress(conversations(), inside), len(rows), settings,
        work=work, progress=progress, say=say,
    )  # fmt: skip
    tokens = _counted(conversations, settings.lm)
    tokens[rows] = part.tokens
    return replace(
        part,
        loss=_spread(part.loss, rows, n),
        tokens=tokens,
        extra={name: _spread(values, rows, n) for name, values in part.extra.items()},
        missing={**part.missing, NOT_IN_SAMPLE: n - len(rows)},
        meta={**part.meta, "sample": len(rows)},
    )


def _spread(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Return (n,) the values at their rows, NaN elsewhere."""
    whole = np.full(n, np.nan, dtype=values.dtype)
    whole[rows] = values
    return whole


def _counted(conversations: Conversations, lm: str) -> np.ndarray:
    """Return (n,) float32 response tokens, texts taken by themselves."""
    template = ChatTemplate.of(load_tokenizer(lm))
    counts = [
        count_response_tokens(part, template.tokenizer, template.end_of_turn)
        for part in windows(conversations(), WINDOW)
    ]
    return np.concatenate(counts).astype(np.float32)
