"""Looking, in a real browser: facets that are brushed and clicked, and a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import ila_core as ila
from ila_core.search.find import by_words
from ila_core.selection.rules import Rule, split

from .test_page import alike, opened, picture_of, settled

pytestmark = pytest.mark.browser


def rules_of(page: Any) -> tuple[Rule, ...]:
    """The filters of the page's link."""
    return split(parse_qs(urlsplit(page.url).query).get("filter", [""])[0])


def heading_says(page: Any, count: int) -> None:
    page.wait_for_selector(f"h3:has-text('{count} record')")


def drag(page: Any, plot: Any, start: float, end: float) -> None:
    plot.scroll_into_view_if_needed()
    edge = plot.bounding_box()
    y = edge["y"] + edge["height"] / 2
    page.mouse.move(edge["x"] + start * edge["width"], y)
    page.mouse.down()
    page.mouse.move(edge["x"] + end * edge["width"], y, steps=6)
    page.mouse.up()


def test_a_brush_narrows_the_others_the_map_and_the_records(page: Any, run: Path) -> None:
    landscape = ila.open(run)
    opened(page)
    before = picture_of(page)
    page.get_by_text("Facets", exact=True).click()
    plot = page.locator("section[data-name=tokens] .plot")
    plot.wait_for()
    page.evaluate("() => { window.first = document; }")
    plot.evaluate("element => { element.dataset.first = 'yes'; }")
    others = page.locator("section[data-name=loss] rect.shown").first
    assert float(others.get_attribute("height")) == 0

    drag(page, plot, 0.45, 0.99)
    page.wait_for_function("() => location.search.includes('filter=')")
    settled(page)
    (rule,) = rules_of(page)
    assert rule.name == "tokens" and rule.low > 1 and rule.high == float("inf")
    assert not alike(picture_of(page), before)  # what is left lights up
    assert plot.get_attribute("data-first") == "yes"  # the panel has stayed
    narrowed = page.locator("section[data-name=loss] rect.shown")
    heights = narrowed.evaluate_all("all => all.map(one => Number(one.getAttribute('height')))")
    assert max(heights) > 0

    low = page.get_by_label("Response tokens, from")
    low.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => !location.search.includes('{rule.low:g}..')")
    settled(page)
    (moved,) = rules_of(page)
    assert moved.low > rule.low

    page.locator("section[data-name=kept] .row", has_text="left").click()
    page.wait_for_function("() => location.search.includes('kept=left')")
    page.get_by_label("Beside the map").get_by_text("Records").click()
    kept = set(ila.select(landscape, budget="10%").rows.tolist())
    heading_says(page, len(set(moved.rows(landscape).tolist()) - kept))

    page.get_by_role("button", name="Clear all").click()
    page.wait_for_function("() => !/filter=|kept=/.test(location.search)")
    page.wait_for_selector("text=Click the map to read its records")
    settled(page)
    assert alike(picture_of(page), before)


def test_a_search_lists_and_lights_up_what_it_finds(page: Any, run: Path) -> None:
    opened(page)
    before = picture_of(page)
    box = page.get_by_label("Search the records")
    box.fill("haiku -7")
    box.press("Enter")
    page.wait_for_function("() => location.search.includes('q=haiku')")
    heading_says(page, len(by_words(ila.open(run), "haiku -7").rows))
    settled(page)
    assert not alike(picture_of(page), before)

    page.get_by_role("button", name="Similar").click()
    page.wait_for_function("() => /like=/.test(location.search) && !/q=/.test(location.search)")
    heading_says(page, 59)
    page.locator(".st-key-clear-like button").click()
    page.wait_for_function("() => !location.search.includes('like=')")

    box.fill("-only")
    box.press("Enter")
    page.wait_for_selector("text=says only what must not occur; name a word that must.")
