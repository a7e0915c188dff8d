"""The options of a build: each is offered, checked, passed on to the build, and estimated."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lm
from app_helpers import button, data_screen, fine
from app_helpers import texts as marked_texts
from conftest import small_pool, write_jsonl
from streamlit.testing.v1 import AppTest

from ila_core.errors import IlaError
from ila_core.lm.settings import OnDevice
from ila_core.options import changed, options_of
from ila_core.pipeline.settings import BuildSettings, EngineSettings, Seeded
from ila_core.pool.settings import ReadSettings
from jobs import builds
from parts import build_options


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    yield from tiny_lm.one_thread()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pool, a small model, the same as if tuned, and vectors for the pool."""
    folder = tmp_path_factory.mktemp("place")
    write_jsonl(folder / "pool.jsonl", small_pool())
    tokenizer = tiny_lm.make_tokenizer()
    for name, seed in (("lm", 0), ("tuned", 1)):
        model = tiny_lm.make_model(vocabulary=len(tokenizer), seed=seed)
        tiny_lm.save(folder / name, model, tokenizer)
    np.save(folder / "vectors.npy", np.random.default_rng(0).normal(size=(60, 8)).astype("f4"))
    return folder


@pytest.fixture
def page(place: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return fine(data_screen(place / "pool.jsonl", monkeypatch))


def texts(page: AppTest) -> str:
    """What a visitor reads, without the marks that keep text from being read as Markdown."""
    return marked_texts(page).replace("\\", "")


def pick(page: AppTest, label: str, value: str) -> AppTest:
    offered = [part for part in page.selectbox if not str(part.key).startswith("field_")]
    next(part for part in offered if part.label.startswith(label)).set_value(value).run()
    return fine(page)


def write(page: AppTest, label: str, value: object) -> AppTest:
    part = next(part for part in page.text_input if part.label.startswith(label))
    part.set_value(str(value)).run()
    return fine(page)


def started(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Press the button; the options that the build would be started with, defaults left out."""
    caught: list[BuildSettings] = []

    def start(runs: Path, name: str, pool: object, settings: BuildSettings) -> None:
        caught.append(settings)
        raise IlaError("not now")

    monkeypatch.setattr(builds, "start", start)
    button(page, "Build the landscape").click().run()
    return {option.name: getattr(caught[0], option.name) for option in changed(caught[0])}


def test_every_option_of_a_build_has_a_widget() -> None:
    stages = (*build_options.LEFT, *build_options.RIGHT, OnDevice, Seeded)
    drawn = {option.name for option in build_options.options_in(stages)}
    beside = options_of(ReadSettings).keys()  # how the pool is read, which stands above
    alone = {name for name, one in build_options.OPTIONS.items() if len(one.choices) == 1}
    alone |= options_of(EngineSettings).keys()  # a page builds on the machine that it runs on
    assert drawn | beside | alone == options_of(BuildSettings).keys()


def test_the_defaults_give_no_option(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "60 records: roughly" in texts(page)
    assert started(page, monkeypatch) == {}


def test_a_language_model_asks_for_its_model_then_is_tried_and_passed_on(
    page: AppTest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick(page, "Depth: who supplies the loss", "lm")
    assert next(p for p in page.text_input if p.label.startswith("Model: id")).value == "smollm2"
    write(page, "Model: id", place / "lm")
    write(page, "Tuned model", place / "tuned")
    page.checkbox(key="option_unconditional").check().run()
    page.number_input(key="option_max_length").set_value(64).run()
    page.text_input(key="option_device").set_value("cpu").run()
    assert "without the model's own time" in texts(fine(page))
    button(page, "Try how long the model takes here").click().run()
    told = texts(fine(page))
    assert "The model was tried on cpu" in told and "tokens a second" in told
    assert not any(part.label.startswith("Try how long") for part in page.button)
    assert started(page, monkeypatch) == {
        "loss": "lm", "lm": str(place / "lm"), "tuned_lm": str(place / "tuned"),
        "unconditional": True, "max_length": 64, "device": "cpu",
    }  # fmt: skip


def test_a_model_that_cannot_be_loaded_is_told_in_a_sentence(page: AppTest, place: Path) -> None:
    pick(page, "Depth: who supplies the loss", "lm")
    (place / "empty").mkdir(exist_ok=True)
    write(page, "Model: id", place / "empty")
    button(page, "Try how long the model takes here").click().run()
    assert "could not be loaded" in fine(page).error[0].value


@pytest.mark.parametrize("option", ["Model: id", "Tuned model"])
def test_a_model_is_opened_from_where_it_was_looked_for(
    page: AppTest, place: Path, tmp_path: Path, option: str
) -> None:
    """From the folder of a build's process another way up leads elsewhere."""
    (tmp_path / "runs" / "uploads").mkdir(parents=True)
    shutil.copytree(place / "lm", tmp_path / "lm")
    pick(page, "Depth: who supplies the loss", "lm")
    for name in ("uploads/../../lm", "uploads/../lm", "x/../lm", "x/.."):
        write(page, option, name)
        assert "outside the folders" in page.error[0].value
        assert not any(part.label == "Build the landscape" for part in page.button)


@pytest.mark.parametrize("name", ["/etc", "~/../../etc", "../../../../etc"])
def test_a_model_outside_the_folders_is_refused(page: AppTest, name: str) -> None:
    pick(page, "Depth: who supplies the loss", "lm")
    write(page, "Model: id", name)
    assert "lies outside the folders" in page.error[0].value
    assert not any(part.label == "Build the landscape" for part in page.button)


@pytest.mark.parametrize("number", [None, 25])
def test_a_sample_and_a_file_of_weights_are_passed_on(
    page: AppTest, place: Path, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    pick(page, "Depth: who supplies the loss", "lm")
    (place / "small.gguf").write_bytes(b"weights")
    write(page, "Model: id", place / "small.gguf")
    page.number_input(key="option_sample").set_value(number).run()
    more = {} if number is None else {"sample": 25}
    assert started(page, monkeypatch) == {"loss": "lm", "lm": str(place / "small.gguf"), **more}
    write(page, "Model: id", place / "none.gguf")
    assert "does not exist" in page.error[0].value


def test_a_hub_id_is_passed_on_as_it_stands(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    pick(page, "Depth: who supplies the loss", "lm")
    write(page, "Model: id", "somebody/small-model")
    assert started(page, monkeypatch) == {"loss": "lm", "lm": "somebody/small-model"}


def test_a_server_is_offered_where_the_page_was_started_with_one(
    page: AppTest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = next(p for p in page.selectbox if str(p.key).startswith("option_labels"))
    assert "a server of yours" not in labels.options and "as the pool has them" in labels.options
    monkeypatch.setenv("ILA_APP_LABELS_URL", "http://127.0.0.1:9/v1")
    labels = next(p for p in page.run().selectbox if str(p.key).startswith("option_labels"))
    assert "a server of yours" in labels.options


def test_the_server_of_the_page_is_estimated_in_requests_and_tokens(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_APP_LABELS_URL", "http://127.0.0.1:9/v1")
    pick(page.run(), "Labels", "endpoint")
    assert "Still needed: its model" in page.info[0].value
    assert not any(part.label == "Server" for part in page.text_input)
    write(page, "Model", "tagger")
    told = texts(page)
    assert "The labels take 60 requests to the server" in told and "tokens in and" in told
    assert "ILA_LABELS_API_KEY" in told and "ttp://127.0.0.1:9/v1, which this page" in told
    assert started(page, monkeypatch) == {
        "labels": "endpoint", "labels_url": "http://127.0.0.1:9/v1", "labels_model": "tagger",
    }  # fmt: skip


def test_depth_loss_labels_and_domains_can_be_columns(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick(page, "Depth: who supplies the loss", "column:NAME")
    pick(page, "Loss column", "score")
    pick(page, "Depth of your own", "score")
    pick(page, "Labels", "column:NAME")
    pick(page, "Labels column", "topic")
    pick(page, "Domains", "column:NAME")
    pick(page, "Domains column", "topic")
    assert started(page, monkeypatch) == {
        "loss": "column:score", "depth_column": "score", "labels": "column:topic",
        "domains": "column:topic",
    }  # fmt: skip


def test_a_tuned_model_is_asked_for_with_a_language_model_alone(page: AppTest) -> None:
    assert not any(part.label.startswith("Tuned model") for part in page.text_input)
    pick(page, "Depth: who supplies the loss", "lm")
    assert any(part.label.startswith("Tuned model") for part in page.text_input)


def test_vectors_come_from_a_file(
    page: AppTest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick(page, "Encoder", "embeddings")
    assert "Still needed: the file of vectors" in page.info[0].value
    write(page, "File of vectors", "/etc/hostname")
    assert "lies outside the folders" in page.error[0].value
    write(page, "File of vectors", place / "vectors.npy")
    assert started(page, monkeypatch) == {"embeddings": str(place / "vectors.npy")}


def test_a_build_by_a_language_model_tells_its_notes_when_it_is_done(
    page: AppTest, place: Path, tmp_path: Path
) -> None:
    pick(page, "Projection", "pca")
    pick(page, "Depth: who supplies the loss", "lm")
    write(page, "Model: id", place / "lm")
    write(page, "Tuned model", place / "tuned")
    page.number_input(key="option_max_length").set_value(16).run()
    button(page, "Build the landscape").click().run()
    progress = tmp_path / "runs" / "pool" / "progress.json"
    until = time.monotonic() + 120
    while time.monotonic() < until and not _ended(progress):
        time.sleep(0.5)
    page.run()
    told = texts(fine(page))
    assert "was tuned on is not known" in told
    assert "Longer than the 16 tokens that the model reads" in told
    stages = {stage["stage"]: stage for stage in json.loads(progress.read_text())["stages"]}
    assert "tokens/s" in stages["loss"]["words"] and "padding" in stages["loss"]["words"]


def _ended(progress: Path) -> bool:
    try:
        return json.loads(progress.read_text())["state"] in ("done", "failed")
    except (OSError, ValueError):
        return False


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ILA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
