"""A causal language model that says what each scored token costs, and nothing it need not compute.

The vocabulary is the widest thing a small model has: its projection is computed at the scored
positions alone, a chunk of them at a time. Sequences are padded on the right, where a causal model
never looks, so no attention mask is needed and attention takes its fastest path. Whether both hold
for a model is not believed but tried, against its own plain forward pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.lm.batches import padded
from ila_core.lm.chat import Encoded

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DType = Literal["auto", "float32", "bfloat16", "float16"]
_CHUNK_FLOATS = 1 << 23  # logits alive at a time: 32 MiB in float32
_FULL_FLOATS = 1 << 28  # the same where a model insists on all of them: 1 GiB


class Way(NamedTuple):
    """How a forward pass is done: the body and the head apart or not, with a mask or without."""

    apart: bool
    masked: bool


_WAYS = (Way(True, False), Way(True, True), Way(False, True))


def devices(device: str) -> list[str]:
    """The devices a run uses: "auto" takes every GPU there is, else the CPU.

    A comma-separated list names several, one worker each.

    >>> devices("cpu,cpu")
    ['cpu', 'cpu']
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        return ["mps" if torch.backends.mps.is_available() else "cpu"]
    names = [name.strip() for name in device.split(",")]
    for name in names:
        try:
            kind = torch.device(name)
        except RuntimeError:
            raise UsageError(
                f"Device {name!r} is not known; use auto, cpu, mps, cuda or cuda:0."
            ) from None
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if not there.get(kind.type, True):
            raise UsageError(f"Device {name!r} is not on this machine; use --device auto or cpu.")
        if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
            raise UsageError(
                f"Device {name!r} is not on this machine, which has "
                f"{torch.cuda.device_count()} CUDA devices."
            )
    return names


