"""Two methods set against each other: what they share, and where one keeps more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

import cache
import session
from draw.compare import difference_map, overlap
from draw.theme import CONFIG
from ila_core.landscape.cells import Cells, frame
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import CHANCE
from ila_core.measure.compare import Comparison
from ila_core.methods.registry import find
from ila_core.selection.selection import Selection
from parts import clicks
from parts.notices import empty
from parts.only_one import Two, lists
from parts.recipe import DEFAULT
from parts.switch import switch
from parts.texts import count, share
from view import View

KINDS = {"share": "Share of patches", "records": "Records"}
"""What a map may show of a selection."""
DIFFERENCE = "difference"
DRAWN_SIDE = 64
"""Cells a side of the map of the difference, where the map itself draws none."""


def selection_of(comparison: Comparison, name: str) -> Selection:
    """Return what a method that ran has selected."""
    selection = comparison[name].selection
    assert selection is not None
    return selection


def pair(view: View, landscape: Landscape, comparison: Comparison) -> None:
    """Draw what the methods share, and what only one of two keeps."""
    names = [row.name for row in comparison.done]
    st.subheader("What only one of two keeps", anchor=False)
    if len(names) < 2:
        empty("One method alone", "Choose another beside random to set the two against "
              "each other.")  # fmt: skip
        return
    first, second = two_of(view, names)
    two = Two((first, second), (selection_of(comparison, first), selection_of(comparison, second)))
    left, right = st.columns([1, 1.3], gap="large")
    with left:
        choose_pair(first, second, names)
        shared(two, comparison)
    with right:
        cells, content = difference(view, two, comparison)
    picked = clicks.picked_for(content, DIFFERENCE)
    only = two.only
    if picked:
        inside = cells.rows_of(picked)
        only = only[0][np.isin(only[0], inside)], only[1][np.isin(only[1], inside)]
    lists(landscape, two, only, len(picked))


def two_of(view: View, names: Sequence[str]) -> tuple[str, str]:
    """Return the two methods that are set against each other: the link's, else ILA and random."""
    if len(view.pair) == 2 and set(view.pair) <= set(names) and view.pair[0] != view.pair[1]:
        return view.pair[0], view.pair[1]
    ours = [name for name in names if "patches" in find(name).reads]
    first = ours[0] if ours else names[-1]
    second = CHANCE if first != CHANCE else names[1]
    return first, second


def choose_pair(first: str, second: str, names: Sequence[str]) -> None:
    row = st.container(key="pair_choice")
    one, swap, other = row.columns([1, 0.5, 1], vertical_alignment="bottom", gap="small")
    for slot, key, label, name in ((one, "first", "A", first), (other, "second", "B", second)):
        slot.selectbox(
            label,
            names,
            key=session.knob(key, name),
            on_change=set_pair,
            args=(first, second),
        )
    swap.button(
        "Swap",
        key="swap",
        on_click=session.change,
        kwargs={"pair": (second, first)},
        width="stretch",
    )


def set_pair(first: str, second: str) -> None:
    """Callback: A or B was changed; choosing the other's method swaps the two."""
    one, other = session.turned("first"), session.turned("second")
    if one == other:
        one, other = second, first
    session.change(pair=(one, other))


def shared(two: Two, comparison: Comparison) -> None:
    """Count what two methods share, and draw what every method shares with every other."""
    (first, second), (only_first, only_second) = two.names, two.only
    size = len(two.selections[0])
    st.markdown(
        f"**{count(len(only_first))}** only {first} · **{count(size - len(only_first))}** both "
        f"· **{count(len(only_second))}** only {second}"
    )
    if st.button(f"Open {first} on the map", icon=":material/map:", type="tertiary"):
        knobs = {name: value for name, value in DEFAULT.items() if name != "depth"}
        session.change(**{**knobs, "method": first})
        st.switch_page("screens/map.py")
    st.plotly_chart(
        overlap(comparison.overlap, session.theme()),
        key="overlap",
        theme=None,
        config=CONFIG,
        alt="Overlap of the methods, in per cent of the row's records",
    )
    st.caption(
        "Per cent of the row's records that the column keeps too. Two blind draws share "
        f"{share(size / max(len(two.landscape), 1), 0)}."
    )


def difference(view: View, two: Two, comparison: Comparison) -> tuple[Cells, object]:
    """Draw where one keeps more than the other; return its cells, and what it shows."""
    landscape, theme = two.landscape, session.theme()
    first, second = two.names
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Where {first} keeps more, and where {second}", width="stretch")
        what = switch("difference kind", "Shown", KINDS, start="records")
    content = (view.landscape, comparison.spec, first, second, theme, what)
    cut = selection_of(comparison, CHANCE).shown_cut
    cells = cache.drawn(landscape, frame(landscape, cut, side=view.cells or DRAWN_SIDE))
    kept = [cache.kept(cells, selection) for selection in two.selections]
    st.plotly_chart(
        difference_map(
            cells, kept[0], kept[1], names=two.names, what=what, theme=theme,
            places=cache.places(landscape, cells), height=520,
        ),
        key=DIFFERENCE,
        on_select=partial(clicks.pick_for, content, DIFFERENCE),
        theme=None,
        config=CONFIG,
        alt=f"Map of the difference: where {first} keeps more than {second}, and less. The lists "
        "below hold the records.",
    )  # fmt: skip
    return cells, content
