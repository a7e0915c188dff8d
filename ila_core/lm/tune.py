"""Fine-tuning: the tuned model of depth by loss reduction, and the study's language-model student.

Both train on the responses of some conversations (see `train`): LoRA adapters or all weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError, UsageError, first_line
from ila_core.files import (
    files_to_disk,
    locked,
    reading_errors,
    sweep,
    write_text,
    writing_errors,
)
from ila_core.lm.batches import digest
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import encode_records
from ila_core.lm.losses import Scorer
from ila_core.lm.model import (
    devices,
    load_dtype,
    load_model,
    load_tokenizer,
    longest_input,
    need_peft,
)
from ila_core.lm.packaged import PACKAGED, identity_of, is_file, resolve
from ila_core.lm.quiet import quietly
from ila_core.lm.saving import saving
from ila_core.lm.settings import TuneSettings
from ila_core.lm.train import Point, seed_torch, summed_losses, train
from ila_core.loss.turns import Conversation, Conversations
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_MOST_HELD_OUT = 512


@dataclass(frozen=True, eq=False)
class TuneResult:
    """A tuned model: where it lies, the rows it was made from, its curve.

    rows: (k,) int64, every row drawn, ascending; those that only measured are in tune.json.
    """

    out: Path
    rows: np.ndarray
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


class Judged(NamedTuple):
    """What held-out records cost a model.

    dev_nats: (m,) float64 summed loss of each record, NaN where it has none; dev_tokens: (m,)
    int64, its scored tokens.
    """

    dev_nats: np.ndarray
    dev_tokens: np.ndarray


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
    and pool is returned as it is; one of others is refused, and one in which a model is being
    tuned (RunError).
    """
    out = Path(out)
    _check_out(out, settings)
    with locked(out, f"A model is tuned in {out} already; wait for it, or stop it."):
        return _tune(conversations, n, settings, out, work or out, progress)


def _tune(
    conversations: Conversations,
    n: int,
    settings: TuneSettings,
    out: Path,
    work: Path,
    progress: Progress,
) -> TuneResult:
    rows, heldout = _draw(n, settings)
    chosen = _pick(conversations, rows)
    signature = _signature(settings, rows, chosen)
    checkpoint = work / "checkpoint.pt"
    sweep(out)
    if (finished := _finished(out, signature, rows)) is not None:
        checkpoint.unlink(missing_ok=True)  # a kill came between the two
        return finished
    tokenizer = load_tokenizer(settings.lm)
    model, trained = _model(settings)
    longest = longest_input(model, settings.max_length)
    encoded, _, _ = encode_records(chosen, ChatTemplate.of(tokenizer), longest)
    measuring = np.isin(rows, heldout)
    scored = [(s, m) for s, m in zip(encoded, measuring, strict=True) if s and len(s.targets)]
    learned = [s for s, measures in scored if not measures]
    measured = [s for s, measures in scored if measures]
    curve = train(
        model, learned, measured, settings, checkpoint=checkpoint, signature=signature,
        progress=progress,
    )  # fmt: skip
    _save(trained, tokenizer, settings, out)
    files_to_disk(out)  # before what says that they are whole
    write_text(out / "rows.txt", "".join(f"{row}\n" for row in rows))
    result = TuneResult(out, rows, curve[-1].step, curve)
    story = {
        "signature": signature,
        "settings": {**asdict(settings), "lr": settings.peak_rate, "rows": len(rows)},
        "heldout_rows": heldout.tolist(),
        "records_trained": len(learned),
        "records_measured": len(measured),
        "steps": result.steps,
        "curve": [point._asdict() for point in curve],
    }
    write_text(out / "tune.json", json.dumps(story, indent=1) + "\n")
    checkpoint.unlink(missing_ok=True)
    return result


def train_student(
    conversations: Sequence[Conversation],
    dev: Sequence[Conversation],
    settings: TuneSettings,
    *,
    checkpoint: Path | None = None,
) -> Judged:
    """Fine-tune a model on these conversations and measure it on dev; nothing is saved.

    With the same `steps` in the settings every student learns as often, whatever its records. A
    killed run goes on from its checkpoint, which is deleted in the end. Raises IlaError if no
    conversation has a response to learn from.
    """
    template = ChatTemplate.of(load_tokenizer(settings.lm))
    model, _ = _model(settings)
    encoded, _, _ = encode_records(
        conversations, template, longest_input(model, settings.max_length)
    )
    learned = [s for s in encoded if s and len(s.targets)]
    signature = _signature(settings, np.arange(len(encoded)), conversations)
    train(model, learned, [], settings, checkpoint=checkpoint, signature=signature)
    judged = _judged(model, template, dev, settings)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return judged


