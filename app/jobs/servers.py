"""Which labels server this page may ask, and which keys its builds are started with.

Whoever starts the page names the server; a visitor can name none. So the keys in the environment
go nowhere but there, and a page that is served to others is no door to the network behind it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ila_core.errors import UsageError
from ila_core.options import options_of
from ila_core.pipeline.settings import LabelSettings
from ila_core.skills.settings import KEY_VARIABLES, URL_VARIABLE, check_url, origin

FLAG = options_of(LabelSettings)["labels_url"].flag


def labels_server() -> str:
    """Return the address that the page was started with, "" for none; UsageError if it is none."""
    url = os.environ.get("ILA_APP_LABELS_URL") or os.environ.get(URL_VARIABLE, "")
    return check_url(url.strip()) if url.strip() else ""


def check(command: Sequence[str]) -> None:
    """Refuse a command that asks another labels server than the page's own."""
    ours = labels_server()
    for number, word in enumerate(command):
        flag, equals, value = word.partition("=")
        if flag != FLAG:
            continue
        asked = value if equals else "".join(command[number + 1 : number + 2])
        if not ours or origin(asked) != origin(ours):
            raise UsageError(
                "This page asks no labels server but the one that it was started with; start it "
                f"with ila app {FLAG} URL, or build on the command line."
            )


def environment(command: Sequence[str]) -> dict[str, str]:
    """Return what a command of ours is started with: keys where it asks the page's server alone."""
    known = dict(os.environ)
    if FLAG in command:
        known.setdefault(URL_VARIABLE, labels_server())
        return known
    return {name: value for name, value in known.items() if name not in KEY_VARIABLES}
