"""The Data screen in every state: what it says of a pool, and builds that run beside it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from app_helpers import button, data_screen, fine, opened, surroundings, texts  # noqa: F401
from conftest import small_pool, write_jsonl


def test_rejects_are_counted_with_their_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_jsonl(tmp_path / "odd.jsonl", [*small_pool(5), {"output": "no question"}])
    page = fine(data_screen(file, monkeypatch))
    assert "5 can be used and 1 are rejected" in texts(page)
    assert any("Rejected" in part.label for part in page.expander)


def test_a_file_that_is_no_pool_says_so_and_offers_a_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pool.jsonl"
    file.write_text("not a pool\n", encoding="utf-8")
    page = fine(data_screen(file, monkeypatch))
    assert page.error
    assert button(page, "Take what can be read")


def test_fields_of_unknown_names_are_chosen_under_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error named an option of the command line, and the page had no way on."""
    odd = [{"meta": {"ask": f"Name river {i}."}, "tell": f"The Ebro, {i}."} for i in range(5)]
    page = fine(data_screen(write_jsonl(tmp_path / "odd.jsonl", odd), monkeypatch))
    assert page.error and not any(part.label == "Build the landscape" for part in page.button)
    for part, field in (("Instruction", "meta.ask"), ("Response", "tell")):
        chooser = next(one for one in page.selectbox if one.label == part)
        assert {"meta.ask", "tell"} <= set(chooser.options)
        page = fine(chooser.set_value(field).run())
    assert not page.error and "5 records 5 can be used" in texts(page)
    assert button(page, "Build the landscape")
    assert any("instruction from meta.ask" in part.label for part in page.expander)


def test_a_pool_of_bare_instructions_has_a_way_on_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = [{"instruction": f"Name river {i}."} for i in range(5)]
    page = fine(data_screen(write_jsonl(tmp_path / "bare.jsonl", bare), monkeypatch))
    assert "has a response" in page.error[0].value
    page = fine(button(page, "It has instructions only").click().run())
    assert not page.error and button(page, "Build the landscape")
    page = fine(button(page, "It has responses after all").click().run())
    assert page.error and button(page, "It has instructions only")


def test_a_path_outside_the_folders_is_refused(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = data_screen(pool, monkeypatch)
    page.text_input(key="path").set_value("/etc/hostname").run()
    assert "outside the folders" in fine(page).error[0].value


def test_a_path_to_a_landscape_offers_to_open_it(
    pool: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = data_screen(pool, monkeypatch)
    monkeypatch.setenv("ILA_APP_ROOTS", str(run.parent))
    page.text_input(key="path").set_value(str(run)).run()
    assert "finished landscape" in fine(page).info[0].value


def test_an_option_that_needs_more_says_what(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = data_screen(pool, monkeypatch)
    labels = next(p for p in page.selectbox if str(p.key).startswith("option_labels"))
    labels.set_value("endpoint").run()
    assert "Still needed: the server" in fine(page).info[0].value
    assert not any(part.label == "Build the landscape" for part in page.button)


def test_a_build_runs_beside_the_page_and_opens(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = data_screen(pool, monkeypatch)
    projection = next(part for part in page.selectbox if part.label == "Projection")
    projection.set_value("pca").run()
    button(page, "Build the landscape").click().run()
    fine(page)
    until = time.monotonic() + 120
    manifest = tmp_path / "runs" / "pool" / "manifest.json"
    progress = tmp_path / "runs" / "pool" / "progress.json"
    while time.monotonic() < until and not _done(progress):
        time.sleep(0.5)
    assert json.loads(manifest.read_text())["settings"]["projection"] == "pca"
    page.run()
    assert button(fine(page), "Open it on the map")


def _done(progress: Path) -> bool:
    try:
        return json.loads(progress.read_text())["state"] == "done"
    except (OSError, ValueError):
        return False


def test_it_says_where_things_are_stored(tmp_path: Path) -> None:
    page = opened().switch_page("screens/data.py").run()
    assert "Nothing leaves this machine" in texts(fine(page))
    assert "runs" in texts(page)


def test_landscapes_that_are_not_listed_are_counted(tmp_path: Path) -> None:
    for number in range(13):
        (tmp_path / "runs" / f"run-{number}").mkdir(parents=True)
    page = fine(opened().switch_page("screens/data.py").run())
    assert "The latest 12 of 13; a path opens any other." in texts(page)


def test_an_upload_that_was_deleted_meanwhile_is_stored_again(tmp_path: Path) -> None:
    page = fine(opened().switch_page("screens/data.py").run())
    line = json.dumps({"instruction": "Add 2 and 2.", "output": "4"}).encode()
    page.file_uploader[0].set_value(("pool.jsonl", line, "application/json")).run()
    [stored] = (tmp_path / "runs" / "uploads").rglob("pool.jsonl")
    stored.unlink()
    page.run()
    assert "records in JSON lines" in texts(fine(page)) and stored.exists()