def load_dtype(dtype: DType, device: str) -> torch.dtype:
    """The number format: "auto" is bfloat16 where a GPU computes in it, else float32.

    A CPU's announcement of bfloat16 is not trusted: some die of it.
    """
    import torch

    if dtype == "auto":
        supported = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if supported else torch.float32
    if dtype not in ("float32", "bfloat16", "float16"):
        raise UsageError(f"Dtype {dtype!r} is not known; use auto, float32, bfloat16 or float16.")
    return getattr(torch, dtype)  # type: ignore[no-any-return]


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a model by id or path; IlaError says in one sentence why there is none."""
    from transformers import AutoTokenizer

    with _told(name, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(name)
    if tokenizer is None:
        raise IlaError(f"{name} holds no tokenizer; save one beside the model.")
    return tokenizer


def load_model(name: str, device: str, dtype: DType = "auto") -> PreTrainedModel:
    """A model by id or path, in evaluation mode; a PEFT adapter is merged into its base."""
    from transformers import AutoModelForCausalLM

    adapter = Path(name) / "adapter_config.json"
    base = name
    if adapter.is_file():
        with _told(name, "adapter"):
            base = json.loads(adapter.read_text("utf-8"))["base_model_name_or_path"]
    with _told(base, "causal language model"):
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=load_dtype(dtype, device))
    if adapter.is_file():
        peft = need_peft()
        with _told(name, "adapter"):
            model = peft.PeftModel.from_pretrained(model, name).merge_and_unload()
    return model.to(device).eval()  # type: ignore[no-any-return]


def need_peft() -> Any:
    """The peft package, or one sentence that says how to get it."""
    try:
        import peft
    except ImportError as error:
        raise IlaError(
            'Adapters need the peft package: pip install "ila-landscape[tune]", or fine-tune all '
            "weights with --full."
        ) from error
    return peft


def identity(name: str) -> dict[str, object]:
    """What tells one state of a model from another: a hub id's commit, a folder's files.

    >>> identity("nobody/nothing")
    {'model': 'nobody/nothing'}
    """
    folder = Path(name)
    if not folder.is_dir():
        return {"model": name}
    wanted = {".safetensors", ".bin", ".json", ".jinja", ".model"}
    files = sorted(path for path in folder.iterdir() if path.suffix in wanted)
    return {
        "model": str(folder.resolve()),
        "files": [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files],
    }


def longest_input(model: PreTrainedModel, max_length: int) -> int:
    """`max_length`, or less where the model has fewer positions."""
    config = model.config.get_text_config()
    return min(max_length, getattr(config, "max_position_embeddings", None) or max_length)


class Scorer:
    """A model on a device with the fastest way to its losses that is exact for it.

    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> config = LlamaConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=1,
    ...     num_attention_heads=2, vocab_size=50)
    >>> scorer = Scorer(LlamaForCausalLM(config).eval())
    >>> sequence = Encoded(np.array([1, 2, 3], np.int32), np.array([2], np.int32), 1)
    >>> scorer.losses([sequence]).shape
    (1,)
    """

    def __init__(self, model: PreTrainedModel, *, way: Way | None = None) -> None:
        self.model = model
        self.limit: int | None = None  # padded tokens that once ran out of memory
        self.way = way or _fastest_exact(model)

    def losses(self, batch: Sequence[Encoded]) -> np.ndarray:
        """(b,) float64: the summed loss of each sequence's targets, in nats; NaN on no memory.

        A batch that does not fit is halved until it does, and later ones are not tried that large.
        """
        import torch

        width = max(len(sequence.ids) for sequence in batch)
        if len(batch) == 1 or self.limit is None or width * len(batch) < self.limit:
            try:
                with torch.inference_mode():
                    return self._sums(batch)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            release_memory(self.model.device)
            if len(batch) == 1:
                return np.full(1, np.nan)
            self.limit = width * len(batch)
        half = len(batch) // 2
        return np.concatenate([self.losses(batch[:half]), self.losses(batch[half:])])

    def _sums(self, batch: Sequence[Encoded]) -> np.ndarray:
        counts = np.array([len(sequence.targets) for sequence in batch])
        nats = token_losses(self.model, batch, self.way).cpu().numpy().astype(np.float64)
        ends = np.cumsum(counts)
        return np.array(
            [nats[end - count : end].sum() for end, count in zip(ends, counts, strict=True)]
        )


def token_losses(
    model: PreTrainedModel, batch: Sequence[Encoded], way: Way = _WAYS[0]
) -> torch.Tensor:
    """The loss of every target of a batch, in nats, sequence after sequence: (k,) float32.

    Differentiable unless called under inference mode.
    """
    import torch

    device = model.device
    ids = torch.from_numpy(padded(batch)).to(device)
    rows = np.repeat(np.arange(len(batch)), [len(sequence.targets) for sequence in batch])
    places = np.concatenate([sequence.targets for sequence in batch]).astype(np.int64)
    row, place = torch.from_numpy(rows).to(device), torch.from_numpy(places).to(device)
    wanted = ids[row, place]
    options: dict[str, Any] = {"use_cache": False}
    if way.masked:
        lengths = torch.tensor([len(sequence.ids) for sequence in batch], device=device)
        reach = torch.arange(ids.shape[1], device=device)
        options["attention_mask"] = (reach < lengths[:, None]).long()
    if not way.apart:
        return _full_losses(model, ids, row, place, wanted, options)
    hidden = model.get_decoder()(input_ids=ids, **options).last_hidden_state
    return _head_losses(model, hidden[row, place - 1], wanted)


def _head_losses(
    model: PreTrainedModel, hidden: torch.Tensor, wanted: torch.Tensor
) -> torch.Tensor:
    """Losses from the hidden states that predict `wanted`, a chunk of the logits at a time."""
    import torch
    from torch.utils.checkpoint import checkpoint

    head = model.get_output_embeddings()
    size = max(1, _CHUNK_FLOATS // head.weight.shape[0])

    def chunk(states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = _as_the_model_ends(model, head(states))
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")

    if not torch.is_grad_enabled():
        # Filled in place: a small tensor kept from each chunk would pin the memory of its logits,
        # which then are never given back, a full set of them by the end.
        found = torch.empty(len(hidden), device=hidden.device)
        for first in range(0, len(hidden), size):
            part = slice(first, first + size)
            found[part] = chunk(hidden[part], wanted[part])
        return found
    losses = []
    for states, targets in zip(hidden.split(size), wanted.split(size), strict=True):
        if len(hidden) > size:
            losses.append(checkpoint(chunk, states, targets, use_reentrant=False))
        else:
            losses.append(chunk(states, targets))
    return torch.cat(losses)


def _as_the_model_ends(model: PreTrainedModel, logits: torch.Tensor) -> torch.Tensor:
    """Apply what some families do to their logits: scales (Cohere, Granite), Gemma's soft cap."""
    import torch

    config = model.config.get_text_config()
    if scale := getattr(config, "logit_scale", None):
        logits = logits * scale
    if scale := getattr(config, "logits_scaling", None):
        logits = logits / scale
    if scale := getattr(config, "lm_head_multiplier", None):
        logits = logits * scale
    if cap := getattr(config, "final_logit_softcapping", None):
        logits = torch.tanh(logits / cap) * cap
    return logits


