"""Scoring a part of a pool, drawn at random, where the whole would take too long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np

from ila_core.blocks import Spread
from ila_core.chance import stream
from ila_core.lm.batches import windows
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import count_response_tokens
from ila_core.lm.jobs import WINDOW
from ila_core.lm.model import load_tokenizer
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult
from ila_core.loss.turns import Conversation, Conversations
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
    conversations: Callable[..., Iterable[Conversation]],
    n: int,
    rows: np.ndarray,
    settings: LmSettings,
    *,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
    say: Say = silent,
) -> LossResult:
    """Score the conversations of these rows, ascending, of `n`, as `score` does.

    The others have no loss, for the reason "not in the sample", but the model's count of their
    response tokens.
    """
    part = score(
        _Drawn(conversations, rows), len(rows), settings,
        work=work, spread=spread, progress=progress, say=say,
    )  # fmt: skip
    tokens = _counted(conversations, settings.lm)
    tokens[rows] = part.tokens
    return replace(
        part,
        loss=_over(part.loss, rows, n),
        tokens=tokens,
        extra={name: _over(values, rows, n) for name, values in part.extra.items()},
        missing={**part.missing, NOT_IN_SAMPLE: n - len(rows)},
        meta={**part.meta, "sample": len(rows)},
    )


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The conversations of some rows, ascending, from the one at a place among them on."""

    conversations: Callable[..., Iterable[Conversation]]
    rows: np.ndarray

    def __call__(self, first: int = 0) -> Iterator[Conversation]:
        rows = self.rows[first:]
        if not len(rows):
            return
        start = int(rows[0]) if first else 0
        inside = np.zeros(int(rows[-1]) + 1 - start, dtype=bool)
        inside[rows - start] = True
        yield from compress(self.conversations(start) if start else self.conversations(), inside)


def _over(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
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
