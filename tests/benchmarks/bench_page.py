"""How fast the page answers a hand, on a large landscape and on a small one.

    python tests/benchmarks/bench_page.py [--records 1000000 10000] [--repeats 30]
        [--folder FOLDER] [--layer representation]

The landscapes are made once, in FOLDER, and used again by the next call; a million records take
some ten minutes. A page is served for each. The server's own times are taken by a visitor without
a browser, from the question to the end of the run: as the clock has them, and as the server's
process has used its cores, which tells what it takes on a machine that others share. All else is
measured in a headless Chromium, from the hand to the first frame that shows the answer; there the
browser draws on the same cores. Of a knob the browser itself first waits whether it is moved on:
`before asked` says how long. Medians are shown, and beside them the 95th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from large_landscape import make  # noqa: E402
from served import CHROMIUM, Served, opened_on, serving  # noqa: E402
from visitor import visiting  # noqa: E402

import ila_core as ila  # noqa: E402

AMOUNT = "Budget in percent"
LOOKING = """() => {
    window.at = {};
    const now = performance.now.bind(performance);
    const seen = (name) => requestAnimationFrame(() => setTimeout(() => { at[name] = now(); }));
    const put = CanvasRenderingContext2D.prototype.putImageData;
    CanvasRenderingContext2D.prototype.putImageData = function (...given) {
        seen('drawn');
        return put.apply(this, given);
    };
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (...given) {
        at.asked ??= now();
        return send.apply(this, given);
    };
    new MutationObserver(() => {
        const head = document.querySelector('.st-key-map_and_panel h3')?.innerText;
        if (head && head !== window.head) { window.head = head; seen('listed'); }
    }).observe(document, { subtree: true, childList: true, characterData: true });
    for (const kind of ['keydown', 'pointerup', 'wheel'])
        addEventListener(kind, () => { window.at = { hand: now() }; }, true);
}"""
"""Notes when a hand moved last, the page asked, and the next frame with a new map or list came."""


@dataclass
class Row:
    """What was measured of one landscape: numbers by name, each with all that were taken."""

    taken: dict[str, list[float]]

    def note(self, name: str, value: float) -> None:
        self.taken.setdefault(name, []).append(value)


def budgets(count: int) -> list[float]:
    """Return budgets in per cent, none of them twice, from 2 to 30."""
    return [round(2 + 28 * (k * 7 % count) / count, 2) for k in range(count)]


# -- the server -----------------------------------------------------------------------------------


def used_seconds(process: int) -> float:
    """Return the seconds for which a process has used a core so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def retune(page: Served, layer: str, repeats: int, row: Row) -> None:
    """Time the runs of the page after another budget."""
    async with visiting(page.address, urlencode({"budget": "1%", "layer": layer})) as visitor:
        first = await visitor.ask()
        assert not first.errors, first.errors
        row.note("first run of the page", 1e3 * first.seconds)
        for number, budget in enumerate([1.5, 1.7, *budgets(repeats)]):
            before = used_seconds(page.process.pid)
            answer = await visitor.ask(visitor.number(AMOUNT, budget))
            assert not answer.errors, answer.errors
            if number < 2:  # compiles what is not yet
                continue
            row.note("retune, server", 1e3 * answer.seconds)
            row.note("retune, server's cores", 1e3 * (used_seconds(page.process.pid) - before))


# -- the browser ----------------------------------------------------------------------------------


@contextmanager
def browsing(address: str) -> Iterator[tuple[Any, list[int]]]:
    """Yield a page in Chromium and the sizes of the messages that it received."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    received: list[int] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=CHROMIUM)
        page = browser.new_context(
            viewport={"width": 1440, "height": 900}, base_url=address, reduced_motion="reduce"
        ).new_page()
        page.set_default_timeout(300_000)
        page.add_init_script(f"({LOOKING})()")
        page.on("websocket", lambda socket: socket.on(
            "framereceived", lambda data: received.append(len(data))))  # fmt: skip
        yield page, received
        browser.close()


def open_map(page: Any, **query: str) -> None:
    page.goto(f"/?{urlencode(query)}")
    page.wait_for_selector(".st-key-map canvas")
    page.wait_for_selector(".st-key-map_and_panel h3")
    rest(page)


def rest(page: Any) -> None:
    """Wait until the page has finished its run, and has nothing to run again."""
    for _ in range(2):
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
        page.wait_for_timeout(400)


def answered(page: Any, move: Callable[[], None], what: str) -> dict[str, float]:
    """Return the milliseconds from a hand's move until it was asked and until it is answered."""
    move()
    page.wait_for_function(f"() => window.at.hand && window.at.{what}")
    at = page.evaluate("() => window.at")
    rest(page)
    return {name: at[name] - at["hand"] for name in ("asked", what)}


