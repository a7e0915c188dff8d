"""The door in a real browser: the form, the link, and visitors who do not meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import small_pool, write_jsonl
from served import Served, opened_on, serving

from ila_core.paths import APP

pytestmark = pytest.mark.browser
KEY = "a key of many letters"


@pytest.fixture(scope="module")
def served(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page that asks for a key and tells visitors apart."""
    folder = tmp_path_factory.mktemp("served")
    about = {**opened_on(run, folder), "ILA_APP_PASSWORD": KEY, "ILA_APP_VISITORS": "1"}
    with serving(folder, APP / "serve.py", **about) as page:
        yield page


def visitor(chromium: Any, address: str) -> Any:
    page = chromium.new_context(base_url=address).new_page()
    page.set_default_timeout(60_000)
    return page


def test_the_form_then_the_page_and_a_link_without_the_key(chromium: Any, served: Served) -> None:
    page = visitor(chromium, served.address)
    page.goto("/map_view?budget=5")
    page.get_by_label("This page opens with the key").fill("a guess at it")
    page.get_by_role("button", name="Open").click()
    page.get_by_text("That is not the key").wait_for()
    page.get_by_label("This page opens with the key").fill(KEY)
    page.get_by_role("button", name="Open").click()
    page.get_by_text("Coverage", exact=True).first.wait_for()
    assert "budget=5" in page.url and "key" not in page.url
    page.reload()
    page.get_by_text("Coverage", exact=True).first.wait_for()
    page.context.close()


def test_two_visitors_of_one_page_do_not_meet(
    chromium: Any, served: Served, tmp_path: Path
) -> None:
    pool = write_jsonl(tmp_path / "annas.jsonl", small_pool(20))
    places = []
    for name in ("anna", "ben"):
        page = visitor(chromium, served.address)
        page.goto(f"/data_view?key={KEY.replace(' ', '+')}")
        if name == "anna":
            page.locator("input[type=file]").first.set_input_files(pool)
            page.get_by_text("Of all 20 records 20 can be used").first.wait_for()
        told = page.get_by_text("Uploads and landscapes are stored in").first
        told.wait_for()
        assert "key" not in page.url
        places.append(re.search(r"visitors/([0-9a-f]{32})", told.inner_text()).group(1))
        page.context.close()
    assert len(set(places)) == 2
    runs = served.log.parent / "runs" / "visitors"
    assert [path.name for path in runs.iterdir()] == [places[0]], "and the token is no name"
    assert next((runs / places[0] / "uploads").rglob("annas.jsonl")).read_text() == pool.read_text()
