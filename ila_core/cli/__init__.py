"""The command line: one file a command, each of which parses, calls the package and prints."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from ila_core._version import __version__
from ila_core.cli import (
    add,
    app,
    build,
    compare,
    decontaminate,
    doctor,
    duplicates,
    info,
    mine,
    model,
    report,
    search,
    select,
    study,
    trained,
    tune,
    verify,
)
from ila_core.cli.arguments import Command
from ila_core.cli.terminal import say
from ila_core.errors import IlaError

COMMANDS = (
    build, add, select, mine, compare, report, search, duplicates, decontaminate, trained, model,
    tune, study, app, info, verify, doctor,
)  # fmt: skip


RUNS = ("run_folder", "folder", "folders", "path")
"""What the commands call the finished runs that they are given."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 a failure, 2 wrong usage."""
    given = parser().parse_args(arguments)
    warnings.simplefilter("ignore")  # of libraries; what a user should know stands in the notes
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _fetch_runs(given)
        return int(given.run(given) or 0)
    except IlaError as error:
        say(f"ila: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("ila: stopped; what was finished is kept.")
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        say("ila: There is not enough memory for this; what was finished is kept.")
        return 1
    except OSError as error:  # where nobody knew better what it is about
        place = f"{error.filename}: " if error.filename else ""
        say(f"ila: {place}{error.strerror or error}.")
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the whole command line's grammar."""
    top = argparse.ArgumentParser(
        prog="ila",
        description="See the landscape of an instruction pool, and select the part of it worth "
        "training on.",
    )
    top.add_argument("--version", action="version", version=f"ila {__version__}")
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Command
    )
    for command in COMMANDS:
        command.add(commands)
    return top


def _fetch_runs(given: argparse.Namespace) -> None:
    """Have runs that lie in a bucket on this machine, and let the command find them there."""
    from ila_core.pool.remote import is_remote

    def local(run: str) -> str:
        if not is_remote(run):
            return run
        from ila_core.landscape.buckets import fetched

        return str(fetched(run, say=say))

    for name in RUNS:
        named = getattr(given, name, None)
        if isinstance(named, list):
            setattr(given, name, [local(one) for one in named])
        elif named is not None:
            setattr(given, name, local(named))


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
