"""One record: its numbers in a line, its turns as they are, and what a hand can say to it."""

from __future__ import annotations

import numpy as np
import streamlit as st

import session
from draw.names import isolated
from ila_core.landscape.landscape import Landscape
from ila_core.pool.record import Record
from parts.texts import count, decimal, plain, share


def record_card(landscape: Landscape, row: int, record: Record, why: str) -> None:
    """Show one record: why it was kept or left, its numbers, its text, and the hand's word."""
    with st.container(border=True):
        st.markdown(f"**{plain(why)}**")
        st.caption(plain(facts(landscape, row, record)))
        lock_buttons(row, likes=landscape.vectors is not None)
        with st.container(height=330, border=False):
            record_text(record)


def facts(landscape: Landscape, row: int, record: Record) -> str:
    """Return a record's numbers and labels in one line."""
    labels = landscape.labels_of([row])[0]
    parts = [
        f"row {row}",
        f"relative depth {share(float(landscape.relative_depth[row]))}",
        f"loss {decimal(float(landscape.loss[row]))} nats per token",
        reduction(landscape, row),
        f"{count(np.nan_to_num(landscape.tokens[row]))} response tokens",
        isolated(landscape.domain_names[landscape.domain[row]]) if landscape.domain_names else "",
        f"labels {', '.join(map(isolated, labels))}" if labels else "",
        f"from {isolated(record.source)}" if record.source else "",
    ]
    return " · ".join(part for part in parts if part)


def reduction(landscape: Landscape, row: int) -> str:
    """Return what learning from the pool takes off a record's loss; empty where it is not known."""
    nats = float(landscape.loss_reduction[row])
    return "" if np.isnan(nats) else f"loss reduction {decimal(nats)}"


def lock_buttons(row: int, *, likes: bool) -> None:
    """Offer to pin or exclude a record, to take that back, and to look at its like."""
    word = next((entry.action for entry in session.locks() if entry.row == row), None)
    with st.container(horizontal=True, gap="small"):
        st.button("Pin", icon=":material/keep:", on_click=session.lock, args=("pin", row),
                  disabled=word == "pin", help="Keep it whatever the rule says")  # fmt: skip
        st.button("Exclude", icon=":material/block:", on_click=session.lock, args=("exclude", row),
                  disabled=word == "exclude", help="Never choose this record")  # fmt: skip
        if word is not None:
            st.button("Undo", icon=":material/undo:", on_click=session.unlock, args=(row,))
        if likes:
            st.button("Similar", icon=":material/hub:", on_click=look_for_like, args=(row,),
                      help="The records nearest to this one, anywhere on the map")  # fmt: skip


def look_for_like(row: int) -> None:
    """Callback: look at the records that are most like one, wherever they lie."""
    session.change(like=row, q="", region=None, record=row)


def record_text(record: Record) -> None:
    """Show a record's turns as plain text, line breaks and code as they are."""
    for turn in record.turns:
        bare = turn.role == "assistant" and not turn.scored
        st.caption("assistant, not scored" if bare else turn.role)
        st.code(turn.text or " ", language=None, wrap_lines=True)
