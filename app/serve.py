"""The page as `ila app` serves it: the same screens, behind the door."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.middleware import Middleware
from streamlit import config
from streamlit.starlette import App

from door import Door, hosts_of
from jobs import folders

app = App(
    Path(__file__).parent / "main.py",
    middleware=[
        Middleware(
            Door,
            hosts=hosts_of(
                config.get_option("server.address") or "127.0.0.1",
                os.environ.get("ILA_APP_HOSTS", "").split(","),
            ),
            key=os.environ.pop("ILA_APP_PASSWORD", ""),  # which no build of ours should inherit
            tells_visitors=folders.tells_visitors(),
        )
    ],
)
