"""Who gives the new responses of an addition their losses: whoever gave the others theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import IlaError, RunError
from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult
from ila_core.pipeline.additions import numbers_in
from ila_core.pipeline.grown import Base
from ila_core.pipeline.scoring import Columns, Score, ScoreByModel
from ila_core.pipeline.settings import AddSettings, LossSource, TokenCounter
from ila_core.pipeline.step import Desk, Facts, Made

if TYPE_CHECKING:
    from ila_core.pool.records import Records

NGRAM_PROBED = 64
"""Records of the pool that the n-gram models score again, to see whether they are the same."""
ROUNDING = 1e-3
"""Nats per token by which two fits of the same n-gram models may differ."""
OTHER_MODEL = 0.1
"""Nats per token from which a language model is another one: half precision moves the loss of a
record by some hundredths."""


@dataclass(frozen=True)
class ScoreMore(Score):
    """Losses and tokens of the new records, by who supplied those of the others."""

    name = "new-loss"
    apart = False

    base: Base


@dataclass(frozen=True)
class ScoreMoreByNgrams(ScoreMore):
    """The loss by the n-gram models of the pool, which are fitted anew."""

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "numba", "numpy")

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.ngram.model import NgramSettings
        from ila_core.loss.ngram.score import score_more

        base, conversations = self.base, self.records.value.conversations
        held = base.table["loss"]
        rows = base.probed(np.isfinite(held), NGRAM_PROBED)
        result, again = score_more(
            base.conversations, base.first, conversations, self.total,
            NgramSettings(seed=base.settings.seed),
            probe=rows, work=desk.folder.work, progress=desk.progress,
        )  # fmt: skip
        if (changed := ~(np.abs(again - held[rows]) <= ROUNDING)).any():
            raise RunError(
                f"The n-gram models of {base.folder}, fitted anew, give {changed.sum()} of "
                f"{len(rows)} of its own records another loss than it holds: they are of another "
                "version. Build all of it again, or add without a loss (--loss none)."
            )
        self.copy(base.known.rows_of(conversations()), result)
        return result

    def copy(self, twins: np.ndarray, result: LossResult) -> None:
        """Give what says the same as a record of the pool that record's losses.

        One half's models have learned from it and would find it cheap.
        """
        copies = np.flatnonzero((twins >= 0) & (twins < self.base.first))
        for name, values in {"loss": result.loss, **result.extra}.items():
            if name in self.base.table:
                values[copies] = self.base.table[name][twins[copies]]


@dataclass(frozen=True)
class CountMore(ScoreMore):
    """The loss that the new records come with in a column, or none; their tokens are counted."""

    counter: TokenCounter

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "transformers") if self.counter.tokenizer else ("tokenizers",)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.lm.packaged import resolve
        from ila_core.loss.column import taken
        from ila_core.loss.ngram.score import count_tokens

        name = self.counter.tokenizer
        tokens = count_tokens(
            self.records.value.conversations, self.total,
            tokenizer=resolve(name) if name else None,
            taught=(self.base.conversations, self.base.first), seed=self.base.settings.seed,
            work=desk.folder.work, progress=desk.progress,
        )  # fmt: skip
        if column := self.source.column:
            return taken(numbers_in(self.records.value, column), column, tokens)
        missing = {"no loss asked for": self.total}
        return LossResult(np.full(self.total, np.nan, np.float32), tokens, missing=missing)

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        told = self.source.column or self.base.settings.supplier != "none"
        return super().notes(value, facts) if told else ()


@dataclass(frozen=True)
class ScoreMoreByModel(ScoreByModel):
    """The loss by the language model of the landscape."""

    name = ScoreMore.name

    base: Base

    def check(self) -> None:
        """Raise RunError for a model that is not there, or another one than it was.

        That is seen from what some of the landscape's own records cost it.
        """
        from ila_core.lm.score import score

        base = self.base
        try:
            super().check()
        except IlaError as error:
            raise RunError(
                f"{base.folder} has the loss of a language model that cannot be had here "
                f"({str(error).rstrip('.')}); put it back, or add without a loss (--loss none)."
            ) from error
        held, tokens = base.table["loss"], base.table["tokens"]
        rows = base.probed(np.isfinite(held) & (tokens <= np.nanmedian(tokens)))
        if not len(rows):
            return
        turns = list(base.records.take_turns(rows))
        again = score(lambda: turns, len(turns), self.settings).loss
        apart = float(np.abs(again - held[rows]).mean())
        if not apart <= OTHER_MODEL:
            raise RunError(
                f"{self.settings.lm} gives {len(rows)} of the records of {base.folder} losses that "
                f"are {apart:.2f} nats a token away from what it holds: it is another model. Put "
                "that one back, or add without a loss (--loss none)."
            )


def score_more(base: Base, settings: AddSettings, records: Made[Records]) -> Score:
    """Return the stage that gives the new responses their losses."""
    source = LossSource(loss="none") if settings.loss == "none" else base.settings.part(LossSource)
    if source.supplier == "lm":
        how = replace(base.settings.part(LmSettings), device=settings.device)
        return ScoreMoreByModel(records, source, how, base)
    if source.supplier == "ngram":
        return ScoreMoreByNgrams(records, source, base)
    return CountMore(records, source, base, base.settings.part(TokenCounter))
