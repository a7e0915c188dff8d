"""The n-gram model: by hand, against a slow copy of its formulas, and what its weights learn."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sums import SUMS

from ila_core.loss.ngram import model as module
from ila_core.loss.ngram.model import Losses, NgramModel, NgramSettings
from ila_core.loss.ngram.tokenizer import train_tokenizer
from ila_core.loss.ngram.tokens import ROLES, TokenPool, encode_pool


class Said(NamedTuple):
    """A turn whose text is token numbers already."""

    role: str
    ids: Sequence[int]
    scored: bool = False


def said(prompt: Sequence[int], answer: Sequence[int]) -> list[Said]:
    return [Said("user", prompt), Said("assistant", answer, True)]


def pool_of(vocab: int, records: Iterable[Sequence[Said]]) -> TokenPool:
    """A token pool written out turn by turn, by the words of `encode_pool`'s docstring."""
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    offsets, span_offsets = [0], [0]
    for record in records:
        for turn in record:
            ids.append(vocab + 1 + ROLES.index(turn.role))
            start = len(ids)
            ids.extend(turn.ids)
            if turn.role == "assistant":
                ids.append(vocab)
            if turn.scored:
                spans.append((start, len(ids)))
        offsets.append(len(ids))
        span_offsets.append(len(spans))
    return TokenPool(
        np.array(ids, dtype=np.uint16),
        np.array(offsets),
        np.array(spans, dtype=np.int64).reshape(-1, 2),
        np.array(span_offsets),
        vocab,
    )


def every(pool: TokenPool) -> np.ndarray:
    return np.arange(len(pool))


def weighing(model: NgramModel, *weights: float) -> NgramModel:
    """The model with the same mixing weights in every state."""
    return replace(model, weights=np.tile(weights, (len(model.weights), 1)))


# ------------------------------------------------------------------------------------ by hand


def test_two_answers_by_hand() -> None:
    """Bigrams of "a b" and "a c": d_2 = 4.5 / 7 = 9/14; p_1 is 1/5 for a, b, c, 2/5 for the end."""
    a, b, c = 0, 1, 2
    pool = pool_of(3, [said([], [a, b]), said([], [a, c]), said([], [b, a])])
    options = NgramSettings(order=2)
    model = weighing(NgramModel.fit(pool, np.array([0, 1]), options), 1, 0, 0)
    assert [level.discount for level in model.levels] == pytest.approx([7 / 12, 9 / 14])
    seen = [26 / 35, 43 / 140, 43 / 70]  # a after the marker, b after a, the end after b
    new = [9 / 140, 9 / 70, 9 / 35]  # b after the marker, a after b, the end after a
    assert model.probabilities(pool, np.array([0, 2])) == pytest.approx(seen + new)
    nats, count = model.losses(pool, np.array([2, 0]))
    assert nats == pytest.approx([-sum(map(math.log, new)), -sum(map(math.log, seen))])
    assert count.tolist() == [3, 3]


def test_lower_order_counts_contexts_not_occurrences() -> None:
    """ "Francisco" is frequent but follows one word only: elsewhere it is as rare as a hapax."""
    san, francisco, other = 0, 1, 2
    pool = pool_of(4, [said([], [san, francisco])] * 9 + [said([], [other]), said([], [3])])
    model = NgramModel.fit(pool, every(pool), NgramSettings(order=2))
    counts = dict(
        zip(model.levels[0].ngrams.tolist(), model.levels[0].counts.tolist(), strict=True)
    )
    assert counts[francisco] == counts[other] == 1


def test_copying_by_hand() -> None:
    """Asked "a b", answered "a b": guessed 1/2, then surely, then the end not at all."""
    a, b = 0, 1
    pool = pool_of(3, [said([a, b], [a, b])])
    model = NgramModel.fit(pool, every(pool)[:0], NgramSettings(order=1))
    repetition = weighing(model, 0, 1, 0).probabilities(pool, every(pool))
    so_far = weighing(model, 0, 0, 1).probabilities(pool, every(pool))
    assert repetition == pytest.approx([1 / 2, 1, 0])
    assert so_far == pytest.approx([1 / 2, 1 / 3, 0])


