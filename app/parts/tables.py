"""The table of a comparison: its columns, and what a reader sees in them. No Streamlit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from draw.layers import Theme
from draw.theme import INKS, TONES
from ila_core.measure.baseline import CHANCE
from ila_core.measure.compare import Comparison, Row
from ila_core.measure.describe import GRIDS
from parts import terms
from parts.texts import DASH, csv_bytes, gain, share, short


@dataclass(frozen=True)
class Number:
    """One column of the table: where it comes from, how it is written, and which way is better."""

    key: str
    title: str
    form: Callable[[float], str]
    better: int
    """1 where more is better, -1 where less is, 0 where neither."""
    help: str
    relative: bool = False
    """Whether the difference to random is told in per cent of random's number."""

    def text(self, value: float) -> str:
        return DASH if np.isnan(value) else self.form(value)

    def spread(self, value: float) -> str:
        """Return a deviation, in the digits of the number and without a second unit."""
        if np.isnan(value):
            return ""
        return f" ± {self.form(value).rstrip('%')}"

    def difference(self, value: float, base: float) -> str:
        if np.isnan(value) or np.isnan(base):
            return ""
        if self.relative:
            return gain((value - base) / base) if base else ""
        return f"{100 * (value - base):+.1f}"


NUMBERS = (
    Number("coverage", "Coverage", "{:.1%}".format, 1,
           f"{terms.COVERAGE} Behind it the difference to random in percentage points."),
    Number("reach", "Reach", "{:.1%}".format, 1,
           terms.REACH),
    Number("fidelity", "Fidelity", "{:.1%}".format, 1,
           terms.FIDELITY),
    Number("mean_relative_depth", "Mean depth", "{:.1%}".format, 1,
           terms.MEAN_DEPTH),
    Number("tokens", "Tokens", short, 0,
           terms.TOKENS, relative=True),
    Number("embedding_distance_mean", "Distance", "{:.3f}".format, -1,
           "Mean cosine distance from a pool record to its nearest chosen one, in the embedding "
           "space: less is better.", relative=True),
    Number("embedding_distance_p95", "Distance, 95th", "{:.3f}".format, -1,
           "95th percentile of the same distance: how far the worst served records are.",
           relative=True),
    Number("novelsum", "NovelSum", "{:.3f}".format, 1,
           "Diversity weighted by density (arXiv 2502.17184): more is more diverse.",
           relative=True),
)  # fmt: skip
SURVIVALS = {
    "offset": ("Shifted cut", "Share of the selection that is kept when the patches are cut a "
               "fraction of a patch later."),
    "projection": ("Another map", "Share that is kept on the maps of two other projection "
                   "seeds."),
}  # fmt: skip


def table_frame(
    comparison: Comparison, columns: Sequence[Number], survivals: Sequence[str] = ()
) -> pd.DataFrame:
    """Return one line a method that ran, with bare numbers; NaN where one is not known."""
    lines = []
    for row in comparison.done:
        assert row.selection is not None
        line: dict[str, object] = {"Method": row.name, "Records": len(row.selection.rows)}
        line |= {number.title: number_of(row, number.key) for number in columns}
        stable = row.numbers.get("stability") or {}
        line |= {SURVIVALS[name][0]: stable.get(name, np.nan) for name in survivals}
        line["Seconds"] = row.seconds
        line["Filled up"] = row.selection.filled
        lines.append(line)
    return pd.DataFrame(lines)


def beside_random(
    frame: pd.DataFrame,
    comparison: Comparison,
    columns: Sequence[Number],
    survivals: Sequence[str],
    theme: Theme,
) -> pd.io.formats.style.Styler:
    """Return the table as it is read: random with its spread, the others with their difference."""
    base = comparison[CHANCE]
    is_base = frame["Method"] == CHANCE
    style = frame.style.format(
        {"Records": "{:,}", "Seconds": "{:.2f}", "Filled up": "{:,}"}
        | {SURVIVALS[name][0]: share for name in survivals}
    )
    for number in columns:
        mean, spread = number_of(base, number.key), number_of(base, f"{number.key}_std")
        style = style.format(
            lambda v, n=number, s=spread: n.text(v) + n.spread(s),
            subset=pd.IndexSlice[is_base, [number.title]],
        ).format(
            lambda v, n=number, m=mean: f"{n.text(v)}   {n.difference(v, m)}".rstrip(),
            subset=pd.IndexSlice[~is_base, [number.title]],
        )
        style = style.map(
            lambda v, n=number, m=mean, s=spread: tone(n, v, m, s, theme),
            subset=pd.IndexSlice[~is_base, [number.title]],
        )
    muted = f"color: {INKS[theme].muted}"
    return style.map(lambda _: muted, subset=pd.IndexSlice[is_base, :])


def tone(number: Number, value: float, base: float, spread: float, theme: Theme) -> str:
    """Return a cell's style: better or worse than random, or nothing within twice its spread."""
    gap = number.better * (value - base)
    if not number.better or not np.isfinite(gap):
        return ""
    if abs(gap) <= 2 * np.nan_to_num(spread):
        return f"color: {INKS[theme].muted}"
    better, worse = TONES[theme]
    return f"color: {better}; font-weight: 600" if gap > 0 else f"color: {worse}"


def number_of(row: Row, key: str) -> float:
    value = row.numbers.get(key)
    return np.nan if value is None else float(value)


def csv_of(comparison: Comparison) -> bytes:
    """Return all numbers of a comparison, one line a method."""
    numbers = pd.json_normalize(comparison.as_dict()["methods"], sep="_")
    return csv_bytes(numbers)


def grid_frame(comparison: Comparison, kind: str) -> pd.DataFrame:
    """Return coverage or fidelity of every method, a column a reference grid."""
    return pd.DataFrame(
        [
            {"Method": row.name}
            | {f"{g} × {g}": row.numbers[f"{kind}_by_grid"][str(g)] for g in GRIDS}
            for row in comparison.done
        ]
    ).astype({f"{g} × {g}": np.float64 for g in GRIDS})
