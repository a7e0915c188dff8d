"""Builds whose loss is a language model's: what is told of the scoring, and of a tuned model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lm
from command import cli
from conftest import small_pool, write_jsonl
from labels_server import Reply, Server

import ila_core as ila
from ila_core.errors import IlaError
from ila_core.lm.tune import TuneSettings, tune, tuned_rows
from ila_core.pipeline.build import build

LONG = "and so on " * 400


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


@pytest.fixture(scope="module")
def odd_pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty records: one without a response, one that is too long, one with a system prompt."""
    records = small_pool(40)
    records[3]["output"] = ""
    records[5]["output"] = LONG
    records[7]["system"] = "Answer like a pirate."
    return write_jsonl(tmp_path_factory.mktemp("odd") / "odd.jsonl", records)


def notes(run: Path) -> str:
    return "\n".join(ila.open(run).manifest["notes"])


def test_a_build_tells_what_the_scoring_left_out(
    models: Path, odd_pool: Path, tmp_path: Path
) -> None:
    options = ("--loss", "lm", "--lm", models / "chat", "--device", "cpu", "--unconditional")
    done = cli("build", odd_pool, "--out", tmp_path / "run", "--projection", "pca", *options)
    expected = (
        "No loss and no depth: 1 of 40 records (1 no response).",
        "Longer than the 512 tokens that the model reads: 1 of 40 records.",
        "1 of the responses in part.",
        "Rewritten for the chat template: 1 of 40 records (system prompt put into the first",
    )
    for sentence in expected:
        assert sentence in done.stderr and sentence in notes(tmp_path / "run")
    assert "tokens/s" in done.stderr and "% padding" in done.stderr
    info = cli("info", tmp_path / "run").stdout
    assert "its chat template" in info and "% padding" in info and expected[0] in info
    landscape = ila.open(tmp_path / "run")
    assert np.flatnonzero(np.isnan(landscape.loss)).tolist() == [3]
    assert np.isfinite(landscape.scores["unconditional_loss"]).sum() == 39
    assert landscape.manifest["loss"]["missing"] == {"no response": 1}
    compared = cli("compare", tmp_path / "run", "--budget", 5, "--methods", "ifd", "--json")
    assert json.loads(compared.stdout)["methods"][-1]["rows"] == 5


def test_a_model_without_a_template_is_told(models: Path, pool: Path, tmp_path: Path) -> None:
    build(pool, out=tmp_path / "run", projection="pca", loss="lm", lm=str(models / "plain"))
    assert "plain has no chat template" in notes(tmp_path / "run")


def test_a_sample_is_scored_and_the_rest_told(models: Path, odd_pool: Path, tmp_path: Path) -> None:
    how = {"projection": "pca", "loss": "lm", "lm": str(models / "chat"), "device": "cpu"}
    landscape = build(odd_pool, out=tmp_path / "run", **how, sample=9)
    told = notes(tmp_path / "run")
    assert "scored a sample of 9 of the 40 records" in told and "31 not in the sample" in told
    assert landscape.manifest["loss"]["missing"]["not in the sample"] == 31
    assert landscape.missing == np.isnan(landscape.loss).sum() >= 31
    assert (landscape.tokens > 0).sum() == 39
    assert len(ila.select(landscape, budget=15).rows) == 15


