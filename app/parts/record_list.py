"""A list of records, one a line: a click anywhere on a line opens its record.

A table of the browser's own has lines that answer only where their box is ticked, and no keys that
walk from record to record; this list is small enough to have both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

import session

HERE = Path(__file__).parent
_FILES = {kind: (HERE / f"record_list.{kind}").read_text("utf-8") for kind in ("js", "css")}
_component = st.components.v2.component("ila_record_list", **_FILES)

Word = Literal["", "pinned", "excluded"]


@dataclass(frozen=True)
class Line:
    """What a line says of its record."""

    row: int
    title: str
    kept: bool
    depth: float | None
    """Relative depth, 0 to 1; None where it is missing."""
    tokens: str
    note: str = ""
    """What else there is to say, such as the round that chose it."""
    word: Word = ""
    """What a hand has said of it."""


def record_list(
    lines: Sequence[Line], opened: int, *, label: str, key: str, look_at: Callable[[int], Any]
) -> None:
    """Draw the lines; `look_at` is called with the row of one that was clicked or walked to.

    The browser marks that line at once. What it is sent counts these, so that it differs from what
    it was sent before and is looked at, also where another record was opened before the page with
    this one was drawn.
    """

    def on_open() -> None:
        session.remember("lines opened", session.recall("lines opened", 0) + 1)
        row = session.event_of(key).get("open")
        if row is not None and int(row) in {line.row for line in lines}:
            look_at(int(row))

    _component(
        key=key,
        data={"lines": [asdict(line) for line in lines], "open": opened, "label": label,
              "turn": session.recall("lines opened", 0)},
        on_open_change=on_open,
    )  # fmt: skip
