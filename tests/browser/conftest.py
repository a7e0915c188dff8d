"""A real page in a real browser: the server on a free port, Chromium if there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import CHROMIUM, opened_on, serving


@pytest.fixture(scope="session")
def server(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page opened on the small landscape."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, **opened_on(run, folder)) as page:
        yield page.address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser, or a skip that says what is missing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on the PATH: the browser tests need one")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=CHROMIUM)
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
