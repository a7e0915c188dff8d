"""`ila app`: open the page in a browser."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ila_core.cli.arguments import add_command, whole
from ila_core.cli.terminal import say
from ila_core.errors import UsageError
from ila_core.files import reading_errors
from ila_core.paths import APP
from ila_core.skills.settings import check_url

LOCAL = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
PASSWORD = "ILA_APP_PASSWORD"
SHORTEST_PASSWORD = 12
"""Characters: with a second for each wrong guess, what is no word is not found."""
VISITOR_SPACE = "20GB"
"""What a visitor may keep where the page is served: a million records with their vectors take 5."""
PORT, PORTS = 8501, 100
"""Streamlit's port, and how many from there are tried."""


def add(commands: Any) -> None:
    command = add_command(commands, "app", run, "open the app in a browser")
    command.add_argument("path", nargs="?", help="a run folder or a pool to open; else the sample")
    command.add_argument("--root", action="append", default=[], metavar="DIR",
                         help="a folder whose files the page may open (repeatable)")  # fmt: skip
    command.add_argument("--address", help="address to bind to (127.0.0.1 unless given); another "
                         "than this machine's own asks visitors for a key")  # fmt: skip
    command.add_argument("--port", type=whole(1, 65535, "--port"), metavar="N",
                         help="port to serve on (8501 unless taken)")  # fmt: skip
    command.add_argument("--host", action="append", default=[], metavar="NAME",
                         help="a name that the page is reached by, such as that of a proxy before "
                         "it; requests for other names are refused (repeatable)")  # fmt: skip
    command.add_argument("--password-file", metavar="FILE",
                         help=f"the key that visitors are asked for, else ${PASSWORD}, else one is "
                         "made up and shown as a link")  # fmt: skip
    command.add_argument("--open", action="store_true",
                         help="ask visitors for no key, whoever reaches the address")  # fmt: skip
    command.add_argument("--visitor-space", type=space, metavar="SIZE",
                         help="the most that a visitor's uploads, landscapes and studies may take, "
                         f"such as 500MB or 2TB; 0 for no limit ({VISITOR_SPACE} where the page is "
                         "served to others, else no limit)")  # fmt: skip
    command.add_argument("--labels-url", metavar="URL",
                         help="a labels server that the page may ask, with the key set for it; "
                         "visitors can name no other")  # fmt: skip


def run(options: argparse.Namespace) -> None:
    environment = os.environ
    address = options.address or environment.get("STREAMLIT_SERVER_ADDRESS", LOCAL[0])
    password = given_password(options.password_file)
    for name in options.host:
        if set(name) & set("/:*, "):
            raise UsageError(f"--host is {name!r}; give a bare name, such as ila.example.org.")
    if options.open and password:
        raise UsageError(
            f"--open asks for no key; leave it out, or --password-file and {PASSWORD}."
        )
    served = bool(address not in LOCAL or options.host or options.open or password)
    opened, roots = opened_and_roots(options.path, options.root, served=served)
    if opened:
        environment["ILA_APP_OPEN"] = str(opened)
    environment["ILA_APP_ROOTS"] = os.pathsep.join(map(str, roots))
    if options.labels_url:
        environment["ILA_APP_LABELS_URL"] = check_url(options.labels_url)
    room = options.visitor_space
    if room is None:
        room = space(VISITOR_SPACE) if served else 0
    environment["ILA_APP_VISITOR_SPACE"] = str(room or "")
    command = [sys.executable, "-m", "streamlit", "run", str(APP / "serve.py")]
    command += ["--server.address", address, "--browser.gatherUsageStats", "false"]
    command += ["--server.showEmailPrompt", "false"]
    port = options.port
    if served:
        port = port or free_port(address, int(environment.get("STREAMLIT_SERVER_PORT", PORT)))
        names = [*options.host, *([socket.gethostname()] if address in EVERYWHERE else [])]
        key = "" if options.open else password or secrets.token_urlsafe(16)
        shown = names[0] if address in EVERYWHERE else address
        command += ["--server.headless", "true", *trusted(options.host)]
        command += ["--browser.serverAddress", shown]  # else Streamlit asks the internet for it
        environment["ILA_APP_HOSTS"] = ",".join(names)
        environment["ILA_APP_VISITORS"] = "1"
        environment["ILA_APP_DOOR"] = "open" if options.open else "ours"
        environment[PASSWORD] = key
        tell(f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/", key, password)
    if port:
        command += ["--server.port", str(port)]
    os.execv(sys.executable, command)


def space(text: str) -> int:
    """Return the bytes of a size such as 500MB, 20GB or 1.5TB; 0 for none.

    >>> space("500MB"), space("1.5 tb"), space("0")
    (500000000, 1500000000000, 0)
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?([MGT]B)|0", text.strip().upper(), re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give one such as 500MB or 20GB")
    if not match[1]:
        return 0
    return round(float(match[1]) * {"MB": 1e6, "GB": 1e9, "TB": 1e12}[match[2]])


def given_password(file: str | None) -> str:
    """Return the key that visitors are to be asked for, of a file or the environment, or ""."""
    password = os.environ.get(PASSWORD, "")
    if file is not None:
        with reading_errors(file):
            password = Path(file).read_text(encoding="utf-8")
    password = password.strip()
    if (file is not None or password) and len(password) < SHORTEST_PASSWORD:
        raise UsageError(
            f"The key of {file or PASSWORD} has {len(password)} characters, {SHORTEST_PASSWORD} "
            "are the least; without one of your own a key is made up."
        )
    return password


def tell(page: str, key: str, password: str) -> None:
    """Say who comes in, and how: a key of the user's own is not written to the terminal."""
    if not key:
        say(f"The page at {page} is open to whoever reaches it, without a key.")
    elif password:
        say(f"The page at {page} asks its visitors for your key.")
    else:
        say(f"The page opens with its key, which whoever has this link has:\n  {page}?key={key}")
    say(
        "Each visitor has a folder of their own. What goes over the line is not encrypted; put a "
        "proxy with TLS before it beyond a network that you trust."
    )


def trusted(names: Sequence[str]) -> list[str]:
    """Return Streamlit's option by which a proxy's names may open the page's websocket."""
    origins = [f'"{scheme}://{name}"' for name in names for scheme in ("https", "http")]
    return ["--server.corsAllowedOrigins", f"[{', '.join(origins)}]"] if origins else []


def free_port(address: str, first: int) -> int:
    """Return the first port from `first` on that nobody listens at, so that a link can name it."""
    for port in range(first, min(first + PORTS, 65536)):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                problem = error
                continue
            return port
    raise UsageError(
        f"No port of {address} from {first} on can be served at ({problem.strerror}); name an "
        "address of this machine with --address and a free port with --port."
    )


def opened_and_roots(
    path: str | None, given: list[str], *, served: bool
) -> tuple[Path | None, list[Path]]:
    """Return what the page opens, and the folders whose files it may open.

    Without roots of the user's own those are their home and the folder it is started from; of a
    page that is served to others nothing but what it opens.
    """
    roots = [Path(root).resolve() for root in given]
    for root in roots:
        if not root.is_dir():
            raise UsageError(f"--root names {str(root)!r}, which is no folder.")
    if not roots and not served:
        roots = [Path.cwd(), Path.home()]
    if not path:
        return None, list(dict.fromkeys(roots))
    opened = Path(path).resolve()
    if not opened.exists():
        raise UsageError(f"{path} does not exist; name a run folder or a pool's file.")
    return opened, list(dict.fromkeys([*roots, opened if served else opened.parent]))
