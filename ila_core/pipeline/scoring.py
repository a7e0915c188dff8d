"""The stage that gives every response its loss.

The n-gram model, and the counting of tokens where a column or nobody supplies the loss, keep one
core busy and are done in a process of their own, beside the other stages; a language model takes
the whole machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult
from ila_core.options import columns_in, part
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import LossSettings
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

    settings: LossSettings
    records: Made[Records]

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

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "numba", "numpy")

    @property
    def parts(self) -> Sequence[object]:
        return (self.records.key, "ngram", asdict(self.model))

    @property
    def model(self) -> NgramSettings:
        from ila_core.loss.ngram.model import NgramSettings

        return NgramSettings(seed=self.settings.seed)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.ngram.score import score

        turns = self.records.value.conversations
        return score(turns, self.total, self.model, work=desk.folder.work, progress=desk.progress)


@dataclass(frozen=True)
class CountTokens(ScoreByNgrams):
    """No loss: only how many tokens every response has."""

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "transformers") if self.settings.tokenizer else ("tokenizers",)

    @property
    def parts(self) -> Sequence[object]:
        counter = model_identity(self.settings.tokenizer)
        return (self.records.key, self.settings.loss, asdict(self.model), counter)

    def check(self) -> None:
        """Raise for a tokenizer that is not there."""
        from ila_core.loss.ngram.tokenizer import LibraryTokenizer

        if self.counter:
            LibraryTokenizer.load(self.counter)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.column import none

        return none(self.records.value.conversations, self.total, **self.counting(desk))

    @property
    def counter(self) -> str | None:
        """Where the tokenizer that was named is to be had; None for the pool's own."""
        from ila_core.lm.packaged import resolve

        return resolve(self.settings.tokenizer) if self.settings.tokenizer else None

    def counting(self, desk: Desk) -> dict[str, Any]:
        """Return how tokens are counted."""
        return {
            "tokenizer": self.counter,
            "seed": self.settings.seed,
            "work": desk.folder.work,
            "progress": desk.progress,
        }

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        return ()


@dataclass(frozen=True)
class TakeLoss(CountTokens):
    """The loss that the pool comes with, in a column."""

    column: str

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

    @property
    def libraries(self) -> Sequence[str]:
        adapted = any(Path(one, "adapter_config.json").is_file() for one in self.settings.models)
        return ("torch", "transformers", "tokenizers", *(("peft",) if adapted else ()))

    @property
    def parts(self) -> Sequence[object]:
        settings = self.settings
        return (
            self.records.key,
            "lm",
            model_identity(settings.lm),
            model_identity(settings.tuned_lm),
            settings.max_length,
            settings.dtype,
            settings.unconditional,
            *((self.scored, settings.seed) if self.scored < self.total else ()),
        )

    @property
    def scored(self) -> int:
        """How many records the model reads."""
        return self.settings.scored(self.total)

    def check(self) -> None:
        """Raise for a model that is not there: the stages before take long on a large pool."""
        from ila_core.lm.model import check_model, load_tokenizer

        load_tokenizer(self.settings.models[0])
        for model in self.settings.models:
            check_model(model)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.lm.part import drawn, score_part
        from ila_core.lm.score import score

        turns, settings = self.records.value.conversations, part(self.settings, LmSettings)
        hooks: dict[str, Any] = {
            "work": desk.folder.work, "progress": desk.progress, "say": desk.say
        }  # fmt: skip
        if self.scored == self.total:
            return score(turns, self.total, settings, **hooks)
        rows = drawn(self.total, self.scored, self.settings.seed)
        return score_part(turns, self.total, rows, settings, **hooks)

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        n, meta = self.scored, facts.get("meta", {})
        notes = list(super().notes(value, facts))
        if n < self.total:
            notes.append(
                f"The language model scored a sample of {n:,} of the {self.total:,} records, drawn "
                "at random; the others have no depth."
            )
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


def score(settings: LossSettings, records: Made[Records]) -> Score:
    """Return the stage that gives every response its loss."""
    for column in columns_in(settings.loss):
        return TakeLoss(settings, records, column)
    stages = {"lm": ScoreByModel, "ngram": ScoreByNgrams, "none": CountTokens}
    return stages[settings.loss](settings, records)


def model_identity(model: str | None) -> object:
    """Return what tells one state of a model from another; None for none."""
    from ila_core.lm.packaged import identity_of

    return None if model is None else identity_of(model)
