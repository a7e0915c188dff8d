"""The stage that reads a pool: what its folder is named by must outlive a change of the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ila_core as ila
from ila_core.files import key_of
from ila_core.pipeline.ingesting import read
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool.inputs import Input


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({}, [[], False, "", "", 10_000, "", True]),
        (
            {"map": "response=say, instruction=ask", "partial": True, "loss": "none"},
            [[["response", "say"], ["instruction", "ask"]], True, "", "", 10_000, "", False],
        ),
    ],
)
def test_records_that_lie_there_are_found_again(options: dict[str, Any], how: list[object]) -> None:
    stage = read(BuildSettings.of(**options), [Input(Path("pool.jsonl"), 3, 0, "abc")])
    assert key_of(*stage.parts) == key_of(["abc"], *how)


@pytest.mark.parametrize(
    ("options", "mapping"),
    [
        ({}, []),
        ({"encoding": "cp1252", "partial": True, "header": "a,b", "split": "dev"}, []),
        ({"map": "response=say, instruction=ask"}, [("response", "say"), ("instruction", "ask")]),
    ],
)
def test_texts_are_known_by_the_originals_and_the_fields_alone(
    run: Path, options: dict[str, Any], mapping: list[tuple[str, str]]
) -> None:
    records = ila.open(run).records
    stage = read(BuildSettings.of(**options), [Input(Path("pool.jsonl"), 3, 0, "abc")])
    assert stage.content_key(records) == key_of(stage.version, records.fingerprint, *mapping)
