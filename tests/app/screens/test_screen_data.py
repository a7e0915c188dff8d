"""The Data screen in every state: what it says of a pool, and builds that run beside it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from app_helpers import button, data_screen, fine, opened, surroundings, texts  # noqa: F401
from conftest import small_pool, write_jsonl
from pool_files import POOL, arrow, lines, put, workbook
from streamlit.testing.v1 import AppTest

import session
from ila_core.errors import IlaError, PoolError
from ila_core.pipeline import estimate as doctor
from ila_core.pipeline.build import build
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool.sniffing import PACKED, SUFFIXES
from jobs import builds, process
from parts import uploading
from parts.wording import on_page


def test_rejects_are_counted_with_their_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_jsonl(tmp_path / "odd.jsonl", [*small_pool(5), {"output": "no question"}])
    page = fine(data_screen(file, monkeypatch))
    assert "Of all 6 records 5 can be used and 1 rejected." in texts(page)
    assert any("Rejected" in part.label for part in page.expander)


def test_a_file_that_is_no_pool_says_so_and_offers_nothing_that_would_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pool.jsonl"
    file.write_text("not a pool\n", encoding="utf-8")
    page = fine(data_screen(file, monkeypatch))
    assert "holds no usable record" in page.error[0].value
    assert not page.checkbox and not buildable(page)
    put(tmp_path, lines(), "other.jsonl")
    page = fine(page.text_input(key="path").set_value(str(tmp_path / "*.jsonl")).run())
    page = fine(labelled(page.checkbox, "Take what can be read").check().run())
    assert not page.error and "3 can be used" in texts(page) and "file passed over" in texts(page)


def test_a_file_whose_first_records_are_all_rejects_is_refused_as_the_build_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = write_jsonl(tmp_path / "odd.jsonl", [{"ask": "a", "say": "b"}] * 2_500)
    page = fine(data_screen(odd, monkeypatch))
    with pytest.raises(PoolError) as refusal:
        build(odd, out=tmp_path / "run")
    assert page.error[0].value.replace("\\", "") == on_page(str(refusal.value))
    assert not buildable(page)
    late = write_jsonl(tmp_path / "late.jsonl", [{"ask": "a"}] * 2_500 + small_pool(5))
    page = fine(page.text_input(key="path").set_value(str(late)).run())
    assert not page.error and buildable(page)


def test_the_uploader_takes_what_the_engine_reads() -> None:
    page = fine(opened().switch_page("screens/data.py").run())
    [uploader] = page.file_uploader
    for suffix in (*SUFFIXES, *PACKED):
        assert suffix.lstrip(".") in uploading.TYPES
    assert "Arrow or a workbook" in uploader.label


def test_several_uploads_are_one_pool() -> None:
    page = fine(opened().switch_page("screens/data.py").run())
    shards = [(f"{i}.ndjson", lines([record]), "") for i, record in enumerate(POOL[:2])]
    page = fine(page.file_uploader[0].set_value(shards).run())
    assert "Of all 2 records 2 can be used" in texts(page)


def test_a_folder_that_datasets_has_saved_and_its_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set"
    for split, records in (("test", POOL[:1]), ("train", POOL)):
        (folder / split).mkdir(parents=True)
        (folder / split / "data.arrow").write_bytes(arrow(records))
        state = {"_data_files": [{"filename": "data.arrow"}]}
        (folder / split / "state.json").write_text(json.dumps(state))
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["test", "train"]}))
    page = fine(data_screen(folder, monkeypatch))
    chooser = labelled(page.selectbox, "Split")
    assert (chooser.options, chooser.value) == (["test", "train"], "train")
    assert "records in Arrow. Of all 3 records" in texts(page)
    page = fine(chooser.set_value("test").run())
    assert "Of all 1 record" in texts(page)
    assert started(page, monkeypatch) == ((str(folder),), "test")
    page = fine(labelled(page.selectbox, "Split").set_value("train").run())
    assert started(page, monkeypatch) == ((str(folder),), "")


def test_a_split_has_to_be_chosen_where_none_is_the_training_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dev.jsonl", "test.jsonl"):
        put(tmp_path, lines(), name)
    page = fine(data_screen(tmp_path, monkeypatch))
    assert not page.error and not buildable(page)
    page = fine(labelled(page.selectbox, "Split").set_value("validation").run())
    assert buildable(page)


def test_the_sheets_of_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = ["question", "answer"]
    book = workbook(Rivers=[head, ["Which?", "The Ebro."]], Notes=[head, ["Who?", "I."]])
    page = fine(data_screen(put(tmp_path, book, "pool.xlsx"), monkeypatch))
    assert page.dataframe[0].value["Instruction"].tolist() == ["Which?"]
    page = fine(labelled(page.selectbox, "Sheet").set_value("Notes").run())
    assert page.dataframe[0].value["Instruction"].tolist() == ["Who?"]
    assert started(page, monkeypatch)[1] == "Notes"


def test_a_folder_that_is_no_pool_gets_the_engines_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    page = fine(data_screen(tmp_path / "empty", monkeypatch))
    assert "is a folder without a pool; name its files" in page.error[0].value.replace("\\", "")


def test_an_encoding_is_chosen_under_the_error_and_beside_the_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "question,answer\n" + "长江有多长?,长江全长约六千三百公里。\n" * 9
    page = fine(data_screen(put(tmp_path, text.encode("gbk"), "pool.csv"), monkeypatch))
    assert "gb18030" in texts(page)
    chooser = labelled(page.selectbox, "Encoding")
    assert chooser.value == "" and chooser.options[1].startswith("gb18030 · simplified Chinese")
    page = fine(chooser.set_value("utf-8").run())
    assert "name its encoding with" in page.error[0].value and not buildable(page)
    page = fine(labelled(page.selectbox, "Encoding").set_value("gb18030").run())
    assert page.dataframe[0].value["Instruction"].iloc[0] == "长江有多长?"


def test_the_columns_of_a_table_without_a_header_are_named_under_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"Name river {i}.,The Ebro {i}.\n" for i in range(5))
    page = fine(data_screen(put(tmp_path, rows.encode(), "pool.csv"), monkeypatch))
    header = labelled(page.text_input, "Names of the columns")
    page = fine(header.set_value(" instruction,response ").run())
    assert not page.error and "Of all 5 records 5 can be used" in texts(page)
    assert labelled(page.text_input, "Names of the columns").value == "instruction,response"


def test_a_file_that_is_cut_off_is_taken_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.dumps(POOL, indent=1).encode()
    page = fine(data_screen(put(tmp_path, whole[:-60], "pool.json"), monkeypatch))
    assert "breaks off after 2 usable records" in page.error[0].value
    page = fine(labelled(page.checkbox, "Take what can be read").check().run())
    assert not page.error and "2 can be used" in texts(page)


def labelled(widgets: Any, label: str) -> Any:
    return next(one for one in widgets if one.label == label)


def buildable(page: AppTest) -> bool:
    return any(part.label == "Build the landscape" for part in page.button)


def started(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> tuple[tuple[str, ...], str]:
    """Press the button; the pool that the build would be started with, and its split."""
    caught: list[tuple[tuple[str, ...], str]] = []

    def start(runs: Path, name: str, pool: tuple[str, ...], settings: BuildSettings) -> None:
        caught.append((pool, settings.split))
        raise IlaError("not now")

    monkeypatch.setattr(builds, "start", start)
    button(page, "Build the landscape").click().run()
    return caught[0]


def test_the_editor_of_the_fields_stays_open_and_asks_for_a_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = doctor.estimate

    def estimate(files: Any, settings: BuildSettings, **how: Any) -> doctor.Estimate:
        asked.append(settings.map)
        return real(files, settings, **how)

    monkeypatch.setattr(doctor, "estimate", estimate)
    odd = [{"ask_text": f"What is {n}?", "say_text": f"A {n}.", "id": n} for n in range(2_100)]
    page = fine(data_screen(write_jsonl(tmp_path / "odd.jsonl", odd), monkeypatch))
    page = fine(labelled(page.selectbox, "Instruction").set_value("ask_text").run())
    assert labelled(page.expander, "Fields").proto.expanded
    [told] = page.warning
    assert "None of the first 2,000 records has a response" in told.value
    assert "nothing can be built" in told.value and not buildable(page)
    page = fine(labelled(page.selectbox, "Response").set_value("say_text").run())
    assert not page.warning and buildable(page)
    assert labelled(page.expander, "Fields").proto.expanded
    page = fine(labelled(page.selectbox, "Source").set_value("id").run())
    assert labelled(page.expander, "Fields").proto.expanded and len(asked) == 1
    page = fine(labelled(page.selectbox, "Response").set_value("as detected").run())
    page = fine(button(page, "It has instructions only").click().run())
    assert "no loss and no depth" in texts(page) and buildable(page)


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
    assert "instruction from meta.ask" in texts(page)


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
    monkeypatch.setenv("ILA_APP_LABELS_URL", "http://127.0.0.1:9/v1")
    page = data_screen(pool, monkeypatch)
    labels = next(p for p in page.selectbox if str(p.key).startswith("option_labels"))
    labels.set_value("endpoint").run()
    assert "Still needed: its model" in fine(page).info[0].value
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


def test_an_upload_that_was_deleted_meanwhile_is_asked_for_again(tmp_path: Path) -> None:
    page = fine(opened().switch_page("screens/data.py").run())
    line = json.dumps({"instruction": "Add 2 and 2.", "output": "4"}).encode()
    for _ in range(2):
        page.file_uploader[0].set_value([("pool.jsonl", line, "application/json")]).run()
        [stored] = (tmp_path / "runs" / "uploads").rglob("pool.jsonl")
        assert "records in JSON lines" in texts(fine(page)) and not page.file_uploader
        stored.unlink()
        page.run()
        assert not buildable(fine(page))


def test_files_come_to_those_that_were_uploaded_and_each_is_held_in_memory_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dropped: list[str] = []
    drop = session.drop_uploads
    monkeypatch.setattr(session, "drop_uploads", lambda key: (dropped.append(key), drop(key)))
    page = fine(opened().switch_page("screens/data.py").run())
    for number, record in enumerate(POOL[:2], start=1):
        one = (f"{number}.jsonl", lines([record]), "")
        page = fine(page.file_uploader[0].set_value([one]).run())
        assert f"Of all {number} record" in texts(page) and not page.file_uploader
        assert len(set(dropped)) == number
        assert dropped[-1] not in page.session_state
        button(page, "Add files").click().run()
    assert "Of all 2 records" in texts(fine(page)), "while more are chosen"


def left(runs: Path, name: str, **told: object) -> None:
    """Leave a build's folder as a process leaves it."""
    (runs / name).mkdir(parents=True, exist_ok=True)
    (runs / name / "progress.json").write_text(json.dumps(told), encoding="utf-8")


