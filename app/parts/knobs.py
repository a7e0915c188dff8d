"""The knobs of a selection: the Map screen's sidebar."""

from __future__ import annotations

import streamlit as st

import cache
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods import registry as methods
from ila_core.selection.selection import Selection
from parts.budget import budget_knobs, budget_text
from parts.depth_knobs import kind_knob, target_knob
from parts.notices import trouble
from parts.patch_knobs import patches_knob, resolution_knob
from parts.recipe import DEFAULT, recipe_knob
from parts.texts import plain
from view import USUAL, View


def draw(view: View, landscape: Landscape) -> Selection | None:
    """Draw the knobs and return the selection they ask for; None where there can be none."""
    method_knob(view)
    recipe_knob(view, landscape)
    budget_knobs(view, landscape)
    solve_knob(view, landscape)
    patches_knob(view)
    resolution_slot = st.container()
    if "depth" not in methods.find(view.spec.method).fixed:
        kind_knob(view, landscape)
    target_knob(view)
    try:
        selection = cache.selection(landscape, session.spec())
    except IlaError as error:
        trouble(error)
        way_back(view)
        return None
    with resolution_slot:
        resolution_knob(view, selection)
    return selection


def way_back(view: View) -> None:
    """Offer what is most likely to mend a selection that cannot be made."""
    recipe = {name: getattr(view.spec, name) for name in DEFAULT}
    if view.spec.method != USUAL.method:
        st.button("Back to ILA", on_click=session.change, kwargs={"method": USUAL.method})
    elif recipe != DEFAULT:
        st.button("Back to the default", on_click=session.change, kwargs=DEFAULT)
    if view.spec.budget != USUAL.budget:
        st.button("Back to 10 per cent", on_click=session.change,
                  kwargs={"budget": USUAL.budget})  # fmt: skip


def method_knob(view: View) -> None:
    known = sorted(methods.names(), key=lambda name: "patches" not in methods.find(name).reads)
    chosen = view.spec.method if view.spec.method in known else USUAL.method
    if chosen != view.spec.method:
        session.change(method=chosen)
    about = methods.find(chosen)
    st.selectbox(
        "Method",
        known,
        key=session.knob("method", chosen),
        on_change=session.follow,
        args=("method",),
        help=plain(f"{about.rule[:1].upper()}{about.rule[1:]} ({about.source})."),
    )


def solve_knob(view: View, landscape: Landscape) -> None:
    """Offer the fewest records that reach a wished coverage."""
    if "patches" not in methods.find(view.spec.method).reads:
        return
    with st.popover("Solve for coverage", icon=":material/target:", type="tertiary"):
        wished = st.number_input(
            "Coverage wanted, per cent", 1.0, 100.0, 80.0, step=5.0, format="%g", key="wished"
        )
        st.button("Find the fewest records", key="solve", on_click=solve,
                  args=(landscape, wished / 100))  # fmt: skip
        if why_not := session.recall("unsolved"):
            trouble(IlaError(why_not))


def solve(landscape: Landscape, coverage: float) -> None:
    """Callback: set the budget that reaches a coverage."""
    session.remember("unsolved", None)
    try:
        size = cache.solved(landscape, session.spec(), coverage)
    except IlaError as error:
        session.remember("unsolved", str(error))
        return
    session.change(budget=budget_text("records", size), resolution=USUAL.resolution)