def judge(dev: Sequence[Conversation], settings: TuneSettings) -> Judged:
    """Measure a model as it is on held-out conversations."""
    template = ChatTemplate.of(load_tokenizer(settings.lm))
    model = load_model(settings.lm, devices(settings.device)[0], settings.dtype)
    return _judged(model, template, dev, settings)


def _judged(
    model: PreTrainedModel,
    template: ChatTemplate,
    dev: Sequence[Conversation],
    settings: TuneSettings,
) -> Judged:
    longest = longest_input(model, settings.max_length)
    measured, _, _ = encode_records(dev, template, longest)
    nats = summed_losses(Scorer(model), measured, settings)
    return Judged(nats, np.array([len(s.targets) if s else 0 for s in measured], dtype=np.int64))


def tuned_rows(model: str, conversations: Conversations, n: int) -> np.ndarray | None:
    """The rows of this pool that a model saved by `tune` was made from, (k,) int64, ascending.

    None where that is not known: a model that `tune` did not make, or made from another pool.
    """
    folder = Path(model)
    try:
        rows = np.array((folder / "rows.txt").read_text("utf-8").split(), dtype=np.int64)
        made_from = json.loads(json.loads((folder / "tune.json").read_text("utf-8"))["signature"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if len(rows) and (rows.min() < 0 or rows.max() >= n):
        return None
    same = digest(_pick(conversations, rows)) == made_from.get("pool")
    return np.unique(rows) if same else None


def _check_out(out: Path, settings: TuneSettings) -> None:
    """Refuse a place that cannot be written or that is the base model's own, before the work."""
    if Path(settings.lm).is_dir() and out.resolve() == Path(settings.lm).resolve():
        raise UsageError(f"{out} is the model to fine-tune itself; name another folder with --out.")
    with writing_errors(out):
        out.mkdir(parents=True, exist_ok=True)


def _draw(n: int, settings: TuneSettings) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the pool that are used, and those among them that only measure; ascending."""
    chance = stream(settings.seed, "tuned part")
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
        "lm": identity_of(settings.lm),
        "pool": digest(chosen),
    }
    return json.dumps(what, sort_keys=True)


def _finished(out: Path, signature: str, rows: np.ndarray) -> TuneResult | None:
    path = out / "tune.json"
    if not path.is_file():
        return None
    with reading_errors(path):
        told = path.read_bytes()
    try:
        story = json.loads(told)
        made_from, steps = story["signature"], int(story["steps"])
        curve = tuple(Point(**one) for one in story["curve"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IlaError(
            f"{path} is damaged ({first_line(error)}); delete {out} and tune the model again."
        ) from error
    if made_from != signature:
        raise IlaError(
            f"{out} holds a model tuned with other settings or on another pool; choose another "
            "folder with --out."
        )
    return TuneResult(out, rows, steps, curve)


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
    place = Path(resolve(settings.lm))
    if (place / "adapter_config.json").is_file():
        raise UsageError(
            f"{settings.lm!r} is an adapter; fine-tune its base model, or merge the two first."
        )
    model = load_model(settings.lm, device, settings.dtype)
    model.name_or_path = _base_name(settings.lm, place)
    adapter = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=_layers(settings.targets),
        task_type="CAUSAL_LM",
    )
    seed_torch(settings.seed, 0)
    wrapped = peft.get_peft_model(model, adapter)
    return wrapped.get_base_model(), wrapped


def _base_name(lm: str, place: Path) -> str:
    """The name by which an adapter finds its base again, wherever that is kept."""
    if lm in PACKAGED or not (place.is_dir() or is_file(lm)):
        return lm
    return str(Path(lm).expanduser().resolve())


def _layers(targets: Sequence[str]) -> str | list[str]:
    """Layers as peft takes them: all of them have a name of their own."""
    return targets[0] if list(targets) == ["all-linear"] else list(targets)


def _save(trained: Any, tokenizer: Any, settings: TuneSettings, out: Path) -> None:
    """Write the model or adapter and its tokenizer, as transformers and peft read them."""
    if settings.full:
        trained.to(load_dtype(settings.dtype, str(trained.device)))
    # an adapter's base keeps its own embeddings, and need not be found again to see that
    how = {} if settings.full else {"save_embedding_layers": False}
    for adapter in getattr(trained, "peft_config", {}).values():
        if isinstance(adapter.target_modules, set):  # else written in the order of this process
            adapter.target_modules = sorted(adapter.target_modules)
    with quietly(), saving(out):
        trained.save_pretrained(str(out), **how)
        tokenizer.save_pretrained(str(out))
