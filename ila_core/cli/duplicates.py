"""`ila duplicates`: which records say the same as another one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, made, whole
from ila_core.cli.rows import add_outputs, clipped, leave, reading
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
    add_outputs(command)


def run(options: argparse.Namespace) -> None:
    from ila_core.overlap.duplicates import duplicates, records_of

    settings = made(options, DuplicateSettings)
    with reading(options) as progress:
        landscape = ila.open(options.run_folder)
        found = duplicates(landscape, settings, progress=progress)
        leave(options, found.rows, found.as_dict())
    if not options.json:
        print(found.sentence)
        show(found, records_of(landscape), options.show)


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
