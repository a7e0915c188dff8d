"""The n-gram scorer: by hand, against a slow copy of its formulas, and at its edges."""

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

from ila_core.errors import UsageError
from ila_core.loss.ngram.model import Losses, NgramModel, NgramSettings, count_tokens, score
from ila_core.loss.ngram.tokens import (
    ROLES,
    WORD,
    PoolTokenizer,
    TokenPool,
    encode_pool,
    load_tokenizer,
    sample_texts,
    train_tokenizer,
)
from ila_core.loss.result import LossResult, tokens


class Turn(NamedTuple):
    role: str
    text: str
    scored: bool


class Said(NamedTuple):
    """A turn whose text is token numbers already."""

    role: str
    ids: Sequence[int]
    scored: bool = False


def ask(question: str, answer: str) -> tuple[Turn, ...]:
    return Turn("user", question, False), Turn("assistant", answer, True)


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


def scored(records: Sequence[Sequence[Turn]], **options: int) -> LossResult:
    return score(lambda: records, len(records), NgramSettings(**options))  # type: ignore[arg-type]


QUESTIONS = [f"What is {a} plus {b}?" for a in range(8) for b in range(8)]
SUMS = [ask(q, f"The answer is {a + b}.") for q, (a, b) in zip(
    QUESTIONS, [(a, b) for a in range(8) for b in range(8)], strict=True)]  # fmt: skip


# ------------------------------------------------------------------------------------ by hand


def test_two_answers_by_hand() -> None:
    """Bigrams of "a b" and "a c": d_2 = 4.5 / 7 = 9/14; p_1 is 1/5 for a, b, c, 2/5 for the end."""
    a, b, c = 0, 1, 2
    pool = pool_of(3, [said([], [a, b]), said([], [a, c]), said([], [b, a])])
    options = NgramSettings(order=2, fit_on="responses")
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
    model = NgramModel.fit(pool, every(pool), NgramSettings(order=2, fit_on="responses"))
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

    def __init__(self, pool: TokenPool, rows: Iterable[int], order: int, everything: bool) -> None:
        self.pool, self.order = pool, order
        counts: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order + 1)]
        for row in rows:
            for t in self.places(row, everything):
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

    def places(self, row: int, everything: bool) -> list[int]:
        pool = self.pool
        if everything:
            return list(range(pool.offsets[row], pool.offsets[row + 1]))
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
            for t in self.places(row, everything=False):
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


@settings(max_examples=150, deadline=None)
@given(pools, st.integers(1, 5), st.booleans(), st.data())
def test_equals_the_slow_model(
    conversations: list[list[Said]], order: int, everything: bool, data: st.DataObject
) -> None:
    pool = pool_of(VOCAB, conversations)
    rows = data.draw(st.lists(st.integers(0, len(pool) - 1), max_size=12))
    fit_on = "everything" if everything else "responses"
    model = NgramModel.fit(pool, np.array(rows), NgramSettings(order=order, fit_on=fit_on))  # type: ignore[arg-type]
    slow = SlowModel(pool, rows, order, everything)
    assert [level.discount for level in model.levels] == pytest.approx(slow.discount[1:])
    expected = slow.probabilities(range(len(pool)), model.weights)
    assert model.probabilities(pool, every(pool)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=50, deadline=None)
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
    monkeypatch.setattr("ila_core.loss.ngram.model._CHUNK_TOKENS", 7)
    pieces = model.losses(pool, every(pool))
    assert np.array_equal(whole.nats, pieces.nats)


# ----------------------------------------------------------------------------- what it is made for


def test_a_copied_answer_is_cheap() -> None:
    generator = np.random.default_rng(0)

    def words_of(n: int) -> str:
        return " ".join("".join(generator.choice(list("abcdefgh"), 4)) for _ in range(n))

    asked = [words_of(12) for _ in range(80)]
    copied = [ask(f"Repeat: {text}", text) for text in asked[:40]]
    free = [ask(f"Invent: {text}", words_of(12)) for text in asked[40:]]
    loss = scored([*copied, *free]).loss
    assert loss[:40].max() < loss[40:].min() / 2


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


