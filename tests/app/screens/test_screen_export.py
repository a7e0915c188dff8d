"""The Export screen in every state, run without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_helpers import fine, opened, surroundings, texts  # noqa: F401
from conftest import write_jsonl
from streamlit.testing.v1 import AppTest

from ila_core.exports.commands import PARQUET
from ila_core.exports.messages import axolotl_snippet, trl_snippet
from ila_core.exports.write import FORMATS
from ila_core.pipeline.build import build


@pytest.mark.parametrize("format", FORMATS)
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


ROLES = ["user", "assistant"]
FACTORY = "LLaMA-Factory"


def exported(format: str, **link: str) -> AppTest:
    page = opened(**{"budget": "12", **link}).switch_page("screens/export.py").run()
    return fine(page.radio(key="knob_format").set_value(format).run())


def told_for(page: AppTest, trainer: str) -> str:
    """What stands in the expander of a trainer."""
    [box] = [one for one in page.expander if one.label == f"For {trainer}"]
    return "\n".join(str(part.value) for kind in ("caption", "code") for part in box.get(kind))


def test_each_format_says_what_its_trainer_must_be_told() -> None:
    assert axolotl_snippet("selection-12.axolotl.jsonl").strip() in told_for(
        exported("axolotl"), "Axolotl"
    )
    assert trl_snippet("selection-12.messages.jsonl").strip() in told_for(exported("trl"), "TRL")
    for format in FORMATS:
        shown = {one.label for one in exported(format).expander}
        assert ("For Axolotl" in shown, "For TRL" in shown) == (
            format == "axolotl",
            format == "trl",
        )
        assert ("For LLaMA-Factory" in shown) == (format not in PARQUET)


def test_answers_out_of_the_loss_are_told_where_the_trainer_does_not_heed_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(i: int, **mark: int) -> list[dict[str, object]]:
        said = [f"Name river {i}.", f"The Ebro {i}.", f"And sea {i}?", f"The Arctic {i}."]
        talk = [{"role": role, "content": text} for role, text in zip(ROLES * 2, said, strict=True)]
        return [talk[0], talk[1] | mark, *talk[2:]]

    pool = [{"messages": talk(i, weight=0) if i % 2 else talk(i)} for i in range(20)]
    run = tmp_path / "run"
    build(write_jsonl(tmp_path / "pool.jsonl", pool), out=run, projection="pca")
    monkeypatch.setenv("ILA_APP_ROOTS", str(tmp_path))
    monkeypatch.setenv("ILA_APP_OPEN", str(run))
    link = {"landscape": str(run), "budget": "20"}
    told = told_for(exported("trl", **link), "TRL")
    assert "kept out of the loss in 10 of these records" in told
    assert "kept out of the loss in 10 of these" in told_for(exported("jsonl", **link), FACTORY)
    assert "stays out of it" in told_for(exported("axolotl", **link), "Axolotl")
