"""The Compare screen: several methods at one budget, and what only one of two keeps."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

import session
from draw.compare import small_maps
from draw.theme import CONFIG
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.compare import Comparison
from ila_core.methods.registry import find
from ila_core.selection.spec import Spec
from parts.budget import budget_knobs
from parts.comparison import by_grid, explain, ways_out
from parts.depth_knobs import kind_knob, name_of
from parts.measuring import measure, waiting
from parts.method_choice import choose_extras, choose_methods
from parts.notices import sideways, trouble
from parts.opening import opened, title_of
from parts.pair import pair, selection_of
from parts.tables import number_of
from parts.texts import count, counted, plain, share
from view import USUAL


def page() -> None:
    landscape = opened()
    if landscape is None:
        return
    with st.sidebar:
        budget_knobs(session.view(), landscape)
        kind_knob(session.view(), landscape)
        names = choose_methods(session.view(), landscape)
        extras = choose_extras(session.view(), landscape, len(names))
    view = session.view()
    st.header("Methods side by side", anchor=False)
    if not headline(landscape, len(names)):
        return
    asked = Spec(budget=view.spec.budget, depth=view.spec.depth, seed=view.spec.seed)
    specs = [replace(find(name).applied(asked), depth=asked.depth) for name in names]
    landscape = landscape.by(asked.depth)
    comparison = measure(landscape, asked, specs, extras)
    explain(comparison)
    waiting(landscape, specs, comparison.rows)
    ways_out(landscape, comparison)
    by_grid(comparison)
    maps(landscape, comparison)
    pair(view, landscape, comparison)


def headline(landscape: Landscape, among: int) -> bool:
    """Say what is compared; whether the budget stands for any records."""
    spec = session.view().spec
    budget = spec.asked
    try:
        size = budget.records(landscape)
    except IlaError as error:
        trouble(error)
        st.button("Back to 10 per cent", on_click=session.change, kwargs={"budget": USUAL.budget})
        return False
    try:
        landscape = landscape.by(spec.depth)
    except IlaError as error:
        trouble(error)
        st.button("Back to the depth it has", on_click=session.change,
                  kwargs={"depth": USUAL.depth})  # fmt: skip
        return False
    st.markdown(
        f"{plain(title_of(landscape))}: {among} way{'s' * (among != 1)} to keep "
        f"{'about ' if budget.kind == 'tokens' else ''}{count(size)} of "
        f"{counted(len(landscape), 'record')}, each with its automatic settings."
        + (f" Depth is the {name_of(landscape)}." if landscape.kinds else "")
    )
    if not (mine := session.mine()).empty:
        st.caption(f"Your own selection ({mine.summary}) has no part in this comparison.")
    return True


def maps(landscape: Landscape, comparison: Comparison) -> None:
    """Draw where each method keeps, one small map beside the other on one scale."""
    st.subheader("Where each of them keeps", anchor=False)
    kept = [
        (
            f"{row.name}\n{share(number_of(row, 'coverage'))}",
            selection_of(comparison, row.name).rows,
        )
        for row in comparison.done
    ]
    st.plotly_chart(
        small_maps(landscape, kept, theme=session.theme()),
        key="small_maps",
        theme=None,
        config=CONFIG,
        alt=f"Small maps of {len(kept)} methods on one scale: which share of every place is kept, "
        "beside the budget's share",
    )
    sideways("maps")
    st.caption("Blue places are kept more than the budget's share, orange ones less. Under each "
               "name its coverage.")  # fmt: skip


page()
