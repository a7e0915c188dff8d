"""The filters that hold: what each says, and how they are taken away."""

from __future__ import annotations

import math
from functools import partial

import streamlit as st

import hand
import session
from draw.facets import title_of
from facets.component import Brush, brush_told
from ila_core.landscape.facets import Categories, facet
from ila_core.landscape.landscape import Landscape
from ila_core.selection.rules import Rule
from parts.languages import language_name
from parts.scope import Scope
from parts.texts import plain, short
from view import View

PANEL = "facets"


def filter_row(view: View, scope: Scope) -> None:
    """Draw a button for every filter that holds: a click takes it away."""
    for sentence in scope.troubles:
        st.caption(f":red[{plain(sentence)}]")
    if not (view.filters or view.kept):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        for text in view.filters:
            words = in_words(Rule.parse(text))
            st.button(
                plain(words),
                icon=":material/close:",
                icon_position="right",
                key=f"filter {text}",
                help=f"Take this filter away: {plain(text)}",
                on_click=partial(without, text),
            )
        if view.kept:
            st.button(
                f"Only what is {view.kept}",
                icon=":material/close:",
                icon_position="right",
                key="filter kept",
                on_click=session.change,
                kwargs={"kept": ""},
            )
        if view.filters:
            st.button("Choose only among these", icon=":material/filter_alt:", type="tertiary",
                      key="only filters", on_click=choose_only,
                      help="The selection is made among the records of these filters "
                      "alone")  # fmt: skip
        if len(view.filters) + bool(view.kept) > 1:
            st.button("Clear all", type="tertiary", on_click=clear, key="clear filters")


def in_words(rule: Rule) -> str:
    """Return a rule as a visitor reads it.

    >>> in_words(Rule.parse("tokens=10..500")), in_words(Rule.parse("label=sql|"))
    ('Response tokens 10 to 500', 'Label: none or sql')
    >>> in_words(Rule.parse("language=de"))
    'Language: German'
    """
    title = title_of(rule.name).partition(",")[0]
    if rule.values:
        said = language_name if rule.name == "language" else str
        return f"{title}: {' or '.join(said(value) or 'none' for value in rule.values)}"
    if math.isinf(rule.low):
        return f"{title} up to {number(rule.high)}"
    if math.isinf(rule.high):
        return f"{title} from {number(rule.low)}"
    return f"{title} {number(rule.low)} to {number(rule.high)}"


def number(value: float) -> str:
    """Return a bound with as many digits as it has."""
    return short(value) if abs(value) >= 10_000 else f"{value:g}"


def without(text: str) -> None:
    """Callback: take a filter away."""
    session.change(filters=tuple(rule for rule in session.view().filters if rule != text))


def choose_only() -> None:
    """Callback: the filters become rules of one's own selection, and hold no longer as a look."""
    filters = session.view().filters
    mine = session.mine()
    for rule in filters:
        mine = mine.choose_only(rule)
    hand.settle(f"chose only among {' and '.join(in_words(Rule.parse(one)) for one in filters)}",
                mine)  # fmt: skip
    session.change(filters=())


def clear() -> None:
    """Callback: take all filters away."""
    session.change(filters=(), kept="")


def brushed(landscape: Landscape) -> None:
    """Callback of the panel: a brush takes the place of the filter of its facet."""
    told = brush_told(session.event_of(PANEL))
    if told is None:
        return
    if not told.name:
        clear()
    elif told.name == "kept":
        session.change(kept=told.values[0] if len(told.values) == 1 else "")
    else:
        session.change(filters=replaced(session.view().filters, landscape, told))


def replaced(filters: tuple[str, ...], landscape: Landscape, told: Brush) -> tuple[str, ...]:
    """Return the filters with what was brushed in place of those of the same facet."""
    others = tuple(text for text in filters if Rule.parse(text).name != told.name)
    sorted_by = facet(landscape, told.name)
    if isinstance(sorted_by, Categories):
        rule = Rule(told.name, told.values) if told.values else None
    else:
        rule = None if told.bins is None else Rule.of_bins(sorted_by, *told.bins)
    return others if rule is None else (*others, str(rule))
