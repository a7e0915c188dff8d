"""Who is trained on the selections, and how well they do on what was held out."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.studies.settings import StudySettings

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.lm.settings import TuneSettings
    from ila_core.loss.ngram.tokens import TokenPool
    from ila_core.pool.records import Records

# Measured on two cores, records of 240 tokens, 3,000 held out: only the estimate rests on them.
_SECONDS_A_RECORD_TOKENISED = 2e-4
_SECONDS_A_STUDENT = 0.12
_SECONDS_A_RECORD = 2e-5

_MOST_MEASURED = 1_000
"""Records whose mean length is measured: known to a few per cent, in a second."""


class Student(Protocol):
    """Something that is trained on some rows of the pool and judged by others."""

    preparation: str
    """What `prepare` does, in a word."""

    @property
    def threads(self) -> int:
        """How many may be trained side by side."""

    def effort(self, records: int) -> float:
        """Return how long one takes that is trained on so many records, in units of its own."""

    def cost(self, students: int, effort: float) -> str:
        """Return, in words, what so many students of so much effort in all cost."""

    def prepare(self) -> str:
        """Do what has to be done once, before the first; return what it has learnt of the cost."""

    def losses(
        self, train: np.ndarray, dev: np.ndarray, seed: int, records: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train on rows `train`, if there are any; return what the rows `dev` then cost.

        That is nats, NaN where a record cannot be scored, and response tokens, (k,) each. `records`
        is how many random picks of the same budget are.
        """


class NgramStudent:
    """The n-gram model of the default loss, fitted on the selection: seconds, no GPU."""

    preparation = "tokens"

    def __init__(self, records: Records, work: Path) -> None:
        self.records, self.work = records, work
        self.pool: TokenPool | None = None

    @property
    def threads(self) -> int:
        return min(2, os.cpu_count() or 1)

    def effort(self, records: int) -> float:
        return _SECONDS_A_STUDENT + records * _SECONDS_A_RECORD

    def cost(self, students: int, effort: float) -> str:
        seconds = effort + len(self.records) * _SECONDS_A_RECORD_TOKENISED
        return f"about {max(1, round(seconds / 60)):,} min, the methods' own time not counted"

    def prepare(self) -> str:
        """Tokenise the pool into the work folder, once."""
        from ila_core.loss.ngram.tokenizer import sample_texts, train_tokenizer
        from ila_core.loss.ngram.tokens import encode_pool

        conversations, n = self.records.conversations, len(self.records)
        tokenizer = train_tokenizer(sample_texts(conversations, n))
        self.pool = encode_pool(conversations, n, tokenizer, work=self.work)
        return ""

    def losses(
        self, train: np.ndarray, dev: np.ndarray, seed: int, records: int
    ) -> tuple[np.ndarray, np.ndarray]:
        del records  # it is fitted on what it is given, once
        from ila_core.loss.ngram.model import NgramModel, NgramSettings

        assert self.pool is not None
        model = NgramModel.fit(self.pool, train, NgramSettings(seed=seed))
        return model.losses(self.pool, dev)


class LmStudent:
    """A transformers model, fine-tuned on the selection: at a budget, as many steps for all."""

    preparation = "model"
    threads = 1

    def __init__(self, records: Records, settings: StudySettings, work: Path) -> None:
        self.records, self.settings, self.work = records, settings, work
        self.mean_length = float("nan")
        """Tokens of a record, estimated by `prepare`."""

    def effort(self, records: int) -> float:
        """Return the records that are gone through, where steps are not fixed."""
        return 1.0 if self.settings.steps else self.settings.epochs * records

    def cost(self, students: int, effort: float) -> str:
        settings = self.settings
        if settings.steps:
            tokens = students * settings.steps * settings.batch_tokens
            length = f"{settings.steps} steps each, {tokens / 1e6:,.1f} M tokens in all"
        else:
            length = f"{effort:,.0f} records to learn from in all"
        return f"{length}; their time is known after the first"

    def steps(self, records: int) -> int:
        """Return the optimiser steps that a budget of so many random picks gives every student."""
        if self.settings.steps:
            return self.settings.steps
        tokens = self.settings.epochs * records * self.mean_length
        return max(1, math.ceil(tokens / self.settings.batch_tokens))

    def prepare(self) -> str:
        """Measure how long records are to the model, on a sample of them.

        A model that comes as a GGUF file is converted here; every student loads it afresh.
        """
        from ila_core.lm.chat import ChatTemplate
        from ila_core.lm.encode import encode_records
        from ila_core.lm.model import load_tokenizer

        rows = stream(0, "record length").permutation(len(self.records))[:_MOST_MEASURED]
        turns = [record.turns for record in self.records.take(np.sort(rows))]
        template = ChatTemplate.of(load_tokenizer(self.settings.lm))
        encoded, _, _ = encode_records(turns, template, self.settings.max_length)
        lengths = [len(one.ids) for one in encoded if one and len(one.targets)]
        if not lengths:
            raise IlaError(
                f"{self.settings.lm} can learn from none of {len(rows):,} records of this pool."
            )
        self.mean_length = float(np.mean(lengths))
        return f"a record has {self.mean_length:,.0f} tokens to {self.settings.lm}"

    def losses(
        self, train: np.ndarray, dev: np.ndarray, seed: int, records: int
    ) -> tuple[np.ndarray, np.ndarray]:
        from ila_core.lm.tune import judge, train_student

        learnt, held_out = (
            [record.turns for record in self.records.take(rows)] for rows in (train, dev)
        )
        how = self._tuning(seed, self.steps(records))
        if not learnt:
            return judge(held_out, how)
        return train_student(learnt, held_out, how, checkpoint=self.work / "student.pt")

    def _tuning(self, seed: int, steps: int) -> TuneSettings:
        from ila_core.lm.settings import TuneSettings

        settings = self.settings
        return TuneSettings(
            settings.lm,
            seed=seed,
            full=settings.full,
            lr=settings.lr,
            batch_tokens=settings.batch_tokens,
            max_length=settings.max_length,
            steps=steps,
            holdout=0.0,
        )


def student_of(landscape: Landscape, settings: StudySettings, work: Path) -> Student:
    """Return the student that the settings name; IlaError for a landscape without texts."""
    if landscape.records is None:
        raise IlaError(
            "A study reads the records' texts, and this landscape has none; build one from a pool."
        )
    if settings.student == "lm":
        return LmStudent(landscape.records, settings, work)
    return NgramStudent(landscape.records, work)


def dev_loss(nats: np.ndarray, tokens: np.ndarray, domain: np.ndarray) -> tuple[float, float]:
    """Return the loss per token over all tokens (micro) and as the mean over domains (macro).

    nats, tokens and domain are (k,); records with NaN nats or no tokens do not count. IlaError
    if none is left.

    >>> dev_loss(np.array([2.0, 12.0]), np.array([2, 4]), np.array([0, 1]))
    (2.3333333333333335, 2.0)
    """
    scored = np.isfinite(nats) & (tokens > 0)
    if not scored.any():
        raise IlaError("The student could score none of the held-out records.")
    nats, tokens, domain = nats[scored], tokens[scored], domain[scored]
    of_domain, size = np.bincount(domain, nats), np.bincount(domain, tokens)
    there = size > 0
    return float(nats.sum() / tokens.sum()), float((of_domain[there] / size[there]).mean())
