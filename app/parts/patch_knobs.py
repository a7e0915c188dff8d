"""The knobs of the patches: how the map is cut, and how finely."""

from __future__ import annotations

import numpy as np
import streamlit as st

import session
from ila_core.landscape.grid import MAX_RESOLUTION
from ila_core.methods.registry import find
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from parts.knob_of import sentence
from parts.texts import count
from view import KNOBS, View

PATCHES = {"even": "Even", "grid": "Grid"}
REACHED = 0.9
"""Share of patches under which it is said that a budget does not reach them all."""
CROWDED = 2
"""Picks from a patch above which it is said that the patches are too few."""


def patches_knob(view: View) -> None:
    """Draw how the map is cut."""
    if "patches" not in find(view.spec.method).reads:
        return
    st.segmented_control(
        "Patches",
        list(PATCHES),
        format_func=PATCHES.get,
        key=session.knob("patches", view.spec.patches),
        on_change=session.follow,
        args=("patches",),
        width="stretch",
    )
    st.caption(sentence(KNOBS["patches"].choices[view.spec.patches]))


def resolution_knob(view: View, selection: Selection) -> None:
    """Draw the resolution, and what it means for this budget."""
    used = selection.resolution
    if "resolution" not in find(view.spec.method).reads or used is None:
        return
    even = view.spec.even
    by_hand = view.spec.resolution != "auto"
    st.segmented_control(
        "Resolution",
        ["auto", "hand"],
        format_func={"auto": "Automatic", "hand": "By hand"}.get,
        key=session.knob("mode", "hand" if by_hand else "auto"),
        on_change=change_mode,
        args=(used,),
        width="stretch",
        help="Automatic cuts as many patches as there are picks, or nearly so of a grid: nearly "
        "every pick is the first of its own patch.",
    )
    if by_hand:
        pool = selection.landscape
        free = len(pool) - len(Locks.asked(pool, selection.spec).excluded)
        most = free if even else MAX_RESOLUTION
        st.number_input(
            "Number of even patches" if even else "Patches a side of the grid",
            min_value=1,
            max_value=max(most, 1),
            step=max(1, 10 ** (len(str(used)) - 2)) if even else (1 if used < 32 else 8),
            key=session.knob("resolution", used),
            on_change=session.follow,
            args=("resolution",),
        )
    st.caption(patches_sentence(selection))
    advice(selection)


def patches_sentence(selection: Selection) -> str:
    """Say how many patches there are, of how many records, and how many of these are chosen."""
    patches, records = patches_of(selection), len(selection.landscape)
    if selection.spec.even:
        records = selection.choosable
        return (
            f"{count(patches)} patches of {few(records / patches)} records each, "
            f"{few(len(selection) / patches)} chosen"
        )
    side = selection.resolution
    return (
        f"{side:,} × {side:,} patches, {count(patches)} of them occupied by "
        f"{few(records / patches)} records each, {few(len(selection) / patches)} chosen"
    )


def advice(selection: Selection) -> None:
    """Warn where the patches are too few for the budget, or too many."""
    over, even = len(selection) / patches_of(selection), selection.spec.even
    if over > CROWDED:
        worse, least = (
            "a grid this coarse, filled over many rounds, picks worse than chance",
            (f"{finer(selection.resolution or 1, over):,} patches a side"),
        )
        if even:
            worse = "so few patches, filled over many rounds, spread the picks badly"
            least = f"{count(len(selection) / CROWDED)} patches"
        st.warning(
            f"{over:.1f} picks from every patch: {worse}. Use automatic, or at least {least}.",
            icon=":material/warning:",
        )
    elif over < REACHED:
        fewer = "Fewer patches" if even else "A coarser grid"
        st.info(
            f"The budget ends when {over:.0%} of the patches have given a record, the deepest "
            f"ones first. {fewer}, or the method nested, spreads it wider.",
            icon=":material/info:",
        )


def patches_of(selection: Selection) -> int:
    """Return how many patches hold a record."""
    return max(int(selection.occupied or 1), 1)


def few(number: float) -> str:
    """Write how many fall to a patch: a decimal where it tells, never a power of ten.

    >>> few(10.26), few(1.0), few(0.58), few(2063.0)
    ('10.3', '1', '0.58', '2,063')
    """
    return count(number) if number >= 100 else f"{number:.3g}"


def finer(used: int, over: float) -> int:
    """Return roughly the resolution of a grid at which each patch gives one pick."""
    return min(MAX_RESOLUTION, int(np.ceil(used * np.sqrt(over) / 8) * 8))


def change_mode(used: int) -> None:
    """Callback: hand the resolution over, starting from the one in use."""
    mode = session.turned("mode")
    if mode is not None:
        session.change(resolution="auto" if mode == "auto" else used)
