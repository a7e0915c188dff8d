"""`ila decontaminate`: which records an evaluation set holds too."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, made, whole
from ila_core.cli.rows import clipped, write_rows
from ila_core.cli.terminal import Line, say
from ila_core.files import write_text
from ila_core.overlap.decontaminate import DecontaminationSettings

if TYPE_CHECKING:
    from ila_core.overlap.decontaminate import Match

SHOWN, MOST_SHOWN = 10, 1000
LETTERS = 76


def add(commands: Any) -> None:
    command = add_command(commands, "decontaminate", run, "find records that an evaluation set "
                          "holds too, in words or in meaning")  # fmt: skip
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument("evaluation", nargs="+", metavar="EVAL",
                         help="files or globs, of any form that a pool may have; instructions "
                         "alone are enough")  # fmt: skip
    add_arguments(command, DecontaminationSettings)
    command.add_argument("--show", type=whole(0, MOST_SHOWN, "--show"), default=SHOWN, metavar="N",
                         help="matches that are shown")  # fmt: skip
    command.add_argument("--out", metavar="FILE", help="where to write the rows, for --exclude")
    command.add_argument("--report", metavar="FILE",
                         help="where to write all matches, a JSON object a line")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> None:
    from ila_core.overlap.decontaminate import decontaminate

    settings = made(options, DecontaminationSettings)
    landscape = ila.open(options.run_folder)
    found = decontaminate(landscape, options.evaluation, settings, progress=Line("reading"))
    if options.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        print(found.sentence)
        for match in found.matches[: options.show]:
            show(match)
        if (rest := len(found.matches) - options.show) > 0:
            print(f"\nand {rest:,} more (--show N, --report FILE)")
    for note in found.notes:
        say(f"note: {note}")
    if found.templates:
        say(f"note: {found.templates:,} passages that many evaluation records hold were taken for "
            "their template and passed over.")  # fmt: skip
    if options.report:
        lines = [json.dumps(match.as_dict(), ensure_ascii=False) for match in found.matches]
        write_text(options.report, "".join(f"{line}\n" for line in lines))
        say(f"{len(lines):,} matches written to {options.report}")
    if options.out:
        write_rows(options.out, found.rows, options.run_folder)


def show(match: Match) -> None:
    """Print a match: the row, the evaluation record, and what both have."""
    print(f"\nrow {match.row}, and record {match.number} of {match.file}:")
    print(f"  {clipped(match.evaluation, LETTERS)}")
    if match.cosine is None:
        print(f"  both: {clipped(match.passage, LETTERS)}")
    else:
        print(f"  cosine {match.cosine:.3f}")
