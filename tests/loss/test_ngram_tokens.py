"""Token streams of a pool: kept batch by batch, and what text may not spell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sums import SUMS
from tiny_lm import Turn, ask

from ila_core.loss.ngram import tokens as module
from ila_core.loss.ngram.score import count_tokens
from ila_core.loss.ngram.tokenizer import PoolTokenizer, Tokens, train_tokenizer
from ila_core.loss.ngram.tokens import encode_pool


class Counting:
    """A tokenizer that remembers how many texts it was handed at a time."""

    def __init__(self, tokenizer: PoolTokenizer) -> None:
        self.tokenizer, self.vocab, self.key = tokenizer, tokenizer.vocab, tokenizer.key
        self.encoded: list[int] = []

    def encode(self, texts: Sequence[str]) -> Tokens:
        self.encoded.append(len(texts))
        return self.tokenizer.encode(texts)


def test_a_killed_run_goes_on_after_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_RECORDS", 10)
    tokenizer = train_tokenizer([])
    whole = encode_pool(lambda: SUMS, 64, tokenizer)

    def killed() -> Iterable[Sequence[Turn]]:
        yield from SUMS[:35]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_pool(killed, 64, tokenizer, work=tmp_path)
    counting = Counting(tokenizer)
    resumed = encode_pool(lambda: SUMS, 64, counting, work=tmp_path)
    assert counting.encoded == [20, 20, 20, 8], "the first three batches were there"
    for name in ("ids", "offsets", "spans", "span_offsets", "response_tokens"):
        assert np.array_equal(getattr(resumed, name), getattr(whole, name)), name
    assert not list(tmp_path.rglob("batch-*"))


def test_special_strings_are_ordinary_characters(tmp_path: Path) -> None:
    import tokenizers as library

    model = library.Tokenizer(library.models.WordLevel({"the": 0, "<s>": 1, "?": 2}, "?"))
    model.pre_tokenizer = library.pre_tokenizers.WhitespaceSplit()
    model.add_special_tokens(["<s>"])
    model.enable_truncation(2)
    model.save(str(tmp_path / "tokenizer.json"))
    pool = [ask("hi", "the the the the"), ask("hi", "the<s>the")]
    assert count_tokens(lambda: pool, 2, tokenizer=str(tmp_path)).tolist() == [5, 2]
