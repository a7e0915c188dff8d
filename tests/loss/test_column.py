"""Losses that need no model: what a column holds, and none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_lm import Turn, ask

from ila_core.errors import UsageError
from ila_core.loss import column
from ila_core.loss.ngram.score import count_tokens

POOL = [ask("2 plus 2?", "Four."), ask("3 plus 3?", "Six, of course."), (Turn("user", "q", False),)]


def test_a_columns_numbers_are_the_losses_and_tokens_are_counted() -> None:
    result = column.given(np.array([0.5, np.nan, np.inf]), "nll", lambda: POOL)
    np.testing.assert_array_equal(result.loss, np.array([0.5, np.nan, np.nan], np.float32))
    assert result.loss.dtype == np.float32
    assert result.missing == {"no finite number in nll": 2}
    assert result.meta == {"column": "nll"}
    assert result.tokens.tolist() == count_tokens(lambda: POOL, 3).tolist()
    assert result.tokens[0] > 1 and result.tokens[2] == 0
    assert column.given(np.ones(3), "nll", lambda: POOL).missing == {}


def test_a_column_without_a_number_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"Field 'nll' of --loss has no finite number in any of"):
        column.given(np.full(3, np.nan), "nll", lambda: POOL)


def test_no_loss_is_missing_for_every_record_and_budgets_still_have_tokens() -> None:
    result = column.none(lambda: POOL, 3)
    assert np.isnan(result.loss).all() and result.loss.dtype == np.float32
    assert result.missing == {"no loss asked for": 3}
    assert result.tokens.tolist() == count_tokens(lambda: POOL, 3).tolist()


def test_tokens_are_those_of_the_tokenizer_that_is_named(tmp_path: Path) -> None:
    import tokenizers as library

    words = library.Tokenizer(library.models.WordLevel({"?": 0}, "?"))
    words.pre_tokenizer = library.pre_tokenizers.WhitespaceSplit()
    words.save(str(tmp_path / "tokenizer.json"))
    named = str(tmp_path)
    expected = [2, 4, 0]  # words and the end
    assert column.none(lambda: POOL, 3, tokenizer=named).tokens.tolist() == expected
    given = column.given(np.ones(3), "nll", lambda: POOL, tokenizer=named)
    assert given.tokens.tolist() == expected


def test_a_killed_count_goes_on_in_its_folder(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    column.none(lambda: POOL, 3, work=tmp_path, progress=lambda *now: seen.append(now))
    kept = column.none(lambda: POOL, 3, work=tmp_path)
    assert seen[-1] == (3, 3) and list(tmp_path.glob("tokens-*"))
    assert kept.tokens.tolist() == column.none(lambda: POOL, 3).tokens.tolist()
