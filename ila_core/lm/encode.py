"""Conversations as token ids, and the places among them whose loss counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ila_core.lm.chat import ChatTemplate, Refused, Rendered
from ila_core.loss.result import NO_RESPONSE
from ila_core.loss.turns import Conversation

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NOTHING_BEFORE = "no token before the response"


class Encoded(NamedTuple):
    """One sequence ready to score.

    ids: (t,) int32 token ids, cut after the last scored one.
    targets: (k,) int32 positions in `ids` that are scored, each from all before it; never 0.
    tokens: response tokens before truncation. cut: whether `max_length` removed anything;
    response_cut: whether it removed response tokens.
    """

    ids: np.ndarray
    targets: np.ndarray
    tokens: int
    cut: bool = False
    response_cut: bool = False


class EncodedRecords(NamedTuple):
    """One entry per record: its sequence, why it has none or no loss, what was noticed."""

    sequences: list[Encoded | None]
    reasons: list[str | None]
    notes: list[str | None]


def encode_records(
    records: Sequence[Conversation],
    template: ChatTemplate,
    max_length: int,
    *,
    bare: bool = False,
) -> EncodedRecords:
    """Render and tokenise conversations; with `bare`, their scored turns alone."""
    render = template.bare if bare else template.render
    outcomes = [render(turns) for turns in records]
    rendered = [one for one in outcomes if isinstance(one, Rendered)]
    ready = iter(encode(rendered, template.tokenizer, max_length))
    result = EncodedRecords([], [], [])
    for one in outcomes:
        sequence = next(ready) if isinstance(one, Rendered) else None
        reason = one.reason if isinstance(one, Refused) else None
        if sequence is not None and sequence.tokens == 0:
            sequence, reason = None, NO_RESPONSE
        elif sequence is not None and len(sequence.targets) == 0:
            reason = NOTHING_BEFORE
        result.sequences.append(sequence)
        result.reasons.append(reason)
        result.notes.append(one.note if isinstance(one, Rendered) else None)
    return result


def encode(
    rendered: Sequence[Rendered], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[Encoded]:
    """Tokenise texts in one batch and find their scored tokens.

    A token is scored if it holds a character of a scored span; a special token only if it begins
    there. Sequences longer than `max_length` are cut by `truncated`.

    >>> from ila_core.lm.encode import truncated
    >>> truncated(np.arange(10), np.array([6, 7]), max_length=5).ids.tolist()
    [3, 4, 5, 6, 7]
    """
    if not rendered:
        return []
    return [
        truncated(ids, scored, max_length=max_length, keep_first=tokenizer.bos_token_id)
        for ids, scored in _tokenised(rendered, tokenizer)
    ]


def truncated(
    ids: np.ndarray, scored: np.ndarray, *, max_length: int, keep_first: int | None = None
) -> Encoded:
    """The window of at most `max_length` tokens that is scored.

    It ends with the last scored token and reaches back as far as it can: the responses and the
    nearest context. Responses that do not fit are scored from their beginning, behind the nearest
    context, which then takes up to a quarter of the window. A first token `keep_first` (the
    beginning-of-sequence token, which many models lean on) stays first. A token without anything
    before it cannot be scored.

    >>> truncated(np.arange(9), np.arange(4, 9), max_length=4).targets.tolist()
    [1, 2, 3]
    """
    total = len(scored)
    if total == 0:
        return Encoded(ids[:0].astype(np.int32), scored.astype(np.int32), 0)
    end, first = int(scored[-1]) + 1, int(scored[0])
    if end <= max_length:
        return Encoded(ids[:end].astype(np.int32), scored[scored > 0].astype(np.int32), total)
    lead = int(keep_first is not None and int(ids[0]) == keep_first)
    room = max_length - lead
    fits = end - first < room
    start = max(end - room if fits else first - max(1, room // 4), lead)
    stop = min(start + room, end)
    inside = scored[(scored >= max(start, 1)) & (scored < stop)]
    window = np.concatenate([ids[:lead], ids[start:stop]])
    targets = inside - start + lead
    targets = targets[targets > 0]
    return Encoded(
        window.astype(np.int32), targets.astype(np.int32), total, True, len(inside) < total
    )


def count_response_tokens(
    conversations: Sequence[Conversation],
    tokenizer: PreTrainedTokenizerBase,
    end_of_turn: str,
) -> list[int]:
    """Tokens of the scored turns, each counted by itself with its end-of-turn token.

    The count for records that no template renders: budgets need one though the loss is missing.
    """
    texts = [turn.text + end_of_turn for turns in conversations for turn in turns if turn.scored]
    if not texts:
        return [0] * len(conversations)
    lengths = iter(len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"])
    return [sum(next(lengths) for turn in turns if turn.scored) for turns in conversations]


def _tokenised(
    rendered: Sequence[Rendered], tokenizer: PreTrainedTokenizerBase
) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Ids and scored positions of each text."""
    if not tokenizer.is_fast:
        yield from (_in_segments(one, tokenizer) for one in rendered)
        return
    special = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    batch = tokenizer(
        [one.text for one in rendered],
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    for one, ids, offsets in zip(
        rendered, batch["input_ids"], batch["offset_mapping"], strict=True
    ):
        array = np.array(ids, dtype=np.int32)
        places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
        yield array, _scored(array, places, one.spans, special)


def _scored(
    ids: np.ndarray, offsets: np.ndarray, spans: Iterable[tuple[int, int]], special: set[int]
) -> np.ndarray:
    """Positions of the tokens that hold a character of a span, ascending."""
    starts, ends = offsets[:, 0], np.maximum.accumulate(offsets[:, 1])
    # byte-level tokenizers trim a token of spaces to nothing: it still is the space before its end
    starts = np.where(starts == ends, ends - 1, starts)
    runs: list[np.ndarray] = []
    for low, high in spans:
        first = int(np.searchsorted(ends, low, side="right"))
        last = int(np.searchsorted(starts, high, side="left"))
        # a special token that swallowed the white space after it reaches into the span
        while first < last and starts[first] < low and int(ids[first]) in special:
            first += 1
        runs.append(np.arange(first, last))
    return np.unique(np.concatenate(runs)) if runs else np.empty(0, dtype=np.int64)


def _in_segments(
    rendered: Rendered, tokenizer: PreTrainedTokenizerBase
) -> tuple[np.ndarray, np.ndarray]:
    """Ids and scored positions under a tokenizer that keeps no offsets: piece by piece."""
    ids: list[int] = []
    scored: list[int] = []
    place = 0
    for low, high in (*rendered.spans, (len(rendered.text), len(rendered.text))):
        ids += tokenizer.encode(rendered.text[place:low], add_special_tokens=False)
        inside = tokenizer.encode(rendered.text[low:high], add_special_tokens=False)
        scored += range(len(ids), len(ids) + len(inside))
        ids += inside
        place = high
    return np.array(ids, dtype=np.int32), np.array(scored, dtype=np.int64)
