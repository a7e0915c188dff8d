"""`ila verify`: read a landscape from its first byte to its last, and say what is not whole."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ila_core.cli.arguments import add_command
from ila_core.cli.terminal import say
from ila_core.errors import RunError


def add(commands: Any) -> None:
    command = add_command(
        commands, "verify", run, "read all files of a landscape and hold them against its manifest"
    )
    command.add_argument("folder", metavar="RUN", help="the folder of a landscape")


def run(options: argparse.Namespace) -> None:
    from ila_core.landscape.folder import verify

    files = verify(options.folder)
    for file in files:
        print(f"{file.state:8} {file.bytes:15,} bytes  {file.name}")
    harmed = [file.name for file in files if file.state != "whole"]
    if harmed:
        raise RunError(
            f"{options.folder}: {len(harmed)} of {len(files)} files are not as they were written "
            f"({', '.join(harmed)}); run its ila build command again, which makes them anew."
        )
    total = sum(file.bytes for file in files)
    say(f"{Path(options.folder)} is whole: {len(files)} files, {total:,} bytes, all as written.")
