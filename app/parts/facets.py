"""Beside the map: what a larger budget buys, and what records can be sorted by."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

import cache
import session
from draw import charts
from draw.facets import panel_data
from draw.theme import CONFIG, GREYS, INKS
from facets.component import facets_panel
from ila_core.landscape import languages
from ila_core.landscape.facets import facet, names
from ila_core.measure.curve import Curve
from ila_core.methods.registry import find
from ila_core.selection.selection import Selection
from parts import terms
from parts.fields import another_field, shown_fields
from parts.filters import PANEL, brushed
from parts.scope import Scope
from parts.search import SMALL, working
from view import USUAL, View


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


def facets(view: View, selection: Selection, scope: Scope) -> None:
    """Draw what records can be sorted by: how many there are, how many of them are kept."""
    landscape = selection.landscape
    wait = landscape.records is not None and len(landscape) <= SMALL
    listed = [*names(landscape, wait=wait), *shown_fields(landscape)]
    parts = [facet(landscape, name) for name in listed]
    ink = INKS[session.theme()]
    inks = {"grey": GREYS[session.theme()], "accent": ink.accent, "muted": ink.muted,
            "line": ink.line, "mark": ink.mark}  # fmt: skip
    facets_panel(
        panel_data(parts, scope.brushing, selection.mask, scope.rules, view.kept),
        inks,
        key=PANEL,
        on_brush=partial(brushed, landscape),
    )
    another_field(landscape)
    if landscape.records is not None and not wait and not languages.known(landscape):
        working(
            f"languages {landscape.run}",
            lambda progress: languages.languages(landscape, progress),
            "Telling languages apart, once",
        )
