"""`ila study`: train students on selections, for the evidence."""

from __future__ import annotations

import argparse
import json
from typing import Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, given, made
from ila_core.cli.terminal import say
from ila_core.studies.settings import StudySettings


def add(commands: Any) -> None:
    command = add_command(commands, "study", run, "train students on selections: the evidence")
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument("--out", required=True, metavar="DIR", help="folder for the study")
    command.add_argument("--json", action="store_true", help="print study.json")
    add_arguments(command, StudySettings)


def run(options: argparse.Namespace) -> None:
    made(options, StudySettings)  # told before the landscape is opened
    asked = given(options, StudySettings)
    result = ila.study(ila.open(options.run_folder), out=options.out, say=say, **asked)
    print(json.dumps(result.as_dict()) if options.json else result.summary())
