"""What only a browser can show: clicks on the map, zoom, and the downloaded bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

FULLEST = """() => {
    const plot = document.querySelector('.st-key-map .js-plotly-plot');
    const points = plot._fullData[1], layout = plot._fullLayout;
    const counts = Array.from(points.customdata, fact => fact[1]);
    const at = counts.indexOf(Math.max(...counts));
    const edge = plot.getBoundingClientRect();
    return {
        x: edge.left + layout.xaxis._offset + layout.xaxis.l2p(points.x[at]),
        y: edge.top + layout.yaxis._offset + layout.yaxis.l2p(points.y[at]),
        cell: points.customdata[at][0],
        records: counts[at],
    };
}"""
"""The cell with most records: its place on the screen, through the axes of the drawn map."""


def opened(page: Any, path: str = "/") -> Any:
    page.goto(path)
    page.wait_for_selector(".st-key-map .js-plotly-plot .main-svg")
    settled(page)
    return page


def settled(page: Any) -> None:
    """Wait until the page has finished its run and the map has been drawn."""
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.wait_for_function(
        """() => {
            const maps = document.querySelectorAll('.st-key-map .js-plotly-plot');
            return maps.length === 1 && maps[0]._fullData?.length > 1;
        }"""
    )
    page.wait_for_timeout(500)


def click_fullest(page: Any) -> dict[str, Any]:
    found = page.evaluate(FULLEST)
    page.mouse.move(found["x"], found["y"])
    page.wait_for_timeout(200)
    page.mouse.click(found["x"], found["y"])
    page.wait_for_selector(f"h3:has-text('{found['cell']}:')")
    return found


def test_the_first_screen_shows_the_map_and_a_way_out(page: Any) -> None:
    opened(page)
    assert page.get_by_text("60 records, near each other").is_visible()
    assert page.get_by_role("button", name="Export 6").is_visible()


def test_a_click_opens_the_records_of_its_patch_also_after_zooming(page: Any) -> None:
    opened(page, "/?budget=30&method=nested")
    found = click_fullest(page)
    heading = page.locator("h3").first.inner_text()
    assert f"{found['records']} record" in heading
    page.wait_for_function(f"() => location.search.includes('patch={found['cell']}')")

    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("() => location.search.includes('box=')")
    settled(page)
    zoomed = click_fullest(page)
    assert f"{zoomed['records']} record" in page.locator("h3").first.inner_text()
    assert zoomed["records"] <= found["records"]

    page.get_by_role("button", name="Whole map").click()
    page.wait_for_function("() => !location.search.includes('box=')")


def test_a_drawn_box_lists_all_that_it_holds(page: Any) -> None:
    opened(page, "/?budget=30&method=nested")
    page.get_by_label("Choose by click, box or lasso").get_by_role("radio").nth(1).click()
    page.wait_for_function(
        """() => {
            const maps = document.querySelectorAll('.st-key-map .js-plotly-plot');
            return maps.length === 1 && maps[0]._fullLayout?.dragmode === 'select';
        }"""
    )
    settled(page)
    edge = page.locator(".st-key-map .js-plotly-plot").last.bounding_box()
    page.mouse.move(edge["x"] + 4, edge["y"] + 4)
    page.mouse.down()
    page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2, steps=5)
    page.mouse.move(edge["x"] + edge["width"] - 4, edge["y"] + 0.86 * edge["height"], steps=5)
    page.mouse.up()
    page.wait_for_function(
        "() => Number(document.querySelector('h3')?.innerText.match(/: (\\d+) records/)?.[1]) > 30"
    )


def test_budget_and_resolution_move_the_numbers(page: Any) -> None:
    opened(page)
    amount = page.get_by_label("Budget in percent")
    amount.fill("50")
    amount.press("Enter")
    page.wait_for_selector("text=30 are kept")
    page.get_by_text("By hand", exact=True).click()
    number = page.get_by_label("Number of even patches")
    number.fill("5")
    number.press("Enter")
    page.wait_for_selector("text=5 patches of 12 records each, 6 chosen")
    page.wait_for_function("() => /resolution=5(&|$)/.test(location.search)")
    page.get_by_text("Grid", exact=True).click()
    page.wait_for_function("() => /patches=grid/.test(location.search)")
    page.wait_for_function("() => !/resolution=/.test(location.search)")
    page.get_by_text("By hand", exact=True).click()
    side = page.get_by_label("Patches a side of the grid")
    side.fill("2")
    side.press("Enter")
    page.wait_for_selector("text=2 × 2 patches")
    page.wait_for_function("() => /resolution=2(&|$)/.test(location.search)")


def test_back_returns_to_what_was_asked_for_before(page: Any) -> None:
    opened(page, "/?budget=20")
    amount = page.get_by_label("Budget in records")
    amount.fill("30")
    amount.press("Enter")
    page.wait_for_selector("text=30 are kept")
    page.go_back()
    page.wait_for_selector("text=20 are kept")
    assert amount.input_value() == "20"
    page.go_forward()
    page.wait_for_selector("text=30 are kept")


def test_the_screens_stand_where_they_are(page: Any) -> None:
    """Between screens with and without knobs the page jumped by 250 pixels."""
    opened(page)
    left = "() => document.querySelector('[data-testid=stMainBlockContainer]')" \
        ".getBoundingClientRect().left"  # fmt: skip
    at = page.evaluate(left)
    for title in ("Data", "Export", "Compare", "Study", "Map"):
        page.get_by_role("link", name=title, exact=True).click()
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
        page.wait_for_timeout(500)
        assert page.evaluate(left) == at, title


def test_a_cleared_budget_field_says_nothing(page: Any) -> None:
    opened(page, "/?budget=20")
    amount = page.get_by_label("Budget in records")
    amount.fill("")
    amount.press("Enter")
    page.wait_for_timeout(1500)
    settled(page)
    assert page.get_by_text("20 are kept").is_visible() and "budget=20" in page.url


def test_the_papers_recipe_is_one_press(page: Any) -> None:
    opened(page)
    page.get_by_text("As in the paper", exact=True).click()
    page.wait_for_function("() => /patches=grid/.test(location.search)")
    page.wait_for_selector("text=The deepest record of each patch comes first")
    page.get_by_text("Default", exact=True).click()
    page.wait_for_function("() => !/patches=|depth=|depth_target=/.test(location.search)")


def test_the_download_is_the_command_lines_file(page: Any, run: Path, tmp_path: Path) -> None:
    page.goto("/export_view?budget=17&method=nested")
    button = page.get_by_role("button", name="Download 17 records")
    button.wait_for()
    with page.expect_download() as download:
        button.click()
    out = tmp_path / "selection.jsonl"
    command = [sys.executable, "-m", "ila_core.cli", "select", str(run)]
    command += ["--budget", "17", "--method", "nested", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    assert Path(download.value.path()).read_bytes() == out.read_bytes()
