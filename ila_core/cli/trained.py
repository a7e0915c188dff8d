"""`ila trained`: which records were trained on already."""

from __future__ import annotations

import argparse
from typing import Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, made
from ila_core.cli.rows import add_outputs, leave, reading
from ila_core.pool.settings import ReadSettings


def add(commands: Any) -> None:
    command = add_command(commands, "trained", run, "find the records of files that were trained "
                          "on already")  # fmt: skip
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument("files", nargs="+", metavar="FILE",
                         help="files or globs, of any form that a pool may have")  # fmt: skip
    add_arguments(command, ReadSettings)
    add_outputs(command)


def run(options: argparse.Namespace) -> None:
    from ila_core.overlap.trained import trained

    settings = made(options, ReadSettings)
    with reading(options):
        found = trained(ila.open(options.run_folder), options.files, settings)
        leave(options, found.rows, found.as_dict())
    if not options.json:
        print(found.sentence)
