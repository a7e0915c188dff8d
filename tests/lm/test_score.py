"""Losses of a causal language model: against the plain loop, however they are batched."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lm
from tiny_lm import Turn, ask

from ila_core.errors import IlaError, UsageError
from ila_core.lm import jobs, losses, workers
from ila_core.lm import score as scoring
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import encode_records
from ila_core.lm.losses import Scorer
from ila_core.lm.model import load_tokenizer
from ila_core.lm.score import probe, score
from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult

CHANCE = random.Random(0)
WORDS = tiny_lm.WORDS.split(" ")


def words(count: int) -> str:
    return " ".join(CHANCE.choice(WORDS) for _ in range(count))


POOL = [
    ask(words(CHANCE.randint(1, 40)), words(CHANCE.randint(1, 20)))
    if i % 5
    else ask(words(9), words(4), words(3), words(CHANCE.randint(1, 9)))
    for i in range(60)
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    return tiny_lm.save(tmp_path_factory.mktemp("lm") / "base", model, tokenizer)


@pytest.fixture(scope="module")
def oracle(base: str) -> np.ndarray:
    """(n,) the losses of plain forward passes, one record at a time."""
    return one_at_a_time(base, POOL)


def one_at_a_time(base: str, pool: list[tuple[Turn, ...]]) -> np.ndarray:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base).eval()
    sequences = encode_records(pool, ChatTemplate.of(load_tokenizer(base)), 512).sequences
    return np.array([tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in sequences])


def run(base: str, pool: list[Any] = POOL, work: Path | None = None, **options: Any) -> LossResult:
    return score(
        lambda: iter(pool), len(pool), LmSettings(lm=base, device="cpu", **options), work=work
    )


@pytest.mark.parametrize("batch_tokens", [1, 100, 700, 100_000])
@pytest.mark.parametrize("window", [7, 4096])
def test_losses_are_those_of_one_at_a_time(
    base: str, oracle: np.ndarray, batch_tokens: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WINDOW", window)
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", batch_tokens)
    result = run(base)
    np.testing.assert_allclose(result.loss, oracle, atol=1e-5)
    assert result.loss.dtype == result.tokens.dtype == np.float32
    assert not result.missing and result.truncated == 0


def test_the_order_of_records_changes_nothing(base: str, oracle: np.ndarray) -> None:
    order = np.random.default_rng(1).permutation(len(POOL))
    result = run(base, [POOL[i] for i in order])
    np.testing.assert_allclose(result.loss, oracle[order], atol=1e-5)


def test_the_padding_side_of_the_tokenizer_changes_nothing(
    base: str, oracle: np.ndarray, tmp_path: Path
) -> None:
    tokenizer = tiny_lm.make_tokenizer(padding_side="left")
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    result = run(tiny_lm.save(tmp_path / "left", model, tokenizer))
    np.testing.assert_allclose(result.loss, oracle, atol=1e-5)


def test_out_of_memory_halves_the_batch(
    base: str, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, tried = losses.token_losses, []

    def scarce(model: Any, batch: Any, way: Any) -> Any:
        tried.append(len(batch))
        if len(batch) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
        return plain(model, batch, way)

    monkeypatch.setattr(losses, "token_losses", scarce)
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", 1000)
    result = run(base)
    np.testing.assert_allclose(result.loss, oracle, atol=1e-5)
    assert max(tried) > 3

    def none(model: Any, batch: Any, way: Any) -> Any:
        if max(len(sequence.ids) for sequence in batch) > 100:
            raise MemoryError
        return scarce(model, batch, way)

    monkeypatch.setattr(losses, "token_losses", none)
    result = run(base)
    assert 0 < np.isnan(result.loss).sum() < len(POOL)
    assert result.missing == {"loss not finite or out of memory": np.isnan(result.loss).sum()}


def test_two_workers_give_what_one_gives(
    base: str, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WINDOW", 25)
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", 500)
    settings = LmSettings(lm=base, device="cpu,cpu", unconditional=True)
    result = score(lambda: iter(POOL), len(POOL), settings)
    np.testing.assert_allclose(result.loss, oracle, atol=1e-5)
    assert result.meta["devices"] == ["cpu", "cpu"]
    assert np.isfinite(result.extra["unconditional_loss"]).all()


def test_the_tuned_model_is_scored_in_the_same_pass(base: str, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(base)
    tuned = tiny_lm.make_model(vocabulary=len(tokenizer), seed=1)
    other = tiny_lm.save(tmp_path / "tuned", tuned, tokenizer)
    result = run(base, tuned_lm=other, unconditional=True)
    np.testing.assert_allclose(result.loss, one_at_a_time(base, POOL), atol=1e-5)
    np.testing.assert_allclose(result.extra["tuned_loss"], one_at_a_time(other, POOL), atol=1e-5)
    assert set(result.extra) == {"tuned_loss", "unconditional_loss"}


def test_a_tuned_model_with_another_tokenizer_is_refused(base: str, tmp_path: Path) -> None:
    tokenizer = tiny_lm.make_tokenizer(vocabulary=350)
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    other = tiny_lm.save(tmp_path / "other", model, tokenizer)
    with pytest.raises(UsageError, match="different tokenizers"):
        run(base, tuned_lm=other)


def test_the_unconditional_loss_is_that_of_the_bare_response(base: str) -> None:
    result = run(base, unconditional=True)
    template = ChatTemplate.of(load_tokenizer(base))
    bare = encode_records(POOL, template, 512, bare=True).sequences
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base).eval()
    expected = [tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in bare]
    np.testing.assert_allclose(result.extra["unconditional_loss"], expected, atol=1e-5)


def test_missing_records_have_reasons_and_no_number(base: str) -> None:
    pool = [POOL[1], (Turn("user", "no answer", False),), ask("q", ""), POOL[2]]
    result = run(base, pool)
    assert result.missing == {"no response": 1}
    assert np.isnan(result.loss).tolist() == [False, True, False, False]
    assert result.tokens[1] == 0 and result.tokens[2] == 1, "an empty response still ends"


def test_long_records_keep_the_response_and_the_nearest_context(base: str) -> None:
    pool = [ask(words(60), "red green"), ask("q", words(80)), ask("q", "red")]
    result = run(base, pool, max_length=40)
    assert result.truncated == 2
    assert result.meta["responses_cut"] == 1
    full = run(base, pool)
    assert result.tokens.tolist() == full.tokens.tolist()
    assert result.tokens[1] > 40
    assert np.isfinite(result.loss).all()
    assert result.loss[2] == pytest.approx(full.loss[2], abs=1e-5)


def test_a_model_with_few_positions_is_not_asked_for_more(tmp_path: Path) -> None:
    tokenizer = tiny_lm.make_tokenizer(template=None)
    model = tiny_lm.make_model("gpt2", vocabulary=len(tokenizer), max_position_embeddings=32)
    result = run(tiny_lm.save(tmp_path / "short", model, tokenizer))
    assert result.meta["max_length"] == 32
    assert result.meta["template"] == "plain"
    assert np.isfinite(result.loss).all() and result.truncated > 0


def test_meta_says_what_was_done(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", 400)
    seen: list[tuple[int, int | None]] = []
    settings = LmSettings(lm=base, device="cpu")
    result = score(lambda: iter(POOL), 60, settings, progress=lambda *step: seen.append(step))
    assert seen == sorted(seen) and seen[-1] == (60, 60)
    assert result.meta["end_of_turn"] == "<|im_end|>"
    assert result.meta["way"] == "response positions"
    assert 0 <= result.meta["padding_share"] < 0.2
    assert result.meta["tokens_per_second"] > 0


def test_the_pool_must_be_as_long_as_announced(base: str) -> None:
    for n in (59, 61):
        with pytest.raises(IlaError, match=f"{n} conversations were announced"):
            score(lambda: iter(POOL), n, LmSettings(lm=base, device="cpu"))


def test_a_worker_that_cannot_load_says_why(tmp_path: Path) -> None:
    work = workers.Work((str(tmp_path / "none"),), "auto", 64)
    with pytest.raises(IlaError, match="none' could not be loaded"):
        workers.open_lane(work, ["cpu", "cpu"])


def test_an_empty_pool_has_empty_columns(base: str) -> None:
    result = run(base, [])
    assert len(result.loss) == len(result.tokens) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lm": ""}, "--lm ID_OR_PATH"),
        ({"lm": "x", "max_length": 1}, "--max-length is 1; give a whole number from 8 to 16777216"),
        (
            {"lm": "x", "dtype": "int8"},
            "Unknown dtype 'int8'; choose auto, float32, bfloat16 or float16",
        ),
    ],
)
def test_settings_that_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LmSettings(**options)


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match=r"tokenizer of .*nowhere' could not be loaded"):
        run(str(tmp_path / "nowhere"))


def test_probe_tells_tokens_per_second(base: str) -> None:
    speed = probe(LmSettings(lm=base, device="cpu"), POOL[:20], seconds=0.2)
    assert speed.tokens_per_second > 0
    assert speed.seconds(100) == pytest.approx(
        100 * speed.tokens_per_record / speed.tokens_per_second
    )
    with pytest.raises(IlaError, match="Not one record"):
        probe(LmSettings(lm=base, device="cpu"), [(Turn("user", "q", False),)])


def test_a_resumed_run_does_not_score_again(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WINDOW", 20)
    first = run(base, work=tmp_path)
    monkeypatch.setattr(Scorer, "losses", lambda *_: pytest.fail("scored again"))
    again = run(base, work=tmp_path)
    assert again.loss.tobytes() == first.loss.tobytes()
    assert again.missing == first.missing


def test_kept_results_of_another_text_or_setting_are_not_used(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WINDOW", 20)
    run(base, work=tmp_path)
    changed = list(POOL)
    changed[3] = ask("something", "else")
    other = run(base, changed, work=tmp_path)
    np.testing.assert_allclose(other.loss, one_at_a_time(base, changed), atol=1e-5)
    (tmp_path / "window-000000.npz").write_bytes(b"damaged")
    again = run(base, changed, work=tmp_path)
    assert again.loss.tobytes() == other.loss.tobytes()
    short = run(base, changed, work=tmp_path, max_length=30)
    assert short.truncated > 0


def test_killed_and_resumed_gives_the_same_bytes(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")  # the children are forked
    monkeypatch.setattr(scoring, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(Scorer, "losses", slowly(Scorer.losses))
    monkeypatch.setattr(jobs, "WINDOW", 20)
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", 200)
    undisturbed = run(base)
    chance = random.Random(3)
    kills = 0
    for _ in range(4):
        child = os.fork()
        if child == 0:
            run(base, work=tmp_path)
            os._exit(0)
        time.sleep(0.1 + chance.random() * 0.3)
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    resumed = run(base, work=tmp_path)
    assert kills, "at least the first child dies before its end"
    assert resumed.loss.tobytes() == undisturbed.loss.tobytes()


def test_batches_of_another_machine_are_not_taken_for_its_own(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = [ask(tiny_lm.WORDS, letter) for letter in "abcd"]
    how = LmSettings(lm=base, device="cpu")
    tokens = len(encode_records(pool, ChatTemplate.of(load_tokenizer(base)), 4096)[0][0].ids)
    monkeypatch.setattr(scoring, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", 2 * tokens)  # rows 0 and 1, then 2 and 3

    def stop_after_a_batch(done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(lambda: iter(pool), 4, how, work=tmp_path, progress=stop_after_a_batch)
    monkeypatch.setattr(workers, "CPU_BATCH_TOKENS", 3 * tokens)  # rows 0 to 2, then 3
    resumed = run(base, pool, work=tmp_path)
    assert np.allclose(resumed.loss, run(base, pool).loss, atol=1e-5)
    assert not resumed.missing


def slowly(losses: Any) -> Any:
    def slow(*arguments: Any) -> Any:
        time.sleep(0.02)
        return losses(*arguments)

    return slow
