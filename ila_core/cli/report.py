"""`ila report`: a selection as one HTML file to send to somebody."""

from __future__ import annotations

import argparse
from typing import Any

import ila_core as ila
from ila_core.cli.arguments import add_command
from ila_core.cli.select import tell_unread
from ila_core.cli.spec import add_spec, asked
from ila_core.cli.terminal import say
from ila_core.selection.spec import Spec


def add(commands: Any) -> None:
    command = add_command(commands, "report", run, "write a selection as one HTML file to send to "
                          "somebody: maps, numbers, records, commands")  # fmt: skip
    add_spec(command)
    command.add_argument("--out", required=True, metavar="FILE", help="where to write the page")


def run(options: argparse.Namespace) -> None:
    from ila_core.methods.select import select_by
    from ila_core.report.write import write_report

    landscape = ila.open(options.run_folder)
    spec = Spec(**asked(options, landscape))
    selection = select_by(landscape, spec).nonempty()
    tell_unread(spec, selection.spec)
    path = write_report(selection, options.out)
    say(f"{path} written, {path.stat().st_size / 1e6:.1f} MB; it needs no network to be read.")
