"""What a build would take: counted, tried and scaled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lm
from command import cli
from conftest import small_pool, write_jsonl

from ila_core.errors import PoolError
from ila_core.paths import ROOT
from ila_core.pipeline import estimate as module
from ila_core.pipeline.estimate import estimate
from ila_core.pipeline.placing import encoder_of
from ila_core.pipeline.settings import BuildSettings
from ila_core.space import encoders, lexical


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


def test_doctor_tries_the_model_and_counts_requests(
    models: Path, pool: Path, tmp_path: Path
) -> None:
    options = ("--loss", "lm", "--lm", models / "chat", "--device", "cpu", "--labels", "endpoint",
               "--labels-url", "http://127.0.0.1:9", "--labels-model", "m")  # fmt: skip
    shown = cli("doctor", pool, *options).stdout
    assert "The model was tried on cpu" in shown and "The labels take 60 requests" in shown
    found = json.loads(cli("doctor", pool, *options, "--json").stdout)["estimate"]
    assert found["labels"]["requests"] == 60 and found["exact"]
    assert found["details"][1].startswith("The labels take 60 requests")


def test_an_estimate_with_a_tuned_model_reads_twice(models: Path, pool: Path) -> None:
    lm = str(models / "chat")
    one = estimate([pool], loss="lm", lm=lm, device="cpu", projection="pca")
    two = estimate([pool], loss="lm", lm=lm, device="cpu", unconditional=True)
    assert one.speed is not None and two.speed is not None
    assert two.speed.tokens_per_record > one.speed.tokens_per_record
    assert one.seconds > module.STARTING_SECONDS + one.speed.seconds(one.scored)


def test_an_estimate_of_a_sample_is_of_what_is_scored(models: Path, pool: Path) -> None:
    how = {"loss": "lm", "lm": str(models / "chat"), "device": "cpu"}
    part, whole = estimate([pool], **how, sample=9), estimate([pool], **how, sample=99)
    assert (part.scored, whole.scored) == (9, 60)
    assert part.details()[0].endswith(" for a sample of 9.")
    assert "sample" not in whole.details()[0]


def test_an_encoder_is_tried_on_the_device_that_the_build_takes(
    pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several devices an encoder runs on the first; the estimate gave it their whole list."""
    asked: list[str] = []
    load = encoders.load_encoder

    def loaded(name: str, device: str = "auto") -> encoders.Encoder:
        asked.append(device)
        return load("static")

    monkeypatch.setattr(encoders, "load_encoder", loaded)
    how = {"encoder": "minilm", "device": "cuda:1,cuda:0", "loss": "none"}
    estimate([pool], **how)
    encoder_of(BuildSettings.of(**how))
    assert asked[-2:] == ["cuda:1", "cuda:1"]


SECONDS = {"static": 0.001, "multilingual": 0.004, "lexical": 0.003, "learning": 0.002}
"""What a text takes each encoder below, by a clock of our own."""


class Timed:
    """An encoder that moves a clock by what its texts take."""

    def __init__(self, encoder: encoders.Encoder, clock: list[float]) -> None:
        self.name, self.dim, self.identity = encoder.name, encoder.dim, encoder.identity
        self._encode, self._clock = encoder.encode, clock

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self._clock[0] += SECONDS[self.name] * len(texts)
        return self._encode(texts)


def test_the_encoder_that_is_asked_for_is_timed_on_records_of_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, clock = write_jsonl(tmp_path / "p.jsonl", small_pool(30_000)), [0.0]
    load, learn = encoders.load_encoder, lexical.learn

    def learned(texts: Callable[[], list[str]], n: int, *rest: Any, **how: Any) -> Timed:
        clock[0] += SECONDS["learning"] * n
        return Timed(learn(texts, n, *rest, **how), clock)

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(encoders, "load_encoder", lambda name, **_: Timed(load(name), clock))
    monkeypatch.setattr(lexical, "learn", learned)
    of = {
        name: estimate([pool], encoder=name, loss="none", projection="pca")
        for name in ("static", "multilingual", "lexical")
    }
    records = of["static"].records
    assert records > 20_000
    longer = {name: one.seconds - of["static"].seconds for name, one in of.items()}
    assert longer["multilingual"] == pytest.approx(0.003 * records)
    assert longer["lexical"] == pytest.approx(0.002 * records + 0.002 * 20_000)
    assert of["multilingual"].memory > of["static"].memory  # of 512 dimensions, not 256


@pytest.mark.parametrize("records", [1_999, 2_000, 2_001, 6_000])
def test_the_records_of_a_pool_are_counted_or_nearly(tmp_path: Path, records: int) -> None:
    found = estimate([write_jsonl(tmp_path / "p.jsonl", small_pool(records))])
    assert found.exact == (records <= 2_000)
    assert found.records == pytest.approx(records, rel=0 if found.exact else 0.7)
    assert found.seconds < 600


def test_options_of_the_command_line_and_settings_give_one_estimate(pool: Path) -> None:
    by_words = estimate([pool], projection="pca", seed="3")
    settings = BuildSettings.of(projection="pca", seed=3)
    assert estimate([pool], settings).records == by_words.records == 60


def test_a_pool_that_cannot_be_built_is_refused_as_the_build_would(tmp_path: Path) -> None:
    rejects = write_jsonl(tmp_path / "bad.jsonl", [{"ask": "a", "say": "b"}] * 2_500)
    with pytest.raises(PoolError, match="fields are ask, say: name the right ones"):
        estimate([rejects])
    bare = write_jsonl(tmp_path / "bare.jsonl", [{"prompt": "a"}] * 30)
    with pytest.raises(PoolError, match="None of the 30 records has a response"):
        estimate([bare])
    assert estimate([bare], loss="none", projection="pca").records == 30
    late = write_jsonl(tmp_path / "late.jsonl", [{"ask": "a"}] * 2_500 + small_pool(10))
    assert estimate([late], projection="pca").records > 10


def test_doctor_says_which_fields_are_read(pool: Path) -> None:
    told = estimate([pool], projection="pca").understood
    assert told.startswith("instruction from ") and told in cli("doctor", pool).stdout


def test_estimates_fit_the_builds_that_were_measured() -> None:
    measured = json.loads((ROOT / "assets" / "growth.json").read_text("utf-8"))
    for count, took in ((int(size), took) for size, took in measured.items()):
        seconds = module._time(BuildSettings(), count, 1_050, took["embedding"], 1.0)
        assert 0.75 < seconds / took["build"] < 1.34, count
        memory, _ = module._space(count, 1_050, 512)
        assert 0.8 < memory / 1e9 / took["memory"] < 1.67, count
