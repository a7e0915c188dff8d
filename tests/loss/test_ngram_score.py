"""The n-gram scorer: nobody is scored by what has seen him, and everything is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sums import SUMS
from tiny_lm import Turn, ask

from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.loss.ngram.model import NgramModel, NgramSettings
from ila_core.loss.ngram.score import before, count_tokens, halves, score, score_more
from ila_core.loss.ngram.tokenizer import sample_texts, train_tokenizer
from ila_core.loss.ngram.tokens import encode_pool
from ila_core.loss.result import LossResult


def scored(records: Sequence[Sequence[Turn]], **options: int) -> LossResult:
    return score(lambda: records, len(records), NgramSettings(**options))  # type: ignore[arg-type]


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


def test_nobody_is_scored_by_a_model_that_has_seen_him() -> None:
    generator = np.random.default_rng(2)
    secrets = ["".join(generator.choice(list("abcdefgh"), 30)) for _ in range(64)]
    records = [ask("Say the secret.", secret) for secret in secrets]
    result = scored(records, seed=3)
    tokenizer = train_tokenizer(sample_texts(lambda: records, 64, seed=3))
    pool = encode_pool(lambda: records, 64, tokenizer)
    both = halves(64, 3)
    for unseen, seen in (both, both[::-1]):
        options = NgramSettings(seed=3)
        nats, count = NgramModel.fit(pool, seen, options).losses(pool, unseen)
        assert result.loss[unseen] == pytest.approx(nats / count, rel=1e-6)
        # A model that has seen them finds them far cheaper, so a leak would show.
        known, _ = NgramModel.fit(pool, unseen, options).losses(pool, unseen)
        assert nats.sum() > 1.2 * known.sum()


def test_a_repetition_in_the_other_half_is_cheap() -> None:
    secret = ask("Say the secret.", "xq zv kj wq vx qz jk")
    once, twice = scored([*SUMS, secret]), scored([*SUMS, secret] * 2, seed=1)
    here, there = len(SUMS), 2 * len(SUMS) + 1
    first, _ = halves(2 * len(SUMS) + 2, 1)
    assert (here in first) != (there in first), "another seed is needed to part the two"
    assert max(twice.loss[here], twice.loss[there]) < once.loss[-1] / 2


@pytest.mark.parametrize("seed", range(5))
def test_the_halves_know_nothing_of_what_else_chance_decides(seed: int) -> None:
    """Of what the same seed draws at random, about half is in the first half, not all or none."""
    n, drawn = 2000, 400
    half = np.zeros(n, dtype=bool)
    half[halves(n, seed)[0]] = True
    for purpose in ("random", "balanced", "dev split", "n-gram sample", "n-gram tokenizer"):
        share = half[stream(seed, purpose).permutation(n)[:drawn]].mean()  # type: ignore[arg-type]
        assert share == pytest.approx(0.5, abs=0.11), purpose  # four standard deviations


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


def test_progress_counts_to_its_total() -> None:
    steps: list[tuple[int, int | None]] = []
    score(lambda: SUMS, len(SUMS), progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps) and steps[-1] == (128, 128)


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
    assert tokenizer.bpe.decode(list(tokenizer.encode([text]).ids)).removeprefix(added) == text
    assert tokenizer.encode([text]).ids.max() < tokenizer.vocab


def test_lone_surrogates_are_read_as_question_marks() -> None:
    result = scored([ask("a \ud800 b", "c \udfff d")] * 4)
    assert np.isfinite(result.loss).all()
    tokenizer = train_tokenizer(["\ud800"])
    assert tokenizer.bpe.decode(list(tokenizer.encode(["\ud800x"]).ids)) == " ?x"


def test_a_pool_too_large_is_fitted_in_part() -> None:
    part = scored(SUMS, fit_tokens=300)
    assert part.meta["fitted_records"] < [32, 32]  # type: ignore[operator]
    assert np.isfinite(part.loss).all()
    assert part.loss.mean() > scored(SUMS).loss.mean()


def test_a_longer_order_knows_more() -> None:
    assert scored(SUMS, order=1).loss.mean() > scored(SUMS, order=3).loss.mean()


# --------------------------------------------------------------------------------------- messages


def test_messages_name_the_value_and_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"order is 9, expected 1 to 7"):
        scored(SUMS, order=9)
    with pytest.raises(UsageError, match=r"vocab_size is 100, expected at least 256"):
        scored(SUMS, vocab_size=100)
    with pytest.raises(UsageError, match=r"has 64 conversations where n says 65"):
        score(lambda: SUMS, 65)


# --------------------------------------------------------------------------------- further records

MORE = [ask("Add 3 and 4.", "3 + 4 = 7"), ask("Say nothing.", ""), ask("Add 30 and 4.", "34")]


def test_further_records_get_the_mean_of_both_halves_models(tmp_path: Path) -> None:
    rows = np.array([60, 3, 17])
    result, again = score_more(
        lambda: SUMS, len(SUMS), lambda: MORE, len(MORE), probe=rows, work=tmp_path
    )
    np.testing.assert_array_equal(again, scored(SUMS).loss[rows])
    tokenizer = train_tokenizer(sample_texts(lambda: SUMS, len(SUMS)))
    pool = encode_pool(lambda: SUMS, len(SUMS), tokenizer)
    others = encode_pool(lambda: MORE, len(MORE), tokenizer)
    told, both = np.array([0, 2]), halves(len(SUMS), 0)
    cost = {
        share: np.mean(
            [NgramModel.fit(pool, half).losses(others, told).nats for half in parts], axis=0
        )
        for share, parts in (("all", both), ("little", [before(half, 0) for half in both]))
    }
    tokens = others.response_tokens[told]
    np.testing.assert_allclose(result.loss[told], cost["all"] / tokens, rtol=1e-6)
    reduction = (cost["little"] - cost["all"]) / tokens
    np.testing.assert_allclose(
        result.extra["loss_reduction"][told], reduction, rtol=1e-4, atol=1e-6
    )
    assert np.isnan(result.loss[1]) and result.missing == {"no response": 1}
    assert result.tokens.tolist() == others.response_tokens.tolist()


def test_a_further_record_depends_on_none_beside_it() -> None:
    whole, _ = score_more(lambda: SUMS, len(SUMS), lambda: MORE, 3)
    alone, _ = score_more(lambda: SUMS, len(SUMS), lambda: MORE[2:], 1)
    assert whole.loss[2] == alone.loss[0]


def test_tokens_can_be_counted_as_another_pool_taught(tmp_path: Path) -> None:
    whole = count_tokens(lambda: SUMS, len(SUMS))
    some = count_tokens(lambda: SUMS[:5], 5, taught=(lambda: SUMS, len(SUMS)))
    assert some.tolist() == whole[:5].tolist() != count_tokens(lambda: SUMS[:5], 5).tolist()
