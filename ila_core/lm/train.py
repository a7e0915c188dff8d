"""The loop that fits a model to responses: AdamW, a step as many tokens as the settings say.

What a step reads follows from the seed and the step's number alone, so a run that was killed goes
on from its checkpoint to the same end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import cos, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.files import replacing
from ila_core.lm.batches import token_batches
from ila_core.lm.encode import Encoded
from ila_core.lm.losses import Scorer, out_of_memory, release_memory, token_losses
from ila_core.lm.model import load_dtype
from ila_core.lm.saving import saving
from ila_core.lm.settings import TuneSettings
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

CHECKPOINT_STEPS = 50
"""Steps between two checkpoints."""
_MEASURED = 10  # times the held-out loss is measured after the first
_MICRO_TOKENS = 4096
_WARMUP = 0.03


class Point(NamedTuple):
    """The curve after `step` optimiser steps, in nats per response token.

    train_loss is the mean since the point before, None at step 0; heldout_loss is None where
    nothing is held out.
    """

    step: int
    train_loss: float | None
    heldout_loss: float | None


def train(
    model: PreTrainedModel,
    learned: Sequence[Encoded],
    measured: Sequence[Encoded],
    settings: TuneSettings,
    *,
    checkpoint: Path | None = None,
    signature: str = "",
    progress: Progress = no_progress,
) -> tuple[Point, ...]:
    """Fit the model's trainable weights in place; the curve, from step 0 to the last.

    learned, measured: what is trained on, and what the held-out loss is taken of. checkpoint: a
    file that is taken up if it was written under this `signature`. IlaError for nothing to learn.
    """
    import torch

    if not learned:
        raise IlaError(
            "Not one of the records to learn from has a response that the model's template renders."
        )
    lengths = np.array([len(sequence.ids) for sequence in learned])
    total = settings.steps or max(1, round(settings.epochs * _epoch_steps(lengths, settings)))
    every = max(1, -(-total // _MEASURED))
    scorer = Scorer(model)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.peak_rate, weight_decay=0.0)
    step, curve, since = _resume(checkpoint, signature, weights, optimizer)
    if not curve:
        curve.append(Point(0, None, _mean_loss(scorer, measured, settings)))
    stepper = _Stepper(model, scorer, optimizer, weights, settings)
    progress(step, total)
    for number, batch in enumerate(_step_batches(lengths, settings), start=1):
        if number > total:
            break
        if number <= step:
            continue
        rate = settings.peak_rate * _warm_then_cosine(number, total)
        since.append(stepper.take(number, [learned[i] for i in batch], rate))
        if number % every == 0 or number == total:
            mean = float(np.mean(since))
            curve.append(Point(number, mean, _mean_loss(scorer, measured, settings)))
            since.clear()
        if checkpoint is not None and number % CHECKPOINT_STEPS == 0:
            _keep(checkpoint, signature, weights, optimizer, number, curve, since)
        progress(number, total)
    model.eval()
    return tuple(curve)


class _Stepper:
    """Takes optimiser steps, in pieces that fit the memory."""

    def __init__(
        self,
        model: PreTrainedModel,
        scorer: Scorer,
        optimizer: torch.optim.Optimizer,
        weights: Sequence[torch.Tensor],
        settings: TuneSettings,
    ) -> None:
        self._model, self._scorer, self._optimizer = model, scorer, optimizer
        self._weights, self._settings = weights, settings
        self._micro = min(_MICRO_TOKENS, settings.batch_tokens)

    def take(self, number: int, batch: Sequence[Encoded], rate: float) -> float:
        """One step on a batch; its mean loss before the step, in nats per token."""
        import torch

        while True:
            try:
                mean = self._gradient(number, batch)
                break
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                if self._micro <= max(len(sequence.ids) for sequence in batch) // 2:
                    raise IlaError(
                        "A single record does not fit the memory for fine-tuning; lower "
                        f"--max-length (now {self._settings.max_length}) or take a smaller model."
                    ) from error
            self._micro //= 2
            release_memory(self._model.device)
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return mean

    def _gradient(self, number: int, batch: Sequence[Encoded]) -> float:
        self._optimizer.zero_grad(set_to_none=True)
        self._model.train()
        seed_torch(self._settings.seed, number)  # dropout, the same after a resumption
        targets = sum(len(sequence.targets) for sequence in batch)
        lengths = np.array([len(sequence.ids) for sequence in batch])
        nats = 0.0
        for piece in token_batches(lengths, self._micro):
            with _autocast(self._model, self._settings):
                losses = token_losses(self._model, [batch[i] for i in piece], self._scorer.way)
                loss = losses.sum() / targets
            loss.backward()  # type: ignore[no-untyped-call]
            nats += float(loss.detach())
        self._model.eval()
        return nats


def _step_batches(lengths: np.ndarray, settings: TuneSettings) -> Iterator[list[int]]:
    """The records of step 1, 2, ...: every epoch a new shuffle, cut where the tokens are enough."""
    epoch = 0
    while True:
        yield from epoch_batches(lengths, settings, epoch)
        epoch += 1


def epoch_batches(lengths: np.ndarray, settings: TuneSettings, epoch: int) -> Iterator[list[int]]:
    """The batches of one epoch: every sequence once, in an order of the epoch's own."""
    batch: list[int] = []
    tokens = 0
    for row in stream(settings.seed, "tuning order", epoch).permutation(len(lengths)).tolist():
        if batch and tokens + lengths[row] > settings.batch_tokens:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += int(lengths[row])
    yield batch


