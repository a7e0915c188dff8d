"""How much a visitor of this page may keep on it."""

from __future__ import annotations

import os

from ila_core.errors import UsageError
from ila_core.landscape.folder import size_of
from jobs import folders

LIMIT = "ILA_APP_VISITOR_SPACE"
"""In the environment: the most bytes that a visitor's folder may hold, where there is a limit."""


def check(more: int = 0) -> None:
    """Refuse what would bring `more` bytes into the visitor's folder, or begin to fill it further.

    UsageError where the folder holds, or would hold, more than it may. What has begun goes on: a
    build may end above the limit, and is the last one then.
    """
    most = int(os.environ.get(LIMIT) or 0)
    if not most:
        return
    held = size_of(folders.runs_folder())
    if held + more > most or (not more and held >= most):
        what = f" and {_told(more)} would come to it" if more else ""
        raise UsageError(
            f"What you keep on this page takes {_told(held)}{what}; {_told(most)} are the most for "
            "a visitor. Delete a landscape or a study of yours, or ask whoever started the page "
            "for more (ila app --visitor-space)."
        )


def _told(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
