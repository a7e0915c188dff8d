"""`ila build`: compute the landscape of a pool."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, made
from ila_core.cli.terminal import Ticker, say
from ila_core.pipeline.settings import BuildSettings


def add(commands: Any) -> None:
    command = add_command(commands, "build", run, "compute the landscape of a pool")
    command.add_argument("pool", nargs="+", metavar="POOL", help="files or globs")
    command.add_argument(
        "--out", required=True, metavar="RUN", help="folder for the landscape, or s3://BUCKET/RUN"
    )
    add_arguments(command, BuildSettings)


def run(options: argparse.Namespace) -> None:
    settings = made(options, BuildSettings)
    landscape = ila.build(options.pool, out=options.out, settings=settings, listener=Ticker())
    report(landscape.manifest, options.out)


def report(manifest: Mapping[str, Any], out: str) -> None:
    """Say what was kept and rejected, what is worth noting, and what comes next."""
    counts = manifest["counts"]
    say(
        f"{counts['kept']:,} of {counts['read']:,} records on the map of {out}"
        + (f"; {counts['rejected']:,} rejected, see rejects.jsonl:" if counts["rejected"] else ".")
    )
    say(f"  read: {manifest['understood']}")
    for reason, count in counts["reasons"].items():
        say(f"  rejected: {reason} ({count:,})")
    for note, count in counts.get("notes", {}).items():
        say(f"  note: {note} ({count:,})")
    for note in manifest["notes"]:
        say(f"  note: {note}")
    say(f"Next: ila app {out}    or    ila select {out} --budget 10%")
