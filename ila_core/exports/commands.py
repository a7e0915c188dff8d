"""The names of exported files, and the lines of the command line that write them again."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ila_core.selection.selection import Selection

PARQUET = frozenset(("parquet", "pool-parquet"))
"""Formats that are Parquet; all others are JSON lines."""
_MARKS = {"scored": ".scored", "trl": ".messages", "axolotl": ".axolotl"}
"""What tells the files of one selection apart, before the suffix."""


def file_name(selection: Selection, format: str = "jsonl") -> str:
    """Return the name of an exported file where none is given; no two formats share one.

    >>> import ila_core as ila
    >>> chosen = ila.select(ila.Landscape.from_arrays([[0, 0], [1, 1]]), budget=1)
    >>> [file_name(chosen, format) for format in ("jsonl", "scored", "pool-parquet")]
    ['selection-1.jsonl', 'selection-1.scored.jsonl', 'pool-with-selection-1.parquet']
    """
    head = "pool-with-selection" if format == "pool-parquet" else "selection"
    suffix = "parquet" if format in PARQUET else "jsonl"
    return f"{head}-{len(selection.rows)}{_MARKS.get(format, '')}.{suffix}"


def validation_name(name: str) -> str:
    """Return the name of the file that holds the validation part beside a file of this name.

    >>> validation_name("best.jsonl"), validation_name("best")
    ('best.validation.jsonl', 'best.validation')
    """
    path = PurePath(name)
    return f"{path.stem}.validation{path.suffix}"


def select_command(
    selection: Selection, format: str = "jsonl", out: str = "", *, validation: str = ""
) -> str:
    """Return the `ila select` line that makes this file again."""
    suffix = "parquet" if format in PARQUET else "jsonl"
    more = ["--out", out or f"selection.{suffix}"]
    if format != "jsonl":
        more += ["--format", format]
    if validation:
        more += ["--validation", validation]
    return selection.spec.command(selection.landscape.run or "RUN", *more)
