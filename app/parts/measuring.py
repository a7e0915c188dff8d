"""Methods measured one after another, while the table of their numbers fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

import cache
import session
from ila_core.landscape.landscape import Landscape
from ila_core.methods import Comparison, Row
from parts.comparison import number_table
from parts.method_choice import Extra, is_quick
from parts.texts import count
from view import Ask

PATIENT = 5_000
"""From this many records on a slow method waits for a word, as it takes minutes."""
EXTRAS: dict[Extra, Callable[..., Any]] = {"novelty": cache.novelty, "stability": cache.stability}


def measure(landscape: Landscape, asks: Sequence[Ask], extras: Sequence[Extra]) -> Comparison:
    """Measure one method after another, telling each, and draw the table as it fills.

    A slow method that has not run may have to wait for a word.
    """
    rows: list[Row] = []
    bar, slot = st.empty(), st.empty()
    for number, ask in enumerate(asks):
        row = known_row(landscape, ask, extras)
        if row is None:
            if not may_run(landscape, ask):
                continue
            bar.progress(number / len(asks), text=words(ask, extras, number + 1, len(asks)))
            rows.append(measured_row(landscape, ask, extras))
            number_table(slot, Comparison(ask.budget, tuple(rows)), extras)
        else:
            rows.append(row)
    bar.empty()
    comparison = Comparison(asks[0].budget, tuple(rows))
    number_table(slot, comparison, extras)
    return comparison


def known_row(landscape: Landscape, ask: Ask, extras: Sequence[Extra]) -> Row | None:
    """Return what has been measured of a method; None while something is left to measure."""
    row = cache.known(cache.measured, landscape, ask)
    more = [cache.known(EXTRAS[extra], landscape, ask) for extra in extras]
    return None if row is None or None in more else _with(row, more)


def measured_row(landscape: Landscape, ask: Ask, extras: Sequence[Extra]) -> Row:
    """Measure a method; what is asked for beside costs more time."""
    row = cache.measured(landscape, ask)
    return _with(row, [EXTRAS[extra](landscape, ask) for extra in extras])


def _with(row: Row, more: Sequence[dict[str, Any]]) -> Row:
    numbers = dict(row.numbers)
    for further in more:
        numbers |= further
    return replace(row, numbers=numbers)


def may_run(landscape: Landscape, ask: Ask) -> bool:
    """Whether a method may be measured without a word: it is quick, or has been run, or may be."""
    if is_quick(ask.method) or len(landscape) < PATIENT:
        return True
    has_run = cache.known(cache.measured, landscape, ask) is not None
    return has_run or ask in session.recall("slow methods", frozenset())


def words(ask: Ask, extras: Sequence[Extra], number: int, total: int) -> str:
    """Return what is being measured."""
    parts = [f"{ask.method}, {number} of {total} methods"]
    if ask.method == "random":
        parts.append("five draws")
    if "novelty" in extras:
        parts.append("with NovelSum")
    if "stability" in extras:
        parts.append("with the stability, for which two maps are made first")
    return ", ".join(parts)


def waiting(landscape: Landscape, asks: Sequence[Ask], rows: Sequence[Row]) -> None:
    """Offer to run the slow methods that were chosen and have not run."""
    there = {row.name for row in rows}
    left = [ask for ask in asks if ask.method not in there]
    if not left:
        return
    names = ", ".join(ask.method for ask in left)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/hourglass_empty: {names}: up to some minutes each on "
            f"{count(len(landscape))} records. The page waits for them.",
            width="stretch",
        )
        st.button("Run them" if len(left) > 1 else "Run it", key="run_slow", type="primary",
                  on_click=run_slow, args=(left,))  # fmt: skip


def run_slow(asks: Sequence[Ask]) -> None:
    """Callback: these may run."""
    session.remember("slow methods", session.recall("slow methods", frozenset()) | set(asks))
