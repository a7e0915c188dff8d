"""What each scored token costs a causal language model, and nothing it need not compute.

The vocabulary is the widest thing a small model has: its projection is computed at the scored
positions alone, a chunk of them at a time. Sequences are padded on the right, where a causal model
never looks, so no attention mask is needed and attention takes its fastest path. Whether both hold
for a model is not believed but tried, against its own plain forward pass, in float32; and whether
a model may be scored in half precision is tried on a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.lm.batches import padded
from ila_core.lm.encode import Encoded
from ila_core.lm.model import longest_input

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CHUNK_FLOATS = 1 << 23  # logits alive at a time: 32 MiB in float32
GPU_CHUNK_FLOATS = 1 << 26  # the same where memory is read faster and every step costs a launch
_FULL_FLOATS = 1 << 28  # the same where a model insists on all of them: 1 GiB
EXACT = 1e-4
"""Nats by which a token's loss may differ between two ways in float32: rounding, and no more."""
_SHAPES = 8.0
"""How many times the rounding that is measured between two shapes may lie between two others."""
HALF_ENOUGH = 0.01
"""Nats per token by which half precision may move the mean loss of a text: what a study tells
apart is of that size. Rounding to either side cancels over a response's tokens; a drift does not.
"""


class Way(NamedTuple):
    """How a forward pass is done: the body and the head apart or not, with a mask or without."""

    apart: bool
    masked: bool


