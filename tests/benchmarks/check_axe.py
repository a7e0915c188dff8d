"""Accessibility of every screen in light and dark, judged by axe-core.

    npm install --prefix SOMEWHERE axe-core
    python tests/benchmarks/check_axe.py SOMEWHERE/node_modules/axe-core/axe.min.js [RUN]

Prints the serious and critical faults of every screen and ends with 1 where there are any. RUN is
the landscape that is opened, the sample unless given.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from assets.make_pictures import SIZE, enter, serving, settled
from ila_core.paths import SAMPLE

GRAVE = ("serious", "critical")
NOT_OURS = {
    "stMultiSelect": "Streamlit's tags in a multiselect",
    "stSkeleton": "Streamlit's placeholder while a part is loading",
}
"""Parts of the page that Streamlit draws whole, and what they are: nothing of ours changes them."""


def at(path: str) -> Callable[[Page, str], None]:
    def go(page: Page, url: str) -> None:
        page.goto(url + path)
        settled(page)

    return go


def panel(name: str) -> Callable[[Page, str], None]:
    def go(page: Page, url: str) -> None:
        enter(page, url)
        page.get_by_test_id("stMain").get_by_text(name, exact=True).first.click()
        settled(page)

    return go


def chosen(page: Page, url: str) -> None:
    enter(page, url)
    page.locator(".st-key-map canvas").click()
    settled(page)


SCREENS: dict[str, Callable[[Page, str], None]] = {
    "first minute": at("/"),
    "a place chosen": chosen,
    "search": at("/?q=python"),
    "facets": panel("Facets"),
    "budget": panel("Budget"),
    "table": panel("Table"),
    "terrain": at("/?layer=terrain"),
    "compare": at("/compare_view"),
    "study": at("/study_view"),
    "export": at("/export_view"),
    "data": at("/data_view"),
    "nothing to open": at("/?landscape=nowhere"),
}


def main(axe: str, run: str = str(SAMPLE / "landscape")) -> int:
    script = Path(axe).read_text(encoding="utf-8")
    found = 0
    with sync_playwright() as playwright, serving(run) as url:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for theme in ("light", "dark"):
            for name, go in SCREENS.items():
                page = browser.new_page(viewport=SIZE, color_scheme=theme)
                page.set_default_timeout(120_000)
                go(page, url)
                page.evaluate(script)
                faults = faults_of(page)
                found += len(faults)
                print(f"{theme}, {name}: {len(faults) or 'none'}", *faults, sep="\n  ", flush=True)
                page.close()
        browser.close()
    return int(found > 0)


def faults_of(page: Page) -> list[str]:
    """Return the grave faults of a page that Streamlit's own parts do not cause, a line each."""
    told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['impact']} {fault['id']} {node['target']}: {node['html'][:200]}"
        for fault in told["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
        if not any(inside(page, node["target"], part) for part in NOT_OURS)
    ]


def inside(page: Page, target: list[object], part: str) -> bool:
    """Whether a fault lies in a part of this kind."""
    first = target[0]
    if not isinstance(first, str):
        return False  # in a shadow tree, which only our own components have
    return bool(
        page.evaluate(
            "([target, part]) => !!document.querySelector(target)"
            "?.closest(`[data-testid=${part}]`)",
            [first, part],
        )
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
