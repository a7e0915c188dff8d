"""What a selection reaches, beside random: the live numbers over the map."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait

import numpy as np
import streamlit as st

import cache
import session
from ila_core.landscape.kept import LARGE
from ila_core.measure.baseline import CHANCE, Baseline
from ila_core.measure.describe import REFERENCE, Numbers
from ila_core.methods.registry import find
from ila_core.selection.selection import Selection
from parts import terms
from parts.figures import Figure, fill, number_rows
from parts.texts import count, gain, points, share, short


def reach(selection: Selection) -> Callable[[], None]:
    """Show what a selection reaches, each number beside random's; return what is left to do.

    To draw at random from ten million records takes seconds. While that goes on beside the first
    look at a large landscape, the numbers' places are held free, and what is returned fills them:
    it is called when the map stands, which does not wait for them.
    """
    landscape = selection.landscape
    if len(landscape) < LARGE or (begun := cache.ahead(landscape, session.view().spec.seed)).done():
        number_rows(figures_of(*_numbers(selection)), columns=len(FIGURES))
        return lambda: None
    slots = number_rows([Figure(label, "…", "…", None, help) for label, help in FIGURES.items()],
                        columns=len(FIGURES))  # fmt: skip

    def complete() -> None:
        wait([begun])
        fill(slots, figures_of(*_numbers(selection)))

    return complete


def _numbers(selection: Selection) -> tuple[Numbers, Baseline]:
    base = cache.chance(selection.landscape, session.chance())
    return cache.numbers(selection), base


def measured(selection: Selection) -> None:
    """Say how the numbers over the map are measured."""
    landscape = selection.landscape
    st.caption(
        f"Below each number over the map the difference to random ({find(CHANCE).draws} draws). "
        f"Coverage, reach and fidelity are measured on {REFERENCE} × {REFERENCE} patches that no "
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
        share_figure("Coverage", numbers.coverage, mean.coverage),
        share_figure("Reach", numbers.reach, mean.reach),
        share_figure("Fidelity", numbers.fidelity, mean.fidelity),
        share_figure("Mean relative depth", numbers.mean_relative_depth, mean.mean_relative_depth),
        tokens_figure(numbers.tokens, mean.tokens),
    ]


TELLS = 0.0005
"""Least difference of two shares that is shown as one: half of the last digit."""


FIGURES = {
    "Coverage": terms.COVERAGE,
    "Reach": terms.REACH,
    "Fidelity": terms.FIDELITY,
    "Mean relative depth": terms.MEAN_DEPTH,
    "Response tokens": terms.TOKENS,
}
"""What each number over the map means."""


def share_figure(label: str, value: float, base: float) -> Figure:
    help = FIGURES[label]
    if np.isnan(value) or np.isnan(base):
        return Figure(label, share(value), None, None, help)
    better = None if abs(value - base) < TELLS else value > base
    return Figure(label, share(value), points(value - base), better, help)


def tokens_figure(value: float, base: float) -> Figure:
    """Return the response tokens; more of them is neither good nor bad, but costs."""
    ratio = gain((value - base) / base) if base else None
    label = "Response tokens"
    return Figure(label, short(value), ratio, None, FIGURES[label])
