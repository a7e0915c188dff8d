"""One's own selection and the list of records, with mouse and keys in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LINE = "[role='option']"


def opened(page: Any, path: str = "/") -> Any:
    page.goto(path)
    page.locator(LINE).first.wait_for()
    return page


def row_of(page: Any) -> str:
    return page.locator(f"{LINE}[aria-selected='true']").get_attribute("data-row")


def link_has(page: Any, text: str) -> None:
    page.wait_for_function(f"() => location.search.includes({text!r})")


def shown(page: Any, row: str) -> None:
    link_has(page, f"record={row}")
    page.locator(f"{LINE}[data-row='{row}'][aria-selected='true']").wait_for()


def test_a_pin_outlives_a_reload_and_is_taken_back_by_a_key(page: Any) -> None:
    opened(page)
    page.locator(f"{LINE} .title").nth(3).click()  # on the text, not on a box
    row = page.locator(LINE).nth(3).get_attribute("data-row")
    link_has(page, f"record={row}")
    page.get_by_text(f"row {row}").first.wait_for()
    page.keyboard.press("p")
    page.get_by_text("1 pinned").first.wait_for()
    page.get_by_text("Kept: pinned by hand.").wait_for()
    link_has(page, "mine=~")

    page.reload()
    page.locator(LINE).first.wait_for()
    page.get_by_text("1 pinned").first.wait_for()
    assert row_of(page) == row
    page.keyboard.press("u")
    page.get_by_text("nothing yet").wait_for()


def test_keys_walk_from_record_to_record_and_write_no_text(page: Any) -> None:
    opened(page)
    rows = page.locator(LINE).evaluate_all("items => items.map(item => item.dataset.row)")
    page.keyboard.press("j")
    shown(page, rows[1])
    page.locator("[role='listbox']").focus()
    page.keyboard.press("ArrowDown")
    shown(page, rows[2])
    page.keyboard.press("k")
    shown(page, rows[1])
    page.keyboard.press("x")
    page.get_by_text("1 excluded").first.wait_for()
    page.locator(f"{LINE}[data-row='{rows[1]}'] .word.excluded").wait_for()


def test_every_record_can_be_reached_and_taken_along(page: Any, pool: Path, tmp_path: Path) -> None:
    opened(page)
    page.get_by_role("button", name="Next page").click()
    page.get_by_text("26 to 50").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download 60").click()
    download.value.save_as(tmp_path / "records.jsonl")
    got = (tmp_path / "records.jsonl").read_bytes().splitlines()
    assert sorted(got) == sorted(pool.read_bytes().splitlines()) and len(got) == 60
