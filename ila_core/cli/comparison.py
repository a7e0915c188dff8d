"""A comparison as tables for a terminal."""

from __future__ import annotations

from typing import Any

from ila_core.measure.compare import Comparison, Row

_COLUMNS = (
    ("coverage", "coverage", "{:.1%}"),
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


def print_comparison(comparison: Comparison) -> str:
    """Return the comparison as two tables for a terminal: the numbers, and what is shared."""
    columns = [
        (head, key, form)
        for head, key, form in _COLUMNS
        if any(_number(row, key) is not None for row in comparison.rows)
    ]
    filled = any(row.selection and row.selection.filled for row in comparison.rows)
    lines = [
        _told(comparison),
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


def _told(comparison: Comparison) -> str:
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
    found: Any = row.numbers
    for name in key.split("."):
        found = found.get(name) if found else None
    return found


def _cell(value: object, form: str) -> str:
    return "" if value is None else form.format(value)
