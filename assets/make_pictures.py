"""Take the README's pictures of the map from the running app: a still one and a moving one.

    python assets/make_pictures.py RUN

RUN is the landscape to show. Needs Playwright, Chromium and Pillow. make_study_figure.py draws the
third.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
SIZE = {"width": 1440, "height": 900}
WIDTH = 1000
"""Pixels across the moving picture."""
STEPS, STEP_MS, HOLD_MS = 8, 60, 1_200
"""Frames of a way of the pointer, how long each is shown, and how long the page stands after it."""
POINTER = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (13, 12))


def main(run: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        with serving(run) as url:
            shoot(page, f"{url}/?layer=domain", "map.png")
            Film(page).first_minute(url)
        browser.close()


@contextmanager
def serving(run: str) -> Iterator[str]:
    """Serve the app on a free port, with `run` opened."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ila_core.cli", "app", run, "--port", str(port)]
    environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait()


def shoot(page: Page, url: str, name: str) -> None:
    enter(page, url)
    page.screenshot(path=PICTURES / name)
    print(PICTURES / name)


def enter(page: Page, url: str) -> None:
    """Open a page, and wave away what is offered once."""
    page.goto(url)
    page.wait_for_selector("canvas", timeout=120_000)
    settled(page)
    guide = page.get_by_test_id("stMain").locator(".st-key-guide_close button")
    if guide.count():
        guide.first.click()
        settled(page)


def settled(page: Page) -> None:
    """Wait until the page has done its work and looks the same twice, a second apart."""
    ready = "[data-testid='stApp'][data-test-script-state='notRunning']"
    before = b""
    for _ in range(60):
        page.wait_for_selector(ready, timeout=120_000)
        now = page.screenshot()
        if now == before and not page.locator("[data-testid=stSkeleton]").count():
            return
        before = now
        page.wait_for_timeout(1_000)


class Film:
    """What a visitor does in the first minute, as stills with a pointer between them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.at = (SIZE["width"] * 0.5, SIZE["height"] * 0.4)
        self.frames: list[Image.Image] = []
        self.lengths: list[int] = []

    def first_minute(self, url: str) -> None:
        """Open, retune the budget, look at another layer, click a place, read a record."""
        page = self.page
        enter(page, url)
        self.stand()
        budget = page.get_by_test_id("stSidebar").locator("input[type=number]").first
        self.act(budget, lambda: (budget.fill("3"), budget.press("Enter")))
        layer = page.get_by_role("radio", name="Depth", exact=True).first
        self.act(layer, layer.click)
        canvas = page.locator(".st-key-map canvas")
        box = canvas.bounding_box()
        spot = {"x": box["width"] * 0.6, "y": box["height"] * 0.55}
        self.act(canvas, lambda: canvas.click(position=spot), spot)
        record = page.locator(".st-key-map_and_panel [role=option]").nth(2)
        self.act(record, record.click)
        card = page.get_by_text("response tokens").last
        self.act(card, card.scroll_into_view_if_needed)
        page.mouse.wheel(0, 260)
        settled(page)
        self.stand(2 * HOLD_MS)
        self.save(PICTURES / "first-minute.webp")

    def act(
        self, where: Locator, do: Callable[[], object], spot: dict[str, float] | None = None
    ) -> None:
        """Move the pointer to a part of the page, do something there, and show what comes of it."""
        box = where.bounding_box()
        assert box is not None
        spot = spot or {"x": min(box["width"] / 2, 60), "y": box["height"] / 2}
        goal = (box["x"] + spot["x"], box["y"] + spot["y"])
        still = self.still()
        for step in range(1, STEPS + 1):
            part = (1 - np.cos(np.pi * step / STEPS)) / 2
            x, y = (a + part * (b - a) for a, b in zip(self.at, goal, strict=True))
            self.add(still, (x, y), STEP_MS)
        self.at = goal
        do()
        self.page.mouse.move(*goal)
        settled(self.page)
        self.stand()

    def stand(self, length: int = HOLD_MS) -> None:
        """Show the page as it is."""
        self.add(self.still(), self.at, length)

    def still(self) -> Image.Image:
        return Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")

    def add(self, still: Image.Image, at: tuple[float, float], length: int) -> None:
        """Add a frame with the pointer at a place of the page."""
        drawn = still.copy()
        corners = [(at[0] + 1.3 * x, at[1] + 1.3 * y) for x, y in POINTER]
        ImageDraw.Draw(drawn).polygon(corners, fill="#1f2a30", outline="#ffffff", width=2)
        size = (WIDTH, round(WIDTH * drawn.height / drawn.width))
        self.frames.append(drawn.resize(size, Image.Resampling.LANCZOS))
        self.lengths.append(length)

    def save(self, path: Path) -> None:
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.lengths, loop=0,
            quality=82, method=4, minimize_size=True,
        )  # fmt: skip
        print(path, f"{path.stat().st_size / 1e6:.2f} MB, {sum(self.lengths) / 1000:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
