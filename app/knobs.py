"""The knobs of a selection and the numbers under them: the Map screen's sidebar."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
import state
import widgets
from cache import Ask
from ila_core import methods
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.describe import Baseline, Numbers
from ila_core.selection.selection import Budget, Selection
from widgets import Figure, count, plain, points, share, short

UNITS = {"records": "Records", "percent": "Percent", "tokens": "Tokens"}
GRIDDED = {"ila"}
"""Methods that take a resolution by hand; coverage-only has a grid, always the automatic one."""
TARGETED = {"ila", "nested"}
REACHED = 0.9
"""Share of patches under which it is said that a budget does not reach them all."""


def ask_of(view: state.View) -> Ask:
    """Return what the view asks of its landscape; knobs that a method ignores are left out."""
    return Ask(
        method=view.method,
        budget=view.budget,
        resolution=view.resolution if view.method in GRIDDED else "auto",
        depth_target=view.depth_target if view.method in TARGETED else 1.0,
        seed=view.seed,
        pin=state.locked("pin"),
        exclude=state.locked("exclude"),
    )


def draw(view: state.View, landscape: Landscape) -> Selection | None:
    """Draw the knobs and return the selection they ask for; None where there can be none."""
    method_knob(view)
    budget_knobs(view, landscape)
    solve_knob(view, landscape)
    resolution_slot = st.container()
    depth_knob(view)
    ask = ask_of(state.view())
    try:
        selection = cache.selection(landscape, ask)
    except IlaError as error:
        widgets.trouble(error)
        way_back = {"method": "ila"} if view.method != "ila" else {"budget": "10%"}
        label = "Back to ILA" if view.method != "ila" else "Back to 10 per cent"
        st.button(label, on_click=state.change, kwargs=way_back)
        return None
    with resolution_slot:
        resolution_knob(view, selection)
    st.markdown("**What it reaches**")
    numbers(landscape, selection, ask)
    return selection


def method_knob(view: state.View) -> None:
    known = sorted(methods.names(), key=lambda name: name not in TARGETED)  # ours first
    chosen = view.method if view.method in known else "ila"
    if chosen != view.method:
        state.change(method=chosen)
    about = methods.find(chosen)
    st.selectbox(
        "Method",
        known,
        key=state.knob("method", chosen),
        on_change=state.follow,
        args=("method",),
        help=plain(f"{about.rule[:1].upper()}{about.rule[1:]} ({about.source})."),
    )


# -- budget ---------------------------------------------------------------------------------------


def budget_knobs(view: state.View, landscape: Landscape) -> None:
    """Draw the budget three ways at once: its unit, the exact number, and a slider over it."""
    budget = parsed_budget(view)
    total = total_of(budget.kind, landscape)
    st.segmented_control(
        "Budget",
        list(UNITS),
        format_func=UNITS.get,
        key=state.knob("unit", budget.kind),
        on_change=change_unit,
        args=(landscape,),
        width="stretch",
    )
    number = float(budget.value) if budget.kind == "percent" else int(budget.value)
    number = min(max(number, least_of(budget.kind)), total)
    st.number_input(
        f"Budget in {UNITS[budget.kind].lower()}",
        min_value=least_of(budget.kind),
        max_value=total,
        step=1.0 if budget.kind == "percent" else max(1, 10 ** (len(str(int(total))) - 3)),
        format="%g" if budget.kind == "percent" else "%d",
        key=state.knob("amount", number),
        on_change=change_amount,
        args=(budget.kind, "amount"),
        label_visibility="collapsed",
    )
    marks = stops(budget.kind, total)
    nearest = min(marks, key=lambda mark: abs(np.log(mark / number)))
    st.select_slider(
        "Budget, roughly",
        marks,
        format_func=(lambda mark: f"{mark:g}%") if budget.kind == "percent" else short,
        key=state.knob("sweep", nearest),
        on_change=change_amount,
        args=(budget.kind, "sweep"),
        label_visibility="collapsed",
    )


def solve_knob(view: state.View, landscape: Landscape) -> None:
    """Offer the fewest records that reach a wished coverage."""
    if view.method not in TARGETED:
        return
    with st.popover("Solve for coverage", icon=":material/target:", type="tertiary"):
        wished = st.number_input(
            "Coverage wanted, per cent", 1.0, 100.0, 80.0, step=5.0, format="%g", key="wished"
        )
        st.button("Find the fewest records", key="solve", on_click=solve,
                  args=(landscape, wished / 100))  # fmt: skip
        if told := state.recall("unsolved"):
            widgets.trouble(IlaError(told))


def solve(landscape: Landscape, coverage: float) -> None:
    """Callback: set the budget that reaches a coverage."""
    state.remember("unsolved", None)
    try:
        size = cache.solve(landscape, ask_of(state.view()), coverage)
    except IlaError as error:
        state.remember("unsolved", str(error))
        return
    state.change(budget=budget_text("records", size), resolution="auto")


def parsed_budget(view: state.View) -> Budget:
    """Return the view's budget; one that makes no sense (in a link) becomes 10 per cent."""
    try:
        return Budget.parse(view.budget)
    except IlaError:
        state.change(budget="10%")
        return Budget.parse("10%")


def budget_text(kind: str, amount: float) -> str:
    """Write a budget as the command line takes it.

    >>> budget_text("records", 500), budget_text("percent", 2.5), budget_text("tokens", 20000)
    ('500', '2.5%', '20000-tokens')
    """
    if kind == "percent":
        return f"{amount:g}%"
    return f"{int(amount)}-tokens" if kind == "tokens" else str(int(amount))


