"""The knobs of a selection: the Map screen's sidebar."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods import registry as methods
from ila_core.selection.selection import Selection
from parts.budget import budget_knobs, budget_text
from parts.notices import trouble
from parts.texts import count, plain
from view import USUAL, View

REACHED = 0.9
"""Share of patches under which it is said that a budget does not reach them all."""


def draw(view: View, landscape: Landscape) -> Selection | None:
    """Draw the knobs and return the selection they ask for; None where there can be none."""
    method_knob(view)
    budget_knobs(view, landscape)
    solve_knob(view, landscape)
    resolution_slot = st.container()
    depth_knob(view)
    try:
        selection = cache.selection(landscape, session.spec())
    except IlaError as error:
        trouble(error)
        if view.spec.method != USUAL.method:
            st.button("Back to ILA", on_click=session.change, kwargs={"method": USUAL.method})
        else:
            st.button("Back to 10 per cent", on_click=session.change,
                      kwargs={"budget": USUAL.budget})  # fmt: skip
        return None
    with resolution_slot:
        resolution_knob(view, selection)
    return selection


def method_knob(view: View) -> None:
    known = sorted(methods.names(), key=lambda name: not methods.find(name).reads_depth_target)
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
    if not methods.find(view.spec.method).reads_depth_target:
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


def resolution_knob(view: View, selection: Selection) -> None:
    """Draw the resolution, and what it means for this budget."""
    if not methods.find(view.spec.method).reads_resolution or selection.grid is None:
        return
    used = selection.grid.resolution
    st.segmented_control(
        "Resolution",
        ["auto", "hand"],
        format_func={"auto": "Automatic", "hand": "By hand"}.get,
        key=session.knob("mode", "auto" if view.spec.resolution == "auto" else "hand"),
        on_change=change_mode,
        args=(used,),
        width="stretch",
        help="How many patches a side. Automatic is about as fine as the budget: nearly every "
        "pick is the deepest of its own patch.",
    )
    if view.spec.resolution != "auto":
        st.number_input(
            "Patches a side",
            min_value=1,
            max_value=8192,
            step=1 if used < 32 else 8,
            key=session.knob("resolution", used),
            on_change=session.follow,
            args=("resolution",),
            label_visibility="collapsed",
        )
    occupied = max(int(selection.occupied), 1)
    size = len(selection.rows)
    st.caption(
        f"{used:,} × {used:,} patches, {count(occupied)} of them occupied by "
        f"{few(len(selection.landscape) / occupied)} records each, "
        f"{few(size / occupied)} chosen"
    )
    if size / occupied > 2:
        st.warning(
            f"{size / occupied:.1f} picks from every patch: a grid this coarse, filled over many "
            "rounds, picks worse than chance. Use automatic, or at least "
            f"{finer(used, size / occupied)} patches a side.",
            icon=":material/warning:",
        )
    elif size / occupied < REACHED:
        st.info(
            f"The budget ends when {size / occupied:.0%} of the patches have given a record, the "
            "deepest ones first. A coarser grid, or the method nested, spreads it wider.",
            icon=":material/info:",
        )


def few(number: float) -> str:
    """Write how many fall to a patch: a decimal where it tells, never a power of ten.

    >>> few(10.26), few(1.0), few(0.58), few(2063.0)
    ('10.3', '1', '0.58', '2,063')
    """
    return count(number) if number >= 100 else f"{number:.3g}"


def finer(used: int, over: float) -> int:
    """Return roughly the resolution at which each patch gives one pick."""
    return min(8192, int(np.ceil(used * np.sqrt(over) / 8) * 8))


def change_mode(used: int) -> None:
    """Callback: hand the resolution over, starting from the one in use."""
    mode = session.turned("mode")
    if mode is not None:
        session.change(resolution="auto" if mode == "auto" else used)


def depth_knob(view: View) -> None:
    if not methods.find(view.spec.method).reads_depth_target:
        return
    st.slider(
        "Depth target",
        0.0,
        1.0,
        step=0.05,
        format="percent",
        key=session.knob("depth_target", float(view.spec.depth_target)),
        on_change=session.follow,
        args=("depth_target",),
        help="Which record of a patch comes first: 100% is the deepest (which is often an "
        "outlier), 50% the median. Less deep usually means fewer tokens.",
    )
