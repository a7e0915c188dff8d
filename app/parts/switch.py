"""A choice that a screen keeps for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

import session
from session import Note


def switch(
    note: Note, label: str, names: Mapping[str, str], *, start: str = "", **look: Any
) -> str:
    """Draw a choice among `names` (each with what it is called), and return the chosen one.

    It is kept under `note`, and starts at `start`, else at the first. `look` goes to the control.
    """
    now = str(session.recall(note, start or next(iter(names))))
    look = {"label_visibility": "collapsed", "required": True} | look
    st.segmented_control(
        label,
        list(names),
        format_func=names.get,
        key=session.knob(note, now),
        on_change=keep,
        args=(note,),
        **look,
    )
    return now


def toggle(note: Note, label: str, **look: Any) -> bool:
    """Draw a switch that is on or off, and return which it is; off at first."""
    now = bool(session.recall(note, False))
    st.toggle(label, key=session.knob(note, now), on_change=keep, args=(note,), **look)
    return now


def keep(note: Note) -> None:
    """Callback: the note takes the value of its knob."""
    value = session.turned(note)
    if value is not None:  # a click on the chosen segment would clear it
        session.remember(note, value)