def test_a_running_build_is_found_by_a_page_that_is_loaded_anew(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "alive", lambda pid: True)
    monkeypatch.setattr(builds, "start", lambda runs, name, *_: left(
        runs, name, state="running", pid=1, stage="embedding", done=3, total=12))  # fmt: skip
    page = data_screen(pool, monkeypatch)
    button(page, "Build the landscape").click().run()
    assert button(fine(page), "Stop")
    link = {name: page.query_params[name] for name in page.query_params}
    again = fine(opened(**{name: "".join(value) for name, value in link.items()}))
    assert button(again, "Stop") and not buildable(again)  # as a reload has it
    stranger = fine(opened())
    assert "**pool** is being built: embedding, 25%." in texts(stranger)
    button(stranger, "Show it").click().run()
    assert button(fine(stranger), "Stop")
    button(stranger, "Open another pool").click().run()
    assert buildable(fine(stranger))


def test_a_run_that_is_being_built_elsewhere_is_followed_until_it_opens(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its progress was read as a pool, and the page jumped once the landscape was there."""
    monkeypatch.setattr(process, "alive", lambda pid: True)
    folder = tmp_path / "elsewhere" / "new"
    left(folder.parent, "new", state="running", pid=1, stages=[
        {"stage": "embedding", "state": "running", "done": 3, "total": 12}])  # fmt: skip
    page = fine(data_screen(folder, monkeypatch))
    assert "being built in this folder" in page.info[0].value and not page.error
    assert "Embedding" in page.get("progress")[0].proto.text
    assert not buildable(page) and not any(part.label == "Stop" for part in page.button)
    shutil.copytree(run, folder, dirs_exist_ok=True)
    left(folder.parent, "new", state="done", pid=1)
    page = fine(page.run())
    assert page.text_input(key="path").value == str(folder)
    button(page, "Open it on the map").click().run()
    assert fine(page).query_params["landscape"] == str(folder)


def test_a_link_to_a_landscape_shows_it_where_a_pool_was_given(
    pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Open a pool" in texts(fine(data_screen(pool, monkeypatch)))
    page = fine(opened(landscape="sample", budget="30"))
    assert "30 are kept" in texts(page) and page.query_params["budget"] == "30"


def test_a_failed_build_names_options_as_the_page_does(tmp_path: Path) -> None:
    left(tmp_path / "runs", "broken", state="failed", pid=1,
         message="No field text_b; name it with --map response=FIELD.")  # fmt: skip
    page = fine(opened(build="broken").switch_page("screens/data.py").run())
    assert "name it with “Response” under Fields" in page.error[0].value


def test_a_build_of_no_name_that_we_have_given_is_passed_over(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_APP_OPEN", str(pool))
    monkeypatch.setenv("ILA_APP_ROOTS", str(pool.parent))
    left(tmp_path, "elsewhere", state="running", pid=1)
    page = fine(opened(build="../elsewhere"))
    assert buildable(page)


def test_an_upload_stays_chosen_while_another_screen_is_visited(tmp_path: Path) -> None:
    page = fine(opened().switch_page("screens/data.py").run())
    line = json.dumps({"instruction": "Add 2 and 2.", "output": "4"}).encode()
    page.file_uploader[0].set_value([("pool.jsonl", line, "application/json")]).run()
    assert buildable(fine(page))
    fine(page.switch_page("screens/export.py").run())
    page = fine(page.switch_page("screens/data.py").run())
    assert buildable(page) and "pool.jsonl" in texts(page).replace("\\", "")
    assert "Of all 1 record 1 can be used" in texts(page)
    button(page, "Upload another").click().run()
    assert not buildable(fine(page)) and page.file_uploader


def test_the_landscape_of_the_command_line_is_listed_and_opened_again(run: Path) -> None:
    page = fine(opened(landscape="sample").switch_page("screens/data.py").run())
    assert f"**{run.name}**" in texts(page)
    page.button(key=f"open_{run.resolve()}").click().run()
    assert page.query_params["landscape"] == str(run.resolve())


def test_the_landscape_that_is_open_is_not_offered_to_be_opened(run: Path) -> None:
    page = fine(opened().switch_page("screens/data.py").run())
    assert page.button(key=f"open_{run.resolve()}").label == "Show"
    assert page.button(key="open_sample").label == "Open"
    assert texts(page).count("open now") == 1


def test_the_folders_that_the_page_keeps_beside_landscapes_are_none(tmp_path: Path) -> None:
    for name in ("uploads", "exports", "studies", "picks", "cleaning", "selections", "mine"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    page = fine(opened().switch_page("screens/data.py").run())
    followed = {part.key for part in page.button if str(part.key).startswith("follow_")}
    assert followed == {"follow_mine"}


@pytest.mark.parametrize("name", ["pool.jsonl", "pool.json", "pool.csv"])
def test_an_empty_file_is_offered_nothing_that_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    page = fine(data_screen(put(tmp_path, b"", name), monkeypatch))
    assert "it is empty" in page.error[0].value
    assert not page.checkbox and "What may help" not in texts(page)


def test_an_empty_file_among_others_may_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, b"", "a.jsonl")
    put(tmp_path, lines(), "b.jsonl")
    page = data_screen(tmp_path / "b.jsonl", monkeypatch)
    page = fine(page.text_input(key="path").set_value(str(tmp_path / "*.jsonl")).run())
    if page.error:
        page = fine(labelled(page.checkbox, "Take what can be read").check().run())
    assert not page.error and buildable(page)


def test_an_error_speaks_of_the_pages_widgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "question,answer\n" + "长江有多长?,长江全长约六千三百公里。\n" * 9
    page = fine(data_screen(put(tmp_path, text.encode("gbk"), "pool.csv"), monkeypatch))
    page = fine(labelled(page.selectbox, "Encoding").set_value("utf-8").run())
    assert "name its encoding with “Encoding”" in page.error[0].value
    assert "--" not in page.error[0].value.replace("\\", "")
