"""In what order the records that are looked at are listed: chosen ones first, or by a number."""

from __future__ import annotations

import numpy as np
import streamlit as st

import session
from draw.facets import title_of
from ila_core.errors import UsageError
from ila_core.landscape.facets import Numbers, facet
from ila_core.landscape.facets import names as facet_names
from ila_core.landscape.landscape import Landscape
from parts.notices import trouble
from view import SORTED, View

FIRST = {"falling": "Highest first", "rising": "Lowest first"}


def listed_by(view: View, landscape: Landscape) -> Numbers | None:
    """Return the number that records are listed by; None where chosen ones come first.

    It says why where the landscape has no such number.
    """
    if not view.sort:
        return None
    try:
        with st.spinner(f"Reading {title_of(view.sort)} …", show_time=True):
            found = facet(landscape, view.sort)
    except UsageError as error:
        trouble(error)
        return None
    if isinstance(found, Numbers):
        return found
    trouble(UsageError(f"{title_of(view.sort)} is no number; list the records by another one."))
    return None


def rows_by(view: View, number: Numbers | None) -> np.ndarray | None:
    """Return the rows of the pool by a number, (n,) int32, missing ones last; None without one."""
    if number is None:
        return None
    return number.rising if view.way == "rising" else number.falling


def said_by(view: View, number: Numbers | None) -> str | None:
    """Say in what order a number puts records, None without one."""
    if number is None:
        return None
    return f"{FIRST[view.way].partition(' ')[0].lower()} {spoken(number)} first"


def spoken(number: Numbers) -> str:
    """Return what a number is called in a sentence: "loss", or the name of a field as it is."""
    title = title_of(number.name)
    return title.partition(",")[0].lower() if number.name in SORTED else title


def value_of(number: Numbers, row: int) -> str:
    """Return a record's number as a line of the list says it."""
    value = float(number.values[row])
    return f"no {spoken(number)}" if np.isnan(value) else f"{spoken(number)} {value:.4g}"


def order_button(view: View, landscape: Landscape, number: Numbers | None) -> None:
    """Offer the order of the list, which is by a number or not, behind a button."""
    by = number.name if number else ""
    with st.popover("", icon=":material/sort:", help="Order of the list"):
        st.selectbox(
            "Order",
            tuple(dict.fromkeys(["", *offered(view, landscape), by])),
            format_func=lambda name: title_of(name) if name else "Chosen ones first",
            key=session.knob("sort", by),
            on_change=turn,
            args=("sort",),
        )
        if by:
            st.segmented_control(
                "Which first",
                tuple(FIRST),
                format_func=FIRST.get,
                key=session.knob("way", view.way),
                on_change=turn,
                args=("way",),
                label_visibility="collapsed",
            )


def offered(view: View, landscape: Landscape) -> list[str]:
    """Return the numbers that records can be listed by: of their own fields those asked for."""
    return [name for name in facet_names(landscape) if name in SORTED] + [
        name for name in view.fields if _is_number(landscape, name)
    ]


def turn(knob: str) -> None:
    """Callback: the list begins anew in the order that a knob says."""
    value = session.turned(knob)
    if value is not None:  # a click on the chosen segment would clear it
        session.change(**{knob: value}, record=None)


def _is_number(landscape: Landscape, name: str) -> bool:
    try:
        return isinstance(facet(landscape, name), Numbers)
    except UsageError:
        return False
