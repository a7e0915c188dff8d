"""The stage that reads a pool: what its folder is named by must outlive a change of the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ila_core.files import key_of
from ila_core.pipeline.ingesting import read
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool.inputs import Input

AS_DETECTED = {"encoding": "", "split": "", "header": ""}


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({}, {**AS_DETECTED, "map": [], "partial": False, "require_response": True}),
        (
            {"map": "response=say, instruction=ask", "partial": True, "loss": "none"},
            {
                **AS_DETECTED,
                "map": [["response", "say"], ["instruction", "ask"]],
                "partial": True,
                "require_response": False,
            },
        ),
    ],
)
def test_records_that_lie_there_are_found_again(
    options: dict[str, Any], how: dict[str, Any]
) -> None:
    stage = read(BuildSettings.of(**options), [Input(Path("pool.jsonl"), 3, 0, "abc")])
    assert key_of(*stage.parts) == key_of(["abc"], how)