def knob(page: Any, received: list[int], layer: str, repeats: int, row: Row) -> None:
    """Move the budget by its slider and by its number, each a step at a time."""
    open_map(page, budget="2%", layer=layer)
    slider, amount = page.get_by_role("slider").first, page.get_by_label(AMOUNT)
    keys = ("ArrowRight",) * 6 + ("ArrowLeft",) * 5
    for part, name, steps in (
        (slider, "slider", [keys[k % len(keys)] for k in range(repeats)]),
        (amount, "stepper", ["ArrowUp"] * repeats),
    ):
        part.focus()
        for key in steps:
            start = len(received)
            found = answered(page, lambda key=key: page.keyboard.press(key), "drawn")
            row.note(f"{name} to map", found["drawn"])
            row.note(f"{name} before asked", found["asked"])
            row.note("kB a retune", sum(received[start:]) / 1e3)


def click(page: Any, landscape: Any, repeats: int, row: Row) -> None:
    """Click on records of the map."""
    open_map(page)
    place, (x0, y0, x1, y1) = edge(page), drawn_box(landscape, page)
    rows = np.random.default_rng(0).permutation(len(landscape))[:repeats]
    for at in landscape.xy[rows].tolist():
        left = place["x"] + place["width"] * (at[0] - x0) / (x1 - x0)
        top = place["y"] + place["height"] * (y1 - at[1]) / (y1 - y0)
        found = answered(page, lambda a=left, b=top: page.mouse.click(a, b), "listed")
        row.note("click to records", found["listed"])


def edge(page: Any) -> dict[str, float]:
    return page.locator(".st-key-map canvas").bounding_box()


def drawn_box(landscape: Any, page: Any) -> tuple[float, float, float, float]:
    """Return what the canvas shows of the map when it shows the whole: the same scale both ways."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "app"))
    from draw.ground import extent

    box, place = extent(landscape), edge(page)
    scale = min(place["width"] / (box.x1 - box.x0), place["height"] / (box.y1 - box.y0))
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    wide, tall = place["width"] / scale / 2, place["height"] / scale / 2
    return x - wide, y - tall, x + wide, y + tall


def zoom(page: Any, layer: str, repeats: int, row: Row) -> None:
    """Zoom in by the wheel, a turn at a time, out again by a double click."""
    open_map(page, budget="2%", layer=layer)
    place, rng = edge(page), np.random.default_rng(0)
    for number in range(repeats):
        if number % 3 == 0 and number:
            page.mouse.dblclick(place["x"] + 9, place["y"] + place["height"] / 2)
            rest(page)
            rest(page)
        across, up = rng.uniform(0.35, 0.65, 2)
        page.mouse.move(place["x"] + across * place["width"], place["y"] + up * place["height"])
        found = answered(page, lambda: page.mouse.wheel(0, -240), "drawn")
        row.note("wheel to window", found["drawn"])
        row.note("wheel before asked", found["asked"])


# -- all together ---------------------------------------------------------------------------------


MARKS = {
    "retune, server": 150, "kB a retune": 300, "click to records": 400,
    "slider to map": 700, "stepper to map": 700, "wheel to window": 500,
}  # fmt: skip
"""What each number should stay under, in milliseconds or kilobytes."""


def measure(run: Path, layer: str, repeats: int) -> Row:
    row = Row({})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder, **opened_on(run, folder)) as page:
            asyncio.run(retune(page, layer, repeats, row))
            with browsing(page.address) as (window, received):
                knob(window, received, layer, max(repeats // 2, 1), row)
                click(window, ila.open(run), max(repeats // 2, 1), row)
                zoom(window, layer, max(repeats // 2, 1), row)
    return row


def show(rows: dict[int, Row]) -> None:
    print("median (95th percentile), ms or kB" + "".join(f"{n:>22,}" for n in rows) + "   mark")
    for name in next(iter(rows.values())).taken:
        values = [row.taken[name] for row in rows.values()]
        texts = "".join(f"{statistics.median(v):>13,.0f} {f'({high(v):,.0f})':>8}" for v in values)
        print(f"{name:<34}{texts}   {MARKS.get(name, '')}")


def high(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, nargs="+", default=[1_000_000, 10_000])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "ila-large")
    parser.add_argument("--layer", default="representation", help="one that shows the selection")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    for records in options.records:
        run = options.folder / str(records)
        make(run, records)
        rows[records] = measure(run, options.layer, options.repeats)
    show(rows)


if __name__ == "__main__":
    main()
