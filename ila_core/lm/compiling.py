"""A model's layers compiled for a GPU: what lies between two matrix products in one step each.

A layer is compiled, not the whole model: all are alike, so that one piece of machine code serves
them all and is made in seconds, for any number and length of sequences. It is tried before it is
used, and what cannot be compiled here (no compiler, an unusual layer) is computed as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ila_core.lm.encode import Encoded
from ila_core.lm.losses import EXACT, HALF_ENOUGH, Scorer, token_losses

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

WORTH = 1e14
"""Weights times records of 250 tokens from which as much time is saved as a quarter of a minute of
compiling takes: on an H200 a millisecond a record of 7 B weights, a fifth of one of 0.5 B."""
BACKEND = "inductor"
"""PyTorch's own."""


def is_worth(model: PreTrainedModel, records: int) -> bool:
    """Tell whether so many records are scored sooner by a model that is compiled first."""
    weights = sum(one.numel() for one in model.parameters())
    return model.device.type == "cuda" and weights * records >= WORTH


def quicken(scorer: Scorer, text: Encoded) -> bool:
    """Compile the layers of a scorer's model; return whether it scores by them from now on.

    It does where no mean loss of a text, and of its first two thirds and third beside it, moves by
    more than rounding in float32, or than half precision may move it. The text is tried alone too,
    for code of its own is made for that.
    """
    import torch

    batch = [_first(text, len(text.ids) * part // 3) for part in (3, 2, 1)]
    parts = [len(one.targets) for one in batch]

    def means() -> torch.Tensor:
        with torch.inference_mode():
            beside = token_losses(scorer.model, batch, scorer.way).double().split(parts)
            alone = token_losses(scorer.model, batch[:1], scorer.way).double()
            return torch.stack([losses.mean() for losses in (*beside, alone)])

    most = EXACT if scorer.model.dtype == torch.float32 else HALF_ENOUGH
    plain = means()
    scorer.compiled = layers_of(scorer.model)
    for layer in scorer.compiled:
        layer.compile(dynamic=True, backend=BACKEND)
    try:
        near = bool(((means() - plain).abs() <= most).all())  # NaN is not near
    except Exception:  # of the compiler's many ways to fail
        near = False
    if not near:
        scorer.uncompile()
    return bool(scorer.compiled)


def _first(text: Encoded, tokens: int) -> Encoded:
    """Return the first tokens of a text."""
    return Encoded(text.ids[:tokens], text.targets[text.targets < tokens], tokens)


def layers_of(model: PreTrainedModel) -> list[nn.Module]:
    """Return a model's layers: the list of modules that holds most of its weights.

    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> model = GPT2LMHeadModel(GPT2Config(n_layer=3, n_embd=8, n_head=2, vocab_size=9))
    >>> len(layers_of(model))
    3
    """
    from torch import nn

    def weights(modules: nn.ModuleList) -> int:
        return sum(one.numel() for one in modules.parameters())

    lists = [one for one in model.modules() if isinstance(one, nn.ModuleList)]
    if not lists:
        return []
    largest = max(lists, key=weights)
    return list(largest)
