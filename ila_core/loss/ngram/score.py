"""The loss of every record by models of the half of the pool that it is not in.

Two models of each half: one of the whole half gives the loss, one of a small part of it what the
loss was before the rest was learned. The difference is the loss reduction: a record that nobody
could guess stays dear, boilerplate is cheap from the start; what can be learned lies between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ila_core.blocks import Rows, Spread, keeping, row_blocks
from ila_core.chance import stream
from ila_core.loss.ngram.model import NgramModel, NgramSettings, affordable
from ila_core.loss.ngram.tokenizer import (
    LibraryTokenizer,
    PoolTokenizer,
    Tokenizer,
    sample_texts,
    train_tokenizer,
)
from ila_core.loss.ngram.tokens import BATCH_RECORDS, TokenPool, encode_pool
from ila_core.loss.result import NO_RESPONSE, LossResult
from ila_core.loss.turns import Conversations
from ila_core.progress import Progress, no_progress

Halves = tuple[np.ndarray, np.ndarray]
"""The rows of two halves of a pool."""


def halves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the two halves of a pool of n records, in a seeded order.

    >>> [sorted(half.tolist()) for half in halves(3, 0)]
    [[1], [0, 2]]
    """
    shuffled = stream(seed, "n-gram halves").permutation(n)
    return shuffled[: n // 2], shuffled[n // 2 :]


BEFORE_SHARE = 0.03
"""Share of a half that the model before learning is fitted on. A hundredth and a tenth serve as
well."""
BEFORE_LEAST = 20


def before(half: np.ndarray, seed: int) -> np.ndarray:
    """Return the seeded part of a half that the model before learning knows: 3 %, at least 20.

    >>> len(before(np.arange(1000), 0)), len(before(np.arange(7), 0))
    (30, 7)
    """
    size = max(BEFORE_LEAST, round(BEFORE_SHARE * len(half)))
    return stream(seed, "n-gram before").permutation(np.sort(half))[:size]


def score(
    conversations: Conversations,
    n: int,
    settings: NgramSettings | None = None,
    *,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> LossResult:
    """Losses of a pool's n records, each by a model fitted on the half it is not in.

    conversations: called for a pass over the records' turns; work: folder where the tokenizer
    and the token streams are kept, so that the same call goes on after a kill. Everything is
    scored, however long. A record without a response is missing ("no response"). A pool of one
    record has an empty other half: the uniform distribution and the record's own cache. The
    column "loss_reduction" is the loss by the model of a small part of the half less the loss.

    With a `spread` the texts are cut into tokens and the records scored in other processes, by
    models that are fitted in this one: see `encode_pool` for what that asks of `conversations`. All
    four models are in memory then; without one, two at a time.
    """
    settings = settings or NgramSettings()
    tokenizer = _pool_tokenizer(conversations, n, settings, work)
    pool = encode_pool(
        conversations, n, tokenizer, work=work, spread=spread,
        progress=lambda done, _: progress(done, 2 * n),
    )  # fmt: skip
    both = halves(n, settings.seed)
    if spread is None:
        loss, reduction = _scored(pool, both, settings, progress)
    else:
        loss, reduction = _scored_beside(pool, both, settings, keeping(spread, work), progress)
    return LossResult(
        loss=loss,
        tokens=pool.response_tokens.astype(np.float32),
        missing=_silent(pool),
        meta={
            "scorer": "ngram",
            "order": settings.order,
            "tokenizer": tokenizer.key,
            "vocab": pool.vocab,
            "pool_tokens": len(pool.ids),
            "fitted_records": [len(affordable(pool, half, settings)) for half in both],
            "before_records": [len(before(half, settings.seed)) for half in both],
        },
        extra={"loss_reduction": reduction},
    )


def _scored(
    pool: TokenPool, both: Halves, settings: NgramSettings, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Losses and loss reductions of the pool, (n,) float32 each, one half after the other."""
    n = len(pool)
    loss, reduction = np.full((2, n), np.nan, dtype=np.float32)
    for half, (seen, unseen) in enumerate((both, both[::-1]), start=1):
        rows = np.sort(unseen[pool.response_tokens[unseen] > 0])
        nats, tokens = NgramModel.fit(pool, seen, settings).losses(pool, rows)
        loss[rows] = nats / tokens
        progress(n + half * n // 2 - n // 8, 2 * n)
        little = NgramModel.fit(pool, before(seen, settings.seed), settings)
        reduction[rows] = (little.losses(pool, rows).nats - nats) / tokens
        progress(n + half * n // 2, 2 * n)
    return loss, reduction


def _scored_beside(
    pool: TokenPool, both: Halves, settings: NgramSettings, spread: Spread, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """The same, in blocks of rows that others score: a record's loss depends on none beside it."""
    n = len(pool)
    models = []
    for seen in both:
        little = NgramModel.fit(pool, before(seen, settings.seed), settings)
        models.append((NgramModel.fit(pool, seen, settings), little))
    half = np.zeros(n, np.int8)
    half[both[1]] = 1
    loss, reduction = np.full((2, n), np.nan, dtype=np.float32)
    blocks = row_blocks(n, BATCH_RECORDS)
    made = spread(_Scoring(pool, tuple(models), half), blocks)
    for (first, end), part in zip(blocks, made, strict=True):
        loss[first:end], reduction[first:end] = part["loss"], part["reduction"]
        progress(n + end, 2 * n)
    return loss, reduction


@dataclass(frozen=True, eq=False)
class _Scoring:
    """Scores the records of a block of rows, each by the models of the half it is not in.

    models: those of each half, of the whole and of a small part of it. half: (n,) the half that a
    record is in.
    """

    pool: TokenPool
    models: tuple[tuple[NgramModel, NgramModel], ...]
    half: np.ndarray

    def __call__(self) -> Callable[[Rows], dict[str, np.ndarray]]:
        return self._score

    def _score(self, rows: Rows) -> dict[str, np.ndarray]:
        first, end = rows
        loss, reduction = np.full((2, end - first), np.nan, dtype=np.float32)
        answered = self.pool.response_tokens[first:end] > 0
        for half, (model, little) in enumerate(self.models):
            places = np.flatnonzero(answered & (self.half[first:end] != half))
            nats, tokens = model.losses(self.pool, first + places)
            loss[places] = nats / tokens
            earlier = little.losses(self.pool, first + places).nats
            reduction[places] = (earlier - nats) / tokens
        return {"loss": loss, "reduction": reduction}


def _silent(pool: TokenPool) -> dict[str, int]:
    silent = int(np.count_nonzero(pool.response_tokens == 0))
    return {NO_RESPONSE: silent} if silent else {}


def score_more(
    conversations: Conversations,
    n: int,
    more: Conversations,
    m: int,
    settings: NgramSettings | None = None,
    *,
    probe: np.ndarray | None = None,
    work: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[LossResult, np.ndarray]:
    """Losses of m further records by the very models that `score` gives the pool's n records.

    conversations, more: called for a pass over the turns of the pool, of the further records.
    Neither half's models have seen these, so each gets the mean of the two: what a record of the
    pool gets from one of them, with less chance in it. A record depends on none beside it.

    The models are fitted anew, which takes about as long as `score`. Whether they are still the
    same is told by the second result: the losses of the pool's rows `probe` (p,) int64, (p,)
    float32, as `score` gives them.
    """
    settings = settings or NgramSettings()
    tokenizer = _pool_tokenizer(conversations, n, settings, work)
    pool = encode_pool(
        conversations, n, tokenizer, work=work, progress=lambda done, _: progress(done // 2, n + m)
    )
    others = encode_pool(more, m, tokenizer, work=None if work is None else work / "more")
    rows = np.flatnonzero(others.response_tokens > 0)
    probe = np.zeros(0, np.int64) if probe is None else probe
    probed = np.full(n, np.nan, dtype=np.float32)
    total, reduced = np.zeros(len(rows)), np.zeros(len(rows))
    both = halves(n, settings.seed)
    for half, (seen, unseen) in enumerate((both, both[::-1]), start=1):
        model = NgramModel.fit(pool, seen, settings)
        nats = model.losses(others, rows).nats
        checked = np.intersect1d(probe, unseen[pool.response_tokens[unseen] > 0])
        known = model.losses(pool, checked)
        probed[checked] = known.nats / known.tokens
        little = NgramModel.fit(pool, before(seen, settings.seed), settings)
        total += nats / 2
        reduced += (little.losses(others, rows).nats - nats) / 2
        progress((n + m) * (1 + half) // 3, n + m)
    loss, reduction = np.full((2, m), np.nan, dtype=np.float32)
    loss[rows] = total / others.response_tokens[rows]
    reduction[rows] = reduced / others.response_tokens[rows]
    result = LossResult(
        loss=loss,
        tokens=others.response_tokens.astype(np.float32),
        missing=_silent(others),
        extra={"loss_reduction": reduction},
    )
    return result, probed[probe]


def count_tokens(
    conversations: Conversations,
    n: int,
    *,
    tokenizer: str | None = None,
    taught: tuple[Conversations, int] | None = None,
    seed: int = 0,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> np.ndarray:
    """Response tokens T of the n records, (n,) float32, end tokens included; 0 for no response.

    tokenizer: a tokenizer.json, a model's folder or a model's name on the Hugging Face hub; None
    trains the one that `score` would use at that seed, on these records or on the pool `taught`
    and its number of records. `spread` as in `encode_pool`.

    >>> from collections import namedtuple
    >>> Turn = namedtuple("Turn", "role text scored")
    >>> pool = [(Turn("user", "hi", False), Turn("assistant", "ok", True))]
    >>> count_tokens(lambda: pool, 1).tolist()
    [4.0]
    """
    learned = taught or (conversations, n)
    counter: Tokenizer = (
        LibraryTokenizer.load(tokenizer)
        if tokenizer is not None
        else _pool_tokenizer(*learned, NgramSettings(seed=seed), work)
    )
    pool = encode_pool(conversations, n, counter, work=work, spread=spread, progress=progress)
    return pool.response_tokens.astype(np.float32)


def _pool_tokenizer(
    conversations: Conversations, n: int, settings: NgramSettings, work: Path | None
) -> PoolTokenizer:
    """The pool's own tokenizer: as an earlier run left it in the work folder, else trained."""
    file = work / f"tokenizer-{settings.vocab_size}-{settings.seed}.json" if work else None
    if file is not None and file.exists():
        return PoolTokenizer.open(file)
    texts = sample_texts(conversations, n, seed=settings.seed)
    tokenizer = train_tokenizer(texts, vocab_size=settings.vocab_size)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        tokenizer.save(file)
    return tokenizer
