"""Who reaches the page: where it was started without the door that `ila app` puts before it."""

from __future__ import annotations

import os
from ipaddress import ip_address

from streamlit.config import get_option
from streamlit.runtime import exists

DOOR = "ILA_APP_DOOR"
"""Set where the door is in place, open on purpose or not; who has one of their own sets it, too."""


def door_left_open() -> str:
    """Return why nothing is shown: strangers may reach the page, and nothing asks who they are.

    Empty where the door is in place, or another is said to be, or only this machine gets here.
    """
    address = get_option("server.address")
    if os.environ.get(DOOR) or not exists() or is_own(address):
        return ""
    where = address or "every address of this machine, as Streamlit does unless it is told one"
    return (
        f"This page listens at {where}, and asks nobody for a key: start it with ila app, which "
        f"does, or set {DOOR}=mine where what stands before it lets in whom it should."
    )


def is_own(address: str | None) -> bool:
    """Whether only this machine gets to an address.

    >>> is_own("127.0.0.1"), is_own("localhost"), is_own("0.0.0.0"), is_own("::1"), is_own(None)
    (True, True, False, True, False)
    """
    if address == "localhost":
        return True
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
