"""Take the README's picture of the map from the running app.

    python assets/make_pictures.py RUN

RUN is the landscape to show. Needs Playwright and Chromium. make_study_figure.py draws the other.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
SIZE = {"width": 1440, "height": 900}


def main(run: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        with serving(run) as url:
            shoot(page, f"{url}/?layer=both", "map.png")
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
    page.goto(url)
    page.wait_for_selector("canvas", timeout=120_000)
    page.wait_for_selector("[data-testid=stStatusWidget]", state="detached", timeout=120_000)
    page.wait_for_timeout(6_000)
    guide = page.get_by_test_id("stMain").locator(".st-key-guide_close button")
    if guide.count():
        guide.first.click()
        page.wait_for_timeout(6_000)
    page.screenshot(path=PICTURES / name)
    print(PICTURES / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
