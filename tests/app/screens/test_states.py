"""Every screen with pools that are hardly any: tiny ones, one place for all, no depth at all."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from app_helpers import fine, opened, surroundings, texts  # noqa: F401
from conftest import small_pool, write_jsonl

import ila_core as ila

SCREENS = ("map", "data", "compare", "study", "export")
POOLS = {
    "one": (small_pool(1), {}),
    "two": (small_pool(2), {}),
    "fourteen": (small_pool(14), {}),
    "duplicates": (small_pool(1) * 20, {}),
    "no depth": (small_pool(20), {"loss": "none"}),
}


@pytest.fixture(scope="module")
def built(run: Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """What builds each of the pools once, beside the small landscape."""

    @cache
    def build(name: str) -> Path:
        records, settings = POOLS[name]
        file = write_jsonl(tmp_path_factory.mktemp("states") / "pool.jsonl", records)
        folder = run.parent / f"state-{name.replace(' ', '-')}"
        ila.build(file, out=folder, projection="pca", **settings)
        return folder

    return build


@pytest.mark.parametrize("name", list(POOLS))
def test_every_screen_draws_what_there_is(built, name: str) -> None:  # type: ignore[no-untyped-def]
    folder, size = built(name), len(POOLS[name][0])
    page = fine(opened(landscape=str(folder), budget="2"))
    near = ", near each other" * (size > 1)
    assert f"{size} record{'s' * (size != 1)}{near}" in texts(page)
    assert not page.error and len(page.metric) == 5
    for screen in SCREENS[1:]:
        page = fine(page.switch_page(f"screens/{screen}.py").run())
        if screen != "study":  # which says that there are too few records
            assert not page.error, (screen, page.error[0].value)
        assert page.header


def test_one_record_is_not_called_records(built) -> None:  # type: ignore[no-untyped-def]
    page = fine(opened(landscape=str(built("one")), budget="1"))
    for screen in SCREENS:
        page = fine(page.switch_page(f"screens/{screen}.py").run())
        assert "1 records" not in texts(page), screen


@pytest.mark.parametrize("screen", ["compare", "export", "study"])
@pytest.mark.parametrize("budget", ["lots", "1-tokens", "0", "-4", "101%", "9e9", "99999999999M"])
def test_a_link_with_a_senseless_budget_opens_every_screen(screen: str, budget: str) -> None:
    page = opened(budget=budget)
    page = fine(page.switch_page(f"screens/{screen}.py").run())
    if budget != "1-tokens":  # which is one, but holds no record
        assert not page.error or screen == "study"
