"""`ila add`: add records to a finished landscape."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, given
from ila_core.cli.terminal import Ticker, say
from ila_core.pipeline.adding import Outlook, look
from ila_core.pipeline.settings import AddSettings
from ila_core.pool.known import KNOWN


def add(commands: Any) -> None:
    command = add_command(
        commands, "add", run, "add records to a finished landscape, whose own do not move"
    )
    command.add_argument("landscape", metavar="RUN", help="the landscape's folder")
    command.add_argument("new", nargs="+", metavar="NEW", help="files or globs of new records")
    command.add_argument("--dry-run", action="store_true",
                         help="tell what would be added, and add nothing")  # fmt: skip
    add_arguments(command, AddSettings)


def run(options: argparse.Namespace) -> None:
    folder, asked = options.landscape, given(options, AddSettings)
    if options.dry_run:
        foretell(look(folder, options.new, **asked), folder)
        return
    added = ila.add(folder, options.new, listener=Ticker(), **asked)
    counts = added.told["counts"]
    if not added.fresh:
        what = f"rows {_rows(added.rows)}, added {added.told['added']}" if added.rows else ""
        why = f"these files are there already ({what})" if what else _all_known(counts)
        say(f"{folder} is up to date: {why}.")
        return
    say(
        f"{counts['kept']:,} of {counts['read']:,} new records are rows {_rows(added.rows)} of "
        f"{folder}, which has {len(added.landscape):,} now"
        + (f"; {counts['rejected']:,} rejected, see rejects.jsonl:" if counts["rejected"] else ".")
    )
    _details(added.told["understood"], counts)
    for note in added.told["notes"]:
        say(f"  note: {note}")
    say("  note: relative depths are ranks among all records, so those of the old ones have moved.")
    say(f"Next: ila app {folder}    or    ila select {folder} --budget 10%")


def foretell(seen: Outlook, folder: str) -> None:
    """Say what adding would do."""
    counts = seen.counts
    if seen.present:
        say(f"{folder} is up to date: these files are there already.")
        return
    say(
        f"{counts['kept']:,} of {counts['read']:,} new records would come to the {seen.before:,} "
        f"of {folder}; nothing was added."
    )
    _details(seen.understood, counts)
    if seen.known:
        say(f"  note: {seen.known:,} say the same as a record that is there (--skip-known leaves "
            "them out)")  # fmt: skip


def _details(understood: str, counts: Mapping[str, Any]) -> None:
    say(f"  read: {understood}")
    for reason, count in counts["reasons"].items():
        say(f"  rejected: {reason} ({count:,})")
    for note, count in counts.get("notes", {}).items():
        say(f"  note: {note} ({count:,})")


def _rows(rows: range) -> str:
    return f"{rows.start:,} to {rows.stop - 1:,}"


def _all_known(counts: Mapping[str, Any]) -> str:
    return f"none of the {counts['read']:,} records is new ({counts['reasons'][KNOWN]:,} {KNOWN})"