def _full_losses(
    model: PreTrainedModel,
    ids: torch.Tensor,
    row: torch.Tensor,
    place: torch.Tensor,
    wanted: torch.Tensor,
    options: dict[str, Any],
) -> torch.Tensor:
    """Losses from the model's own forward pass, as many sequences at a time as logits allow."""
    import torch

    vocabulary = int(model.config.get_text_config().vocab_size)
    size = max(1, _FULL_FLOATS // (vocabulary * ids.shape[1]))
    losses = []
    for first in range(0, len(ids), size):
        part = slice(first, first + size)
        if "attention_mask" in options:
            masked = {**options, "attention_mask": options["attention_mask"][part]}
        else:
            masked = options
        logits = model(input_ids=ids[part], **masked).logits
        here = (row >= first) & (row < first + size)
        chosen = logits[row[here] - first, place[here] - 1]
        losses.append(
            torch.nn.functional.cross_entropy(chosen.float(), wanted[here], reduction="none")
        )
    return torch.cat(losses)


def _fastest_exact(model: PreTrainedModel) -> Way:
    """The first way whose losses are those of plain forward passes, one sequence at a time.

    Tried on three made-up sequences of different lengths, within 1e-4 in float32 and within the
    format's own noise in half precision.
    """
    import torch

    vocabulary = int(model.config.get_text_config().vocab_size)
    chance = np.random.default_rng(0)
    length = min(48, longest_input(model, 48))
    batch = [
        Encoded(
            chance.integers(0, vocabulary, size).astype(np.int32),
            np.arange(1, size, dtype=np.int32),
            size - 1,
        )
        for size in (length, max(2, length * 2 // 3), max(2, length // 3))
    ]
    tolerance = 1e-4 if model.dtype == torch.float32 else 0.25
    with torch.inference_mode():
        alone = torch.cat([token_losses(model, [one], Way(False, False)) for one in batch])
        for way in _WAYS:
            try:
                together = token_losses(model, batch, way)
            except Exception:
                continue  # a body or head of an unusual kind: the next way asks less of it
            if together.shape == alone.shape and bool((together - alone).abs().max() <= tolerance):
                return way
    raise IlaError(
        f"{model.config.name_or_path} gives other losses in a batch than alone; it is not a causal "
        "language model that can be scored."
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a batch was too large for the memory there is."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def release_memory(device: torch.device) -> None:
    """Give cached blocks of a GPU back, so that a smaller batch finds room."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()


@contextmanager
def quietly() -> Iterator[None]:
    """Keep transformers from drawing progress bars of its own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def _told(name: str, kind: str) -> Iterator[None]:
    """Load quietly, and turn what a loader raises into one sentence."""
    try:
        with quietly():
            yield
    except (IlaError, MemoryError):
        raise
    except Exception as error:  # half a file of weights raises a kind of its own, and so on
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise IlaError(
            f"The {kind} of {name!r} could not be loaded ({first}); give a folder saved by "
            "save_pretrained or the id of a model on this machine or the Hugging Face Hub."
        ) from error
