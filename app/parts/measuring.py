"""Methods measured one after another, while the table of their numbers fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

import cache
import session
from ila_core.landscape.landscape import Landscape
from ila_core.measure.compare import Comparison, Row
from ila_core.methods.registry import find
from ila_core.selection.spec import Spec
from parts.comparison import number_table
from parts.method_choice import Extra, is_quick
from parts.selecting import PATIENT
from parts.texts import counted

EXTRAS: dict[Extra, Callable[..., Any]] = {"novelty": cache.novelty, "stability": cache.stability}


def measure(
    landscape: Landscape, asked: Spec, specs: Sequence[Spec], extras: Sequence[Extra]
) -> Comparison:
    """Measure one method after another, telling each, and draw the table as it fills.

    `asked` is what all of them are asked for, `specs` what each of them reads of it. A slow method
    that has not run may have to wait for a word.
    """
    rows: list[Row] = []
    bar, slot = st.empty(), st.empty()
    for number, spec in enumerate(specs):
        row = known_row(landscape, spec, extras)
        if row is None:
            if not may_run(landscape, spec):
                continue
            bar.progress(number / len(specs), text=words(spec, extras, number + 1, len(specs)))
            rows.append(measured_row(landscape, spec, extras))
            number_table(slot, Comparison(asked, tuple(rows)), extras)
        else:
            rows.append(row)
    bar.empty()
    comparison = Comparison(asked, tuple(rows))
    number_table(slot, comparison, extras)
    return comparison


def known_row(landscape: Landscape, spec: Spec, extras: Sequence[Extra]) -> Row | None:
    """Return what has been measured of a method; None while something is left to measure."""
    row = cache.known(cache.measured, landscape, spec)
    more = [cache.known(EXTRAS[extra], landscape, spec) for extra in extras]
    return None if row is None or None in more else _with(row, more)


def measured_row(landscape: Landscape, spec: Spec, extras: Sequence[Extra]) -> Row:
    """Measure a method; what is asked for beside costs more time."""
    row = cache.measured(landscape, spec)
    return _with(row, [EXTRAS[extra](landscape, spec) for extra in extras])


def _with(row: Row, more: Sequence[dict[str, Any]]) -> Row:
    numbers = dict(row.numbers)
    for further in more:
        numbers |= further
    return replace(row, numbers=numbers)


def may_run(landscape: Landscape, spec: Spec) -> bool:
    """Whether a method may be measured without a word: it is quick, or has been run, or may be."""
    if is_quick(spec.method) or len(landscape) < PATIENT:
        return True
    has_run = cache.known(cache.measured, landscape, spec) is not None
    return has_run or spec in session.recall("slow methods", frozenset())


def words(spec: Spec, extras: Sequence[Extra], number: int, total: int) -> str:
    """Return what is being measured."""
    parts = [f"{spec.method}, {number} of {total} methods"]
    if (draws := find(spec.method).draws) > 1:
        parts.append(f"{draws} draws")
    if "novelty" in extras:
        parts.append("with NovelSum")
    if "stability" in extras:
        parts.append("with the stability, for which two maps are made first")
    return ", ".join(parts)


def waiting(landscape: Landscape, specs: Sequence[Spec], rows: Sequence[Row]) -> None:
    """Offer to run the slow methods that were chosen and have not run."""
    there = {row.name for row in rows}
    left = [spec for spec in specs if spec.method not in there]
    if not left:
        return
    names = ", ".join(spec.method for spec in left)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/hourglass_empty: {names}: up to some minutes each on "
            f"{counted(len(landscape), 'record')}. The page waits for them.",
            width="stretch",
        )
        st.button("Run them" if len(left) > 1 else "Run it", key="run_slow", type="primary",
                  on_click=run_slow, args=(left,))  # fmt: skip


def run_slow(specs: Sequence[Spec]) -> None:
    """Callback: these may run."""
    session.remember("slow methods", session.recall("slow methods", frozenset()) | set(specs))