def test_nobody_is_scored_by_a_model_that_has_seen_him() -> None:
    generator = np.random.default_rng(2)
    secrets = ["".join(generator.choice(list("abcdefgh"), 30)) for _ in range(64)]
    records = [ask("Say the secret.", secret) for secret in secrets]
    result = scored(records, seed=3)
    tokenizer = train_tokenizer(sample_texts(lambda: records, 64, seed=3))
    pool = encode_pool(lambda: records, 64, tokenizer)
    order = np.random.default_rng(3).permutation(64)
    for unseen, seen in (np.split(order, 2), np.split(order, 2)[::-1]):
        options = NgramSettings(seed=3)
        nats, count = NgramModel.fit(pool, seen, options).losses(pool, unseen)
        assert result.loss[unseen] == pytest.approx(nats / count, rel=1e-6)
        # A model that has seen them finds them far cheaper, so a leak would show.
        known, _ = NgramModel.fit(pool, unseen, options).losses(pool, unseen)
        assert nats.sum() > 1.2 * known.sum()


def test_a_repetition_in_the_other_half_is_cheap() -> None:
    secret = ask("Say the secret.", "xq zv kj wq vx qz jk")
    once, twice = scored([*SUMS, secret]), scored([*SUMS, secret] * 2)
    here, there = len(SUMS), 2 * len(SUMS) + 1
    halves = np.split(np.random.default_rng(0).permutation(2 * len(SUMS) + 2), 2)
    assert (here in halves[0]) != (there in halves[0]), "another seed is needed to part the two"
    assert max(twice.loss[here], twice.loss[there]) < once.loss[-1] / 2


# ------------------------------------------------------------------------------------ determinism


def test_same_bytes_each_time_with_and_without_a_work_folder(tmp_path: Path) -> None:
    plain, again = scored(SUMS), scored(SUMS)
    kept = score(lambda: SUMS, len(SUMS), work=tmp_path)
    resumed = score(lambda: SUMS, len(SUMS), work=tmp_path)
    for other in (again, kept, resumed):
        assert other.loss.tobytes() == plain.loss.tobytes()
        assert other.tokens.tobytes() == plain.tokens.tobytes()
        assert other.meta == plain.meta
    assert plain.loss.dtype == plain.tokens.dtype == np.float32
    assert scored(SUMS, seed=1).loss.tobytes() != plain.loss.tobytes()


def test_a_killed_run_goes_on_after_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_BATCH_RECORDS", 10)
    tokenizer = train_tokenizer([])
    whole = encode_pool(lambda: SUMS, 64, tokenizer)

    def killed() -> Iterable[Sequence[Turn]]:
        yield from SUMS[:35]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_pool(killed, 64, tokenizer, work=tmp_path)
    encoded: list[int] = []
    encode = tokens._encode_batch
    monkeypatch.setattr(
        tokens, "_encode_batch", lambda r, t: (encoded.append(len(r)), encode(r, t))[1]
    )
    resumed = encode_pool(lambda: SUMS, 64, tokenizer, work=tmp_path)
    assert encoded == [10, 10, 10, 4], "the first three batches were there"
    for name in ("ids", "offsets", "spans", "span_offsets", "response_tokens"):
        assert np.array_equal(getattr(resumed, name), getattr(whole, name)), name
    assert not list(tmp_path.rglob("batch-*"))


def test_progress_counts_to_its_total() -> None:
    told: list[tuple[int, int | None]] = []
    score(lambda: SUMS, len(SUMS), progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told) and told[-1] == (128, 128)


# ------------------------------------------------------------------------------------------ edges


def test_one_record_has_only_its_own_cache() -> None:
    result = scored([ask("hi", "\tok")])
    uniform_and_nothing_to_copy = math.log(3 * 257)  # a third of the weight, 256 bytes and the end
    assert result.loss.tolist() == pytest.approx([uniform_and_nothing_to_copy])
    assert result.tokens.tolist() == [4]  # three bytes and the end


