"""The search above the map: by words, by meaning, or for records like one of them."""

from __future__ import annotations

import streamlit as st

import cache
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.search import index
from ila_core.search.find import Hits
from jobs import asides
from parts.texts import plain
from view import View

BY = {"words": "Words", "meaning": "Meaning"}
SMALL = 20_000
"""Records up to which an index is made while the visitor waits: some two seconds."""
PLACEHOLDERS = {
    "words": 'Search: words, "a phrase", begin*, -not',
    "meaning": "Search: what the records are about",
}


def search_box(view: View, landscape: Landscape) -> None:
    """Draw the box, and say why a search finds nothing where it cannot be done."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="search"):
        st.text_input(
            "Search the records",
            key=session.knob("q", view.q),
            on_change=ask,
            placeholder=PLACEHOLDERS[view.by],
            label_visibility="collapsed",
            icon=":material/search:",
            width="stretch",
        )
        st.segmented_control(
            "Search by",
            list(BY),
            format_func=BY.get,
            key=session.knob("by", view.by),
            on_change=session.follow,
            args=("by",),
            label_visibility="collapsed",
            required=True,
        )
        if view.q:
            st.button("Clear", on_click=session.change, kwargs={"q": ""}, key="clear search")
    if view.like is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"The records most like row {view.like}.", width="stretch")
            st.button("Clear", on_click=session.change, kwargs={"like": None}, key="clear like")
    if not view.q and view.like is None:
        return
    if waits_for_index(view, landscape):
        making(landscape)
        return
    try:
        _found(view, landscape)
    except IlaError as error:
        st.caption(f":red[{plain(str(error))}]")


def ask() -> None:
    """Callback: search for what was typed, in place of records that are like one."""
    session.change(q=session.turned("q").strip(), like=None)


def found(view: View, landscape: Landscape) -> Hits | None:
    """Return what the view's search finds; None without one, or where it cannot be done (yet)."""
    if (not view.q and view.like is None) or waits_for_index(view, landscape):
        return None
    try:
        return _found(view, landscape)
    except IlaError:  # told beside the box
        return None


def _found(view: View, landscape: Landscape) -> Hits:
    if view.like is not None:
        return cache.similar(landscape, view.like)
    if view.by == "meaning":
        return cache.by_meaning(landscape, view.q)
    return cache.by_words(landscape, view.q)


def waits_for_index(view: View, landscape: Landscape) -> bool:
    """Tell whether a search for words has to wait until the index of a large pool is made."""
    if view.like is not None or view.by != "words" or not view.q or landscape.records is None:
        return False
    return len(landscape) > SMALL and not index.is_made(landscape)


def making(landscape: Landscape) -> None:
    """Make the index on the side, and say how far it is."""
    working(
        f"words {landscape.run}",
        lambda progress: index.made(landscape, progress),
        "Making the index of words, once",
    )


def working(key: str, work: asides.Work, what: str) -> None:
    """Do a piece of work on the side and say how far it is; then draw the page anew."""

    @st.fragment(run_every=0.7)
    def bar() -> None:
        aside = asides.begun(key, work)
        if aside.error:
            st.caption(f":red[{plain(aside.error)}]")
            st.button("Try again", on_click=asides.forget, args=(key,), key=f"again {key}")
        elif aside.over:
            st.rerun()
        else:
            st.progress(aside.share, f"{what}: {aside.share:.0%}")

    bar()
