"""Which sequences are scored together."""

from __future__ import annotations

import numpy as np

from ila_core.lm.batches import token_batches


def test_batches_hold_every_sequence_once_and_pad_little() -> None:
    lengths = np.random.default_rng(0).geometric(1 / 240, size=4096) + 20
    batches = token_batches(lengths, 2048)
    assert sorted(np.concatenate(batches).tolist()) == list(range(4096))
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert 1 - lengths.sum() / padded < 0.05
    assert all(lengths[batch].max() * len(batch) <= 2048 or len(batch) == 1 for batch in batches)
