"""What only a browser can show: hands on the map, what it draws, and the downloaded bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest

import ila_core as ila
from ila_core.landscape.region import parse, rows_in

pytestmark = pytest.mark.browser

CANVAS = """document.querySelector('.st-key-map [data-testid="stBidiComponentIsolated"]')
    ?.shadowRoot?.querySelector('canvas')"""
"""The map's canvas, inside the component's own tree."""
PAINTED = f"""() => {{
    const canvas = {CANVAS};
    if (!canvas?.width) return false;
    const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, k) => k % 4 === 3 && value > 0);
}}"""


def opened(page: Any, path: str = "/") -> Any:
    page.goto(path)
    page.wait_for_selector(".st-key-map canvas")
    settled(page)
    return page


def settled(page: Any) -> None:
    """Wait until the page has finished its run and the map has been drawn."""
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.wait_for_function(PAINTED)
    page.wait_for_timeout(500)


def edge_of(page: Any) -> dict[str, float]:
    return page.locator(".st-key-map canvas").bounding_box()


def middle_of(page: Any) -> tuple[float, float]:
    edge = edge_of(page)
    return edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2


def part_of(page: Any, name: str) -> str | None:
    """A part of the page's link."""
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


def link_to(landscape: Any, row: int, reach: float, **more: str) -> str:
    """A link to a window with a record in its middle."""
    x, y = landscape.xy[row].tolist()
    box = f"{x - reach:.6g},{y - reach:.6g},{x + reach:.6g},{y + reach:.6g}"
    return f"/?{urlencode({'box': box, **more})}"


