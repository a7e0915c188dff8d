"""The lines of the command line that write a file again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ila_core.selection.selection import Selection


def select_command(selection: Selection, format: str = "jsonl", out: str = "") -> str:
    """Return the `ila select` line that makes this file again."""
    suffix = "parquet" if format == "parquet" else "jsonl"
    more = ["--out", out or f"selection.{suffix}"]
    if format != "jsonl":
        more += ["--format", format]
    return selection.spec.command(selection.landscape.run or "RUN", *more)
