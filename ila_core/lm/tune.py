"""Fine-tuning: the tuned model of depth by loss reduction, and the study's language-model student.

Both are one loop over the responses of some conversations: LoRA adapters or all weights, AdamW, a
step as many tokens as `batch_tokens` says. What a step reads follows from the seed and the step's
number alone, so a run that was killed goes on from its checkpoint to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from math import cos, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.files import replacing, told, write_text
from ila_core.lm.batches import digest, token_batches
from ila_core.lm.chat import (
    ChatTemplate,
    Conversation,
    Conversations,
    Encoded,
    encode_records,
)
from ila_core.lm.model import (
    DType,
    Scorer,
    devices,
    identity,
    load_dtype,
    load_model,
    load_tokenizer,
    longest_input,
    need_peft,
    out_of_memory,
    quietly,
    release_memory,
    token_losses,
)
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_MOST_HELD_OUT = 512
_MEASURED = 10  # times the held-out loss is measured after the first
_MICRO_TOKENS = 4096
_WARMUP = 0.03


@dataclass(frozen=True)
class TuneSettings:
    """How a model is fine-tuned.

    lm: the base, a Hub id or a folder. share: part of the pool that is drawn by `seed`; rows:
    these rows instead. holdout: part of the drawn rows that only measures. full: all weights,
    else LoRA of this rank, alpha and targets. steps: optimiser steps, else `epochs` over the
    drawn rows. lr: peak learning rate, 2e-4 for LoRA and 2e-5 for all weights unless given.
    batch_tokens: tokens of a step. checkpoint_every: steps between checkpoints.
    """

    lm: str
    share: float = 0.05
    rows: tuple[int, ...] | None = None
    seed: int = 0
    full: bool = False
    rank: int = 16
    alpha: int = 32
    targets: str | tuple[str, ...] = "all-linear"
    steps: int | None = None
    epochs: float = 1.0
    lr: float | None = None
    batch_tokens: int = 8192
    max_length: int = 2048
    holdout: float = 0.1
    checkpoint_every: int = 50
    device: str = "auto"
    dtype: DType = "auto"

    def __post_init__(self) -> None:
        if not self.lm:
            raise UsageError("A model to fine-tune is needed; name one with --lm ID_OR_PATH.")
        _check("share", self.share, 0 < self.share <= 1, "above 0 and at most 1")
        _check("holdout", self.holdout, 0 <= self.holdout < 1, "at least 0 and below 1")
        _check("epochs", self.epochs, self.epochs > 0, "above 0")
        _check("steps", self.steps, self.steps is None or self.steps > 0, "above 0")
        _check("max_length", self.max_length, self.max_length >= 2, "at least 2")
        _check("batch_tokens", self.batch_tokens, self.batch_tokens > 0, "above 0")
        _check("rank", self.rank, self.rank > 0, "above 0")
        _check("checkpoint_every", self.checkpoint_every, self.checkpoint_every > 0, "above 0")

    @property
    def peak_rate(self) -> float:
        """The highest learning rate of the run."""
        return self.lr if self.lr is not None else (2e-5 if self.full else 2e-4)


class Point(NamedTuple):
    """The curve after `step` optimiser steps, in nats per response token.

    train_loss is the mean since the point before, None at step 0; heldout_loss is None where
    nothing is held out.
    """

    step: int
    train_loss: float | None
    heldout_loss: float | None


@dataclass(frozen=True, eq=False)
class TuneResult:
    """A tuned model: where it lies, the rows it was made from, its curve.

    rows: (k,) int64, every row drawn, ascending; heldout_rows are those among them that only
    measured.
    """

    out: Path
    rows: np.ndarray
    heldout_rows: np.ndarray
    steps: int
    curve: tuple[Point, ...]

    @property
    def summary(self) -> str:
        """What came out, in two sentences."""
        first, last = self.curve[0].heldout_loss, self.curve[-1].heldout_loss
        said = f"Tuned on {len(self.rows)} records in {self.steps} steps"
        if first is not None and last is not None:
            said += f": held-out loss {first:.3f} to {last:.3f} nats per token"
        return f"{said}. The rows are in {self.out / 'rows.txt'}."

    @property
    def table(self) -> str:
        """The curve as lines of step, training loss and held-out loss."""
        lines = ["  step  training  held out   nats per response token"]
        for step, *losses in self.curve:
            cells = ["       -" if loss is None else f"{loss:8.3f}" for loss in losses]
            lines.append(f"{step:6}  {cells[0]}  {cells[1]}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class StudentResult:
    """A student's losses on dev.

    dev_nats: (m,) float64 summed loss of each dev record, NaN where it has none; dev_tokens: (m,)
    its scored tokens. curve: as in tuning, without held-out losses.
    """

    dev_nats: np.ndarray
    dev_tokens: np.ndarray
    steps: int
    curve: tuple[Point, ...] = field(default=())


def tune(
    conversations: Conversations,
    n: int,
    settings: TuneSettings,
    *,
    out: Path,
    work: Path | None = None,
    progress: Progress = no_progress,
) -> TuneResult:
    """Fine-tune a model on a random part of a pool of `n` conversations and save it in `out`.

    `out` gets the model or adapter with its tokenizer, rows.txt (every row drawn, one a line,
    counted from 0) and tune.json (settings, steps, the loss curve). Checkpoints lie in `work`, by
    default in `out`; a killed run goes on from the last one. A finished `out` of the same settings
    and pool is returned as it is; one of others is refused.
    """
    out = Path(out)
    _check_out(out, settings)
    rows, heldout = _draw(n, settings)
    chosen = _pick(conversations, rows)
    signature = _signature(settings, rows, chosen)
    if (finished := _finished(out, signature, rows, heldout)) is not None:
        return finished
    tokenizer = load_tokenizer(settings.lm)
    model, trained = _model(settings)
    longest = longest_input(model, settings.max_length)
    encoded, _, _ = encode_records(chosen, ChatTemplate.of(tokenizer), longest)
    measuring = np.isin(rows, heldout)
    train = [s for s, m in zip(encoded, measuring, strict=True) if s and len(s.targets) and not m]
    measured = [s for s, m in zip(encoded, measuring, strict=True) if s and len(s.targets) and m]
    checkpoint = (work or out) / "checkpoint.pt"
    curve = _train(model, train, measured, settings, checkpoint, signature, progress)
    _save(trained, tokenizer, settings, out)
    write_text(out / "rows.txt", "".join(f"{row}\n" for row in rows))
    result = TuneResult(out, rows, heldout, curve[-1].step, curve)
    story = {
        "signature": signature,
        "settings": {**asdict(settings), "lr": settings.peak_rate, "rows": len(rows)},
        "heldout_rows": heldout.tolist(),
        "records_trained": len(train),
        "records_measured": len(measured),
        "steps": result.steps,
        "curve": [point._asdict() for point in curve],
    }
    write_text(out / "tune.json", json.dumps(story, indent=1) + "\n")
    checkpoint.unlink(missing_ok=True)
    return result


def train_student(
    model_dir: str,
    conversations: Sequence[Conversation],
    dev: Sequence[Conversation],
    *,
    settings: TuneSettings | None = None,
    seed: int = 0,
    steps: int | None = None,
    checkpoint: Path | None = None,
    progress: Progress = no_progress,
) -> StudentResult:
    """Fine-tune a model on these conversations and measure it on dev; nothing is saved.

    `settings` says everything but the model, the seed and the steps, which are named here; with
    the same `steps` every student learns as often, whatever its records. No steps: epochs of the
    settings. Raises IlaError if no conversation has a response to learn from.
    """
    settings = replace(settings or TuneSettings(model_dir), lm=model_dir, seed=seed, rows=None)
    settings = replace(settings, steps=steps if steps is not None else settings.steps)
    template = ChatTemplate.of(load_tokenizer(model_dir))
    model, _ = _model(settings)
    longest = longest_input(model, settings.max_length)
    train, _, _ = encode_records(conversations, template, longest)
    ready = [s for s in train if s and len(s.targets)]
    signature = _signature(settings, np.arange(len(train)), conversations)
    curve = _train(model, ready, [], settings, checkpoint, signature, progress)
    measured, _, _ = encode_records(dev, template, longest)
    nats = _losses(Scorer(model), measured, settings)
    tokens = np.array([len(s.targets) if s else 0 for s in measured], dtype=np.int64)
    return StudentResult(nats, tokens, curve[-1].step, curve)


def tuned_rows(model: str, conversations: Conversations, n: int) -> np.ndarray | None:
    """The rows of this pool that a model saved by `tune` was made from, (k,) int64, ascending.

    None where that is not known: a model that `tune` did not make, or made from another pool.
    """
    folder = Path(model)
    try:
        rows = np.array((folder / "rows.txt").read_text("utf-8").split(), dtype=np.int64)
        made_from = json.loads(json.loads((folder / "tune.json").read_text("utf-8"))["signature"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if len(rows) and (rows.min() < 0 or rows.max() >= n):
        return None
    same = digest(_pick(conversations, rows)) == made_from.get("pool")
    return np.unique(rows) if same else None


def _check_out(out: Path, settings: TuneSettings) -> None:
    """Refuse a place that cannot be written or that is the base model's own, before the work."""
    if Path(settings.lm).is_dir() and out.resolve() == Path(settings.lm).resolve():
        raise UsageError(f"{out} is the model to fine-tune itself; name another folder with --out.")
    with told(out):
        out.mkdir(parents=True, exist_ok=True)


