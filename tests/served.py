"""A page on a free port, as a visitor's browser meets it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ila_core.paths import APP

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
"""What a browser without a screen is started with."""
PATIENCE = 90.0
"""Seconds within which a page has started."""


@dataclass(frozen=True)
class Served:
    """A page that is running."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serving(
    folder: Path, script: Path = APP / "main.py", *, headless: bool = True, **environment: str
) -> Iterator[Served]:
    """Serve a page from `folder`, where it logs; variables are added to its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--server.headless", str(headless).lower(), "--server.fileWatcherType", "none"]
    command += ["--browser.gatherUsageStats", "false", "--server.showEmailPrompt", "false"]
    log = folder / "log"
    with log.open("wb") as file:
        page = subprocess.Popen(
            command, env=os.environ | environment, cwd=folder, stdout=file, stderr=file
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, page)
        yield Served(address, page, log)
    finally:
        page.terminate()
        page.wait(20)


def opened_on(run: Path, folder: Path) -> dict[str, str]:
    """Return the environment of a page opened on a landscape, that keeps its own in `folder`."""
    return {
        "ILA_APP_OPEN": str(run),
        "ILA_APP_ROOTS": str(run.parent),
        "ILA_RUNS_DIR": str(folder / "runs"),
    }


def _wait_for(address: str, page: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and page.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError("the page did not start")
