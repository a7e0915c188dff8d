"""Who is trained on the selections, and how well they do on what was held out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ila_core.errors import IlaError
from ila_core.studies.settings import StudySettings

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.loss.ngram.tokens import TokenPool
    from ila_core.pool.records import Records

# Measured on two cores, records of 240 tokens, 3,000 held out: only the estimate rests on them.
_SECONDS_A_RECORD_TOKENISED = 2e-4
_SECONDS_A_STUDENT = 0.12
_SECONDS_A_RECORD = 2e-5


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

    def prepare(self) -> None:
        """Do what has to be done once, before the first."""

    def losses(
        self, train: np.ndarray, dev: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train on rows `train`; return nats and response tokens of the rows `dev`, (k,) each.

        The nats of a record that cannot be scored are NaN.
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

    def prepare(self) -> None:
        """Tokenise the pool into the work folder, once."""
        from ila_core.loss.ngram.tokenizer import sample_texts, train_tokenizer
        from ila_core.loss.ngram.tokens import encode_pool

        conversations, n = self.records.conversations, len(self.records)
        tokenizer = train_tokenizer(sample_texts(conversations, n))
        self.pool = encode_pool(conversations, n, tokenizer, work=self.work)

    def losses(
        self, train: np.ndarray, dev: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        from ila_core.loss.ngram.model import NgramModel, NgramSettings

        assert self.pool is not None
        model = NgramModel.fit(self.pool, train, NgramSettings(seed=seed))
        return model.losses(self.pool, dev)


class LmStudent:
    """A transformers model, fine-tuned on the selection: as many steps for all."""

    preparation = "model"
    threads = 1

    def __init__(self, records: Records, settings: StudySettings) -> None:
        self.records, self.settings = records, settings

    def effort(self, records: int) -> float:
        return float(records) if self.settings.epochs else 1.0

    def cost(self, students: int, effort: float) -> str:
        settings = self.settings
        if settings.epochs:
            return f"{settings.epochs:g} epochs each, their time is known after the first"
        tokens = students * settings.steps * settings.batch_tokens
        return (
            f"{settings.steps} steps each, {tokens / 1e6:,.1f} M tokens in all, their time is "
            "known after the first"
        )

    def prepare(self) -> None:
        """Convert a model that comes as a GGUF file; every student loads it afresh."""
        from ila_core.lm.packaged import resolve

        resolve(str(self.settings.lm))

    def losses(
        self, train: np.ndarray, dev: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        learnt, judged = (
            [record.turns for record in self.records.take(rows)] for rows in (train, dev)
        )
        return _fine_tuned(self.settings, learnt, judged, seed)


def _fine_tuned(
    settings: StudySettings, train: Sequence[Any], dev: Sequence[Any], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fine-tune a language model on conversations; return nats and tokens of those of dev."""
    from ila_core.lm.settings import TuneSettings
    from ila_core.lm.tune import train_student

    how = TuneSettings(
        str(settings.lm),
        full=settings.full,
        lr=settings.lr,
        batch_tokens=settings.batch_tokens,
        max_length=settings.max_length,
        steps=None if settings.epochs else settings.steps,
        epochs=settings.epochs or 1.0,
        holdout=0.0,
        seed=seed,
    )
    return train_student(train, dev, how)


def student_of(landscape: Landscape, settings: StudySettings, work: Path) -> Student:
    """Return the student that the settings name; IlaError for a landscape without texts."""
    if landscape.records is None:
        raise IlaError(
            "A study reads the records' texts, and this landscape has none; build one from a pool."
        )
    if settings.student == "lm":
        return LmStudent(landscape.records, settings)
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
