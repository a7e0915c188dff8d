"""What a screen says when there is nothing to show, or something went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from parts.texts import plain
from parts.wording import on_page


def empty(title: str, what_next: str) -> None:
    """Say why there is nothing here, and what to do."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.caption(what_next)


def trouble(error: Exception, *, page: str | None = None, label: str = "") -> None:
    """Tell a failure in its own sentence, its options called as here; offer the page that mends."""
    st.error(plain(on_page(str(error))), icon=":material/error:")
    if page:
        st.page_link(page, label=label, icon=":material/arrow_forward:")


def senseless(sentences: Sequence[str]) -> None:
    """Tell once what made no sense in a link."""
    for sentence in sentences:
        st.toast(plain(sentence), icon=":material/link_off:", duration="long")


def sideways(what: str = "columns") -> None:
    """Say under what is wide, where the window is narrow, that there is more of it."""
    with st.container(key=f"sideways_{what}"):
        st.caption(f":material/swipe: More {what} to the right: scroll sideways.")