def test_the_longest_repetition_is_believed() -> None:
    """After "a b" came c, after "x b" came d: the answer "a b ..." is continued by c."""
    a, b, c, d, x = range(5)
    pool = pool_of(5, [said([a, b, c, x, b, d], [a, b, c])])
    model = weighing(NgramModel.fit(pool, every(pool)[:0]), 0, 1, 0)
    assert model.probabilities(pool, every(pool))[2] == 1


# -------------------------------------------------------------------------- against the obvious


class SlowModel:
    """The formulas of the module's docstring with dictionaries, one token at a time."""

    def __init__(self, pool: TokenPool, rows: Iterable[int], order: int) -> None:
        self.pool, self.order = pool, order
        counts: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order + 1)]
        for row in rows:
            for t in range(pool.offsets[row], pool.offsets[row + 1]):
                if pool.ids[t] <= pool.vocab:
                    counts[order][(*self.context(row, t), int(pool.ids[t]))] += 1
        for length in range(order, 1, -1):
            counts[length - 1] = Counter(ngram[1:] for ngram in counts[length])
        self.counts = counts
        self.after: dict[tuple[int, ...], list[int]] = defaultdict(list)
        self.discount = [0.0]
        for length in range(1, order + 1):
            for ngram, count in counts[length].items():
                self.after[(length, *ngram[:-1])].append(count)
            once, twice = (list(counts[length].values()).count(c) for c in (1, 2))
            self.discount.append((once + 0.5) / (once + 2 * twice + 1))

    def places(self, row: int) -> list[int]:
        pool = self.pool
        spans = pool.spans[pool.span_offsets[row] : pool.span_offsets[row + 1]]
        return [t for start, stop in spans for t in range(start, stop)]

    def context(self, row: int, t: int) -> tuple[int, ...]:
        before = self.pool.ids[self.pool.offsets[row] : t].tolist()
        return tuple(([-1] * self.order + before)[len(before) + 1 :])

    def components(self, row: int, t: int) -> tuple[list[float], int]:
        pool, token, probability, known = self.pool, int(self.pool.ids[t]), 0.0, 0
        context = self.context(row, t)
        probability = 1 / (pool.vocab + 1)
        for length in range(1, self.order + 1):
            h = context[len(context) - length + 1 :]
            followers = self.after.get((length, *h))
            if followers:
                known += 1
                d = self.discount[length]
                kept = max(self.counts[length][(*h, token)] - d, 0)
                probability = (kept + d * len(followers) * probability) / sum(followers)
        before = pool.ids[pool.offsets[row] : t].tolist()
        words = [word for word in before if word <= pool.vocab]
        so_far = words.count(token) / len(words) if words else probability
        repetition, match = so_far, 0
        for length in range(8, 0, -1):
            ending = before[len(before) - length :]
            followers = [
                before[j + length]
                for j in range(len(before) - length)
                if before[j : j + length] == ending and before[j + length] <= pool.vocab
            ]
            if followers and len(ending) == length:
                repetition, match = followers.count(token) / len(followers), length
                break
        return [probability, repetition, so_far], match * (self.order + 1) + known

    def probabilities(self, rows: Iterable[int], weights: np.ndarray) -> list[float]:
        out = []
        for row in rows:
            for t in self.places(row):
                values, state = self.components(row, t)
                out.append(float(np.dot(values, weights[state])))
        return out


VOCAB = 4
words = st.lists(st.integers(0, VOCAB - 1), max_size=9)
turns = st.builds(
    lambda role, ids, scored: Said(role, ids, scored and role == "assistant"),
    st.sampled_from(ROLES),
    words,
    st.booleans(),
)
records = st.builds(
    lambda context, answer: [*context, Said("assistant", answer, True)],
    st.lists(turns, max_size=4),
    words,
)
pools = st.lists(records, min_size=1, max_size=12)


