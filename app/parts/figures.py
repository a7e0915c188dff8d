"""Numbers in rows, each beside chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


@dataclass(frozen=True)
class Figure:
    """One number in a row: its value, its difference to chance, and what it means."""

    label: str
    value: str
    difference: str | None = None
    good: bool | None = None
    help: str | None = None


def number_rows(
    figures: Sequence[Figure], *, columns: int = 2, key: str = "numbers"
) -> list[DeltaGenerator]:
    """Draw numbers with their difference to random, `columns` side by side; return their slots.

    `key` begins with "numbers": the style keeps their place by it while the browser loads them.
    """
    rows = st.container(key=key)
    slots: list[DeltaGenerator] = []
    for start in range(0, len(figures), columns):
        row = rows.columns(columns, gap="small", wrap=False)
        slots += [place.empty() for place in row[: len(figures) - start]]
    fill(slots, figures)
    return slots


def fill(slots: Sequence[DeltaGenerator], figures: Sequence[Figure]) -> None:
    """Draw numbers into slots that `number_rows` has made, in the place of those that are there."""
    for slot, figure in zip(slots, figures, strict=True):
        tone = {None: "off", True: "green", False: "red"}[figure.good]
        slot.metric(
            figure.label,
            figure.value,
            figure.difference,
            delta_color=tone,  # type: ignore[arg-type]
            delta_arrow="off",
            help=figure.help,
        )
