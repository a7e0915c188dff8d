"""The budget's knobs: its unit, the exact number, and a slider over it."""

from __future__ import annotations

import numpy as np
import streamlit as st

import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import find
from parts import terms
from parts.selecting import chosen
from parts.texts import count, plain, short
from view import View

UNITS = {"records": "Records", "percent": "Percent", "tokens": "Tokens"}
PERCENTS = (
    0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100,
)  # fmt: skip
FINE_PERCENTS = (
    *(tenth / 10 for tenth in range(1, 10)), *(half / 2 for half in range(2, 20)), *range(10, 101),
)  # fmt: skip


def budget_knobs(view: View, landscape: Landscape) -> None:
    """Draw the budget three ways at once: its unit, the exact number, and a slider over it.

    A unit only says how the budget is shown: what is asked for stays until a number is given.
    """
    unit, total = unit_of(view), total_of(unit_of(view), landscape)
    st.segmented_control(
        "Budget",
        [name for name in UNITS if name in (unit, *countable(landscape))],
        format_func=UNITS.get,
        key=session.knob("unit", unit),
        on_change=change_unit,
        args=(view.spec.budget,),
        width="stretch",
        help=terms.BUDGET,
    )
    number = min(max(amount(view, landscape, unit), least_of(unit)), total)
    st.number_input(
        f"Budget in {UNITS[unit].lower()}",
        value=None,  # so that a field that was cleared is told from one that says the least
        step=1.0 if unit == "percent" else max(1, 10 ** (len(str(int(total))) - 3)),
        format="%g" if unit == "percent" else "%d",
        key=session.knob("amount", number),
        on_change=change_amount,
        args=(unit, "amount", total),
        label_visibility="collapsed",
    )
    if refused := session.taken("budget trouble"):
        st.caption(f":red[{plain(refused)}]")
    marks = stops(unit, total, fine=find(view.spec.method).extends(session.spec()))
    if len(marks) < 2:  # one record is all there is
        return
    st.select_slider(
        "Budget, roughly",
        sorted({*marks, number}),
        format_func=(lambda mark: f"{mark:.3g}%") if unit == "percent" else short,
        key=session.knob("sweep", number),
        on_change=change_amount,
        args=(unit, "sweep", total),
        label_visibility="collapsed",
    )


def countable(landscape: Landscape) -> list[str]:
    """Return the units that a budget can be given in: a pool without responses has no tokens."""
    return [name for name in UNITS if name != "tokens" or landscape.total_tokens > 0]


def unit_of(view: View) -> str:
    """Return the unit that the budget is shown in: its own, unless another one was chosen."""
    budget, unit = session.recall("unit", ("", ""))
    return unit if budget == view.spec.budget else view.spec.asked.kind


def amount(view: View, landscape: Landscape, unit: str) -> float | int:
    """Return what the budget comes to in a unit: exactly its number in its own.

    In another one it is what the selection has, or an estimate where there is none yet.
    """
    budget = view.spec.asked
    if unit == budget.kind:
        return float(budget.value) if unit == "percent" else int(budget.value)
    try:
        selection = chosen(landscape)
        size = budget.records(landscape) if selection is None else len(selection)
    except IlaError:
        return least_of(unit)
    if unit == "records":
        return size
    if unit == "percent":
        return 100 * size / max(len(landscape), 1)
    mean = landscape.total_tokens / max(len(landscape), 1)
    return int(size * mean if selection is None else selection.tokens)


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


def stops(kind: str, total: float, *, fine: bool = False) -> list[float]:
    """Return round amounts up to the total, about evenly far apart on a log scale.

    `fine` returns more of them, for methods of which another budget costs nothing.

    >>> stops("records", 120)
    [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 120]
    """
    if kind == "percent":
        return [*FINE_PERCENTS] if fine else [*PERCENTS]
    decade = (1, 1.2, 1.5, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9) if fine else (1, 1.5, 2, 3, 5, 7)
    low = 1 if kind == "records" else 100
    powers = range(len(str(int(total))))
    marks = {int(step * 10**power) for power in powers for step in decade}
    floor = max(low, total / 2000) if total > 1000 else low
    return [*sorted(mark for mark in marks if floor <= mark < total), int(total)]


def change_unit(budget: str) -> None:
    """Callback: show the present budget in another unit."""
    unit = session.turned("unit")
    if unit is not None:
        session.remember("unit", (budget, unit))


def change_amount(unit: str, source: str, total: float) -> None:
    """Callback: take the budget from number or slider; a cleared field says nothing.

    A number that is no budget is told, and the last one stays: a field with bounds of its own would
    turn red without a word, and the page would not hear of it.
    """
    number = session.turned(source)
    if number is None:
        return
    if least_of(unit) <= number <= total:
        session.change(budget=budget_text(unit, number))
    else:
        session.remember("budget trouble", out_of_bounds(unit, number, total))


def out_of_bounds(unit: str, number: float, total: float) -> str:
    """Say which numbers are budgets, and that this one is none.

    >>> out_of_bounds("records", 0, 2063)
    '0 is no budget: it is 1 to 2,063 records. The last one stays.'
    """
    what = "per cent" if unit == "percent" else UNITS[unit].lower()
    given, least, most = (
        count(end) if end == int(end) else f"{end:g}" for end in (number, least_of(unit), total)
    )
    return f"{given} is no budget: it is {least} to {most} {what}. The last one stays."
