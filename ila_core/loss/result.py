"""What every scorer returns: the n-gram model, a language model, a column, none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

NO_RESPONSE = "no response"
"""Why a loss is missing, of a record that nothing is to be scored of."""


@dataclass(frozen=True, eq=False)
class LossResult:
    """Losses of a pool's responses, in row order.

    loss: (n,) float32, nats per token over the scored tokens; NaN where missing.
    tokens: (n,) float32, the full count of response tokens, before truncation.
    truncated: number of records of which only a part was scored.
    missing: reason -> number of records whose loss is NaN for it.
    meta: what the manifest should say of the scorer.
    extra: further (n,) float32 columns, "tuned_loss" or "unconditional_loss".
    """

    loss: np.ndarray
    tokens: np.ndarray
    truncated: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    meta: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