_WAYS = (Way(True, False), Way(True, True), Way(False, True))


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
        self.compiled: list[Any] = []  # layers that `compiling.quicken` compiled
        self.way = way or fastest_exact(model)

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
            except Exception as error:
                if not out_of_memory(error):
                    if not self.compiled:
                        raise
                    self.uncompile()  # for a batch of this shape no code could be made, or none ran
                    return self.losses(batch)
            release_memory(self.model.device)
            if len(batch) == 1:
                return np.full(1, np.nan)
            self.limit = width * len(batch)
        half = len(batch) // 2
        return np.concatenate([self.losses(batch[:half]), self.losses(batch[half:])])

    def uncompile(self) -> None:
        """Compute all layers as they were before any was compiled."""
        for layer in self.compiled:
            layer._compiled_call_impl = None
        self.compiled = []

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
    floats = GPU_CHUNK_FLOATS if hidden.is_cuda and not torch.is_grad_enabled() else CHUNK_FLOATS
    size = max(1, floats // head.weight.shape[0])

    def chunk(states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = _as_the_model_ends(model, head(states))
        return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")

    if not torch.is_grad_enabled():
        # Filled in place: a small tensor kept from each chunk would pin the memory of its logits,
        # which then are never given back, a full set of them by the end.
        nats = torch.empty(len(hidden), device=hidden.device)
        for first in range(0, len(hidden), size):
            part = slice(first, first + size)
            nats[part] = chunk(hidden[part], wanted[part])
        return nats
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


def fastest_exact(model: PreTrainedModel) -> Way:
    """The first way whose losses are those of plain forward passes, one sequence at a time.

    Tried on three made-up sequences of different lengths, in float32 whatever the model's format:
    the noise of half precision would hide a way that is wrong. How far rounding reaches in float32
    is the device's and the model's own (a GPU computes other shapes by other kernels, and a tuned
    model's losses of made-up tokens are large), so it is measured. A model in half precision whose
    weights cannot be widened is met by its own forward pass.
    """
    import torch

    vocabulary = int(model.config.get_text_config().vocab_size)
    chance = stream(0, "lm precision check")
    length = min(48, longest_input(model, 48))
    batch = [
        _all_scored(chance.integers(0, vocabulary, size))
        for size in (length, max(2, length * 2 // 3), max(2, length // 3))
    ]
    with torch.no_grad(), in_float32(model):
        try:
            alone = torch.cat([token_losses(model, [one], Way(False, False)) for one in batch])
        except RuntimeError:  # a module that reads another one's weights: formats meet
            if model.dtype == torch.float32:
                raise
            return _WAYS[-1]
        near = _rounding(model, batch, alone)
        for way in _WAYS:
            try:
                together = token_losses(model, batch, way)
            except Exception:
                continue  # a body or head of an unusual kind: the next way asks less of it
            if together.shape == alone.shape and bool((together - alone).abs().max() <= near):
                return way
    raise IlaError(
        f"{model.config.name_or_path} gives other losses in a batch than alone; it is not a causal "
        "language model that can be scored."
    )


def _rounding(model: PreTrainedModel, batch: Sequence[Encoded], alone: torch.Tensor) -> float:
    """Nats by which two right ways may differ: by what sequences beside their own copies differ.

    Copies need neither padding nor a mask, so that only the shapes of what is computed are other
    ones. Never more than half precision may move a loss, or a model that mixes its rows would pass.
    """
    import torch

    copies = [token_losses(model, [one] * len(batch), Way(False, False)) for one in batch]
    beside = torch.cat(
        [losses[: len(one.targets)] for losses, one in zip(copies, batch, strict=True)]
    )
    return min(max(EXACT, _SHAPES * float((beside - alone).abs().max())), HALF_ENOUGH)


def half_error(scorer: Scorer, tokenizer: PreTrainedTokenizerBase) -> float:
    """Nats per token by which a model's number format moves the mean loss of a text.

    Infinite where a loss is not finite, and where it cannot be known. The text is of plain
    sentences and code, the same for every model; what is held against it are the losses of the
    same weights, computed with in float32.
    """
    import torch

    model = scorer.model
    text = trial(model, tokenizer)
    with torch.no_grad():
        half = token_losses(model, [text], scorer.way)
        try:
            with in_float32(model):
                exact = token_losses(model, [text], scorer.way)
        except RuntimeError:
            return float("inf")
    error = float((half.double() - exact.double()).mean().abs())
    return error if np.isfinite(error) else float("inf")


def trial(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Return the text that a model is tried with, as far as it can read it, all of it scored."""
    return _all_scored(np.array(tokenizer(_TEXT)["input_ids"][: longest_input(model, 1024)]))


@contextmanager
def in_float32(model: PreTrainedModel) -> Iterator[None]:
    """Compute in float32 with the weights as they are.

    A module's own weights are widened while it runs and no longer, so that a model that fits the
    memory in half precision alone can still be tried.
    """
    import torch

    narrow: dict[torch.nn.Module, list[tuple[torch.Tensor, torch.Tensor]]] = {}

    def widen(module: torch.nn.Module, *_: Any) -> None:
        own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
        halves = [t for t in own if t.is_floating_point() and t.dtype != torch.float32]
        narrow[module] = [(tensor, tensor.data) for tensor in halves]
        for tensor in halves:
            tensor.data = tensor.data.float()

    def restore(module: torch.nn.Module, *_: Any) -> None:
        for tensor, data in narrow.pop(module, ()):
            tensor.data = data

    hooks: list[Any] = []
    for module in model.modules():
        hooks.append(module.register_forward_pre_hook(widen))
        hooks.append(module.register_forward_hook(restore, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for module in list(narrow):
            restore(module)


def _all_scored(ids: np.ndarray) -> Encoded:
    """A sequence of which every token but the first is scored."""
    return Encoded(ids.astype(np.int32), np.arange(1, len(ids), dtype=np.int32), len(ids) - 1)


_TEXT = """\
The river rises in the hills north of the town and reaches the sea after ninety kilometres. In \
spring, when the snow melts, it floods the lower meadows; by August a child can wade across. Three \
mills once stood on its banks. Only the one at the old bridge still turns, and it grinds no corn: \
a baker from the city bought it in 1987 and made it a house.

def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2

Q: A train leaves at 14:05 and arrives at 17:50. How long does the journey take?
A: From 14:05 to 17:05 are three hours, and 45 minutes more make 3 hours and 45 minutes.

Dear Ms Okafor, thank you for your letter of 3 March. We are sorry that the second parcel came \
late and that one cup was broken. A new set will be sent to you today, free of charge; please keep \
the old one or throw it away, as you like.

| metal | melts at | density |
| iron | 1538 C | 7.87 |
| tin | 232 C | 7.27 |

Why do cats purr? Nobody is quite sure. They do it when they are content, but also when they are \
hurt or afraid, so it may soothe the animal itself as well as tell others that it means no harm.
"""


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
