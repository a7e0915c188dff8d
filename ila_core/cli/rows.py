"""Row numbers that a command found, written to a file that --exclude reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ila_core.cli.terminal import say
from ila_core.files import write_text


def write_rows(path: str | Path, rows: np.ndarray, run: object) -> None:
    """Write rows, one a line, and say what to do with them."""
    write_text(path, "".join(f"{row}\n" for row in rows.tolist()))
    say(f"{len(rows):,} rows written to {path}; leave them out with")
    say(f"  ila select {run} --budget 10% --exclude {path}")


def clipped(text: str, letters: int) -> str:
    """Return the beginning of a text on one line.

    >>> clipped("Name a river\\n\\nin Spain.", 15)
    'Name a river i…'
    """
    line = " ".join(text[: 4 * letters].split())
    return line if len(line) <= letters else line[: letters - 1] + "…"
