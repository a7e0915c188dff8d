"""The knobs of a selection: the Map screen's sidebar."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

import cache
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods import registry as methods
from ila_core.methods.needs import NEEDS, lacking
from ila_core.methods.registry import Method
from ila_core.selection.selection import Selection
from parts.budget import (
    UNITS,
    amount,
    budget_knobs,
    budget_text,
    countable,
    least_of,
    total_of,
)
from parts.depth_knobs import kind_knob, target_knob
from parts.knob_of import sentence
from parts.notices import trouble
from parts.patch_knobs import patches_knob, resolution_knob
from parts.recipe import recipe_knob
from parts.selecting import PATIENT, TAKES, chosen
from parts.switch import switch
from parts.texts import plain
from parts.wording import on_page
from view import USUAL, View


def draw(view: View, landscape: Landscape) -> Selection | None:
    """Draw the knobs and return the selection they ask for; None where there is none (yet)."""
    method_knob(view, landscape)
    view = session.view()
    recipe_knob(view, landscape)
    budget_knobs(view, landscape)
    solve_knob(view, landscape)
    patches_knob(view)
    resolution_slot = st.container()
    if "depth" not in methods.find(view.spec.method).fixed:
        kind_knob(view, landscape)
    target_knob(view, landscape)
    try:
        selection = chosen(landscape)
    except IlaError:
        return None  # `selecting.instead` says why, where there is room
    if selection is not None:
        with resolution_slot:
            resolution_knob(view, selection)
    return selection


def method_knob(view: View, landscape: Landscape) -> None:
    """Draw the methods, each with its rule, and what the chosen one reads or lacks."""
    known = sorted(methods.names(), key=lambda name: "patches" not in methods.find(name).reads)
    method = view.spec.method if view.spec.method in known else USUAL.method
    if method != view.spec.method:
        session.change(method=method)
    st.selectbox(
        "Method",
        known,
        format_func=lambda name: in_the_list(methods.find(name), landscape),
        key=session.knob("method", method),
        on_change=session.follow,
        args=("method",),
        help="The rule that chooses. Behind each name what it does; the slow ones run beside the "
        "page when you say so.",
    )
    st.caption(plain(about(methods.find(method), landscape)))


def in_the_list(method: Method, landscape: Landscape) -> str:
    """Return a method's line in the list: its name, its rule, and what is to be known before."""
    remark = ""
    if lacking(method.needs, landscape) is not None:
        remark = " (cannot run here)"
    elif method.speed != "moments" and len(landscape) >= PATIENT:
        remark = f" ({TAKES[method.speed]})"
    return f"{method.name}: {method.rule}{remark}"


def about(method: Method, landscape: Landscape) -> str:
    """Return what a method does, who proposed it, and what it reads or lacks."""
    words = f"{sentence(method.rule)} From {method.source}."
    lack = lacking(method.needs, landscape)
    if lack is not None:
        return f"{words} It cannot run here: it needs {lack.what}; {on_page(lack.remedy)}."
    if method.needs:
        words += f" It reads {' and '.join(NEEDS[name].what for name in method.needs)}."
    return words


WISHES = {"coverage": "Fewest records", "budget": "Most coverage"}


def solve_knob(view: View, landscape: Landscape) -> None:
    """Offer the fewest records for a coverage, and the knobs with which a budget covers most."""
    if "patches" not in methods.find(view.spec.method).reads:
        return
    with st.popover("Solve for coverage", icon=":material/target:", type="tertiary"):
        if switch("wish", "Solve for", WISHES) == "coverage":
            wished = st.number_input(
                "Coverage wanted, per cent", 1.0, 100.0, 80.0, step=5.0, format="%g", key="wished"
            )
            st.button("Find the fewest records", key="solve", on_click=solve,
                      args=(landscape, wished / 100))  # fmt: skip
        else:
            budgeted(view, landscape)
        if why_not := session.recall("unsolved"):
            trouble(IlaError(why_not))


def budgeted(view: View, landscape: Landscape) -> None:
    """Offer the knobs with which a budget of records or tokens covers most."""
    units = countable(landscape)
    unit = st.segmented_control("Budget of", units, format_func=UNITS.get, default=units[0],
                                required=True, key="wished_unit")  # fmt: skip
    start = amount(view, landscape, unit)
    number = st.number_input(
        f"At most, in {UNITS[unit].lower()}", least_of(unit), total_of(unit, landscape), start,
        key=f"wished_{unit}_{view.spec.budget}",
    )  # fmt: skip
    st.button("Find what covers most", key="solve_budget", on_click=solve_budget,
              args=(landscape, budget_text(unit, number)))  # fmt: skip
    st.caption(
        "Tries ILA and nested with every kind of patches and four depth targets, and sets the best."
        " More coverage is not more depth: see both above the map."
    )


def solve(landscape: Landscape, coverage: float) -> None:
    """Callback: set the budget that reaches a coverage."""
    session.remember("unsolved", None)
    try:
        size = cache.solved(landscape, session.spec(), coverage)
    except IlaError as error:
        session.remember("unsolved", str(error))
        return
    session.change(budget=budget_text("records", size), resolution=USUAL.resolution)


def solve_budget(landscape: Landscape, budget: str) -> None:
    """Callback: set the knobs with which a budget covers most."""
    session.remember("unsolved", None)
    try:
        best = cache.best(landscape, replace(session.spec(), budget=budget)).spec
    except IlaError as error:
        session.remember("unsolved", str(error))
        return
    session.change(
        budget=budget, method=best.method, patches=best.patches, depth_target=best.depth_target,
        resolution=best.resolution,
    )  # fmt: skip
