"""What a command found that should not be chosen: rows for --exclude, and what is told of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ila_core.artifacts import FOUND, FOUND_ROWS
from ila_core.cli.terminal import Line, say
from ila_core.files import write_text
from ila_core.progress import Monitor, Progress


def add_outputs(command: argparse.ArgumentParser) -> None:
    """Add where the rows go, and how what was found is told."""
    command.add_argument("--out", metavar="FILE", help="where to write the rows, for --exclude")
    command.add_argument("--into", metavar="DIR",
                         help=f"folder for {FOUND_ROWS}, {FOUND} and progress.json, for another "
                         "program that follows it")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print one JSON object")


@contextmanager
def reading(options: argparse.Namespace) -> Iterator[Progress]:
    """Yield what counts the records that were read: on the terminal, or in the folder of --into."""
    if not options.into:
        yield Line("reading")
        return
    folder = Path(options.into)
    with Monitor(folder).watching() as monitor, monitor.stage("reading") as progress:
        yield progress


def leave(options: argparse.Namespace, rows: np.ndarray, told: Mapping[str, Any]) -> None:
    """Write rows and what is told of them to where they were asked for, before it is done."""
    lines = "".join(f"{row}\n" for row in rows.tolist())
    if options.into:
        write_text(Path(options.into) / FOUND_ROWS, lines)
        write_text(Path(options.into) / FOUND, json.dumps(told, ensure_ascii=False))
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    if options.out:
        write_text(options.out, lines)
        say(f"{len(rows):,} rows written to {options.out}; leave them out with")
        say(f"  ila select {options.run_folder} --budget 10% --exclude {options.out}")


def clipped(text: str, letters: int) -> str:
    """Return the beginning of a text on one line.

    >>> clipped("Name a river\\n\\nin Spain.", 15)
    'Name a river i…'
    """
    line = " ".join(text[: 4 * letters].split())
    return line if len(line) <= letters else line[: letters - 1] + "…"
