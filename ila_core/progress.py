"""How a long stage tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Called as ``progress(done, total)``; total is None while it is not known."""


def no_progress(done: int, total: int | None) -> None:
    """Stay silent: the default wherever a progress callback is taken."""


Say = Callable[[str], None]
"""Called with a few words on how a stage fares, such as ``say("8,100 tokens a second")``."""


def silent(words: str) -> None:
    """Say nothing: the default."""
