"""Conversations as token ids: what is kept of a long one, and which tokens are counted."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_lm
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_lm import Turn, ask

from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import count_response_tokens, encode_records, truncated


def template_of(template: str | None, bos: str | None = None, eos: str = "</s>") -> ChatTemplate:
    return ChatTemplate.of(tiny_lm.make_tokenizer(template=template, bos=bos, eos=eos))


def test_truncation_by_hand() -> None:
    ids = np.arange(100, 112)
    near = truncated(ids, np.array([9, 10]), max_length=5)
    assert near.ids.tolist() == [106, 107, 108, 109, 110]
    assert near.targets.tolist() == [3, 4]
    assert (near.tokens, near.cut, near.response_cut) == (2, True, False)
    kept_first = truncated(ids, np.array([9, 10]), max_length=5, keep_first=100)
    assert kept_first.ids.tolist() == [100, 107, 108, 109, 110]
    assert kept_first.targets.tolist() == [3, 4]
    long = truncated(ids, np.arange(4, 12), max_length=4)
    assert long.ids.tolist() == [103, 104, 105, 106]
    assert (long.targets.tolist(), long.tokens, long.response_cut) == ([1, 2, 3], 8, True)
    whole = truncated(ids, np.array([0, 2]), max_length=12)
    assert whole.ids.tolist() == [100, 101, 102], "nothing behind the last response is read"
    assert (whole.targets.tolist(), whole.tokens, whole.cut) == ([2], 2, False)


@settings(max_examples=100)
@given(st.sets(st.integers(0, 40), min_size=1), st.integers(2, 45), st.booleans())
def test_truncation_never_exceeds_and_never_invents(
    places: set[int], max_length: int, lead: bool
) -> None:
    ids = np.arange(41)
    scored = np.array(sorted(places))
    window = truncated(ids, scored, max_length=max_length, keep_first=0 if lead else None)
    assert len(window.ids) <= max_length
    assert (window.targets >= 1).all() and (window.targets < len(window.ids)).all()
    assert set(window.ids[window.targets].tolist()) <= places
    assert window.tokens == len(places)
    if not window.cut:
        assert len(window.targets) == len(places - {0})


def test_tokens_are_counted_also_where_no_template_renders() -> None:
    template = template_of(tiny_lm.LLAMA2, "<s>")
    records = [ask("q", "Four, of course!"), (Turn("user", "q", False),), ask("q", "a", "q", "b")]
    counts = count_response_tokens(records, template.tokenizer, template.end_of_turn)
    exact = encode_records(records, template, 512).sequences
    assert counts == [exact[0].tokens, 0, exact[2].tokens]


def test_a_tokenizer_without_offsets_is_read_in_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    template = template_of(tiny_lm.CHATML)
    fast = encode_records([ask("two?", "Four\n", "q", "red")], template, 512).sequences[0]
    monkeypatch.setattr(type(template.tokenizer), "is_fast", False)
    slow = encode_records([ask("two?", "Four\n", "q", "red")], template, 512).sequences[0]
    assert slow.ids.tolist() == fast.ids.tolist()
    assert slow.targets.tolist() == fast.targets.tolist()
