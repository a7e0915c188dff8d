"""Causal language models of the transformers library: where they run, and how they are loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.errors import IlaError, UsageError, first_line
from ila_core.identity import base_model, commit
from ila_core.lm.packaged import resolve
from ila_core.lm.quiet import quietly
from ila_core.lm.saving import NO_CODE, NUMBERS
from ila_core.lm.settings import DType

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


ADAPTER = "adapter_model.safetensors"
"""The file of an adapter's weights."""


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
    return getattr(torch, dtype)  # type: ignore[no-any-return]


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a model by what names it; IlaError says in one sentence why there is none.

    What names a model is said by `packaged.resolve`.
    """
    from transformers import AutoTokenizer

    place = resolve(name)
    with _loading(name, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(place, **NO_CODE, **_state(place))
    if tokenizer is None:
        raise IlaError(f"{name} holds no tokenizer; save one beside the model.")
    return tokenizer


def check_model(name: str) -> None:
    """Raise IlaError where a model is not there; its configuration is read, not its weights."""
    from transformers import AutoConfig

    named = base_model(Path(name)) or name
    place = resolve(named)
    with _loading(named, "causal language model"):
        AutoConfig.from_pretrained(place, **NO_CODE, **_state(place))


def load_model(name: str, device: str, dtype: DType = "auto") -> PreTrainedModel:
    """A model by what names it, in evaluation mode; a PEFT adapter is merged into its base."""
    from transformers import AutoModelForCausalLM

    place = base = resolve(name)
    adapter = Path(place) / "adapter_config.json"
    if adapter.is_file():
        with _loading(name, "adapter"):
            base = json.loads(adapter.read_text("utf-8"))["base_model_name_or_path"]
        base = resolve(base)
    with _loading(name if base == place else base, "causal language model"):
        model: Any = AutoModelForCausalLM.from_pretrained(
            base, dtype=load_dtype(dtype, device), **NUMBERS, **_state(base)
        )
    if adapter.is_file():
        peft = need_peft()
        if not adapter.with_name(ADAPTER).is_file():
            raise IlaError(f"{name} has no {ADAPTER}; an adapter is loaded from that file alone.")
        with _loading(name, "adapter"):
            model = peft.PeftModel.from_pretrained(model, place).merge_and_unload()
    return model.to(device).eval()  # type: ignore[no-any-return]


def _state(name: str) -> dict[str, str]:
    """Return the revision to load a model by, that which `identity` tells of it."""
    known = None if Path(name).is_dir() else commit(name)
    return {"revision": known} if known else {}


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


def longest_input(model: PreTrainedModel, max_length: int) -> int:
    """`max_length`, or less where the model has fewer positions."""
    config = model.config.get_text_config()
    return min(max_length, getattr(config, "max_position_embeddings", None) or max_length)


@contextmanager
def _loading(name: str, kind: str) -> Iterator[None]:
    """Load quietly, and turn what a loader raises into one sentence."""
    try:
        with quietly():
            yield
    except (IlaError, MemoryError):
        raise
    except Exception as error:  # half a file of weights raises a kind of its own, and so on
        raise IlaError(
            f"The {kind} of {name!r} could not be loaded ({first_line(error)}); give a folder "
            "saved by save_pretrained, a GGUF file, or the id of a model on this machine or the "
            "Hugging Face Hub."
        ) from error
