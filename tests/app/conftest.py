"""The page without a browser is met by nobody but its test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def a_door_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that strangers are kept away: without a server the page listens nowhere."""
    monkeypatch.setenv("ILA_APP_DOOR", "mine")
