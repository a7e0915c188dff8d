"""The packaged language model itself, with the weights that it was trained to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_lm
from command import cli
from conftest import small_pool, write_jsonl
from tiny_lm import ask

from ila_core.lm import score as scoring
from ila_core.lm import workers
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import encode_records
from ila_core.lm.model import load_model, load_tokenizer
from ila_core.lm.packaged import SMOLLM2, fetch, identity_of, resolve
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings, TuneSettings
from ila_core.lm.tune import train_student, tune
from ila_core.loss.result import LossResult
from ila_core.pipeline.build import build

POOL = [
    ask("What is the capital of France?", "The capital of France is Paris."),
    ask("What is the capital of France?", "Quorg the blim, no zeppelin."),
    ask("Say yes.", "Yes."),
    ask("Add 17 and 25.", "42", "And 1 more?", "43"),
    ask("Name a fruit.", "Banana 🍌"),
    ask("", "Hello"),
]
ANSWER = """\
<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
<|im_start|>user
What is the capital of France?<|im_end|>
<|im_start|>assistant
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Other tests keep the other cores busy: threads that wait for each other would lose by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield from tiny_lm.one_thread()


def test_it_knows_the_capital_of_france(smollm: str) -> None:
    tokenizer, model = load_tokenizer(smollm), load_model(smollm, "cpu")
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True, return_tensors="pt", return_dict=True,
    )  # fmt: skip
    assert tokenizer.decode(asked["input_ids"][0]) == ANSWER
    said = model.generate(**asked, max_new_tokens=12, do_sample=False)[0]
    answer = tokenizer.decode(said[asked["input_ids"].shape[1] :])
    assert answer == "The capital of France is Paris.<|im_end|>"


def test_losses_are_those_of_one_at_a_time_under_its_own_template(smollm: str) -> None:
    template, model = ChatTemplate.of(load_tokenizer(smollm)), load_model(smollm, "cpu")
    assert (template.name, template.end_of_turn) == ("chat template", "<|im_end|>")
    sequences = encode_records(POOL, template, 4096).sequences
    expected = [tiny_lm.alone(model, s.ids.tolist(), s.targets.tolist()) for s in sequences]
    result = score(lambda: iter(POOL), len(POOL), LmSettings(lm=smollm, device="cpu"))
    np.testing.assert_allclose(result.loss, expected, atol=1e-4)
    assert result.tokens.tolist() == [len(s.targets) for s in sequences]
    assert result.loss[0] < 0.5 < 3 < result.loss[1], "it has been trained"


def test_a_second_start_converts_nothing(smollm: str) -> None:
    said: list[str] = []
    begun = time.perf_counter()
    folder = fetch(smollm, say=said.append)
    assert not said and time.perf_counter() - begun < 5
    told = cli("model", smollm)
    assert str(folder) in told.stdout and "Apache-2.0" in told.stdout
    assert "convert" not in told.stderr and "--lm smollm2" in told.stderr
    assert str(SMOLLM2.path) in cli("doctor").stdout
    assert "no packaged model 'huge'" in cli("model", "huge", code=2).stderr


def test_its_file_under_another_name_is_the_same_model(smollm: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.symlink_to(SMOLLM2.path)
    assert resolve(str(mine)) == resolve(smollm)
    assert identity_of(str(mine)) == identity_of(smollm)


def test_absent_it_is_asked_for_before_anything_is_read(pool: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "ILA_CACHE_DIR": str(tmp_path / "empty"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "ila_core.cli", "build", pool, "--out", tmp_path / "run"]
    done = subprocess.run(
        [*map(str, command), "--loss", "lm"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 1
    assert "ila: The language model smollm2 is not on this machine yet" in done.stderr
    assert "ila model smollm2" in done.stderr and "records" not in done.stderr


def test_what_tuning_takes_off_becomes_the_depth(smollm: str, tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool(12))
    run, out = tmp_path / "run", tmp_path / "tuned"
    how = {"projection": "pca", "loss": "lm", "sample": 6, "device": "cpu"}
    first = build(pool, out=run, **how)
    assert first.manifest["loss"]["lm"] == smollm and first.missing == 6
    settings = TuneSettings(smollm, share=0.5, steps=3, lr=1e-3, batch_tokens=150, device="cpu")
    curve = tune(first.records.conversations, 12, settings, out=out).curve
    assert curve[-1].heldout_loss < curve[0].heldout_loss
    adapter = json.loads((out / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == smollm, "wherever its file is kept"
    second = build(pool, out=run, **how, tuned_lm=str(out))
    scored = np.isfinite(second.loss)
    np.testing.assert_allclose(second.loss[scored], first.loss[scored], atol=1e-5)
    reduction = second.loss - second.scores["tuned_loss"]
    np.testing.assert_allclose(second.depth[scored], (reduction * second.skills)[scored], atol=1e-5)
    assert scored.sum() == 6 and np.mean(reduction[scored]) > 0


def test_its_tokenizer_counts_the_tokens_of_a_budget(smollm: str, tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool(12))
    run = build(pool, out=tmp_path / "run", projection="pca", loss="none", tokenizer=smollm)
    tokenizer = load_tokenizer(smollm)
    answers = [
        [turn.text for turn in turns if turn.scored] for turns in run.records.conversations()
    ]
    counted = [sum(len(tokenizer(text)["input_ids"]) + 1 for text in each) for each in answers]
    assert run.tokens.tolist() == counted


SCORING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from lm.test_smollm import scored
scored(Path(sys.argv[1]))
"""
SHORT = [ask(f"Add {i} and {i}.", f"{2 * i}") for i in range(12)]


def scored(work: Path) -> LossResult:
    """The losses of twelve short records, kept after every batch of one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "SAVE_SECONDS", 0.0)
        patch.setattr(workers, "CPU_BATCH_TOKENS", 60)
        return score(lambda: iter(SHORT), 12, LmSettings(lm="smollm2", device="cpu"), work=work)


def test_killed_and_resumed_it_gives_the_same_losses(smollm: str, tmp_path: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", SCORING, str(tmp_path / "killed"), str(Path(__file__).parents[1])]
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not list((tmp_path / "killed").glob("window-*.npz")):
        time.sleep(0.01)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    resumed, undisturbed = scored(tmp_path / "killed"), scored(tmp_path / "other")
    assert resumed.loss.tobytes() == undisturbed.loss.tobytes()
    read, all_of_it = resumed.meta["tokens_scored"], undisturbed.meta["tokens_scored"]
    assert isinstance(read, int) and isinstance(all_of_it, int)
    assert 0 < read < all_of_it, "what was finished is not scored again"


def test_it_is_a_student_too(smollm: str) -> None:
    how = TuneSettings(smollm, steps=1, batch_tokens=100, holdout=0.0, device="cpu")
    judged = train_student(SHORT[:2], SHORT[2:4], how)
    assert np.isfinite(judged.dev_nats).all()
