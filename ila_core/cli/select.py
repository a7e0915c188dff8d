"""`ila select`: choose records by coverage and depth."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_command
from ila_core.cli.spec import add_spec, asked
from ila_core.cli.terminal import print_pairs, say
from ila_core.errors import UsageError
from ila_core.exports.write import FORMATS
from ila_core.options import changed
from ila_core.selection.spec import Spec

if TYPE_CHECKING:
    from ila_core.measure.describe import Numbers
    from ila_core.selection.selection import Selection


def add(commands: Any) -> None:
    command = add_command(commands, "select", run, "choose records by coverage and depth")
    add_spec(command)
    command.add_argument("--out", metavar="FILE", help="where to write the selected records")
    command.add_argument("--format", default="jsonl", choices=FORMATS)
    command.add_argument(
        "--validation",
        default="",
        metavar="SHARE",
        help="split so many records off into FILE with .validation before its suffix: 5%%, or a "
        "count; from every domain and region in proportion, and what is nearly equal together",
    )
    command.add_argument(
        "--dataset-info",
        action="store_true",
        help="also register the file in LLaMA-Factory's dataset_info.json",
    )
    command.add_argument("--novelty", action="store_true", help="also NovelSum, which takes time")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> None:
    from ila_core.exports.llamafactory import dataset_entry, remarks
    from ila_core.exports.write import export_parts
    from ila_core.measure.describe import describe
    from ila_core.methods.select import select_by

    if options.dataset_info and not options.out:
        raise UsageError("--dataset-info needs --out FILE: it registers the file that is written.")
    if options.validation and not options.out:
        raise UsageError("--validation needs --out FILE: it splits the file that is written.")
    landscape = ila.open(options.run_folder)
    spec = Spec(**asked(options, landscape))
    selection = select_by(landscape, spec).nonempty()
    tell_unread(spec, selection.spec)
    if options.out:
        written = export_parts(
            selection, options.out, format=options.format, dataset_info=options.dataset_info,
            validation=options.validation, mine=options.mine or "",
        )  # fmt: skip
    numbers = describe(selection, novelty=options.novelty)
    if options.json:
        print(json.dumps(numbers.as_dict()))
    else:
        print_numbers(selection, numbers)
    for note in selection.notes:
        say(f"note: {note}")
    tell_tuned(selection)
    if options.out:
        tell_written(selection, written, options.format)
        if options.dataset_info:
            entry = dataset_entry(selection, Path(options.out).name, options.format)
            for remark in remarks(entry, selection, options.format):
                say(f"note: {remark}")


def tell_written(
    selection: Selection, written: Sequence[tuple[Path, Selection]], format: str
) -> None:
    """Say how many records went to which file."""
    for place, part in written:
        if format == "pool-parquet":
            records, kept = len(selection.landscape), len(selection)
            say(f"{records:,} records written to {place}, {kept:,} of them kept")
        else:
            say(f"{len(part):,} records written to {place}")


def tell_unread(spec: Spec, read: Spec) -> None:
    """Say which of the knobs that were turned the method does not read."""
    for knob in changed(spec):
        if getattr(read, knob.name) != getattr(spec, knob.name):
            say(f"note: {knob.flag} is not read by {spec.method}.")


def tell_tuned(selection: Selection) -> None:
    """Say how many of the records the tuned model has learned from."""
    from ila_core.artifacts import TUNED

    landscape = selection.landscape
    if tuned := len(set(selection.rows.tolist()) & set(landscape.tuned_rows.tolist())):
        say(
            f"note: the tuned model has learned from {tuned:,} of these records, which look deeper "
            f"for it; leave such records out with --exclude {landscape.run}/{TUNED}"
        )


def print_numbers(selection: Selection, numbers: Numbers) -> None:
    """Print what describes a selection, a line each."""
    reference = numbers.reference_grid
    print_pairs([
        ("method", numbers.method),
        ("records", f"{numbers.rows:,} of {len(selection.landscape):,}"),
        ("response tokens", f"{numbers.tokens:,.0f}"),
        *(("quota", f"{tally.quota}: {tally.picks:,} of {tally.least:,} to {tally.most:,}")
          for tally in selection.tallies),
        ("patches", _patches(selection, numbers)),
        *((name.replace("_", " "), _known(value, "")) for name, value in numbers.knobs.items()
          if name != "patches"),
        (f"coverage at {reference}", f"{numbers.coverage:.1%}"),
        (f"reach at {reference}", f"{numbers.reach:.1%}"),
        (f"fidelity at {reference}", _known(numbers.fidelity, ".1%")),
        ("mean relative depth", _known(numbers.mean_relative_depth, ".3f")),
        ("embedding distance", _distance(numbers)),
        ("NovelSum", _known(numbers.novelsum, ".4f")),
    ])  # fmt: skip


def _patches(selection: Selection, numbers: Numbers) -> str:
    if numbers.resolution is None:
        return ""
    rounds = f"{numbers.rounds} round{'s' * (numbers.rounds != 1)}"
    if selection.spec.even:
        return f"{numbers.resolution:,} even ones, {rounds}"
    return (
        f"{numbers.resolution} x {numbers.resolution}, {numbers.occupied:,} of them occupied, "
        f"{rounds}"
    )


def _known(value: Any, form: str) -> str:
    """Return a number as text, nothing for one that was not measured or is not a number."""
    return "" if value is None or value != value else format(value, form)


def _distance(numbers: Numbers) -> str:
    if numbers.embedding_distance_mean is None:
        return ""
    sample = numbers.distance_sample
    return (
        f"mean {numbers.embedding_distance_mean:.3f}, 95th percentile "
        f"{numbers.embedding_distance_p95:.3f}"
        + (f", from {sample:,} records of the pool" if sample else "")
    )
