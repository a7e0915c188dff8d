"""Beside the map: what a larger budget buys, and how what is kept differs from the pool."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

import cache
import session
from draw import charts
from draw.theme import CONFIG
from ila_core.measure.curve import Curve
from ila_core.methods.registry import find
from ila_core.selection.selection import Selection
from parts import terms
from view import USUAL


def growth(selection: Selection) -> None:
    """Draw how coverage and fidelity grow with the budget, and where the selection stands."""
    st.markdown("**What a larger budget buys**",
                help=f"Coverage: {terms.COVERAGE} Fidelity: {terms.FIDELITY}")  # fmt: skip
    numbers = cache.numbers(selection)
    st.plotly_chart(
        charts.growth(
            curve_of(selection),
            cache.random_curve(selection.landscape, replace(session.chance(), budget=USUAL.budget)),
            now=(len(selection), numbers.coverage, numbers.fidelity),
            theme=session.theme(),
        ),
        theme=None,
        key="growth",
        config=CONFIG,
        alt="Coverage and fidelity against the number of records kept",
    )
    st.caption("Records kept, on a log scale. Dotted: random.")


def curve_of(selection: Selection) -> Curve:
    """Return how a method's numbers grow with the budget.

    For ILA every budget is selected anew. Another method is shown along its own pick order, up to
    the present budget.
    """
    spec = selection.spec
    if "patches" not in find(spec.method).reads:
        return cache.growth(selection)
    return cache.curve(selection.landscape, replace(spec, budget=USUAL.budget))


def histograms(selection: Selection) -> None:
    """Draw how what is kept differs from the pool."""
    landscape = selection.landscape
    st.markdown("**What is kept**")
    parts = [
        charts.histogram(
            "relative depth", landscape.relative_depth, selection.rows, span=(0.0, 1.0)
        ),
        charts.histogram("response tokens", landscape.tokens, selection.rows, log=True),
        charts.histogram(
            "loss reduction, nats per token", landscape.loss_reduction, selection.rows
        ),
        charts.histogram("loss, nats per token", landscape.loss, selection.rows),
    ]
    shown = [part for part in parts if part is not None]
    if not shown:
        st.caption("Nothing to count: these records have no response.")
        return
    st.plotly_chart(
        charts.histograms(shown, session.theme()),
        theme=None,
        key="facets",
        config=CONFIG,
        alt="Histograms of the pool and of the selection: " + ", ".join(p.title for p in shown),
    )
    st.caption("Grey: the pool. Line: the selection.")
