"""What a visitor may keep on a page, and who reaches a page that was started without its door."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from app_helpers import fine, opened, surroundings, texts  # noqa: F401

import outside
from ila_core.errors import UsageError
from ila_core.pipeline.settings import BuildSettings
from jobs import builds, folders, space
from jobs.uploads import store_upload


@pytest.fixture
def ten_megabytes(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of visitors who may keep as much."""
    monkeypatch.setenv(space.LIMIT, "10000000")
    folder = folders.runs_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_what_fits_may_come_and_what_does_not_is_told(ten_megabytes: Path) -> None:
    store_upload(ten_megabytes, "a.jsonl", io.BytesIO(b"x" * 6_000_000))
    space.check(4_000_000)
    with pytest.raises(UsageError, match=r"takes 6\.0 MB and 4\.0 MB .* 10\.0 MB are the most"):
        space.check(4_000_001)


def test_a_folder_that_is_full_begins_nothing_more(ten_megabytes: Path, pool: Path) -> None:
    space.check()
    store_upload(ten_megabytes, "a.jsonl", io.BytesIO(b"x" * 10_000_000))
    with pytest.raises(UsageError, match=r"Delete a landscape or a study of yours"):
        builds.start(ten_megabytes, "one", [str(pool)], BuildSettings())
    assert not builds.every(ten_megabytes), "nothing is left of it"


def test_without_a_limit_nobody_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(space.LIMIT, raising=False)
    monkeypatch.setattr(space, "size_of", lambda folder: pytest.fail("the folder was counted"))
    space.check(10**15)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.7", "::", None])
def test_a_page_that_strangers_reach_without_the_door_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.delenv(outside.DOOR)
    monkeypatch.setattr(outside, "exists", lambda: True)
    monkeypatch.setattr(outside, "get_option", lambda name: address)
    assert "asks nobody for a key: start it with ila app" in outside.door_left_open()
    monkeypatch.setenv(outside.DOOR, "mine")
    assert outside.door_left_open() == ""


def test_that_is_all_that_stands_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(outside.DOOR)
    monkeypatch.setattr(outside, "exists", lambda: True)
    monkeypatch.setattr(outside, "get_option", lambda name: "0.0.0.0")
    page = fine(opened())
    assert [one.value for one in page.error] == [outside.door_left_open()] and not page.button
    monkeypatch.setattr(outside, "get_option", lambda name: "127.0.0.1")
    assert fine(opened()).button
