"""The page as `ila app` serves it: the same screens, behind the door."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from streamlit import config
from streamlit.starlette import App

from door import Door, hosts_of
from jobs import folders
from outside import DOOR

ADDRESS = config.get_option("server.address") or "127.0.0.1"
KEY = os.environ.pop("ILA_APP_PASSWORD", "")  # which no build of ours should inherit
if KEY:
    os.environ[DOOR] = "ours"
SOON = 1.0
"""Seconds after which the server answers that is about to start."""


@asynccontextmanager
async def started(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Open a browser as `streamlit run` does with a script, where there is a screen."""
    if not config.get_option("server.headless"):
        host = f"[{ADDRESS}]" if ":" in ADDRESS else ADDRESS
        page = f"http://{host}:{config.get_option('server.port')}"
        loop = asyncio.get_running_loop()
        loop.call_later(SOON, loop.run_in_executor, None, webbrowser.open, page)
    yield {}


app = App(
    Path(__file__).parent / "main.py",
    lifespan=started,
    middleware=[
        Middleware(
            Door,
            hosts=hosts_of(ADDRESS, os.environ.get("ILA_APP_HOSTS", "").split(",")),
            key=KEY,
            tells_visitors=folders.tells_visitors(),
        )
    ],
)