def test_all_identical_is_almost_free() -> None:
    loss = scored([ask("Say yes.", "yes, gladly")] * 60).loss
    assert np.ptp(loss) < 0.05 and 0 < loss.max() < 0.2


def test_no_response_is_missing_and_counted() -> None:
    unscored = (Turn("user", "hi", False), Turn("assistant", "weight 0", False))
    result = scored([*SUMS, ask("hi", ""), ask("hi", " \n"), unscored, (Turn("user", "x", False),)])
    assert result.missing == {"no response": 4} and result.truncated == 0
    assert np.isnan(result.loss[-4:]).all() and np.isfinite(result.loss[:-4]).all()
    assert result.tokens[-4:].tolist() == [0, 0, 0, 0]


def test_only_scored_turns_count() -> None:
    talk = (
        Turn("system", "be brief", False),
        Turn("user", "hi", False),
        Turn("assistant", "abc", True),
        Turn("tool", "42", False),
        Turn("assistant", "weight 0", False),
        Turn("user", "", False),
        Turn("assistant", "de", True),
        Turn("assistant", "", True),
    )
    assert count_tokens(lambda: [talk], 1).tolist() == [5 + 4 + 1]


STRANGE = [
    "\x00\x00 NUL \x00",
    "👩‍👩‍👧‍👦🏳️‍🌈🇺🇳",
    "नमस्ते दुनिया",
    "混合的文字没有空格",
    "مرحبا بالعالم",
    "<|end|><|endoftext|></s><s>[INST]<user>",
    "\ufeff\u202e\u0301\u0301",
    "\t\r\n\x0b\x0c\x85\u2028.",
    "²³½Ⅷ①_snake_case__",
    "a" * 5_000,
    " " * 1_000 + "x",
    "don't we'll I'm 's's",
]


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: ascii(text[:12]))
def test_any_text_is_scored_and_comes_back(text: str) -> None:
    result = scored([*SUMS, ask(text, text), ask("hi", text)])
    assert np.isfinite(result.loss).all()
    tokenizer = train_tokenizer([text] * 30)
    added = "" if text[0].isspace() else " "
    assert tokenizer.decode(tokenizer.encode([text]).ids).removeprefix(added) == text
    assert tokenizer.encode([text]).ids.max() < tokenizer.vocab


def test_lone_surrogates_are_read_as_question_marks() -> None:
    result = scored([ask("a \ud800 b", "c \udfff d")] * 4)
    assert np.isfinite(result.loss).all()
    tokenizer = train_tokenizer(["\ud800"])
    assert tokenizer.decode(tokenizer.encode(["\ud800x"]).ids) == " ?x"


def test_special_strings_are_ordinary_characters(tmp_path: Path) -> None:
    import tokenizers as library

    model = library.Tokenizer(library.models.WordLevel({"the": 0, "<s>": 1, "?": 2}, "?"))
    model.pre_tokenizer = library.pre_tokenizers.WhitespaceSplit()
    model.add_special_tokens(["<s>"])
    model.enable_truncation(2)
    model.save(str(tmp_path / "tokenizer.json"))
    pool = [ask("hi", "the the the the"), ask("hi", "the<s>the")]
    assert count_tokens(lambda: pool, 2, tokenizer=str(tmp_path)).tolist() == [5, 2]


def test_a_pool_too_large_is_fitted_in_part() -> None:
    part = scored(SUMS, fit_tokens=300)
    assert part.meta["fitted_records"] < [32, 32]  # type: ignore[operator]
    assert np.isfinite(part.loss).all()
    assert part.loss.mean() > scored(SUMS).loss.mean()


