"""The stage that gives every response its loss.

The n-gram model, and the counting of tokens where a column or nobody supplies the loss, keep one
core busy and are done in a process of their own, beside the other stages; a language model takes
the whole machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult
from ila_core.options import part
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import LossSettings, LossSource, TokenCounter
from ila_core.pipeline.step import Desk, Facts, Made, Stage

if TYPE_CHECKING:
    from ila_core.loss.ngram.model import NgramSettings
    from ila_core.pool.records import Records

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Score(Stage[Columns]):
    """Losses, tokens, and what else a scorer gives, (n,) float32 each, by name."""

    name = "loss"
    apart: ClassVar[bool] = True
    """Whether it is done in a process of its own, beside the other stages."""

    records: Made[Records]
    source: LossSource

    @property
    def total(self) -> int:
        return len(self.records.value)

    def result(self, desk: Desk) -> LossResult:
        """Return the losses."""
        raise NotImplementedError

    def make(self, desk: Desk) -> Facts:
        scored = self.result(desk)
        desk.folder.save(loss=scored.loss, tokens=scored.tokens, **scored.extra)
        return {
            "meta": dict(scored.meta),
            "truncated": scored.truncated,
            "missing": dict(scored.missing),
        }

    def load(self, folder: StageFolder) -> Columns:
        return folder.load()

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        if not (missing := facts.get("missing", {})):
            return ()
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in missing.items())
        total = sum(missing.values())
        return (f"No loss and no depth: {total:,} of {self.total:,} records ({reasons}).",)


@dataclass(frozen=True)
class ScoreByNgrams(Score):
    """The loss of an n-gram model of the pool itself, and what learning takes off it."""

    version = 2

    model: NgramSettings

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "numba", "numpy")

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.ngram.score import score

        turns = self.records.value.conversations
        return score(
            turns, self.total, self.model,
            work=desk.folder.work, spread=desk.spread, progress=desk.progress,
        )  # fmt: skip


@dataclass(frozen=True)
class CountTokens(ScoreByNgrams):
    """No loss: only how many tokens every response has."""

    counter: TokenCounter

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "transformers") if self.counter.tokenizer else ("tokenizers",)

    def check(self) -> None:
        """Raise for a tokenizer that is not there."""
        from ila_core.loss.ngram.tokenizer import LibraryTokenizer

        if self.tokenizer:
            LibraryTokenizer.load(self.tokenizer)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.column import none

        return none(self.records.value.conversations, self.total, **self.counting(desk))

    @property
    def tokenizer(self) -> str | None:
        """Where the tokenizer that was named is to be had; None for the pool's own."""
        from ila_core.lm.packaged import resolve

        return resolve(name) if (name := self.counter.tokenizer) else None

    def counting(self, desk: Desk) -> dict[str, Any]:
        """Return how tokens are counted."""
        return {
            "tokenizer": self.tokenizer,
            "seed": self.model.seed,
            "work": desk.folder.work,
            "spread": desk.spread,
            "progress": desk.progress,
        }

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        return ()


@dataclass(frozen=True)
class TakeLoss(CountTokens):
    """The loss that the pool comes with, in a column."""

    @property
    def column(self) -> str:
        """The field of the records that holds it."""
        return str(self.source.column)

    def check(self) -> None:
        """Raise for a tokenizer that is not there, and a column without a number."""
        from ila_core.loss.column import check_given

        super().check()
        check_given(self.records.value.numbers(self.column)[0], self.column)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.column import given

        pool = self.records.value
        values, _ = pool.numbers(self.column)
        return given(values, self.column, pool.conversations, **self.counting(desk))

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        return Score.notes(self, value, facts)


@dataclass(frozen=True)
class ScoreByModel(Score):
    """The loss of a causal language model."""

    apart = False

    settings: LmSettings

    @property
    def libraries(self) -> Sequence[str]:
        adapted = any(Path(one, "adapter_config.json").is_file() for one in self.settings.models)
        return ("torch", "transformers", "tokenizers", *(("peft",) if adapted else ()))

    @property
    def scored(self) -> int:
        """How many records the model reads."""
        return self.total

    def check(self) -> None:
        """Raise for a model that is not there: the stages before take long on a large pool."""
        from ila_core.lm.model import check_model, load_tokenizer

        load_tokenizer(self.settings.models[0])
        for model in self.settings.models:
            check_model(model)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.lm.score import score

        turns = self.records.value.conversations
        return score(turns, self.total, self.settings, **self.hooks(desk))

    def hooks(self, desk: Desk) -> dict[str, Any]:
        """Return where the scoring works, and whom it tells how it fares."""
        return {
            "work": desk.folder.work,
            "spread": desk.spread,
            "progress": desk.progress,
            "say": desk.say,
        }

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        n, meta = self.scored, facts.get("meta", {})
        notes = [*super().notes(value, facts), *self.left_out()]
        if cut := facts.get("truncated", 0):
            notes.append(
                f"Longer than the {meta.get('max_length', 0):,} tokens that the model reads: "
                f"{cut:,} of {n:,} records. Their responses and the nearest context were scored; "
                f"{meta.get('responses_cut', 0):,} of the responses in part."
            )
        for what, count in meta.get("notes", {}).items():
            notes.append(f"Rewritten for the chat template: {count:,} of {n:,} records ({what}).")
        if meta.get("template") == "plain":
            notes.append(
                f"{meta.get('lm')} has no chat template; instructions and responses were put under "
                "plain headings."
            )
        return [*notes, *meta.get("remarks", [])]

    def left_out(self) -> Sequence[str]:
        """Return what a user should know of records that the model does not read."""
        return ()


@dataclass(frozen=True)
class ScorePartByModel(ScoreByModel):
    """The loss of a causal language model, of a random part of the pool."""

    size: int
    seed: int

    @property
    def scored(self) -> int:
        return self.size

    def result(self, desk: Desk) -> LossResult:
        from ila_core.lm.part import drawn, score_part

        turns, rows = self.records.value.conversations, drawn(self.total, self.size, self.seed)
        return score_part(turns, self.total, rows, self.settings, **self.hooks(desk))

    def left_out(self) -> Sequence[str]:
        return (
            f"The language model scored a sample of {self.size:,} of the {self.total:,} records, "
            "drawn at random; the others have no depth.",
        )


def score(settings: LossSettings, records: Made[Records]) -> Score:
    """Return the stage that gives every response its loss."""
    from ila_core.loss.ngram.model import NgramSettings

    source, n = part(settings, LossSource), len(records.value)
    if source.supplier == "lm":
        how, size = part(settings, LmSettings), settings.scored(n)
        if size < n:
            return ScorePartByModel(records, source, how, size, settings.seed)
        return ScoreByModel(records, source, how)
    model, counter = NgramSettings(seed=settings.seed), part(settings, TokenCounter)
    if source.supplier == "ngram":
        return ScoreByNgrams(records, source, model)
    stage = TakeLoss if source.column else CountTokens
    return stage(records, source, model, counter)
