"""Fields of the records' own, as facets: which there are, and which a visitor has asked for."""

from __future__ import annotations

import streamlit as st

import session
from draw.facets import title_of
from ila_core.errors import UsageError
from ila_core.landscape.facets import FIELD, facet
from ila_core.landscape.landscape import Landscape
from parts.notices import trouble

KEY = "another_field"


def fields_of(landscape: Landscape) -> tuple[str, ...]:
    """Return the facets of the records' own fields, as the pool names these."""
    if landscape.records is None:
        return ()
    return tuple(f"{FIELD}{name}" for name in landscape.records.fields())


def shown_fields(landscape: Landscape) -> list[str]:
    """Return the fields that a visitor has asked for and that can be shown; say why others not."""
    shown = []
    for name in session.view().fields:
        try:
            with st.spinner(f"Reading the field {title_of(name)} …", show_time=True):
                facet(landscape, name)
        except UsageError as error:
            trouble(error)
        else:
            shown.append(name)
    return shown


def another_field(landscape: Landscape) -> None:
    """Offer the records' own fields as further facets."""
    offered = fields_of(landscape)
    if not offered:
        return
    st.multiselect(
        "Fields of the records",
        sorted({*offered, *session.view().fields}),
        format_func=title_of,
        key=session.knob("fields", list(session.view().fields)),
        on_change=asked,
        placeholder="Add a field of your own",
        label_visibility="collapsed",
        wrap=True,
    )


def asked() -> None:
    """Callback: the fields that are chosen stand among the facets, in a link too."""
    session.change(fields=tuple(session.turned("fields") or ()))
