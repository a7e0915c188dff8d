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
    """Return an advice as the study tells it, its knobs as this page calls them.

    >>> from ila_core.selection.spec import Spec
    >>> sentence(Advice(Spec(depth="loss"), True, 0.25, None)).split(".")[0]
    'Advice: **even patches, depth by loss, depth target 75%**'
    """
    return best.summary(f"**{patches_words(best.spec)}, {depth_words(best.spec)}**")
