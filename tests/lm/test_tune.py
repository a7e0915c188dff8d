"""Fine-tuning: it learns, it resumes to the same end, and what it saves can be scored with."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lm
from tiny_lm import ask

from ila_core import options
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import locked
from ila_core.lm import train as training
from ila_core.lm import tune as tuning
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings, TuneSettings
from ila_core.lm.train import Point, epoch_batches
from ila_core.lm.tune import judge, train_student, tune

POOL = [ask(f"{i} plus {i}?", f"The answer is {2 * i}, of course!") for i in range(80)]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    tokenizer = tiny_lm.make_tokenizer()
    model = tiny_lm.make_model(vocabulary=len(tokenizer))
    return tiny_lm.save(tmp_path_factory.mktemp("lm") / "base", model, tokenizer)


def settings_of(base: str, **options: Any) -> TuneSettings:
    common: dict[str, Any] = {
        "share": 0.5, "steps": 12, "lr": 5e-3, "batch_tokens": 400, "device": "cpu",
    }  # fmt: skip
    return TuneSettings(base, **{**common, **options})


def held_out(out: Path) -> list[int]:
    """The rows that only measured."""
    return json.loads((out / "tune.json").read_text())["heldout_rows"]


def run(out: Path, settings: TuneSettings, progress: Any = lambda *_: None) -> tuning.TuneResult:
    return tune(lambda: iter(POOL), len(POOL), settings, out=out, progress=progress)


@pytest.mark.parametrize("full", [False, True])
def test_tuning_lowers_the_held_out_loss_and_the_result_scores(
    base: str, tmp_path: Path, full: bool
) -> None:
    result = run(tmp_path / "out", settings_of(base, full=full))
    first, last = result.curve[0].heldout_loss, result.curve[-1].heldout_loss
    assert first is not None and last is not None and last < first - 0.3
    assert (tmp_path / "out" / "adapter_config.json").is_file() is not full
    assert not (tmp_path / "out" / "checkpoint.pt").exists()
    scored = score(
        lambda: iter(POOL),
        len(POOL),
        LmSettings(lm=base, tuned_lm=str(tmp_path / "out"), device="cpu"),
    )
    held = held_out(tmp_path / "out")
    weights = scored.tokens[held]
    tuned = np.average(scored.extra["tuned_loss"][held], weights=weights)
    assert tuned == pytest.approx(last, abs=1e-3)
    assert np.average(scored.loss[held], weights=weights) == pytest.approx(first, abs=1e-3)


def test_the_rows_are_a_random_part_written_down(base: str, tmp_path: Path) -> None:
    result = run(tmp_path / "out", settings_of(base, steps=1, share=0.25))
    written = [int(line) for line in (tmp_path / "out" / "rows.txt").read_text().splitlines()]
    assert written == result.rows.tolist() == sorted(set(written))
    assert len(written) == 20
    assert set(held_out(tmp_path / "out")) < set(written)
    other = run(tmp_path / "other", settings_of(base, steps=1, share=0.25, seed=1))
    assert other.rows.tolist() != written
    story = json.loads((tmp_path / "out" / "tune.json").read_text())
    assert story["records_trained"] + story["records_measured"] == 20
    assert story["curve"][0]["step"] == 0
    assert "20 records in 1 steps" in result.summary


def test_nothing_held_out_is_nothing_measured(base: str, tmp_path: Path) -> None:
    result = run(tmp_path / "out", settings_of(base, steps=1, holdout=0.0))
    assert result.curve[-1].heldout_loss is None and not held_out(tmp_path / "out")


def test_an_adapter_may_be_put_on_named_layers(base: str, tmp_path: Path) -> None:
    layers = ("q_proj", "v_proj")
    run(tmp_path / "out", settings_of(base, steps=1, targets=layers, rank=2, alpha=8))
    saved = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert sorted(saved["target_modules"]) == list(layers)
    assert (saved["r"], saved["lora_alpha"]) == (2, 8)


def test_an_adapter_is_written_in_the_same_order_whatever_the_process(
    base: str, tmp_path: Path
) -> None:
    run(tmp_path / "out", settings_of(base, steps=1))
    saved = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert saved["target_modules"] == sorted(saved["target_modules"])
    assert len(saved["target_modules"]) > 3


def test_an_edited_base_model_is_another(base: str, tmp_path: Path) -> None:
    """Of one size and one time: what it holds tells the two apart, and a copy is the same."""
    model = tmp_path / "base"
    shutil.copytree(base, model)
    first = run(tmp_path / "out", settings_of(str(model), steps=1))
    weights = bytearray((model / "model.safetensors").read_bytes())
    shutil.rmtree(model)
    shutil.copytree(base, model, copy_function=shutil.copyfile)
    assert run(tmp_path / "out", settings_of(str(model), steps=1)).curve == first.curve
    stamp = (model / "model.safetensors").stat()
    weights[-4:] = bytes(4)
    (model / "model.safetensors").write_bytes(weights)
    os.utime(model / "model.safetensors", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(IlaError, match="choose another folder"):
        run(tmp_path / "out", settings_of(str(model), steps=1))


@pytest.mark.parametrize("full", [False, True])
def test_stopped_and_resumed_gives_the_same_curve(
    base: str, tmp_path: Path, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 1)
    settings = settings_of(base, full=full)
    undisturbed = run(tmp_path / "whole", settings)

    class Stopped(Exception):
        pass

    def stop_at(step: int) -> Any:
        def progress(done: int, total: int | None) -> None:
            if done == step:
                raise Stopped

        return progress

    for step in (3, 8):
        with pytest.raises(Stopped):
            run(tmp_path / "parts", settings, stop_at(step))
    seen: list[int] = []
    resumed = run(tmp_path / "parts", settings, lambda done, _: seen.append(done))
    assert seen[0] == 8, "the run goes on where it was"
    for one, other in zip(undisturbed.curve, resumed.curve, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert [p.step for p in resumed.curve] == [0, 2, 4, 6, 8, 10, 12]


def test_a_finished_folder_is_kept_and_another_refused(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(base, steps=2)
    first = run(tmp_path / "out", settings)
    monkeypatch.setattr(tuning, "train", lambda *_, **__: pytest.fail("trained again"))
    again = run(tmp_path / "out", settings)
    assert again.curve == first.curve and again.summary == first.summary
    with pytest.raises(IlaError, match="choose another folder"):
        run(tmp_path / "out", settings_of(base, steps=3))


def test_the_base_model_is_never_overwritten(base: str, tmp_path: Path) -> None:
    weights = (Path(base) / "model.safetensors").read_bytes()
    with pytest.raises(UsageError, match="is the model to fine-tune itself"):
        run(Path(base), settings_of(base, full=True))
    assert (Path(base) / "model.safetensors").read_bytes() == weights
    (tmp_path / "file").write_text("")
    with pytest.raises(IlaError, match=r"file cannot be written \(File exists\)"):
        run(tmp_path / "file", settings_of("nobody/none"))  # said before any model is loaded


def test_a_checkpoint_of_another_run_is_not_taken_up(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 1)

    def stop(done: int, total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", settings_of(base), stop)
    seen: list[int] = []
    run(tmp_path / "out", settings_of(base, seed=5), lambda done, _: seen.append(done))
    assert seen[0] == 0


def test_scarce_memory_makes_smaller_pieces_of_the_same_step(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = run(tmp_path / "plenty", settings_of(base, steps=3))
    plain = training.token_losses

    def scarce(model: Any, batch: Any, way: Any) -> Any:
        if len(batch) > 2:
            raise MemoryError
        return plain(model, batch, way)

    monkeypatch.setattr(training, "token_losses", scarce)
    tight = run(tmp_path / "tight", settings_of(base, steps=3))
    for one, other in zip(plenty.curve, tight.curve, strict=True):
        assert one == pytest.approx(other, abs=1e-4)

    def never(model: Any, batch: Any, way: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(training, "token_losses", never)
    with pytest.raises(IlaError, match="lower --max-length"):
        run(tmp_path / "never", settings_of(base, steps=3))


def test_without_peft_the_sentence_names_the_extra(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(IlaError, match=r"pip install \"ila-landscape\[tune\]\""):
        run(tmp_path / "out", settings_of(base))


def test_a_student_learns_and_is_measured_record_by_record(base: str) -> None:
    settings = settings_of(base, full=True, seed=1, steps=10)
    train, dev = POOL[:40], [*POOL[60:], (tiny_lm.Turn("user", "q", False),)]
    taught, again, hardly = (
        train_student(train, dev, replace(settings, seed=1, steps=steps)) for steps in (10, 10, 1)
    )
    assert np.isnan(taught.dev_nats).tolist() == [False] * 20 + [True]
    assert taught.dev_tokens[-1] == 0
    np.testing.assert_allclose(taught.dev_nats, again.dev_nats, rtol=1e-5)
    untaught = judge(dev, settings)
    assert np.nansum(taught.dev_nats) < np.nansum(hardly.dev_nats) < np.nansum(untaught.dev_nats)
    with pytest.raises(IlaError, match="Not one of the records"):
        train_student([], dev, settings)


def test_a_student_goes_on_from_its_checkpoint(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ila_core.lm.train.CHECKPOINT_STEPS", 3)
    settings = replace(settings_of(base, full=True), steps=8)
    place, taken = tmp_path / "student.pt", []

    def step(number: int) -> None:
        taken.append(number)
        if len(taken) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("ila_core.lm.train.seed_torch", lambda seed, number: step(number))
    with pytest.raises(KeyboardInterrupt):
        train_student(POOL[:40], POOL[60:], settings, checkpoint=place)
    resumed = train_student(POOL[:40], POOL[60:], settings, checkpoint=place)
    assert taken == [1, 2, 3, 4, 5, 4, 5, 6, 7, 8] and not place.exists()
    whole = train_student(POOL[:40], POOL[60:], settings)
    np.testing.assert_allclose(resumed.dev_nats, whole.dev_nats, rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lm": ""}, "--lm ID_OR_PATH"),
        ({"share": 0.0}, "--share is 0.0; give a number above 0 and at most 1"),
        ({"share": 1.5}, "--share is 1.5"),
        ({"holdout": 1.0}, "--holdout is 1.0"),
        ({"epochs": 0.0}, "--epochs is 0.0"),
        ({"epochs": float("inf")}, "--epochs is inf"),
        ({"steps": 0}, "--steps is 0"),
        ({"steps": 10**18}, "--steps is 1000000000000000000"),
        ({"lr": -5}, "--lr is -5; give a number above 0 and at most 1"),
        ({"lr": float("nan")}, "--lr is nan"),
        ({"batch_tokens": 0}, "--batch-tokens is 0; give a whole number from 1"),
        ({"rank": 0}, "--rank is 0"),
        ({"seed": -1}, "--seed is -1"),
        ({"dtype": "int8"}, "Unknown dtype 'int8'; choose auto"),
        ({"full": True, "rank": 8}, "--rank is an adapter's; leave it or --full out"),
        ({"steps": 5, "epochs": 2.0}, "--steps is given instead of --epochs"),
    ],
)
def test_settings_that_cannot_be_meant(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TuneSettings(**{"lm": "x", **given})
    with pytest.raises(UsageError, match=message):
        options.make(TuneSettings, {"lm": "x", **given})


def test_epochs_read_every_record_once_each() -> None:
    lengths = np.array([5, 9, 30, 7, 7])
    settings = TuneSettings("x", batch_tokens=16)
    batches = list(epoch_batches(lengths, settings, 0))
    assert sorted(row for batch in batches for row in batch) == [0, 1, 2, 3, 4]
    assert all(lengths[batch].sum() <= 16 or len(batch) == 1 for batch in batches)
    assert list(epoch_batches(lengths, settings, 1)) != batches


def test_a_point_reads_itself() -> None:
    assert Point(3, 1.0, None)._asdict() == {"step": 3, "train_loss": 1.0, "heldout_loss": None}


def test_a_folder_in_which_a_model_is_tuned_is_refused(base: str, tmp_path: Path) -> None:
    settings, out = settings_of(base, steps=2), tmp_path / "out"
    out.mkdir()
    with locked(out, ""), pytest.raises(RunError, match=r"A model is tuned in .* already"):
        run(out, settings)
    assert run(out, settings).steps == 2


@pytest.mark.parametrize(
    "told", ["", "{}", '{"signature": 1, "steps": 2, "curve": [1]}', "[" * 9999]
)
def test_a_finished_folder_whose_story_is_damaged_is_told(
    base: str, tmp_path: Path, told: str
) -> None:
    (tmp_path / "tune.json").write_text(told)
    with pytest.raises(IlaError, match=r"tune\.json is damaged .*; delete .* and tune"):
        run(tmp_path, settings_of(base))


def test_what_a_kill_left_of_a_finished_model_is_taken_away(base: str, tmp_path: Path) -> None:
    run(tmp_path, settings_of(base, steps=2))
    whole = sorted(os.listdir(tmp_path))
    (tmp_path / "checkpoint.pt").write_bytes(b"the last one")
    run(tmp_path, settings_of(base, steps=2))
    assert sorted(os.listdir(tmp_path)) == whole
