"""Losses of a causal language model: against the plain loop, however they are batched."""

from __future__ import annotations

import os
import queue
import random
import shutil
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
from ila_core.lm import batches as batching
from ila_core.lm import score as causal_lm
from ila_core.lm import workers
from ila_core.lm.chat import ChatTemplate, Encoded, encode_records
from ila_core.lm.model import Scorer, Way, devices, load_dtype, load_tokenizer
from ila_core.lm.score import LmSettings, count_tokens, probe, score
from ila_core.loss.result import LossResult
from ila_core.loss.result import model as models

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
    found = encode_records(pool, ChatTemplate.of(load_tokenizer(base)), 512).sequences
    return np.array([tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in found])


def run(base: str, pool: list[Any] = POOL, work: Path | None = None, **options: Any) -> LossResult:
    return score(
        lambda: iter(pool), len(pool), LmSettings(base, device="cpu", **options), work=work
    )


@pytest.mark.parametrize("batch_tokens", [1, 100, 700, 100_000])
@pytest.mark.parametrize("window", [7, 4096])
def test_losses_are_those_of_one_at_a_time(
    base: str, oracle: np.ndarray, batch_tokens: int, window: int
) -> None:
    result = run(base, batch_tokens=batch_tokens, window=window)
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


@pytest.mark.parametrize(
    "kind", ["gpt2", "qwen2", "gemma2", "cohere", "granite", "mistral", "gpt_neox"]
)
def test_families_with_heads_of_their_own(kind: str) -> None:
    """Soft caps, scaled logits, tied heads, learned positions: all by the fast way, all exact."""
    model = tiny_lm.make_model(kind, vocabulary=300)
    scorer = Scorer(model)
    assert scorer.way == Way(apart=True, masked=False)
    chance = np.random.default_rng(0)
    batch = [
        Encoded(chance.integers(0, 300, t).astype(np.int32), np.arange(1, t, 2), t)
        for t in (30, 22, 9)
    ]
    alone = [tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in batch]
    sums = scorer.losses(batch) / [len(s.targets) for s in batch]
    np.testing.assert_allclose(sums, alone, atol=1e-5)


def test_a_head_that_does_more_than_it_says_is_met_by_the_full_forward() -> None:
    from transformers import LlamaForCausalLM

    class Shifted(LlamaForCausalLM):
        def forward(self, *args: Any, **options: Any) -> Any:
            out = super().forward(*args, **options)
            out.logits = out.logits * 0.5
            return out

    plain = tiny_lm.make_model(vocabulary=300)
    model = Shifted(plain.config).eval()
    model.load_state_dict(plain.state_dict())
    scorer = Scorer(model)
    assert scorer.way == Way(apart=False, masked=True)
    batch = [Encoded(np.arange(t, dtype=np.int32), np.array([2, t - 1]), 2) for t in (12, 7, 5)]
    expected = [2 * tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in batch]
    np.testing.assert_allclose(scorer.losses(batch), expected, atol=1e-5)


def test_a_model_that_looks_ahead_is_refused() -> None:
    from transformers import LlamaForCausalLM

    class Ahead(LlamaForCausalLM):
        def forward(self, input_ids: Any, **options: Any) -> Any:
            out = super().forward(input_ids, **options)
            out.logits = out.logits * (1 + input_ids[:, -1:, None])
            return out

    with pytest.raises(IlaError, match="other losses in a batch than alone"):
        Scorer(Ahead(tiny_lm.make_model(vocabulary=300).config).eval())


