"""Who runs the batches: this process, or one process for each device.

Both give the same results; only the order in which they come may differ.
"""

from __future__ import annotations

import queue
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple, Protocol

import numpy as np

from ila_core.errors import IlaError
from ila_core.lm.compiling import is_worth, quicken
from ila_core.lm.encode import Encoded
from ila_core.lm.losses import HALF_ENOUGH, Scorer, half_error, release_memory, trial
from ila_core.lm.model import load_model, load_tokenizer, longest_input
from ila_core.lm.settings import DType

CPU_BATCH_TOKENS = 2048
GPU_BATCH_TOKENS = 32768
"""Tokens of a batch with its padding; one that does not fit the memory is halved."""
_LOOK_SECONDS = 1.0


class Job(Protocol):
    """A batch and how many of the models, first ones first, read it."""

    @property
    def number(self) -> int: ...
    @property
    def batch(self) -> list[Encoded]: ...
    @property
    def models(self) -> int: ...


@dataclass(frozen=True)
class Work:
    """What every worker loads, and how it is to read it."""

    models: tuple[str, ...]
    dtype: DType
    max_length: int
    records: int = 0
    """How many come to each device, about: a model that many are scored by is compiled first."""


class _Facts(NamedTuple):
    """What is known once the models are loaded; the remark is for the user, often empty."""

    max_length: int
    dtype: str
    way: str
    remark: str


class Lane(Protocol):
    """Where batches go in and results, one (b,) array of sums per model, come out."""

    @property
    def max_length(self) -> int: ...
    @property
    def batch_tokens(self) -> int: ...
    @property
    def models(self) -> int: ...
    @property
    def devices(self) -> list[str]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def way(self) -> str: ...
    @property
    def remark(self) -> str: ...
    @property
    def elsewhere(self) -> bool: ...
    def run(self, jobs: Sequence[Any]) -> Iterator[tuple[int, list[np.ndarray]]]: ...
    def close(self) -> None: ...


def open_lane(work: Work, names: list[str]) -> Lane:
    """A lane over these devices: in this process for one of them, else one process each."""
    return _Here(work, names[0]) if len(names) == 1 else _Workers(work, names)


class _Base:
    """What both lanes know about their work."""

    def __init__(self, work: Work, names: list[str]) -> None:
        self.devices = names
        self.models = len(work.models)
        self.elsewhere = len(names) > 1 or names[0] != "cpu"
        self.batch_tokens = CPU_BATCH_TOKENS if names[0] == "cpu" else GPU_BATCH_TOKENS
        self.max_length, self.dtype, self.way, self.remark = work.max_length, "", "", ""

    def _learn(self, facts: _Facts) -> None:
        self.max_length, self.dtype, self.way, self.remark = facts


class _Here(_Base):
    """The models in this process."""

    def __init__(self, work: Work, name: str) -> None:
        super().__init__(work, [name])
        self._scorers, facts = _load(work, name)
        self._learn(facts)

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, list[np.ndarray]]]:
        for job in jobs:
            yield job.number, [scorer.losses(job.batch) for scorer in self._scorers[: job.models]]

    def close(self) -> None:
        self._scorers = []


class _Workers(_Base):
    """One process for each device, all fed from one queue."""

    def __init__(self, work: Work, names: list[str]) -> None:
        from torch import multiprocessing

        super().__init__(work, names)
        context = multiprocessing.get_context("spawn")
        self._inbox, self._outbox = context.Queue(), context.Queue()
        self._processes = [
            context.Process(
                target=_serve, args=(work, name, len(names), self._inbox, self._outbox), daemon=True
            )
            for name in names
        ]
        for process in self._processes:
            process.start()
        try:
            for _ in names:
                self._learn(self._next())
        except BaseException:
            self.close()
            raise

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, list[np.ndarray]]]:
        for job in jobs:
            self._inbox.put((job.number, job.batch, job.models))
        for _ in jobs:
            yield self._next()

    def _next(self) -> Any:
        """What a worker says next; IlaError if one failed or is gone."""
        while True:
            try:
                answer = self._outbox.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                gone = [p for p in self._processes if not p.is_alive()]
                if gone:
                    raise IlaError(
                        f"A scoring process ended with exit code {gone[0].exitcode}, most often "
                        "for lack of memory; run the same command again with fewer devices or a "
                        "smaller --max-length, what is finished is kept."
                    ) from None
                continue
            if isinstance(answer, _Failure):
                raise IlaError(answer.sentence) from RuntimeError(answer.trace)
            return answer

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        for channel in (self._inbox, self._outbox):
            channel.cancel_join_thread()
            channel.close()


class _Failure(NamedTuple):
    """Why a worker stopped: a sentence for the user, a trace for whoever asks."""

    sentence: str
    trace: str


def _serve(work: Work, name: str, workers: int, inbox: Any, outbox: Any) -> None:
    """Score what comes in until the process that started this one ends it, or is gone."""
    import torch

    try:
        if name == "cpu":
            torch.set_num_threads(max(1, torch.get_num_threads() // workers))
        scorers, facts = _load(replace(work, records=work.records // workers), name)
        outbox.put(facts)
        while (job := _wait(inbox)) is not None:
            number, batch, models = job
            outbox.put((number, [scorer.losses(batch) for scorer in scorers[:models]]))
    except Exception as error:
        sentence = str(error)
        if not isinstance(error, IlaError):
            sentence = f"Scoring on {name} failed: {error}"
        outbox.put(_Failure(sentence, traceback.format_exc()))


def _wait(inbox: Any) -> Any:
    """The next job, or None once nobody is left to want its result."""
    from multiprocessing import parent_process

    while (parent := parent_process()) is None or parent.is_alive():
        try:
            return inbox.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue
    return None


def _load(work: Work, name: str) -> tuple[list[Scorer], _Facts]:
    """The models ready to score, in float32 where half precision would not be good enough."""
    scorers, remark = _scorers(work, name, work.dtype), ""
    half, error = _format(scorers[0]), 0.0
    tokenizer = load_tokenizer(work.models[0])  # the tuned model's too
    if half != "float32":
        error = max(half_error(scorer, tokenizer) for scorer in scorers)
    if error > HALF_ENOUGH:
        device = scorers[0].model.device
        scorers.clear()  # or both would have to fit the memory
        release_memory(device)
        scorers = _scorers(work, name, "float32")
        off = (
            f"moves losses by {error:.2g} nats per token"
            if isfinite(error)
            else "cannot be trusted"
        )
        remark = f"{half} {off} in {' or '.join(work.models)}; it was scored in float32."
    for scorer in scorers:
        if is_worth(scorer.model, work.records):
            quicken(scorer, trial(scorer.model, tokenizer))
    longest = min(longest_input(scorer.model, work.max_length) for scorer in scorers)
    kinds = {True: "response positions", False: "full forward"}
    ways = " and ".join(
        kinds[s.way.apart] + ", masked" * s.way.masked + ", compiled" * bool(s.compiled)
        for s in scorers
    )
    return scorers, _Facts(longest, _format(scorers[0]), ways, remark)


def _scorers(work: Work, name: str, dtype: DType) -> list[Scorer]:
    return [Scorer(load_model(model, name, dtype)) for model in work.models]


def _format(scorer: Scorer) -> str:
    return str(scorer.model.dtype).removeprefix("torch.")
