"""The knobs of the patches: how the map is cut, and how finely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import cache
import session
from ila_core.landscape.grid import MAX_RESOLUTION
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import find
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec
from parts import terms
from parts.knob_of import sentence
from parts.texts import count, counted, share
from view import KNOBS, USUAL, View

PATCHES = {"even": "Even", "grid": "Grid"}
REACHED = 0.9
"""Share of patches under which it is said that a budget does not reach them all."""
CROWDED = 2
"""Picks from a patch above which it is said that the patches are too few."""
TRIES = 6
"""How often a resolution is tried that a budget of tokens may turn out to crowd."""


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
        help=terms.PATCH,
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
    """Say how many patches there are, of how many records, and how many of these are kept."""
    patches, records = patches_of(selection), len(selection.landscape)
    if selection.spec.even:
        records = selection.choosable
        return (
            f"{counted(patches, 'patch')} of {each(records / patches)}, "
            f"{few(len(selection) / patches)}{' of each' * (patches > 1)} kept"
        )
    side = selection.resolution
    return (
        f"{side:,} × {side:,} patches, {count(patches)} of them occupied by "
        f"{each(records / patches)} each, {few(len(selection) / patches)} of each kept"
    )


def advice(selection: Selection) -> None:
    """Warn where the patches are too few for the budget, or too many."""
    over = len(selection) / patches_of(selection)
    if over > CROWDED:
        crowded(selection, over)
    elif over < REACHED:
        fewer = "Fewer patches" if selection.spec.even else "A coarser grid"
        st.info(
            f"The budget ends when {over:.0%} of the patches have given a record, the deepest "
            f"ones first. {fewer}, or the method nested, spreads it wider.",
            icon=":material/info:",
        )


def crowded(selection: Selection, over: float) -> None:
    """Warn of too few patches, as far as the automatic number of them covers more."""
    automatic = cache.selection(selection.landscape, automatic_of(selection.spec))
    reached, wished = (cache.numbers(one).coverage for one in (selection, automatic))
    if wished <= reached:
        return
    least = enough(selection)
    if least is None:
        way = "Use automatic; by hand no number is enough, for too many records lie in one place."
    else:
        unit = "patches" if selection.spec.even else "patches a side"
        way = f"Use automatic, or at least {count(least)} {unit}."
    st.warning(
        f"{over:.1f} picks from every patch lie close together: they cover {share(reached)}, and "
        f"with the automatic resolution {share(wished)}. {way}",
        icon=":material/warning:",
    )


def automatic_of(spec: Spec) -> Spec:
    """Return the same with as many patches as the budget has picks."""
    return replace(spec, resolution=USUAL.resolution)


def enough(selection: Selection) -> int | None:
    """Return the least resolution by hand that is not crowded; None where none is.

    What it returns has been tried: a budget of tokens holds another number of records at each.
    """
    landscape, spec, size = selection.landscape, selection.spec, len(selection)
    for _ in range(TRIES):
        wanted = int(np.ceil(size / CROWDED))
        found = wanted if spec.even else least_side(landscape, wanted)
        if found is None:
            return None
        tried = cache.selection(landscape, replace(spec, resolution=found))
        if len(tried) <= CROWDED * patches_of(tried):
            return found
        size = max(len(tried), size + 1)
    return None


def least_side(landscape: Landscape, patches: int) -> int | None:
    """Return patches a side of a grid of which at least so many are occupied; None if none has.

    The number of occupied patches need not grow with every step, so this is the least that halving
    ends at.
    """

    def occupied(side: int) -> int:
        return landscape.count_occupied(landscape.grid(side), limit=patches)

    if occupied(MAX_RESOLUTION) < patches:
        return None
    low, high = 1, MAX_RESOLUTION
    while low < high:
        middle = (low + high) // 2
        if occupied(middle) >= patches:
            high = middle
        else:
            low = middle + 1
    return low


def patches_of(selection: Selection) -> int:
    """Return how many patches hold a record."""
    return max(int(selection.occupied or 1), 1)


def each(records: float) -> str:
    """Return how many records a patch holds, in words.

    >>> each(1.0), each(10.26)
    ('1 record', '10.3 records')
    """
    return f"{few(records)} record{'s' * (few(records) != '1')}"


def few(number: float) -> str:
    """Write how many fall to a patch: a decimal where it tells, never a power of ten.

    >>> few(10.26), few(1.0), few(0.58), few(2063.0)
    ('10.3', '1', '0.58', '2,063')
    """
    return count(number) if number >= 100 else f"{number:.3g}"


def change_mode(used: int) -> None:
    """Callback: hand the resolution over, starting from the one in use."""
    mode = session.turned("mode")
    if mode is not None:
        session.change(resolution="auto" if mode == "auto" else used)
