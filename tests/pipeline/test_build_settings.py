"""The options of a build: what they may be, what goes with what, and how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ila_core.errors import IlaError
from ila_core.options import make, options_of, words
from ila_core.pipeline.build import build
from ila_core.pipeline.settings import (
    BuildSettings,
    DepthSettings,
    DomainSettings,
    EncodeSettings,
    EngineSettings,
    LabelSettings,
    LossSettings,
    PlaceSettings,
)
from ila_core.pool.settings import ReadSettings

PARTS = (ReadSettings, EncodeSettings, PlaceSettings, LossSettings, LabelSettings,
         DomainSettings, DepthSettings, EngineSettings)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "lm", "lm": "no/model"}, "'no/model' could not be loaded"),
        ({"loss": "lm", "lm": "no.gguf"}, "no.gguf was not found"),
        ({"sample": 5}, "--sample goes with --loss lm"),
        ({"loss": "lm", "sample": 0}, "--sample is 0; give a whole number from 1"),
        ({"tuned_lm": "some/model"}, "--tuned-lm goes with --loss lm"),
        ({"labels": "endpoint"}, "--labels-url"),
        ({"labels": "taxonomy"}, "--labels taxonomy is no more: .*leave --labels out, or name"),
        ({"projection": "mds"}, "umap, landmarks, tsne, pca"),
        ({"loss": "column:"}, "column:NAME"),
        ({"seed": -1}, "whole number"),
        ({"seed": 2**32}, "4294967295"),
        ({"dtype": "int8"}, "bfloat16"),
        ({"encoder": "minilm", "device": "toaster"}, "'toaster' is not known"),
        ({"lm": "some/model"}, "--lm goes with --loss lm"),
        ({"tokenizer": "some/model"}, "--tokenizer goes with --loss none"),
        ({"labels_url": "http://x"}, "--labels endpoint"),
        ({"encoder": "minilm", "embeddings": "e.npy"}, "--embeddings goes with"),
        ({"colour": "red"}, "Unknown option 'colour'"),
        ({"map": "instruction"}, "ROLE=FIELD"),
        ({"loss": "column:absent"}, "absent.* of --loss .*instruction, output, topic, score"),
        ({"depth_column": "absent"}, "absent.* of --depth-column"),
        ({"labels": "column:absent"}, "absent.* of --labels"),
        ({"domains": "column:absent.deep"}, "absent.* of --domains"),
        ({"projection": "columns:score,absent"}, "absent.* of --projection"),
        ({"loss": "column:topic"}, "no finite number"),
        ({"depth_column": "topic"}, "no finite number"),
        ({"projection": "columns:score"}, "two columns"),
        ({"domains": "labels"}, "--labels"),
        ({"embeddings": "absent.npy"}, "no file"),
    ],
)
def test_options_that_cannot_be_meant_are_told(pool: Path, tmp_path, options, message) -> None:
    with pytest.raises(IlaError, match=message) as caught:
        build(pool, out=tmp_path / "run", **({"projection": "pca"} | options))
    assert "\n" not in str(caught.value)


def test_a_command_holds_only_what_differs() -> None:
    settings = BuildSettings(loss="none", partial=True, seed=3)
    assert (
        settings.command(["my pool.jsonl"], "out")
        == "ila build 'my pool.jsonl' --out out --partial --seed 3 --loss none"
    )


def test_the_words_of_a_language_model_keep_their_order() -> None:
    settings = BuildSettings(
        unconditional=True, dtype="float16", max_length=64, sample=9, tuned_lm="t", lm="m",
        loss="lm", encoder="e", device="cpu", seed=1,
    )  # fmt: skip
    assert " ".join(words(settings)) == (
        "--seed 1 --device cpu --encoder e --loss lm --lm m --tuned-lm t --sample 9 "
        "--max-length 64 --dtype float16 --unconditional"
    )


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ({}, {}),
        ({"loss": "column:a", "labels": "column:b,c"}, {"a": "--loss", "b,c": "--labels"}),
        ({"projection": "columns: x, y"}, {"x": "--projection", "y": "--projection"}),
        ({"depth_column": "d", "domains": "column:e"}, {"d": "--depth-column", "e": "--domains"}),
    ],
)
def test_an_option_says_which_columns_it_names(
    options: dict[str, str], columns: dict[str, str]
) -> None:
    assert BuildSettings.of(**options).columns == columns


@pytest.mark.parametrize(
    ("options", "runs"),
    [({}, False), ({"device": "cpu"}, False), ({"loss": "lm"}, True), ({"encoder": "m/x"}, True)],
)
def test_models_of_ones_own_can_be_left_out(options: dict[str, str], runs: bool) -> None:
    settings = BuildSettings.of(**options, projection="pca")
    assert settings.runs_models == runs
    without = settings.without_models()
    assert not without.runs_models and without.projection == "pca"
    assert (without == settings) != runs


def test_settings_are_the_words_that_set_them_and_back() -> None:
    settings = BuildSettings.of(loss="lm", lm="a b/c", max_length=512, unconditional=True, seed=7)
    written = words(settings)
    assert written == settings.words(["p"], "r")[4:]
    given: dict[str, object] = {}
    while written:
        name = written.pop(0).removeprefix("--").replace("-", "_")
        given[name] = True if options_of(BuildSettings)[name].kind is bool else written.pop(0)
    assert make(BuildSettings, given) == settings


def test_every_option_belongs_to_a_stage_or_says_where_it_is_computed() -> None:
    parts = {name for part in PARTS for name in options_of(part)}
    assert set(options_of(BuildSettings)) == parts
    settings = BuildSettings.of(loss="none", seed=4)
    for part in PARTS:
        taken = settings.part(part)
        assert type(taken) is part
        for name in options_of(part):
            assert getattr(taken, name) == getattr(settings, name)


def test_every_option_tells_what_it_is() -> None:
    for option in options_of(BuildSettings).values():
        assert option.help and all(option.choices.values()), option.name
