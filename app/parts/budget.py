"""The budget's knobs: its unit, the exact number, and a slider over it."""

from __future__ import annotations

import numpy as np
import streamlit as st

import cache
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from parts.texts import short
from view import View

UNITS = {"records": "Records", "percent": "Percent", "tokens": "Tokens"}


def budget_knobs(view: View, landscape: Landscape) -> None:
    """Draw the budget three ways at once: its unit, the exact number, and a slider over it."""
    budget = view.spec.asked
    total = total_of(budget.kind, landscape)
    st.segmented_control(
        "Budget",
        list(UNITS),
        format_func=UNITS.get,
        key=session.knob("unit", budget.kind),
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
        key=session.knob("amount", number),
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
        key=session.knob("sweep", nearest),
        on_change=change_amount,
        args=(budget.kind, "sweep"),
        label_visibility="collapsed",
    )


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
    kind = session.turned("unit")
    if kind is None:
        return
    try:
        selection = cache.selection(landscape, session.spec())
    except IlaError:
        session.change(budget=budget_text("percent", 10))
        return
    size = len(selection.rows)
    amounts = {
        "records": size,
        "percent": round(100 * size / max(len(landscape), 1), 2),
        "tokens": int(selection.tokens),
    }
    session.change(budget=budget_text(kind, max(amounts[kind], least_of(kind))))


def change_amount(kind: str, source: str) -> None:
    """Callback: take the budget from the number or from the slider."""
    session.change(budget=budget_text(kind, session.turned(source)))
