"""How a causal language model scores, and every option of fine-tuning one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ila_core.errors import UsageError
from ila_core.options import MAX_SEED, changed, check, option, options_of

DType = Literal["auto", "float32", "bfloat16", "float16"]
DTYPES = {
    "auto": "bfloat16 where a GPU computes in it, else float32",
    "float32": "exact; twice the memory",
    "bfloat16": "half the memory, the range of float32",
    "float16": "half the memory, for GPUs without bfloat16",
}
MAX_TOKENS = 1 << 24
"""The most tokens that a record or a step may be asked to have: more than any machine holds."""


LM = ("loss", ("lm",))
"""The company of every option of a language model: the option that says that one scores."""


def model_state(model: str) -> object:
    """Return what tells one state of a model from another: the content of the option's value."""
    from ila_core.lm.packaged import identity_of

    return identity_of(model)


@dataclass(frozen=True)
class OnDevice:
    device: str = option("auto", "auto, cpu, cuda, cuda:1 (several by commas) or mps",
                         metavar="NAME", alters=False)  # fmt: skip


@dataclass(frozen=True)
class Models:
    """Which language models score; the tuned one may be a PEFT adapter."""

    lm: str = option(
        "smollm2",
        "the language model of --loss lm: a hub id, a folder or a GGUF file; smollm2 unless given",
        called="Model: id, folder or GGUF file", metavar="ID_OR_PATH", company=LM,
        content=model_state,
    )  # fmt: skip
    tuned_lm: str | None = option(
        None, "the same model tuned on a part of the pool",
        called="Tuned model: id or folder", metavar="ID_OR_PATH", company=LM,
        content=model_state,
    )  # fmt: skip

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are loaded, the tuned one last."""
        return (self.lm, self.tuned_lm) if self.tuned_lm else (self.lm,)


@dataclass(frozen=True)
class LmSettings(Models, OnDevice):
    """How a causal language model scores a pool: the options of a build that say so.

    `max_length` is fewer where the model has fewer positions.
    """

    max_length: int = option(
        4096, "tokens a model reads of one record",
        called="Tokens of a record", metavar="N", least=8, most=MAX_TOKENS, company=LM,
    )  # fmt: skip
    dtype: DType = option(
        "auto", "number format of a language model",
        called="Number format", metavar="NAME", choices=DTYPES, company=LM,
    )  # fmt: skip
    unconditional: bool = option(
        False, "also the loss without the instruction",
        called="Also the loss without the instruction", company=LM,
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not self.lm:
            raise UsageError("--loss lm needs a model; name one with --lm ID_OR_PATH.")
        for one in options_of(LmSettings).values():
            one.check(getattr(self, one.name))


@dataclass(frozen=True)
class TuneSettings:
    """How a model is fine-tuned: all its weights, or an adapter (LoRA) beside them."""

    lm: str = option("", "the model to fine-tune", metavar="BASE")
    share: float = option(
        0.05, "share of the pool to train on, drawn at random", metavar="P", above=0, most=1
    )
    holdout: float = option(
        0.1, "share of the drawn records that only measures", metavar="P", least=0, most=0.9
    )
    seed: int = option(0, "seed of everything that chance enters", metavar="N",
                       least=0, most=MAX_SEED)  # fmt: skip
    full: bool = option(False, "train all weights instead of a LoRA adapter")
    rank: int = option(16, "rank of the LoRA adapter", metavar="N", least=1, most=4096)
    alpha: int = option(
        32, "strength of the LoRA adapter, as a multiple of 1 / rank", metavar="N",
        least=1, most=65536,
    )  # fmt: skip
    targets: tuple[str, ...] = option(
        ("all-linear",), "layers that the LoRA adapter is put on", metavar="A,B,C"
    )
    epochs: float = option(1.0, "passes over the drawn records", metavar="N", above=0, most=1000)
    steps: int | None = option(
        None, "optimiser steps instead of epochs", metavar="N", least=1, most=10_000_000
    )
    lr: float | None = option(
        None, "peak learning rate, 2e-4 for an adapter and 2e-5 for all weights unless given",
        metavar="R", above=0, most=1,
    )  # fmt: skip
    batch_tokens: int = option(8192, "tokens of a step", metavar="N", least=1, most=MAX_TOKENS)
    max_length: int = option(
        2048, "tokens a model reads of one record", metavar="N", least=8, most=MAX_TOKENS
    )
    device: str = option("auto", "where the model is trained: auto, cpu, mps or cuda",
                         metavar="NAME")  # fmt: skip
    dtype: DType = option("auto", "number format of a model", metavar="NAME", choices=DTYPES)

    def __post_init__(self) -> None:
        if not self.lm:
            raise UsageError("A model to fine-tune is needed; name one with --lm ID_OR_PATH.")
        check(self)
        given = {option.name: option.flag for option in changed(self)}
        for name in ("rank", "alpha", "targets"):
            if self.full and name in given:
                raise UsageError(f"{given[name]} is an adapter's; leave it or --full out.")
        if self.steps and "epochs" in given:
            raise UsageError("--steps is given instead of --epochs; leave one of them out.")

    @property
    def peak_rate(self) -> float:
        """The highest learning rate of the run."""
        return self.lr if self.lr is not None else (2e-5 if self.full else 2e-4)
