"""A model's layers compiled for a GPU: what lies between two matrix products in one step each.

A layer is compiled, not the whole model: all are alike, so that one piece of machine code serves
them all and is made in seconds, for any number and length of sequences. It is tried before it is
used, and what cannot be compiled here (no compiler, an unusual layer) is computed as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ila_core.lm.encode import Encoded
from ila_core.lm.losses import HALF_ENOUGH, Scorer, token_losses

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

WORTH = 5e13
"""Weights times records from which a quarter of a minute of compiling pays: a tenth of that time
would be saved on fewer."""
BACKEND = "inductor"
"""PyTorch's own."""


def is_worth(model: PreTrainedModel, records: int) -> bool:
    """Tell whether so many records are scored sooner by a model that is compiled first."""
    weights = sum(one.numel() for one in model.parameters())
    return model.device.type == "cuda" and weights * records >= WORTH


def quicken(scorer: Scorer, text: Encoded) -> bool:
    """Compile the layers of a scorer's model; return whether it scores by them from now on.

    It does where the mean loss of a text moves by no more than half precision may move it. The text
    is tried alone and beside itself, for code is made for each of the two.
    """
    import torch

    def mean() -> torch.Tensor:
        with torch.inference_mode():
            tried = [token_losses(scorer.model, [text] * n, scorer.way) for n in (3, 1)]
            return torch.stack([losses.double().mean() for losses in tried])

    plain = mean()
    scorer.compiled = layers_of(scorer.model)
    for layer in scorer.compiled:
        layer.compile(dynamic=True, backend=BACKEND)
    try:
        near = bool(((mean() - plain).abs() <= HALF_ENOUGH).all())  # NaN is not near
    except Exception:  # of the compiler's many ways to fail
        near = False
    if not near:
        scorer.uncompile()
    return bool(scorer.compiled)


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