@settings(max_examples=150)
@given(pools, st.integers(1, 5), st.data())
def test_equals_the_slow_model(
    conversations: list[list[Said]], order: int, data: st.DataObject
) -> None:
    pool = pool_of(VOCAB, conversations)
    rows = data.draw(st.lists(st.integers(0, len(pool) - 1), max_size=12))
    model = NgramModel.fit(pool, np.array(rows), NgramSettings(order=order))
    slow = SlowModel(pool, rows, order)
    assert [level.discount for level in model.levels] == pytest.approx(slow.discount[1:])
    expected = slow.probabilities(range(len(pool)), model.weights)
    assert model.probabilities(pool, every(pool)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60)
@given(pools, st.lists(turns, max_size=3), words, st.integers(1, 4))
def test_sums_to_one_over_the_vocabulary(
    conversations: list[list[Said]], context: list[Said], begun: list[int], order: int
) -> None:
    continued = [
        [*context, Said("assistant", [*begun, *next_word], True)]
        for next_word in ([], *([word] for word in range(VOCAB)))  # [] is the end token
    ]
    pool = pool_of(VOCAB, [*conversations, *continued])
    model = NgramModel.fit(pool, np.arange(len(conversations)), NgramSettings(order=order))
    total = 0.0
    for row in range(len(conversations), len(pool)):
        # The context may hold scored turns of its own: count from the last span's start.
        before = pool.response_tokens[row] - np.diff(pool.spans[pool.span_offsets[row + 1] - 1])[0]
        total += model.probabilities(pool, np.array([row]))[before + len(begun)]
    assert total == pytest.approx(1, abs=1e-12)


@settings(max_examples=50)
@given(pools, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(conversations: list[list[Said]], random: object) -> None:
    pool = pool_of(VOCAB, conversations)
    rows = every(pool)
    shuffled = np.array(random.sample(rows.tolist(), len(rows)))  # type: ignore[attr-defined]
    straight = NgramModel.fit(pool, rows).losses(pool, rows)
    mixed = NgramModel.fit(pool, shuffled).losses(pool, shuffled)
    assert np.array_equal(mixed.nats, straight.nats[shuffled])
    assert np.array_equal(mixed.tokens, straight.tokens[shuffled])


def test_chunks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = pool_of(9, [said([i % 9, 1], [i % 7] * (i % 5)) for i in range(40)])
    model = NgramModel.fit(pool, every(pool))
    whole = model.losses(pool, every(pool))
    monkeypatch.setattr(module, "CHUNK_TOKENS", 7)
    pieces = model.losses(pool, every(pool))
    assert np.array_equal(whole.nats, pieces.nats)


def test_mixing_weights_come_from_the_data() -> None:
    """Where answers always copy, repetitions are believed; where they never do, they are not."""
    generator = np.random.default_rng(1)
    prompts = generator.integers(0, 60, size=(400, 10)).tolist()
    others = generator.integers(0, 60, size=(400, 10)).tolist()
    copies = pool_of(60, [said(p, p) for p in prompts])
    inventions = pool_of(60, [said(p, o) for p, o in zip(prompts, others, strict=True)])
    believed, doubted = (
        NgramModel.fit(pool, every(pool), NgramSettings(order=2)).weights.reshape(9, 3, 3)
        for pool in (copies, inventions)
    )
    assert believed[3:, :, 1].min() > 0.5  # after three tokens of repetition
    assert doubted[1, 2, 0] > 0.8  # after one token that happened to be there, the n-gram model


def test_scores_from_disk_as_from_memory(tmp_path: Path) -> None:
    pool = encode_pool(lambda: SUMS, 64, train_tokenizer([]))
    pool.save(tmp_path / "pool")
    opened = TokenPool.open(tmp_path / "pool")

    def losses(of: TokenPool) -> Losses:
        return NgramModel.fit(of, np.arange(32)).losses(of, np.arange(32, 64))

    assert losses(opened).nats.tobytes() == losses(pool).nats.tobytes()
    assert len(opened) == 64 and opened.vocab == 256
