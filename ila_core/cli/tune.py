"""`ila tune`: fine-tune a model on a random part of the pool."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, made
from ila_core.cli.terminal import Line, say
from ila_core.lm.settings import TuneSettings


def add(commands: Any) -> None:
    command = add_command(commands, "tune", run, "fine-tune a model on a random part of the pool")
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument("--out", required=True, metavar="DIR", help="folder for the tuned model")
    add_arguments(command, TuneSettings, required=("lm",))


def run(options: argparse.Namespace) -> None:
    from ila_core.lm.tune import tune

    settings = made(options, TuneSettings)
    records = ila.open(options.run_folder).records
    result = tune(
        records.conversations, len(records), settings, out=Path(options.out), progress=Line("tune")
    )
    print(result.table)
    say(f"{result.summary} Use it with --loss lm --lm {settings.lm} --tuned-lm {options.out}")