def _check(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise UsageError(f"--{name.replace('_', '-')} is {value}; it must be {expected}.")


def _draw(n: int, settings: TuneSettings) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the pool that are used, and those among them that only measure; ascending."""
    chance = np.random.default_rng(settings.seed)
    if settings.rows is not None:
        rows = np.unique(np.array(settings.rows, dtype=np.int64))
        if len(rows) and (rows[0] < 0 or rows[-1] >= n):
            wrong = rows[0] if rows[0] < 0 else rows[-1]
            raise UsageError(f"Row {wrong} does not exist; rows run from 0 to {n - 1}.")
    else:
        count = min(n, max(2, round(settings.share * n)))
        rows = np.sort(chance.choice(n, size=count, replace=False)).astype(np.int64)
    held = min(round(settings.holdout * len(rows)), _MOST_HELD_OUT, max(len(rows) - 1, 0))
    if settings.holdout and len(rows) > 1:
        held = max(held, 1)
    return rows, np.sort(chance.choice(rows, size=held, replace=False))


def _pick(conversations: Conversations, rows: np.ndarray) -> list[Conversation]:
    wanted = set(rows.tolist())
    chosen = [turns for row, turns in enumerate(conversations()) if row in wanted]
    if len(chosen) != len(wanted):
        raise IlaError(f"The pool holds {len(chosen)} of the {len(wanted)} rows to tune on.")
    return chosen


def _signature(settings: TuneSettings, rows: np.ndarray, chosen: Sequence[Conversation]) -> str:
    """What a checkpoint or a finished model must have been made from to be used."""
    what = {
        **asdict(settings),
        "device": None,  # where a run goes on does not change what it computes
        "rows": rows.tolist(),
        "lm": identity(settings.lm),
        "pool": digest(chosen),
    }
    return json.dumps(what, sort_keys=True)


def _finished(
    out: Path, signature: str, rows: np.ndarray, heldout: np.ndarray
) -> TuneResult | None:
    path = out / "tune.json"
    if not path.is_file():
        return None
    story = json.loads(path.read_text("utf-8"))
    if story["signature"] != signature:
        raise IlaError(
            f"{out} holds a model tuned with other settings or on another pool; choose another "
            "folder with --out."
        )
    return TuneResult(
        out, rows, heldout, story["steps"], tuple(Point(**point) for point in story["curve"])
    )


def _model(settings: TuneSettings) -> tuple[PreTrainedModel, Any]:
    """The model whose forward pass is trained, and what is saved of it in the end.

    With LoRA the second wraps the first, whose layers hold the adapters. All weights are trained
    in float32, whatever the format of the forward pass: half precision would lose small steps.
    """
    device = devices(settings.device)[0]
    if settings.full:
        model: Any = load_model(settings.lm, device, "float32")
        return model, model
    peft = need_peft()
    if (Path(settings.lm) / "adapter_config.json").is_file():
        raise UsageError(
            f"{settings.lm!r} is an adapter; fine-tune its base model, or merge the two first."
        )
    model = load_model(settings.lm, device, settings.dtype)
    if Path(settings.lm).is_dir():
        model.name_or_path = str(Path(settings.lm).resolve())  # the adapter remembers its base
    targets = settings.targets
    adapter = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    _seed(settings.seed, 0)
    wrapped = peft.get_peft_model(model, adapter)
    return wrapped.get_base_model(), wrapped


def _train(
    model: PreTrainedModel,
    train: Sequence[Encoded],
    measured: Sequence[Encoded],
    settings: TuneSettings,
    checkpoint: Path | None,
    signature: str,
    progress: Progress,
) -> tuple[Point, ...]:
    """Fit the model's trainable weights in place; the curve, from step 0 to the last."""
    import torch

    if not train:
        raise IlaError(
            "Not one of the records to learn from has a response that the model's template renders."
        )
    lengths = np.array([len(sequence.ids) for sequence in train])
    total = settings.steps or max(1, round(settings.epochs * _epoch_steps(lengths, settings)))
    every = max(1, -(-total // _MEASURED))
    scorer = Scorer(model)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.peak_rate, weight_decay=0.0)
    step, curve, since = _resume(checkpoint, signature, weights, optimizer)
    if not curve:
        curve.append(Point(0, None, _mean_loss(scorer, measured, settings)))
    taker = _Stepper(model, scorer, optimizer, weights, settings)
    progress(step, total)
    for number, batch in enumerate(_step_batches(lengths, settings), start=1):
        if number > total:
            break
        if number <= step:
            continue
        rate = settings.peak_rate * _warm_then_cosine(number, total)
        since.append(taker.take(number, [train[i] for i in batch], rate))
        if number % every == 0 or number == total:
            mean = float(np.mean(since))
            curve.append(Point(number, mean, _mean_loss(scorer, measured, settings)))
            since.clear()
        if checkpoint is not None and number % settings.checkpoint_every == 0:
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
        _seed(self._settings.seed, number)  # dropout, the same after a resumption
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
        yield from _epoch_batches(lengths, settings, epoch)
        epoch += 1


def _epoch_batches(lengths: np.ndarray, settings: TuneSettings, epoch: int) -> Iterator[list[int]]:
    batch: list[int] = []
    tokens = 0
    for row in np.random.default_rng([settings.seed, epoch]).permutation(len(lengths)).tolist():
        if batch and tokens + lengths[row] > settings.batch_tokens:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += int(lengths[row])
    yield batch


def _epoch_steps(lengths: np.ndarray, settings: TuneSettings) -> int:
    return sum(1 for _ in _epoch_batches(lengths, settings, 0))


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
    nats = _losses(scorer, measured, settings)
    tokens = np.array([len(sequence.targets) for sequence in measured])
    return float(nats.sum() / tokens.sum())


def _losses(
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


def _seed(seed: int, number: int) -> None:
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
    with replacing(checkpoint) as temporary:
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


def _save(trained: Any, tokenizer: Any, settings: TuneSettings, out: Path) -> None:
    """Write the model or adapter and its tokenizer, as transformers and peft read them."""
    if settings.full:
        trained.to(load_dtype(settings.dtype, str(trained.device)))
    with quietly():
        trained.save_pretrained(str(out))
        tokenizer.save_pretrained(str(out))
