"""Records that should not be chosen: searched for beside the page, left out and let in again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from app_helpers import button, fine, opened, surroundings, texts  # noqa: F401
from conftest import small_pool, write_jsonl
from streamlit.testing.v1 import AppTest

import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.pipeline.build import build
from jobs import cleaning, process


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    """60 records, of which the first ten stand in the pool twice."""
    folder = tmp_path_factory.mktemp("twice")
    pool = write_jsonl(folder / "pool.jsonl", [*small_pool(), *small_pool()[:10]])
    return build(pool, out=folder / "run", projection="pca")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches are over when they have been started."""

    def launch(place: Path, name: str, command: Sequence[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True)
        (place / ".jobs").mkdir(exist_ok=True)
        started = {"command": list(command), "pid": 0, "started": time.time()}
        (place / ".jobs" / f"{name}.json").write_text(json.dumps(started))
        (place / ".jobs" / f"{name}.log").write_text(done.stderr)

    monkeypatch.setattr(process, "launch", launch)


@pytest.mark.usefixtures("at_once")
def test_what_is_found_is_left_out_and_let_in_again(
    twice: Landscape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_APP_ROOTS", str(twice.run.parent))
    page = fine(opened(landscape=str(twice.run), budget="100%"))
    assert "70 are kept" in texts(page)
    page.button(key="search_duplicates").click().run()
    assert "10 of 70 records say what another one says" in texts(fine(page))
    page.button(key="out_duplicates").click().run()
    assert "60 are kept" in texts(fine(page))
    assert "Clean · 10 records left out" in [one.label for one in page.expander]
    page.button(key="back_duplicates").click().run()
    assert "70 are kept" in texts(fine(page)) and button(page, "Leave 10 records out")


@pytest.mark.usefixtures("at_once")
def test_a_search_that_fails_says_why(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landscape = ila.open(run)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    folder = cleaning.start(tmp_path / "runs", landscape, "decontaminate", [str(empty)])
    job = cleaning.look(folder)
    assert job is not None and job.state == "failed" and "empty.jsonl" in job.message


@pytest.mark.usefixtures("at_once")
def test_a_search_is_made_once(run: Path, tmp_path: Path) -> None:
    landscape, runs = ila.open(run), tmp_path / "runs"
    before = write_jsonl(tmp_path / "before.jsonl", small_pool()[:7])
    folder = cleaning.start(runs, landscape, "trained", [str(before)])
    assert cleaning.rows(folder).tolist() == list(range(7))
    assert cleaning.found(folder)["sentence"].startswith("7 of the 7 records")
    stamp = (folder / "found.json").stat().st_mtime_ns
    assert cleaning.start(runs, landscape, "trained", [str(before)]) == folder
    assert (folder / "found.json").stat().st_mtime_ns == stamp
    other = write_jsonl(tmp_path / "other.jsonl", small_pool()[:3])
    assert cleaning.start(runs, landscape, "trained", [str(other)]) != folder


def test_pins_stay_and_what_was_said_by_hand_is_not_taken_back(run: Path) -> None:
    def script() -> None:
        import os

        import hand
        import session
        from ila_core.landscape.folder import open_run

        hand.take_up(open_run(os.environ["ILA_APP_OPEN"]))
        hand.pin([3])
        hand.exclude([4])
        hand.exclude_rows([3, 4, 5, 6, 5], "duplicates")
        assert session.mine().pinned == (3,) and session.mine().excluded == (4, 5, 6)
        assert hand.left_out("duplicates") == (5, 6)
        hand.release([6])
        assert hand.left_out("duplicates") == (5,)
        hand.take_back(hand.left_out("duplicates"), "duplicates")
        assert session.mine().excluded == (4,) and hand.left_out("duplicates") == ()
        hand.undo()
        assert hand.left_out("duplicates") == (5,)
        assert hand.left_out("another search", [3, 4, 5]) == (4, 5)
        assert hand.left_out("another search", [3, 4, 5, 7]) == hand.left_out("a third") == ()

    fine(AppTest.from_function(script).run())
