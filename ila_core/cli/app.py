"""`ila app`: open the page in a browser."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ila_core.cli.arguments import add_command, whole
from ila_core.errors import UsageError
from ila_core.paths import APP
from ila_core.skills.settings import check_url

LOCAL = ("127.0.0.1", "localhost", "::1")


def add(commands: Any) -> None:
    command = add_command(commands, "app", run, "open the app in a browser")
    command.add_argument("path", nargs="?", help="a run folder or a pool to open; else the sample")
    command.add_argument("--root", action="append", default=[], metavar="DIR",
                         help="a folder whose files the page may open (repeatable)")  # fmt: skip
    command.add_argument("--address", help="address to bind to (127.0.0.1 unless given)")
    command.add_argument("--port", type=whole(1, 65535, "--port"), metavar="N",
                         help="port to serve on (8501 unless taken)")  # fmt: skip
    command.add_argument("--labels-url", metavar="URL",
                         help="a labels server that the page may ask, with the key set for it; "
                         "visitors can name no other")  # fmt: skip


def run(options: argparse.Namespace) -> None:
    environment = os.environ
    address = options.address or environment.get("STREAMLIT_SERVER_ADDRESS", LOCAL[0])
    opened, roots = opened_and_roots(options.path, options.root, address)
    if opened:
        environment["ILA_APP_OPEN"] = str(opened)
    environment["ILA_APP_ROOTS"] = os.pathsep.join(map(str, roots))
    if options.labels_url:
        environment["ILA_APP_LABELS_URL"] = check_url(options.labels_url)
    command = [sys.executable, "-m", "streamlit", "run", str(APP / "main.py")]
    command += ["--server.address", address, "--browser.gatherUsageStats", "false"]
    if options.port:
        command += ["--server.port", str(options.port)]
    os.execv(sys.executable, command)


def opened_and_roots(
    path: str | None, given: list[str], address: str
) -> tuple[Path | None, list[Path]]:
    """Return what the page opens, and the folders whose files it may open.

    Without roots of the user's own those are the folder it is started from and, where nobody else
    reaches the page, their home.
    """
    roots = [Path(root).resolve() for root in given]
    if not roots:
        roots = [Path.cwd(), *([Path.home()] if address in LOCAL else [])]
    for root in roots:
        if not root.is_dir():
            raise UsageError(f"--root names {str(root)!r}, which is no folder.")
    if not path:
        return None, list(dict.fromkeys(roots))
    opened = Path(path).resolve()
    if not opened.exists():
        raise UsageError(f"{path} does not exist; name a run folder or a pool's file.")
    return opened, list(dict.fromkeys([*roots, opened.parent]))
