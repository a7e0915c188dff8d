"""Scoring a part of a pool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_lm
from tiny_lm import Turn, ask

from ila_core.lm.part import drawn, score_part
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings

POOL = [
    ask(f"What is {i} plus two?", f"It is {i + 2}, of course!" * (i % 3 + 1)) for i in range(30)
]
POOL[4] = (Turn("user", "no answer", False),)
POOL[5] = ask("nothing", "")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


def test_the_part_is_scored_as_in_the_whole_and_the_rest_counted(models: Path) -> None:
    settings = LmSettings(lm=str(models / "chat"), device="cpu", unconditional=True)
    whole = score(lambda: iter(POOL), 30, settings)
    rows = np.array([0, 3, 4, 17, 29])
    part = score_part(lambda: iter(POOL), 30, rows, settings)
    scored = np.flatnonzero(np.isfinite(part.loss))
    assert scored.tolist() == [0, 3, 17, 29]
    np.testing.assert_allclose(part.loss[scored], whole.loss[scored], atol=1e-5)
    np.testing.assert_array_equal(part.tokens, whole.tokens)
    assert part.missing == {"no response": 1, "not in the sample": 25}
    assert np.flatnonzero(np.isfinite(part.extra["unconditional_loss"])).tolist() == [0, 3, 17, 29]
    assert part.loss.dtype == part.tokens.dtype == np.float32


@pytest.mark.parametrize("size", [1, 7, 30, 99])
def test_a_draw_is_of_distinct_rows_in_order(size: int) -> None:
    rows = drawn(30, size, seed=3)
    assert len(rows) == min(size, 30) and (np.diff(rows) > 0).all()
    assert set(rows.tolist()) <= set(drawn(30, size + 5, seed=3).tolist()) <= set(range(30))
