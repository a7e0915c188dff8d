"""What a selection reaches, beside random: the live numbers over the map."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
import session
from ila_core.measure.baseline import Baseline
from ila_core.measure.describe import Numbers
from ila_core.selection.selection import Selection
from parts import terms
from parts.figures import Figure, number_rows
from parts.texts import count, gain, points, share, short


def reach(selection: Selection) -> None:
    """Show what a selection reaches, each number beside random's at the same budget."""
    landscape, numbers = selection.landscape, cache.numbers(selection)
    base = cache.chance(landscape, session.chance())
    figures = figures_of(numbers, base)
    number_rows(figures, columns=len(figures))


def measured(selection: Selection) -> None:
    """Say how the numbers over the map are measured."""
    landscape, numbers = selection.landscape, cache.numbers(selection)
    base = cache.chance(landscape, session.chance())
    st.caption(
        f"Below each number over the map the difference to random ({base.seeds} draws). "
        "Coverage, reach and fidelity are "
        f"measured on {numbers.reference_grid} × {numbers.reference_grid} patches that no "
        "method selects with."
    )
    if tuned := int(np.isin(selection.rows, landscape.tuned_rows).sum()):
        st.caption(
            f"{count(tuned)} of them are records that the tuned model has learned from: they look "
            "deeper for it."
        )


def figures_of(numbers: Numbers, base: Baseline) -> list[Figure]:
    """Return a selection's numbers with their differences to random's mean."""
    mean = base.mean
    return [
        share_figure("Coverage", numbers.coverage, mean.coverage,
                     terms.COVERAGE),
        share_figure("Reach", numbers.reach, mean.reach,
                     terms.REACH),
        share_figure("Fidelity", numbers.fidelity, mean.fidelity,
                     terms.FIDELITY),
        share_figure("Mean relative depth", numbers.mean_relative_depth, mean.mean_relative_depth,
                     terms.MEAN_DEPTH),
        tokens_figure(numbers.tokens, mean.tokens),
    ]  # fmt: skip


TELLS = 0.0005
"""Least difference of two shares that is shown as one: half of the last digit."""


def share_figure(label: str, value: float, base: float, help: str) -> Figure:
    if np.isnan(value) or np.isnan(base):
        return Figure(label, share(value), None, None, help)
    better = None if abs(value - base) < TELLS else value > base
    return Figure(label, share(value), points(value - base), better, help)


def tokens_figure(value: float, base: float) -> Figure:
    """Return the response tokens; more of them is neither good nor bad, but costs."""
    ratio = gain((value - base) / base) if base else None
    return Figure("Response tokens", short(value), ratio, None,
                  terms.TOKENS)  # fmt: skip
