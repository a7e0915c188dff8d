"""`ila duplicates`: which records say the same as another one."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, made, whole
from ila_core.cli.rows import clipped, write_rows
from ila_core.cli.terminal import Line, say
from ila_core.overlap.duplicates import DuplicateSettings

if TYPE_CHECKING:
    from ila_core.overlap.duplicates import Duplicates
    from ila_core.pool.records import Records

SHOWN, MOST_SHOWN = 10, 1000
LETTERS = 76
"""Of each record that is shown."""


def add(commands: Any) -> None:
    command = add_command(commands, "duplicates", run, "find records that say the same, and leave "
                          "out all but one of each")  # fmt: skip
    command.add_argument("run_folder", metavar="RUN")
    add_arguments(command, DuplicateSettings)
    command.add_argument("--show", type=whole(0, MOST_SHOWN, "--show"), default=SHOWN, metavar="N",
                         help="groups that are shown")  # fmt: skip
    command.add_argument("--out", metavar="FILE", help="where to write the rows, for --exclude")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> None:
    from ila_core.overlap.duplicates import duplicates, records_of

    settings = made(options, DuplicateSettings)
    landscape = ila.open(options.run_folder)
    found = duplicates(landscape, settings, progress=Line("reading"))
    if options.json:
        print(json.dumps(found.as_dict()))
    else:
        print(found.sentence)
        show(found, records_of(landscape), options.show)
    if options.out:
        write_rows(options.out, found.rows, options.run_folder)
    elif len(found.rows) and not options.json:
        say("Write the rows that are left out to a file with --out FILE.")


def show(found: Duplicates, records: Records, number: int) -> None:
    """Print the largest groups: the record that is kept, and those least like it."""
    for group in found.groups[:number]:
        least = int(group.likeness.argmin())
        other = int(group.left[least])
        kept, left = records.take([group.kept, other])
        print(f"\n{len(group.left) + 1:,} alike")
        print(f"  kept {group.kept:>9}  {clipped(kept.instruction, LETTERS)}")
        print(f"  left {other:>9}  {clipped(left.instruction, LETTERS)}"
              f"  ({group.likeness[least]:.2f} alike)")  # fmt: skip
    if (rest := len(found.groups) - number) > 0:
        print(f"\nand {rest:,} more groups (--show N)")
