"""The Compare screen in a browser: the table fills, a click on the difference map lists its place,
a selected line opens its record, and the downloads are what the command line tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

DIFFERS = """() => {
    const plot = document.querySelector('.st-key-difference .js-plotly-plot');
    const points = plot._fullData[1], layout = plot._fullLayout;
    const facts = Array.from(points.customdata);
    const at = facts.findIndex(fact => fact[2] > 0 && fact[3] == 0);
    const edge = plot.getBoundingClientRect();
    return {
        x: edge.left + layout.xaxis._offset + layout.xaxis.l2p(points.x[at]),
        y: edge.top + layout.yaxis._offset + layout.yaxis.l2p(points.y[at]),
        only: facts[at][2],
    };
}"""
"""A cell of which the first method keeps records and the second none: its place on the screen."""


def settled(page: Any) -> None:
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.wait_for_function(
        "() => document.querySelector('.st-key-difference .js-plotly-plot')?._fullData?.length > 1"
    )
    page.wait_for_timeout(500)


def compared(page: Any, path: str) -> Any:
    page.goto(path)
    page.wait_for_selector(".st-key-difference .js-plotly-plot .main-svg")
    settled(page)
    return page


def test_a_click_on_the_difference_lists_that_place_and_a_line_opens_its_record(page: Any) -> None:
    compared(page, "/compare_view?budget=20&pair=ila,longest")
    assert page.get_by_text("11 ways to keep 20 of 60 records").is_visible()
    assert page.locator(".st-key-small_maps .heatmaplayer").count() >= 11
    page.locator(".st-key-difference").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    found = page.evaluate(DIFFERS)
    page.mouse.move(found["x"], found["y"])
    page.wait_for_timeout(200)
    page.mouse.click(found["x"], found["y"])
    page.wait_for_selector(f"text=Only ila in 1 chosen cell: {found['only']}")
    page.wait_for_selector("text=Only longest in 1 chosen cell: 0")

    page.get_by_role("button", name="Swap").click()
    page.wait_for_function("() => location.search.includes('pair=longest%2Cila')")
    settled(page)
    page.wait_for_selector("text=/^Only longest: [1-9]/")

    before = page.locator(".st-key-record").inner_text()
    table = page.locator("[data-testid='stDataFrame']").nth(2)
    table.scroll_into_view_if_needed()
    edge = table.bounding_box()
    page.mouse.click(edge["x"] + 18, edge["y"] + 38 + 35 + 17)  # the second line's box
    page.wait_for_function(
        "before => document.querySelector('.st-key-record').innerText !== before", arg=before
    )
    settled(page)
    assert page.locator(".st-key-record code").first.inner_text() not in before


def test_the_download_is_what_the_command_line_prints(page: Any, run: Path) -> None:
    compared(page, "/compare_view?budget=20&methods=random,ila,k-center")
    with page.expect_download() as download:
        page.get_by_role("button", name="Comparison, JSON").click()
    found = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    command = page.locator("[data-testid='stCode']", has_text="ila compare").inner_text()
    words = command.split()
    assert words[:3] == ["ila", "compare", str(run)]
    again = subprocess.run(
        [sys.executable, "-m", "ila_core.cli", *words[1:], "--json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(again.stdout)
    for method in (*found["methods"], *told["methods"]):
        method.pop("seconds")
    assert found == told


def test_the_budget_of_the_map_stands_on_this_screen_too(page: Any) -> None:
    page.goto("/?budget=20")
    amount = page.get_by_label("Budget in records")
    amount.wait_for()
    page.get_by_role("link", name="Compare").click()
    page.wait_for_selector("text=11 ways to keep 20 of 60 records")
    settled(page)
    assert amount.input_value() == "20"
