"""A form for one more rule or quota: which records, and whether only they or how many of them."""

from __future__ import annotations

import streamlit as st

import hand
import session
from draw.facets import title_of
from ila_core.errors import IlaError
from ila_core.landscape.facets import KINDS, Categories, Numbers, facet, names
from ila_core.landscape.landscape import Landscape
from ila_core.selection.rules import Rule
from parts.fields import fields_of
from parts.notices import trouble
from parts.texts import count, plain

MOST_VALUES = 500
"""Of a facet that are offered, the most frequent: what a list can be searched through for."""


def rule_form(landscape: Landscape) -> None:
    """Ask for records by what they are, and offer to choose only among them, or a quota."""
    offered = list(names(landscape))
    if landscape.records is not None and "language" not in offered:
        offered = [name for name in KINDS if name in {*offered, "language"}]
    if not offered and not fields_of(landscape):
        st.caption("These records differ in nothing that a rule could go by.")
        return
    offered += [name for name in fields_of(landscape) if name not in offered]
    name = st.selectbox("Records by", offered, format_func=title_of, key="rule_by")
    try:
        with st.spinner("Looking at the records …", show_time=True):
            found = facet(landscape, name)
    except IlaError as error:
        trouble(error)
        return
    rule = categories(found) if isinstance(found, Categories) else span(found)
    st.button("Choose only among these", key="rule_only", disabled=rule is None, width="stretch",
              on_click=add, args=("only", str(rule)))  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        least = st.text_input("Least", key="quota_least", placeholder="10% or 100")
        most = st.text_input("Most", key="quota_most", placeholder="30% or 500")
    head, _, value = str(rule).partition("=")
    st.button("Add quota", key="rule_quota", width="stretch", on_click=add,
              disabled=rule is None or not (least.strip() or most.strip()),
              args=("quota", f"{head}:{value}={least.strip()}..{most.strip()}"),
              help="So many of the picks are such records, as counts or as shares of the "
              "picks")  # fmt: skip
    if wrong := session.recall("rule trouble"):
        trouble(IlaError(wrong))


def categories(found: Categories) -> Rule | None:
    """Ask for categories; None while none is chosen."""
    counts = dict(zip(found.names, found.counts().tolist(), strict=True))
    chosen = st.multiselect(
        title_of(found.name),
        found.names[:MOST_VALUES],
        format_func=lambda value: f"{value or 'none'} ({count(counts[value])})",
        key=f"rule_values_{found.name}",
        wrap=True,
    )
    if len(found.names) > MOST_VALUES:
        st.caption(f"The {MOST_VALUES} most frequent of {count(len(found.names))}; the command "
                   "line takes any.")  # fmt: skip
    return Rule(found.name, tuple(chosen)) if chosen else None


def span(found: Numbers) -> Rule | None:
    """Ask for the ends of a range; None while none is given, or while they hold nothing."""
    with st.container(horizontal=True, gap="small"):
        low = st.number_input("From", value=None, key=f"rule_low_{found.name}", format="%g")
        high = st.number_input("To", value=None, key=f"rule_high_{found.name}", format="%g")
    ends = {name: end for name, end in (("low", low), ("high", high)) if end is not None}
    if not ends:
        return None
    try:
        return Rule(found.name, **ends)
    except IlaError as error:
        st.caption(plain(str(error)))
        return None


def add(what: str, text: str) -> None:
    """Callback: add a rule or a quota; what is wrong with it stands under the form."""
    session.remember("rule trouble", None)
    try:
        (hand.choose_only if what == "only" else hand.ask)(text)
    except IlaError as error:
        session.remember("rule trouble", str(error))
