"""The Export screen in every state, run without a browser."""

from __future__ import annotations

import pytest
from app_helpers import fine, opened, surroundings, texts  # noqa: F401


@pytest.mark.parametrize("format", ["jsonl", "scored", "parquet"])
def test_every_format_is_previewed_with_its_command(format: str) -> None:
    page = opened(budget="12").switch_page("screens/export.py").run()
    page.radio(key="knob_format").set_value(format).run()
    assert "12 records for training" in texts(fine(page))
    command = next(code.value for code in page.code if code.value.startswith("ila select"))
    assert "--budget 12" in command
    assert ("--format" in command) == (format != "jsonl")


def test_it_says_how_the_records_were_chosen() -> None:
    page = fine(opened(budget="12").switch_page("screens/export.py").run())
    assert "by ila, 12 even patches, depth by loss reduction, depth target 75%" in texts(page)
    page = fine(opened(budget="12", method="longest").switch_page("screens/export.py").run())
    assert "for a budget of 12 by longest." in texts(page)


def test_an_export_that_cannot_be_says_why() -> None:
    page = opened(method="ifd").switch_page("screens/export.py").run()
    assert fine(page).error