def picture_of(page: Any) -> np.ndarray:
    """What the canvas shows, at an eighth of its size: (pixels, 4)."""
    shown = page.evaluate(f"""() => {{
        const canvas = {CANVAS}, small = document.createElement('canvas');
        [small.width, small.height] = [canvas.width >> 3, canvas.height >> 3];
        const context = small.getContext('2d');
        context.imageSmoothingQuality = 'high';
        context.drawImage(canvas, 0, 0, small.width, small.height);
        return Array.from(context.getImageData(0, 0, small.width, small.height).data);
    }}""")
    return np.array(shown, dtype=float).reshape(-1, 4)


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pictures differ by less than an eye sees: rounding moves lines by a hair."""
    return one.shape == other.shape and bool(np.abs(one - other).mean() < 1.5)


def test_the_first_screen_shows_the_map_and_a_way_out(page: Any) -> None:
    opened(page)
    assert page.get_by_text("60 records, near each other").is_visible()
    assert page.get_by_role("button", name="Export 6").is_visible()


def test_the_map_and_its_legend_stand_above_the_fold_beside_what_is_offered_first(
    page: Any,
) -> None:
    opened(page)
    assert page.get_by_text("First time here?").is_visible()
    legend, offer = page.locator(".st-key-map .legend"), page.locator(".st-key-guide").first
    edge = legend.bounding_box()
    assert edge["y"] + edge["height"] <= page.viewport_size["height"]
    assert offer.bounding_box()["x"] > edge_of(page)["x"] + edge_of(page)["width"]
    assert edge_of(page)["height"] > 0.55 * page.viewport_size["height"]


def test_a_click_opens_the_records_of_its_place_beside_the_map(page: Any, run: Path) -> None:
    landscape = ila.open(run)
    opened(page, link_to(landscape, 7, 0.2))
    page.mouse.click(*middle_of(page))
    page.wait_for_function("() => location.search.includes('region=')")
    page.wait_for_selector("text=The place you chose:")
    rows = rows_in(landscape, parse(part_of(page, "region")))
    assert 7 in rows and part_of(page, "record") == "7"
    plural = "s" * (len(rows) != 1)
    assert page.locator("h3").first.inner_text().startswith(f"{len(rows)} record{plural}, ")
    place, edge = page.locator("h3").first.bounding_box(), edge_of(page)
    assert place["x"] > edge["x"] + edge["width"] and place["y"] < 900

    page.keyboard.press("Escape")  # the map has the focus of the click
    page.wait_for_function("() => !location.search.includes('region=')")
    page.wait_for_selector("text=Click the map to read its records")


def test_the_wheel_zooms_the_map_and_leaves_the_page(page: Any) -> None:
    opened(page)
    page.set_viewport_size({"width": 1440, "height": 600})  # so that the page could scroll
    settled(page)
    page.evaluate(f"() => {CANVAS}.scrollIntoView({{block: 'center'}})")
    before, tag = picture_of(page), page.evaluate(f"() => {{ window.first = {CANVAS}; }}")
    page.mouse.move(*middle_of(page))
    scrolled = "() => document.querySelector('[data-testid=\"stMain\"]').scrollTop"
    start = page.evaluate(scrolled)
    for _ in range(4):
        page.mouse.wheel(0, -200)
    page.wait_for_function("() => location.search.includes('box=')")
    settled(page)
    assert page.evaluate(scrolled) == start and tag is None
    near = picture_of(page)
    assert not alike(near, before)

    page.mouse.dblclick(*middle_of(page))
    page.wait_for_function("() => !location.search.includes('box=')")
    settled(page)
    assert part_of(page, "region") is None  # a double click picks nothing
    assert alike(picture_of(page), before)
    assert page.evaluate(f"() => window.first === {CANVAS}")


def test_keys_move_zoom_and_choose(page: Any) -> None:
    opened(page)
    page.get_by_role("application").focus()
    for key in ("+", "+", "ArrowLeft"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    page.wait_for_function("() => location.search.includes('box=')")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('region=')")
    page.keyboard.press("0")
    page.wait_for_function("() => !location.search.includes('box=')")
    assert part_of(page, "region") is not None


@pytest.mark.parametrize("tool", ["Choose by lasso", "Choose a box (or Shift and drag)"])
def test_a_drawn_outline_lists_all_that_it_holds(page: Any, run: Path, tool: str) -> None:
    opened(page)
    page.get_by_role("button", name=tool).click()
    edge = edge_of(page)
    left, top = edge["x"] + 8, edge["y"] + 8
    right, low = edge["x"] + edge["width"] - 60, edge["y"] + edge["height"] - 30
    page.mouse.move(left, top)
    page.mouse.down()
    corners = [(right, top), (right, low)] + ([(left, low)] if "lasso" in tool else [])
    for x, y in corners:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('region=')")
    page.wait_for_selector("text=The place you chose:")
    rows = rows_in(ila.open(run), parse(part_of(page, "region")))
    assert len(rows) > 30
    assert page.locator("h3").first.inner_text().startswith(f"{len(rows)} records, ")


def test_another_layer_is_never_reached_through_a_white_frame(page: Any) -> None:
    opened(page)
    page.evaluate(f"""() => {{
        const canvas = {CANVAS}, context = canvas.getContext('2d');
        const full = () => {{
            const {{ data }} = context.getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let k = 3; k < data.length; k += 4) count += data[k] > 60;
            return count;
        }};
        window.frames = [full()];
        const look = () => {{ window.frames.push(full()); requestAnimationFrame(look); }};
        requestAnimationFrame(look);
        window.kept = canvas;
    }}""")
    for layer in ("Depth", "Representation", "Density"):
        page.get_by_role("radio", name=layer, exact=True).click()
        page.wait_for_timeout(300)
        settled(page)
    frames = page.evaluate("() => window.frames")
    assert len(frames) > 20
    assert min(frames) > 0.8 * frames[0]
    assert page.evaluate(f"() => window.kept === {CANVAS}")


def test_the_map_stands_still_while_choices_of_its_layer_come_and_go(page: Any) -> None:
    opened(page, "/?layer=density")
    before = edge_of(page)
    for layer, offers in (("Facet", "Facet"), ("Difference", "Set against")):
        page.get_by_role("radio", name=layer, exact=True).click()
        page.get_by_role("combobox", name=offers).wait_for()
        settled(page)
        assert edge_of(page) == before


def test_a_link_and_a_reload_show_the_same_view(page: Any, run: Path) -> None:
    landscape = ila.open(run)
    opened(page, link_to(landscape, 7, 0.4, layer="both", cells="32", budget="30"))
    page.mouse.move(*middle_of(page))
    page.mouse.wheel(0, -150)
    page.wait_for_timeout(800)
    settled(page)
    page.mouse.click(*middle_of(page))
    page.wait_for_function("() => location.search.includes('region=')")
    settled(page)
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    link, before, told = page.url, picture_of(page), page.locator("h3").first.inner_text()
    page.reload()
    page.wait_for_selector(".st-key-map canvas")
    settled(page)
    page.wait_for_timeout(500)
    assert page.url == link
    assert page.locator("h3").first.inner_text() == told
    assert alike(picture_of(page), before)


def test_the_maps_own_address_leads_to_it_where_it_is_the_first_screen(page: Any) -> None:
    opened(page, "/map_view?budget=20")
    page.wait_for_selector("text=20 are kept")
    assert "/map_view" not in page.url and "budget=20" in page.url
    assert not page.get_by_text("Page not found").count()


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
    page.wait_for_selector("text=5 patches of 12 records, 6 of each kept")
    page.wait_for_function("() => /resolution=5(&|$)/.test(location.search)")
    page.get_by_text("Grid", exact=True).click()
    page.wait_for_function("() => /patches=grid/.test(location.search)")
    page.wait_for_function("() => !/resolution=/.test(location.search)")
    settled(page)  # the link is there before the knobs: by hand is still what is chosen, till then
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
