"""Small parts that the screens share: number formats, number rows, record cards, empty states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

import cache
import state
from ila_core import paths
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.pool.records import Record
from ila_core.progress import duration
from tables import DASH

STYLE = """<style>
[data-testid="stMainBlockContainer"] {padding-inline: 2.2rem; max-width: 1680px;}
[data-testid="stSidebarUserContent"] {padding-left: 1.25rem; padding-right: 1.25rem;}
[data-testid="stMetricLabel"] p {font-size: 0.8rem; opacity: 0.75;}
[data-testid="stMetric"] {gap: 0;}
[data-testid="stMetricDelta"] {font-size: 0.78rem;}
h1, h2, h3 {letter-spacing: -0.01em;}
[data-testid="stCaptionContainer"] p {line-height: 1.4;}
</style>"""


# -- numbers as people read them ------------------------------------------------------------------


def count(number: float) -> str:
    """Return a whole number with thousands marked.

    >>> count(12345)
    '12,345'
    """
    return f"{int(number):,}"


def short(number: float) -> str:
    """Return a large number with three digits.

    >>> short(950), short(12345), short(2_500_000)
    ('950', '12.3k', '2.5M')
    """
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"


def share(value: float | None, digits: int = 1) -> str:
    """Return a share of one in per cent, and a dash where it is missing.

    >>> share(0.6321), share(float("nan"))
    ('63.2%', '—')
    """
    return DASH if value is None or np.isnan(value) else f"{value:.{digits}%}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Return a number with fixed digits, and a dash where it is missing."""
    return DASH if value is None or np.isnan(value) else f"{value:.{digits}f}"


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, signed.

    >>> points(0.123), points(-0.004)
    ('+12.3 pts', '-0.4 pts')
    """
    return f"{100 * difference:+.1f} pts"


def size(number: float) -> str:
    """Return a number of bytes as people say it.

    >>> size(900), size(1_234_000)
    ('900 B', '1.2 MB')
    """
    for unit, letter in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:.1f} {letter}"
    return f"{number:.0f} B"


def plain(text: str) -> str:
    """Return text that a Markdown label shows as it is: every mark of the language escaped.

    >>> plain("a *b* [c](d) $x$ :smile:")
    'a \\\\*b\\\\* \\\\[c\\\\](d) \\\\$x\\\\$ \\\\:smile\\\\:'
    """
    escaped = "".join(f"\\{mark}" if mark in "\\`*_{}[]<>#|~$:!" else mark for mark in text)
    return " ".join(escaped.split())


def first_line(text: str, letters: int = 160) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text[: 4 * letters].split())
    return line if len(line) <= letters else line[: letters - 1].rstrip() + "…"


# -- parts ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """One number in a row: its value, its difference to chance, and what it means."""

    label: str
    value: str
    difference: str | None = None
    good: bool | None = None
    help: str | None = None


def number_rows(figures: Sequence[Figure], *, columns: int = 2) -> None:
    """Draw numbers with their difference to random, `columns` side by side."""
    for start in range(0, len(figures), columns):
        row = st.columns(columns, gap="small", wrap=False)
        for slot, figure in zip(row, figures[start : start + columns], strict=False):
            tone = {None: "off", True: "green", False: "red"}[figure.good]
            slot.metric(
                figure.label,
                figure.value,
                figure.difference,
                delta_color=tone,  # type: ignore[arg-type]
                delta_arrow="off",
                help=figure.help,
            )


def empty(title: str, what_next: str) -> None:
    """Say why there is nothing here, and what to do."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.caption(what_next)


def trouble(error: Exception, *, page: str | None = None, label: str = "") -> None:
    """Tell a failure in its own sentence; offer the page that mends it."""
    st.error(plain(str(error)), icon=":material/error:")
    if page:
        st.page_link(page, label=label, icon=":material/arrow_forward:")


def opened() -> tuple[state.View, Landscape] | None:
    """Return the view and its landscape; where it cannot be opened say why, and return None."""
    view = state.view()
    try:
        return view, cache.landscape(state.run_of(view))
    except (IlaError, OSError) as error:
        st.header("This landscape cannot be opened", anchor=False)
        trouble(error)
        left, right = st.columns([1, 3])
        left.button(
            "Open the sample instead",
            on_click=state.change,
            kwargs={"landscape": state.SAMPLE},
            type="primary",
        )
        right.page_link("data_view.py", label="Open or build another", icon=":material/database:")
        return None


def stage_line(stage: Mapping[str, object]) -> None:
    """Draw one stage of something long: done, or how far it is."""
    name = plain(str(stage["stage"])).capitalize()
    if stage["state"] != "running":
        how = "reused" if stage["state"] == "reused" else duration(float(stage["seconds"]))
        st.markdown(f":green[:material/check:] {name} :gray[{how}]")
        return
    done, total = int(stage.get("done") or 0), stage.get("total")
    parts = [f"{count(done)} of {count(int(total))}" if total else count(done) if done else ""]
    if stage.get("rate"):
        parts.append(f"{count(float(stage['rate']))} a second")
    if stage.get("words"):
        parts.append(plain(str(stage["words"])))
    if stage.get("eta_s"):
        parts.append(f"{duration(float(stage['eta_s']))} left")
    text = f"{name} :gray[{' · '.join(part for part in parts if part)}]"
    if total:
        st.progress(min(done / int(total), 1.0), text=text)
    else:
        st.markdown(f":material/hourglass_top: {text}")


def record_text(record: Record) -> None:
    """Show a record's turns as plain text, line breaks and code as they are."""
    for turn in record.turns:
        bare = turn.role == "assistant" and not turn.scored
        st.caption("assistant, not scored" if bare else turn.role)
        st.code(turn.text or " ", language=None, wrap_lines=True)


def title_of(landscape: Landscape) -> str:
    """Return a landscape's name as people know it: its pool's files, or its folder."""
    if landscape.run == paths.SAMPLE / "landscape":
        return "The sample pool"
    inputs = landscape.manifest.get("inputs") or []
    files = [str(entry["name"]) for entry in inputs]
    if not files:
        return landscape.run.name if landscape.run else "landscape"
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
