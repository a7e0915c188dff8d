"""`ila compare`: methods at one budget, as tables for a terminal."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_command, names
from ila_core.cli.spec import add_spec, asked
from ila_core.cli.terminal import Live

if TYPE_CHECKING:
    from ila_core.measure.compare import Comparison, Row

_COLUMNS = (
    ("coverage", "coverage", "{:.1%}"),
    ("reach", "reach", "{:.1%}"),
    ("fidelity", "fidelity", "{:.1%}"),
    ("mean R", "mean_relative_depth", "{:.3f}"),
    ("tokens", "tokens", "{:,.0f}"),
    ("distance", "embedding_distance_mean", "{:.4f}"),
    ("p95", "embedding_distance_p95", "{:.4f}"),
    ("NovelSum", "novelsum", "{:.4f}"),
    ("new grid", "stability.offset", "{:.1%}"),
    ("new map", "stability.projection", "{:.1%}"),
)
"""Head, key and form of the table's columns; one that no method has is left out."""


def add(commands: Any) -> None:
    command = add_command(commands, "compare", run, "compare methods at one budget")
    add_spec(command, without=("method",))
    command.add_argument("--methods", metavar="A,B,C", help="all fast ones unless given")
    command.add_argument("--stability", action="store_true",
                         help="also over projection seeds and grid offsets")  # fmt: skip
    command.add_argument("--novelty", action="store_true", help="also NovelSum, which takes time")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> None:
    landscape = ila.open(options.run_folder)
    with Live("compare") as live:
        comparison = ila.compare(
            landscape,
            methods=names(options.methods),
            stability=options.stability,
            novelty=options.novelty,
            say=live,
            **asked(options, landscape),
        )
    print(json.dumps(comparison.as_dict()) if options.json else tables(comparison))


def tables(comparison: Comparison) -> str:
    """Return the comparison as two tables for a terminal: the numbers, and what is shared."""
    columns = [
        (head, key, form)
        for head, key, form in _COLUMNS
        if any(_number(row, key) is not None for row in comparison.rows)
    ]
    filled = any(row.selection and row.selection.filled for row in comparison.rows)
    lines = [
        _heading(comparison),
        "",
        f"{'method':<18}{'records':>9}"
        + "".join(f"{head:>10}" for head, *_ in columns)
        + f"{'seconds':>9}"
        + ("  filled up" if filled else ""),
    ]
    for row in comparison.rows:
        if row.selection is None:
            lines.append(f"{row.name:<18}did not run: {row.error}")
            continue
        cells = "".join(f"{_cell(_number(row, key), form):>10}" for _, key, form in columns)
        more = f"{row.selection.filled:>11,}" if row.selection.filled else ""
        lines.append(f"{row.name:<18}{len(row.selection.rows):>9,}{cells}{row.seconds:>9.2f}{more}")
        if row.name == "random":
            spread = "".join(
                f"{_cell(row.numbers.get(key + '_std'), '± ' + form):>10}"
                for _, key, form in columns
            )
            lines.append(f"{'  of five seeds':<18}{'':>9}{spread}")
    return "\n".join(line.rstrip() for line in [*lines, *_shared(comparison)])


def _heading(comparison: Comparison) -> str:
    """Return what the numbers are of, in a line."""
    grid = comparison.reference_grid
    sample = max((row.numbers.get("distance_sample", 0) for row in comparison.done), default=0)
    measured = f", distances from {sample:,} records of the pool" if sample else ""
    return f"budget {comparison.spec.budget}, reference grid {grid} x {grid}{measured}"


def _shared(comparison: Comparison) -> list[str]:
    """Return the lines that say how much of each selection every other one keeps too."""
    overlap = comparison.overlap
    if len(overlap) < 2:
        return []
    heads = "".join(f"{f'({number})':>6}" for number in range(1, len(overlap) + 1))
    lines = ["", f"{'share also kept by':<24}{heads}"]
    for number, (name, shares) in enumerate(overlap.items(), start=1):
        cells = "".join(f"{'·' if other == name else f'{s:.0%}':>6}" for other, s in shares.items())
        lines.append(f"{f'({number})':>5} {name:<18}{cells}")
    return lines


def _number(row: Row, key: str) -> Any:
    """Return a number of a row by its key, or by two keys with a dot between; None without it."""
    value: Any = row.numbers
    for name in key.split("."):
        value = value.get(name) if value else None
    return value


def _cell(value: object, form: str) -> str:
    return "" if value is None else form.format(value)
