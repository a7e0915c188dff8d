"""What a study advises, and the press that takes it over."""

from __future__ import annotations

from typing import Any

import streamlit as st

import session
from ila_core.landscape.landscape import Landscape
from jobs import studies
from jobs.studies import Advice, Entry
from parts.depth_knobs import KINDS
from parts.recipe import DEFAULT
from view import USUAL


def advice(landscape: Landscape, entry: Entry) -> None:
    """Say which knobs won in a study, and offer to set them; nothing where it advises nothing."""
    found = studies.advice(entry.folder)
    if found is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/tune: {sentence(found)}", width="stretch")
        able = found.depth in (USUAL.depth, *landscape.kinds)
        if st.button("Use what won", key="use_advice", disabled=not able,
                     help="Sets these knobs on the map"):  # fmt: skip
            session.change(**knobs(found))
            st.switch_page("screens/map.py")


def sentence(found: Advice) -> str:
    """Return an advice in words, and whether it held where it had no part in choosing.

    >>> sentence(Advice("even", "loss", 0.5, confirmed=True))
    'Of all settings **even patches, loss, depth target 50%** won, and on a seed that had no part \
in choosing it beats random too.'
    """
    made_of = (
        f"{'even patches' if found.patches == 'even' else 'a grid'}, "
        f"{KINDS.get(found.depth, 'the usual depth').lower()}, depth target "
        f"{found.depth_target:.0%}"
    )
    held = "but there was no other seed to try it on"
    if found.tried:
        held = (
            "and on a seed that had no part in choosing it beats random too"
            if found.confirmed
            else "but on a seed that had no part in choosing it does not beat random: nothing "
            "does on this pool with this student"
        )
    return f"Of all settings **{made_of}** won, {held}."


def knobs(found: Advice) -> dict[str, Any]:
    """Return the knobs that take an advice over."""
    own = {name: getattr(found, name) for name in ("patches", "depth", "depth_target")}
    return {**DEFAULT, **own}