def test_small_chunks_of_the_vocabulary_give_the_same(
    base: str, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_CHUNK_FLOATS", 1)
    np.testing.assert_allclose(run(base).loss, oracle, atol=1e-5)


def test_out_of_memory_halves_the_batch(
    base: str, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, tried = models.token_losses, []

    def scarce(model: Any, batch: Any, way: Any) -> Any:
        tried.append(len(batch))
        if len(batch) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
        return plain(model, batch, way)

    monkeypatch.setattr(models, "token_losses", scarce)
    result = run(base, batch_tokens=1000)
    np.testing.assert_allclose(result.loss, oracle, atol=1e-5)
    assert max(tried) > 3

    def none(model: Any, batch: Any, way: Any) -> Any:
        if max(len(sequence.ids) for sequence in batch) > 100:
            raise MemoryError
        return scarce(model, batch, way)

    monkeypatch.setattr(models, "token_losses", none)
    result = run(base)
    assert 0 < np.isnan(result.loss).sum() < len(POOL)
    assert result.missing == {"loss not finite or out of memory": np.isnan(result.loss).sum()}


def test_an_error_that_is_not_memory_is_not_swallowed(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: Any, batch: Any, way: Any) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(models, "token_losses", broken)
    scorer_way = Way(True, False)
    with pytest.raises(RuntimeError, match="a defect"):
        Scorer(tiny_lm.make_model(vocabulary=50), way=scorer_way).losses(
            [Encoded(np.array([1, 2]), np.array([1]), 1)]
        )


def test_two_workers_give_what_one_gives(base: str, oracle: np.ndarray) -> None:
    settings = LmSettings(base, device="cpu,cpu", batch_tokens=500, window=25, unconditional=True)
    result = score(lambda: iter(POOL), len(POOL), settings)
    np.testing.assert_allclose(result.loss, oracle, atol=1e-5)
    assert result.meta["devices"] == ["cpu", "cpu"]
    assert np.isfinite(result.extra["unconditional_loss"]).all()


def test_a_worker_that_cannot_load_says_why(tmp_path: Path) -> None:
    work = workers.Work((str(tmp_path / "none"),), "auto", 64, "auto")
    outbox: queue.Queue[Any] = queue.Queue()
    workers._serve(work, "cpu", 2, None, outbox)
    assert "none' could not be loaded" in outbox.get(timeout=1).sentence


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


def test_meta_says_what_was_done(base: str) -> None:
    seen: list[tuple[int, int | None]] = []
    settings = LmSettings(base, device="cpu", batch_tokens=400)
    result = score(lambda: iter(POOL), 60, settings, progress=lambda *step: seen.append(step))
    assert seen == sorted(seen) and seen[-1] == (60, 60)
    assert result.meta["end_of_turn"] == "<|im_end|>"
    assert result.meta["way"] == "response positions"
    assert 0 <= result.meta["padding_share"] < 0.2
    assert result.meta["tokens_per_second"] > 0


def test_the_pool_must_be_as_long_as_announced(base: str) -> None:
    for n in (59, 61):
        with pytest.raises(IlaError, match=f"{n} conversations were announced"):
            score(lambda: iter(POOL), n, LmSettings(base, device="cpu"))


def test_an_empty_pool_has_empty_columns(base: str) -> None:
    result = run(base, [])
    assert len(result.loss) == len(result.tokens) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lm": ""}, "--lm ID_OR_PATH"),
        ({"lm": "x", "max_length": 1}, "--max-length is 1"),
        ({"lm": "x", "batch_tokens": 0}, "batch_tokens is 0"),
        ({"lm": "x", "window": 0}, "window is 0"),
    ],
)
def test_settings_that_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LmSettings(**options)


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match=r"tokenizer of .*nowhere' could not be loaded"):
        run(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("file", "content", "kind"),
    [
        ("model.safetensors", b"half of the weights", "causal language model"),
        ("adapter_config.json", b"{", "adapter"),
        ("adapter_config.json", b"{}", "adapter"),
    ],
)
def test_a_damaged_model_is_one_sentence(
    base: str, tmp_path: Path, file: str, content: bytes, kind: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(base, folder)
    (folder / file).write_bytes(content)
    with pytest.raises(IlaError, match=rf"^The {kind} of '.*damaged' could not be loaded \("):
        models.load_model(str(folder), "cpu")


def test_devices_and_formats() -> None:
    import torch

    assert load_dtype("auto", "cpu") == torch.float32
    assert load_dtype("bfloat16", "cpu") == torch.bfloat16
    with pytest.raises(UsageError, match="'int8' is not known"):
        load_dtype("int8", "cpu")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'gpu' is not known"):
        devices("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="'cuda' is not on this machine"):
            devices("cuda")


def test_probe_tells_tokens_per_second(base: str) -> None:
    speed = probe(LmSettings(base, device="cpu"), POOL[:20], seconds=0.2)
    assert speed.tokens_per_second > 0
    assert speed.seconds(100) == pytest.approx(
        100 * speed.tokens_per_record / speed.tokens_per_second
    )
    with pytest.raises(IlaError, match="Not one record"):
        probe(LmSettings(base, device="cpu"), [(Turn("user", "q", False),)])


def test_tokens_are_counted_without_a_model(base: str) -> None:
    counts = count_tokens(lambda: iter(POOL), len(POOL), base)
    assert counts.tolist() == run(base).tokens.tolist()


def test_batches_hold_every_sequence_once_and_pad_little() -> None:
    lengths = np.random.default_rng(0).geometric(1 / 240, size=4096) + 20
    batches = batching.token_batches(lengths, 2048)
    assert sorted(np.concatenate(batches).tolist()) == list(range(4096))
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert 1 - lengths.sum() / padded < 0.05
    assert all(lengths[batch].max() * len(batch) <= 2048 or len(batch) == 1 for batch in batches)


def test_a_resumed_run_does_not_score_again(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(base, work=tmp_path, window=20)
    monkeypatch.setattr(Scorer, "losses", lambda *_: pytest.fail("scored again"))
    again = run(base, work=tmp_path, window=20)
    assert again.loss.tobytes() == first.loss.tobytes()
    assert again.missing == first.missing


def test_kept_results_of_another_text_or_setting_are_not_used(base: str, tmp_path: Path) -> None:
    run(base, work=tmp_path, window=20)
    changed = list(POOL)
    changed[3] = ask("something", "else")
    other = run(base, changed, work=tmp_path, window=20)
    np.testing.assert_allclose(other.loss, one_at_a_time(base, changed), atol=1e-5)
    (tmp_path / "window-000000.npz").write_bytes(b"damaged")
    again = run(base, changed, work=tmp_path, window=20)
    assert again.loss.tobytes() == other.loss.tobytes()
    short = run(base, changed, work=tmp_path, window=20, max_length=30)
    assert short.truncated > 0


def test_killed_and_resumed_gives_the_same_bytes(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")  # the children are forked
    monkeypatch.setattr(causal_lm, "_SAVE_SECONDS", 0.0)
    monkeypatch.setattr(Scorer, "losses", slowly(Scorer.losses))
    undisturbed = run(base, batch_tokens=200, window=20)
    chance = random.Random(3)
    kills = 0
    for _ in range(4):
        child = os.fork()
        if child == 0:
            run(base, work=tmp_path, batch_tokens=200, window=20)
            os._exit(0)
        time.sleep(0.1 + chance.random() * 0.3)
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    resumed = run(base, work=tmp_path, batch_tokens=200, window=20)
    assert kills, "at least the first child dies before its end"
    assert resumed.loss.tobytes() == undisturbed.loss.tobytes()


def test_batches_of_another_machine_are_not_taken_for_its_own(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = [ask(tiny_lm.WORDS, letter) for letter in "abcd"]
    how = LmSettings(base, device="cpu")
    tokens = len(encode_records(pool, ChatTemplate.of(load_tokenizer(base)), 4096)[0][0].ids)
    monkeypatch.setattr(causal_lm, "_SAVE_SECONDS", -1.0)
    monkeypatch.setattr(workers, "_CPU_BATCH_TOKENS", 2 * tokens)  # rows 0 and 1, then 2 and 3

    def stop_after_a_batch(done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(lambda: iter(pool), 4, how, work=tmp_path, progress=stop_after_a_batch)
    monkeypatch.setattr(workers, "_CPU_BATCH_TOKENS", 3 * tokens)  # rows 0 to 2, then 3
    resumed = run(base, pool, work=tmp_path)
    assert np.allclose(resumed.loss, run(base, pool).loss, atol=1e-5)
    assert not resumed.missing


def slowly(losses: Any) -> Any:
    def slow(*arguments: Any) -> Any:
        time.sleep(0.02)
        return losses(*arguments)

    return slow