def test_settings_are_honoured() -> None:
    assert scored(SUMS, order=1).loss.mean() > scored(SUMS, order=3).loss.mean()
    pool = encode_pool(lambda: SUMS, 64, train_tokenizer([]))
    everything = NgramModel.fit(pool, every(pool))
    answers = NgramModel.fit(pool, every(pool), NgramSettings(fit_on="responses"))
    assert len(answers.levels[3].ngrams) < len(everything.levels[3].ngrams)


def test_scores_from_disk_as_from_memory(tmp_path: Path) -> None:
    pool = encode_pool(lambda: SUMS, 64, train_tokenizer([]))
    pool.save(tmp_path / "pool")
    opened = TokenPool.open(tmp_path / "pool")

    def losses(of: TokenPool) -> Losses:
        return NgramModel.fit(of, np.arange(32)).losses(of, np.arange(32, 64))

    assert losses(opened).nats.tobytes() == losses(pool).nats.tobytes()
    assert len(opened) == 64 and opened.vocab == 256


# -------------------------------------------------------------------------------------- tokenizer


def spaced(text: str) -> str:
    return text if text[:1].isspace() or not text else " " + text


@given(st.text())
def test_words_are_the_whole_text(text: str) -> None:
    assert "".join(WORD.findall(text)) == text


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="ab c'd1_.\n é日", max_size=40), max_size=8))
def test_looked_up_words_equal_the_library(texts: list[str]) -> None:
    tokenizer = train_tokenizer(["ab abc c'd 11 a_b. é日\n\n"] * 60)
    for _ in range(2):  # learning the words, then looking them up
        ids, lengths = tokenizer.encode(texts)
        expected = [
            [i for word in WORD.findall(spaced(text)) for i in tokenizer.bpe.encode(word).ids]
            for text in texts
        ]
        assert ids.tolist() == [i for text in expected for i in text]
        assert lengths.tolist() == [len(text) for text in expected]


def test_a_first_word_is_the_token_of_a_later_one() -> None:
    tokenizer = train_tokenizer(["dog bird cat"] * 99)
    inside, alone = (tokenizer.encode([text]).ids.tolist() for text in ("dog bird cat", "bird"))
    assert len(alone) == 1 and alone[0] == inside[1]


def test_forgetting_words_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = train_tokenizer(QUESTIONS * 4)
    once = tokenizer.encode(QUESTIONS)
    monkeypatch.setattr(tokens, "_WORDS_KEPT", 3)
    for _ in range(3):
        assert np.array_equal(tokenizer.encode(QUESTIONS).ids, once.ids)


def test_training_is_repeatable_and_kept(tmp_path: Path) -> None:
    one, two = train_tokenizer(QUESTIONS * 9), train_tokenizer(QUESTIONS * 9)
    one.save(tmp_path / "t.json")
    kept = PoolTokenizer.open(tmp_path / "t.json")
    assert one.key == two.key == kept.key and one.vocab == kept.vocab > 256
    assert np.array_equal(kept.encode(QUESTIONS).ids, one.encode(QUESTIONS).ids)


def test_sample_is_seeded_and_cut() -> None:
    long = [ask("x" * 9_000, "y" * 9_000)] * 3
    assert [len(text) for text in sample_texts(lambda: long, 3)] == [2_000] * 6
    many = [ask(str(row), "") for row in range(9_000)]
    first, again, other = (list(sample_texts(lambda: many, 9_000, seed=s)) for s in (0, 0, 1))
    assert first == again != other and len(first) == 16_000


# --------------------------------------------------------------------------------------- messages


def test_messages_name_the_value_and_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"order is 9, expected 1 to 7"):
        scored(SUMS, order=9)
    with pytest.raises(UsageError, match=r"vocab_size is 100, expected at least 256"):
        scored(SUMS, vocab_size=100)
    with pytest.raises(UsageError, match=r"has 64 conversations where n says 65"):
        score(lambda: SUMS, 65)


def test_unknown_tokenizer_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for name in ("no-such/tokenizer-anywhere", str(tmp_path / "broken.json")):
        with pytest.raises(UsageError, match=r"--tokenizer") as caught:
            load_tokenizer(name)
        assert name in str(caught.value)
