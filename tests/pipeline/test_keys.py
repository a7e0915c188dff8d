"""What a build makes again when an option changes: that stage and what is made of it, no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ila_core as ila
from ila_core.lm.settings import LmSettings
from ila_core.options import make, option, options_of
from ila_core.pipeline import build as building
from ila_core.pipeline.scoring import score
from ila_core.pipeline.settings import BuildSettings, LossSettings
from ila_core.pipeline.step import Made, Stage

Keys = dict[str, str]

CHAT, PLAIN, VECTORS = "chat", "plain", "vectors.npy"
LM = {"loss": "lm", "lm": CHAT}
SERVER = {"labels": "endpoint", "labels_url": "http://here", "labels_model": "one"}
SCORED = {"loss", "landscape"}
EMBEDDED = {"embedding", "projection", "domains", "landscape"}
LABELLED = {"labels", "landscape"}
EVERYTHING = {"records", "labels", "loss"} | EMBEDDED

CHANGES: dict[str, tuple[dict[str, Any], Any, set[str]]] = {
    "map": ({}, "instruction=output,response=instruction", EVERYTHING),
    "partial": ({}, True, {"records"}),
    "encoding": ({}, "cp1252", {"records"}),
    "split": ({}, "dev", {"records"}),
    "header": ({}, "instruction,response", {"records"}),
    "rejects": ({}, 5, {"records"}),
    "unpack_ratio": ({}, 500, set()),
    "seed": ({}, 1, {"projection", "domains"} | SCORED),
    "device": (LM, "cpu", set()),
    "encoder": ({}, "static", EMBEDDED),
    "embeddings": ({}, VECTORS, EMBEDDED),
    "projection": ({}, "pca", {"projection", "landscape"}),
    "loss": ({}, "none", {"records"} | SCORED),  # which asks for no response
    "lm": (LM, PLAIN, SCORED),
    "tuned_lm": (LM, CHAT, SCORED),
    "tokenizer": ({"loss": "none"}, CHAT, SCORED),
    "sample": (LM, 9, SCORED),
    "max_length": (LM, 64, SCORED),
    "dtype": (LM, "bfloat16", SCORED),
    "unconditional": (LM, True, SCORED),
    "labels": ({}, "column:output", LABELLED),
    "labels_url": (SERVER, "http://there", LABELLED),
    "labels_model": (SERVER, "another", LABELLED),
    "domains": ({}, "column:topic", {"domains", "landscape"}),
    "depth_column": ({}, "score", {"landscape"}),
    "engine": ({}, "ray", set()),
    "ray_address": ({"engine": "ray"}, "there:6379", set()),
}
"""Of every option: what is asked for besides, another value, and the stages that are made again."""


class _EndError(Exception):
    """All keys are known."""


@pytest.fixture
def keys_of(
    pool: Path, run: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[BuildSettings], Keys]:
    """What returns the key of every stage that a build would make, and makes none."""
    np.save(tmp_path / VECTORS, np.ones((60, 3), np.float32))
    places = {name: str(models / name) for name in (CHAT, PLAIN)}
    places[VECTORS] = str(tmp_path / VECTORS)
    records = ila.open(run).records
    made = {"records": records, "embedding": np.ones((60, 3), np.float32)}
    keys: Keys = {}

    class Dry(building.Step):
        def __call__(self, stage: Any) -> Any:
            if isinstance(stage, Made):
                return stage
            keys[stage.name] = stage.key
            if stage.name == "landscape":
                raise _EndError
            value = made.get(stage.name)
            return Made(value, stage.content_key(value))

    @contextmanager
    def beside(step: Dry, settings: LossSettings, read: Made[Any]) -> Iterator[Callable[[], Any]]:
        yield lambda: step(score(settings, read))

    monkeypatch.setattr(building, "Step", Dry)
    monkeypatch.setattr(building, "scoring_beside", beside)
    monkeypatch.setattr(building, "engine", lambda *_: nullcontext())  # nothing is computed

    def found(settings: BuildSettings) -> Keys:
        keys.clear()
        named = {
            name: places[value]
            for name, value in vars(settings).items()
            if isinstance(value, str) and value in places
        }
        with pytest.raises(_EndError):
            building.build(pool, out=tmp_path / "run", settings=replace(settings, **named))
        return dict(keys)

    return found


def test_every_option_of_a_build_is_accounted_for() -> None:
    known = options_of(BuildSettings)
    assert set(CHANGES) == set(known)
    for name, (_, _, again) in CHANGES.items():
        assert known[name].alters == bool(again), name


@pytest.mark.parametrize("name", CHANGES)
def test_an_option_makes_its_stage_anew_and_none_before_it(
    name: str, keys_of: Callable[[BuildSettings], Keys]
) -> None:
    besides, value, again = CHANGES[name]
    settings = BuildSettings.of(**{"labels": "column:topic", **besides})
    before, after = keys_of(settings), keys_of(replace(settings, **{name: value}))
    assert {stage for stage in EVERYTHING if before.get(stage) != after.get(stage)} == again


def test_the_seed_is_an_encoders_that_learns(keys_of: Callable[[BuildSettings], Keys]) -> None:
    found = [keys_of(BuildSettings(encoder="lexical", seed=seed))["embedding"] for seed in (0, 1)]
    assert found[0] != found[1]


def test_a_file_is_known_by_its_content(
    keys_of: Callable[[BuildSettings], Keys], tmp_path: Path
) -> None:
    settings = BuildSettings(embeddings=VECTORS)
    before = keys_of(settings)
    np.save(tmp_path / VECTORS, np.zeros((60, 3), np.float32))
    assert keys_of(settings)["embedding"] != before["embedding"]


@dataclass(frozen=True)
class MoreLmSettings(LmSettings):
    """As if somebody had added options and thought of nothing else."""

    stride: int = option(1, "tokens between two windows")
    threads: int = option(1, "threads that read", alters=False)


@dataclass(frozen=True)
class ScoreOtherwise(Stage[None]):
    name = "loss"

    records: Made[int]
    settings: LmSettings


def test_an_option_that_is_added_counts_unless_it_says_otherwise() -> None:
    def key(**options: object) -> str:
        return ScoreOtherwise(Made(3, "three"), make(MoreLmSettings, options)).key

    assert key() != key(stride=2)
    assert key() == key(threads=2) == key(device="cpu")


def test_what_cannot_tell_itself_from_another_is_no_part_of_a_key() -> None:
    with pytest.raises(TypeError, match="holds a object"):
        _ = ScoreOtherwise(Made(3, "three"), object()).key  # type: ignore[arg-type]