def total_of(kind: str, landscape: Landscape) -> float | int:
    """Return the largest budget of a kind: the whole pool."""
    if kind == "percent":
        return 100.0
    if kind == "records":
        return max(len(landscape), 1)
    return max(int(np.nansum(landscape.tokens, dtype=np.float64)), 1)


def least_of(kind: str) -> float | int:
    return 0.01 if kind == "percent" else 1


def stops(kind: str, total: float) -> list[float]:
    """Return round amounts up to the total, about evenly far apart on a log scale.

    >>> stops("records", 120)
    [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 120]
    """
    if kind == "percent":
        return [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70,
                80, 90, 100]  # fmt: skip
    low = 1 if kind == "records" else 100
    decade = (1, 1.5, 2, 3, 5, 7)
    powers = range(len(str(int(total))))
    marks = {int(step * 10**power) for power in powers for step in decade}
    floor = max(low, total / 2000) if total > 1000 else low
    return [*sorted(mark for mark in marks if floor <= mark < total), int(total)]


def change_unit(landscape: Landscape) -> None:
    """Callback: say the present budget in another unit."""
    kind = state.turned("unit")
    if kind is None:
        return
    view = state.view()
    try:
        selection = cache.selection(landscape, ask_of(view))
    except IlaError:
        state.change(budget=budget_text("percent", 10))
        return
    size = len(selection.rows)
    amounts = {
        "records": size,
        "percent": round(100 * size / max(len(landscape), 1), 2),
        "tokens": int(selection.tokens),
    }
    state.change(budget=budget_text(kind, max(amounts[kind], least_of(kind))))


def change_amount(kind: str, source: str) -> None:
    """Callback: take the budget from the number or from the slider."""
    state.change(budget=budget_text(kind, state.turned(source)))


# -- resolution and depth target ------------------------------------------------------------------


def resolution_knob(view: state.View, selection: Selection) -> None:
    """Draw the resolution, and what it means for this budget."""
    if view.method not in GRIDDED or selection.grid is None:
        return
    used = selection.grid.resolution
    st.segmented_control(
        "Resolution",
        ["auto", "hand"],
        format_func={"auto": "Automatic", "hand": "By hand"}.get,
        key=state.knob("mode", "auto" if view.resolution == "auto" else "hand"),
        on_change=change_mode,
        args=(used,),
        width="stretch",
        help="How many patches a side. Automatic is about as fine as the budget: nearly every "
        "pick is the deepest of its own patch.",
    )
    if view.resolution != "auto":
        st.number_input(
            "Patches a side",
            min_value=1,
            max_value=8192,
            step=1 if used < 32 else 8,
            key=state.knob("resolution", used),
            on_change=state.follow,
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
    mode = state.turned("mode")
    if mode is not None:
        state.change(resolution="auto" if mode == "auto" else used)


def depth_knob(view: state.View) -> None:
    if view.method not in TARGETED:
        return
    st.slider(
        "Depth target",
        0.0,
        1.0,
        step=0.05,
        format="percent",
        key=state.knob("depth_target", float(view.depth_target)),
        on_change=state.follow,
        args=("depth_target",),
        help="Which record of a patch comes first: 100% is the deepest (which is often an "
        "outlier), 50% the median. Less deep usually means fewer tokens.",
    )


# -- the numbers ----------------------------------------------------------------------------------


def numbers(landscape: Landscape, selection: Selection, ask: Ask) -> None:
    """Show what the selection reaches, each beside random at the same budget."""
    found = cache.numbers(selection, ask)
    base = cache.chance(landscape, len(selection.rows))
    widgets.number_rows(figures_of(found, base))
    st.caption(
        f"Below each: the difference to random ({base.seeds} draws). Measured on "
        f"{found.reference_grid} × {found.reference_grid} patches that no method selects with."
    )
    if tuned := int(np.isin(selection.rows, landscape.tuned_rows).sum()):
        st.caption(
            f"{count(tuned)} of them are records that the tuned model has learned from: they look "
            "deeper for it."
        )


def figures_of(found: Numbers, base: Baseline) -> list[Figure]:
    """Return a selection's numbers with their differences to random's mean."""
    mean = base.mean
    return [
        share_figure("Coverage", found.coverage, mean.coverage,
                     "Share of the pool's occupied reference patches that hold a chosen record."),
        share_figure("Fidelity", found.fidelity, mean.fidelity,
                     "The largest relative depth kept in every reference patch, summed, beside "
                     "the same sum for the whole pool."),
        share_figure("Mean relative depth", found.mean_relative_depth, mean.mean_relative_depth,
                     "How deep the chosen records are within their domains, on average; the "
                     "pool's mean is 50%."),
        tokens_figure(found.tokens, mean.tokens),
    ]  # fmt: skip


def share_figure(label: str, value: float, base: float, help: str) -> Figure:
    if np.isnan(value) or np.isnan(base):
        return Figure(label, share(value), None, None, help)
    return Figure(label, share(value), points(value - base), value >= base, help)


def tokens_figure(value: float, base: float) -> Figure:
    """Return the response tokens; more of them is neither good nor bad, but costs."""
    ratio = f"{(value - base) / base:+.0%}" if base else None
    return Figure("Response tokens", short(value), ratio, None,
                  "What training on the selection costs.")  # fmt: skip
