"""What a study advises, and the press that takes it over."""

from __future__ import annotations

import streamlit as st

import session
from ila_core.landscape.landscape import Landscape
from ila_core.studies.advice import Advice
from ila_core.studies.findings import Study
from parts.depth_knobs import depth_words
from parts.recipe import DEFAULT, patches_words
from view import USUAL


def advice(landscape: Landscape, study: Study) -> None:
    """Say which knobs won in a study, and offer to set them; nothing where it advises nothing."""
    best = study.advised
    if best is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/tune: {sentence(best)}", width="stretch")
        able = best.spec.depth in (USUAL.depth, *landscape.kinds)
        if st.button("Use what won", key="use_advice", disabled=not able,
                     help="Sets these knobs on the map"):  # fmt: skip
            session.change(**{**DEFAULT, **best.knobs})
            st.switch_page("screens/map.py")


def sentence(best: Advice) -> str:
    """Return an advice in words, and whether it held where it had no part in choosing.

    >>> from ila_core.selection.spec import Spec
    >>> print(sentence(Advice(Spec(depth="loss"), False, None, None)))
    Lowest loss: **even patches, depth by loss, depth target 75%**. No other seed could try it.
    """
    knobs = f"{patches_words(best.spec)}, {depth_words(best.spec)}"
    if not best.tried:
        return f"Lowest loss: **{knobs}**. No other seed could try it."
    gains = {"records": best.gain_records, "tokens": best.gain_tokens}
    beside = " and ".join(
        f"{-gain:+.3f} nats at equal {unit}" for unit, gain in gains.items() if gain is not None
    )
    held = "beats random" if best.confirmed else "does not beat random"
    return (
        f"Lowest loss: **{knobs}**. On a seed that had no part in choosing, it {held}: {beside} "
        "on average."
    )