def test_records_that_the_tuned_model_learned_from_are_said_to_be_there(
    models: Path, pool: Path, tmp_path: Path
) -> None:
    base, out = str(models / "chat"), tmp_path / "run"
    how = {"projection": "pca", "loss": "lm", "lm": base, "device": "cpu"}
    build(pool, out=out, **how)
    told = cli("tune", out, "--lm", base, "--out", tmp_path / "tuned", "--share", 0.25,
               "--steps", 2, "--device", "cpu", "--full")  # fmt: skip
    assert "held out" in told.stdout and len(told.stdout.splitlines()) >= 3
    build(pool, out=out, **how, tuned_lm=str(tmp_path / "tuned"))
    landscape = ila.open(out)
    written = [int(row) for row in (tmp_path / "tuned" / "rows.txt").read_text().split()]
    assert landscape.tuned_rows.tolist() == written and len(written) == 15
    assert (
        f"tuned on 15 of these records, which look deeper for it. They stay selectable; leave "
        f"them out with --exclude {out}/tuned_rows.txt." in notes(out)
    )
    assert landscape.manifest["loss"]["tuned_rows"] == 15
    expected = (landscape.loss - landscape.scores["tuned_loss"]) * landscape.skills
    np.testing.assert_allclose(landscape.depth, expected, atol=1e-5)

    every = cli("select", out, "--budget", 60, "--out", tmp_path / "all.jsonl").stderr
    assert "the tuned model has learned from 15 of these records" in every
    beside = json.loads((tmp_path / "all.jsonl.manifest.json").read_text())
    assert beside["tuned_on"] == 15
    without = cli("select", out, "--budget", 45, "--exclude", out / "tuned_rows.txt",
                  "--out", tmp_path / "rest.jsonl").stderr  # fmt: skip
    assert "learned from" not in without
    assert json.loads((tmp_path / "rest.jsonl.manifest.json").read_text())["tuned_on"] == 0

    build(pool, out=out, **how)
    assert not (out / "tuned_rows.txt").exists() and not len(ila.open(out).tuned_rows)


def test_a_tuned_model_that_is_none_is_told_before_the_long_stages(
    models: Path, pool: Path, tmp_path: Path
) -> None:
    (tmp_path / "tuned").mkdir()
    how = {"loss": "lm", "lm": str(models / "chat"), "tuned_lm": str(tmp_path / "tuned")}
    with pytest.raises(IlaError, match="tuned' could not be loaded"):
        build(pool, out=tmp_path / "run", projection="pca", **how)
    told = json.loads((tmp_path / "run" / "progress.json").read_text())
    assert [stage["stage"] for stage in told["stages"]] == ["checking input", "records"]


def test_a_tuned_model_of_another_pool_is_not_taken_for_one_of_this(
    models: Path, pool: Path, tmp_path: Path
) -> None:
    base, turns = str(models / "chat"), [tiny_lm.ask(f"q {i}", f"a {i}") for i in range(60)]
    settings = TuneSettings(base, share=0.2, steps=1, full=True, device="cpu")
    tune(lambda: iter(turns), 60, settings, out=tmp_path / "tuned")
    assert tuned_rows(str(tmp_path / "tuned"), lambda: iter(turns), 60) is not None
    assert tuned_rows(str(tmp_path / "tuned"), lambda: iter(turns[::-1]), 60) is None
    assert tuned_rows(str(tmp_path / "tuned"), lambda: iter(turns[:5]), 5) is None
    build(pool, out=tmp_path / "run", projection="pca", loss="lm", lm=base, device="cpu",
          tuned_lm=str(tmp_path / "tuned"))  # fmt: skip
    assert "was tuned on is not known" in notes(tmp_path / "run")
    assert not len(ila.open(tmp_path / "run").tuned_rows)


def test_a_labels_server_is_told_beforehand_and_afterwards_and_its_key_never(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behave(number: int, body: dict[str, Any]) -> Reply:
        return Reply(status=503) if number % 7 == 0 else Reply()

    server = Server(behave)
    monkeypatch.setenv("ILA_LABELS_API_KEY", "sk-never-to-be-seen")
    try:
        asked = ("--labels", "endpoint", "--labels-url", server.url, "--labels-model", "tiny")
        told = cli("build", pool, "--out", tmp_path / "run", "--projection", "pca", *asked).stderr
    finally:
        server.stop()
    assert server.keys == {"Bearer sk-never-to-be-seen"}
    assert f"labels: 60 requests to {server.url}/v1/chat/completions, about" in told
    landscape = ila.open(tmp_path / "run")
    report = landscape.manifest["stages"]["labels"]
    assert report["requests"] == len(server.requests) > 60 and report["retries"] >= 9
    assert f"Labels: {report['requests']} requests to the server" in notes(tmp_path / "run")
    assert (landscape.skills == 2).all()
    written = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not any(b"never-to-be-seen" in path.read_bytes() for path in written)
    assert "never-to-be-seen" not in told