def _epoch_steps(lengths: np.ndarray, settings: TuneSettings) -> int:
    return sum(1 for _ in epoch_batches(lengths, settings, 0))


def _warm_then_cosine(step: int, total: int) -> float:
    """The learning rate of a step as a share of the peak: a short rise, then half a cosine.

    >>> [round(_warm_then_cosine(step, 4), 2) for step in (1, 2, 3, 4)]
    [1.0, 0.85, 0.5, 0.15]
    """
    warm = max(1, round(_WARMUP * total))
    if step <= warm:
        return step / warm
    return 0.5 * (1 + cos(pi * (step - warm) / (total - warm + 1)))


def _mean_loss(scorer: Scorer, measured: Sequence[Encoded], settings: TuneSettings) -> float | None:
    """Loss per token over all tokens of these sequences; None if there are none."""
    if not measured:
        return None
    nats = summed_losses(scorer, measured, settings)
    tokens = np.array([len(sequence.targets) for sequence in measured])
    return float(nats.sum() / tokens.sum())


def summed_losses(
    scorer: Scorer, sequences: Sequence[Encoded | None], settings: TuneSettings
) -> np.ndarray:
    """(n,) float64 summed losses, NaN where there is no sequence."""
    nats = np.full(len(sequences), np.nan)
    rows = [i for i, s in enumerate(sequences) if s is not None and len(s.targets)]
    ready = [s for i in rows if (s := sequences[i]) is not None]
    lengths = np.array([len(sequence.ids) for sequence in ready], dtype=np.int64)
    scorer.model.eval()
    for batch in token_batches(lengths, _MICRO_TOKENS):
        with _autocast(scorer.model, settings):
            nats[np.array(rows)[batch]] = scorer.losses([ready[i] for i in batch])
    return nats


def _autocast(model: PreTrainedModel, settings: TuneSettings) -> AbstractContextManager[Any]:
    """Compute in half precision where the settings lead to it; the weights keep their format."""
    import torch

    dtype = load_dtype(settings.dtype, str(model.device))
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(model.device.type, dtype=dtype)


def seed_torch(seed: int, number: int) -> None:
    import torch

    torch.manual_seed(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))


def _keep(
    checkpoint: Path,
    signature: str,
    weights: Sequence[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    step: int,
    curve: Sequence[Point],
    since: Sequence[float],
) -> None:
    import torch

    state = {
        "signature": signature,
        "step": step,
        "weights": [weight.detach().cpu() for weight in weights],
        "optimizer": optimizer.state_dict(),
        "curve": [tuple(point) for point in curve],
        "since": list(since),
    }
    with replacing(checkpoint) as temporary, saving(checkpoint):
        torch.save(state, temporary)


def _resume(
    checkpoint: Path | None,
    signature: str,
    weights: Sequence[torch.Tensor],
    optimizer: torch.optim.Optimizer,
) -> tuple[int, list[Point], list[float]]:
    """Step, curve and losses since its last point, out of a checkpoint of this very run."""
    import torch

    if checkpoint is None or not checkpoint.is_file():
        return 0, [], []
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if state["signature"] != signature:
        return 0, [], []
    with torch.no_grad():
        for weight, kept in zip(weights, state["weights"], strict=True):
            weight.copy_(kept)
    optimizer.load_state_dict(state["optimizer"])
    return state["step"], [Point(*point) for point in state["curve"]], state["since"]
