"""The Export screen in every state, run without a browser."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from app_helpers import fine, opened, surroundings, texts  # noqa: F401
from conftest import write_jsonl
from streamlit.testing.v1 import AppTest

import ila_core as ila
from ila_core.exports.commands import PARQUET
from ila_core.exports.messages import axolotl_snippet, trl_snippet
from ila_core.exports.write import FORMATS, content
from ila_core.pipeline.build import build
from parts.texts import size


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
    told = told_for(exported("axolotl"), "Axolotl")
    assert axolotl_snippet("selection-12.axolotl.jsonl").strip() in told
    told = told_for(exported("trl"), "TRL")
    assert trl_snippet("selection-12.messages.jsonl").strip() in told
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


# -- what is downloaded ---------------------------------------------------------------------------


def downloads(page: AppTest) -> dict[str, str]:
    """The names of the files that are offered, by the label of their button."""
    return {one.label: one.proto.id for one in page.get("download_button")}


def test_a_size_is_told_that_is_right_and_a_name_that_is_its_own(run: Path, tmp_path: Path) -> None:
    selection = ila.select(ila.open(run), budget=12)
    names = set()
    for format in FORMATS:
        page = exported(format)
        [told] = [one.value for one in page.caption if one.value.startswith(("selection", "pool-"))]
        name, _, words = told.partition(", ")
        names.add(name)
        suffix = "parquet" if format in PARQUET else "jsonl"
        file = ila.export(selection, tmp_path / f"{format}.{suffix}", format)
        assert words == ("about " if format != "jsonl" else "") + size(file.stat().st_size)
        command = next(code.value for code in page.code if code.value.startswith("ila select"))
        assert f"--out {name}" in command
    assert len(names) == len(FORMATS)


def test_a_part_to_validate_with_is_a_second_file(run: Path) -> None:
    page = exported("trl")
    page.number_input(key="knob_validation").set_value(25).run()
    names = [one.value.partition(",")[0] for one in fine(page).caption]
    assert "selection-12.messages.jsonl" in names
    assert "selection-12.messages.validation.jsonl" in names
    assert {"Download 9 records", "Download 3 records for validation"} <= set(downloads(page))
    command = next(code.value for code in page.code if code.value.startswith("ila select"))
    assert "--validation 25%" in command
    assert 'eval_dataset = load_dataset("json"' in told_for(page, "TRL")
    page.number_input(key="knob_validation").set_value(0).run()
    assert "Download 12 records" in downloads(fine(page))


def test_a_split_that_leaves_nothing_says_why() -> None:
    page = opened(budget="1").switch_page("screens/export.py").run()
    page.number_input(key="knob_validation").set_value(5).run()
    assert "leaves one part empty" in fine(page).error[0].value


def test_the_manifest_has_the_checksum_of_the_file(run: Path, tmp_path: Path) -> None:
    selection = ila.select(ila.open(run), budget=12)
    for format in FORMATS:
        digest = hashlib.sha256(content(selection, format)).hexdigest()
        suffix = "parquet" if format in PARQUET else "jsonl"
        file = ila.export(selection, tmp_path / f"{format}.{suffix}", format)
        about = json.loads((tmp_path / f"{file.name}.manifest.json").read_text())
        assert about["sha256"] == digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_page_offers_a_report_and_shows_the_whole_pool(run: Path) -> None:
    page = exported("pool-parquet")
    assert {"Download 60 records", "A report to send"} <= set(downloads(page))
    assert {"kept", "order", "x", "y"} <= set(page.dataframe[0].value.columns)
