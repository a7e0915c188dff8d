"""A real page in a real browser: the server on a free port, Chromium if there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ila_core.paths import APP

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def server(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page opened on the small landscape."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    environment = os.environ | {
        "ILA_APP_OPEN": str(run),
        "ILA_APP_ROOTS": str(run.parent),
        "ILA_RUNS_DIR": str(folder / "runs"),
    }
    command = [sys.executable, "-m", "streamlit", "run", str(APP / "main.py")]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    with open(folder / "log", "wb") as log:
        page = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, page)
        yield address
    finally:
        page.terminate()
        page.wait(20)


def wait_for(address: str, page: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and page.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError("the page did not start")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser, or a skip that says what is missing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on the PATH: the browser tests need one")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, server: str) -> Iterator[Any]:
    """A fresh visitor, who waits patiently; nothing may be asked of another machine."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=server)
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    strangers: list[str] = []
    opened.on("request", lambda request: _note(strangers, request.url, server))
    yield opened
    context.close()
    assert strangers == []


def _note(strangers: list[str], url: str, server: str) -> None:
    own = (server, server.replace("http", "ws", 1), "data:", "blob:")
    if not url.startswith(own):
        strangers.append(url)
