"""Visitors of one page: each has a folder, and meets nothing of another's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from app_helpers import fine, opened, surroundings, texts  # noqa: F401
from streamlit.testing.v1 import AppTest

import session
from ila_core.errors import IlaError, UsageError
from jobs import builds, folders, pools

ANN, BEN = "a" * 22, "b" * 22


@pytest.fixture(autouse=True)
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ILA_APP_VISITORS", "1")


def as_visitor(token: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be this visitor from now on; the folder that is theirs."""
    monkeypatch.setattr(session, "visitor", lambda: token)
    folders.ask_visitor(lambda: token)
    return folders.runs_folder()


@pytest.fixture(autouse=True)
def afterwards() -> None:
    yield
    folders.ask_visitor(session.visitor)


def kept(run: Path, folder: Path) -> Path:
    """A landscape that a visitor has built."""
    shutil.copytree(run, folder / "mine")
    (folder / "mine" / "progress.json").write_text("{}")
    return folder / "mine"


def test_each_has_a_folder_that_does_not_tell_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = as_visitor(ANN, monkeypatch), as_visitor(BEN, monkeypatch)
    assert ann != ben and ann.parent == ben.parent == folders.shared_folder() / "visitors"
    assert ANN not in str(ann) and as_visitor(ANN, monkeypatch) == ann
    with pytest.raises(UsageError, match="allow cookies"):
        as_visitor("", monkeypatch)


def test_no_path_and_no_pattern_leads_to_anothers(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = kept(run, as_visitor(ANN, monkeypatch))
    (hers.parent / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    assert folders.run_of(str(hers)) == hers
    monkeypatch.setenv("ILA_APP_ROOTS", os.pathsep.join([str(hers.parent.parent), "/"]))
    assert folders.run_of(str(hers)) == hers
    his = as_visitor(BEN, monkeypatch)
    his.mkdir(parents=True)
    (his / "link").symlink_to(hers)
    for path in (hers, his / "link", his / ".." / hers.parent.name / "mine"):
        with pytest.raises(UsageError, match="outside the folders"):
            folders.run_of(str(path))
    for pattern in (hers.parent.parent / "*" / "pool.jsonl", hers.parent / "pool.jsonl"):
        with pytest.raises(IlaError, match="outside the folders"):
            pools.named(str(pattern)).files()
    assert folders.run_of(str(run)) == run, "what the page was started with is for all"


def test_only_ones_own_landscapes_are_listed_and_deleted(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = kept(run, as_visitor(ANN, monkeypatch))
    assert bins(data_screen()) == {"delete_mine"}
    his = as_visitor(BEN, monkeypatch)
    page = data_screen()
    assert not bins(page) and f"open_{run}" in {button.key for button in page.button}
    assert not builds.every(his)
    page = fine(opened(landscape=str(hers)))
    assert "cannot be opened" in texts(page) and "outside the folders" in page.error[0].value
    assert hers.is_dir()


def test_who_sends_no_cookie_is_told_and_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "visitor", str)
    folders.ask_visitor(str)
    page = fine(opened())
    assert "allow cookies" in page.error[0].value and not page.button
    assert not folders.shared_folder().exists()


def data_screen() -> AppTest:
    return fine(fine(opened()).switch_page("screens/data.py").run())


def bins(page: AppTest) -> set[str]:
    return {str(button.key) for button in page.button if str(button.key).startswith("delete_")}
