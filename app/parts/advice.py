"""What a study advises, and the press that takes it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

import session
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import CHANCE
from ila_core.studies.advice import Advice
from ila_core.studies.findings import Study
from ila_core.studies.seeds import listed
from parts.depth_knobs import depth_words
from parts.recipe import DEFAULT, patches_words
from parts.texts import counted, plain
from view import USUAL


def advice(landscape: Landscape, study: Study) -> None:
    """Say in a sentence which knobs to use, what that rests on, and offer to set them."""
    best = study.advised
    if best is None:
        return
    with st.container(border=True, key="advice"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/tune: {sentence(best)}", width="stretch")
            able = best.spec.depth in (USUAL.depth, *landscape.kinds)
            if st.button("Use it", key="use_advice", type="primary", disabled=not able,
                         help=f"Sets on the map: {what_to_use(best)}"):  # fmt: skip
                session.change(**taken_over(best))
                st.switch_page("screens/map.py")
        st.caption(rests_on(study, best))


def sentence(best: Advice) -> str:
    """Return an advice in a sentence, its knobs as this page calls them.

    >>> from ila_core.selection.spec import Spec
    >>> sentence(Advice(Spec(depth="loss"), True, 0.25, None)).split(":")[0]
    'Use **even patches, depth by loss, depth target 75%**'
    """
    if loses(best):
        return "Use **random** on this pool: nothing that was tried trained a better model."
    knobs = f"**{what_to_use(best)}**"
    if best.tried:
        return f"Use {knobs}: on a seed that had no part in choosing it did better than random."
    return f"Try {knobs}: the best on the one seed of this study, which nothing confirms."


def loses(best: Advice) -> bool:
    """Whether what was best on the other seeds did no better than random on the last."""
    return best.tried and not best.confirmed


def what_to_use(best: Advice) -> str:
    """Return in words what an advice sets."""
    if loses(best):
        return CHANCE
    return f"{patches_words(best.spec)}, {depth_words(best.spec)}"


def taken_over(best: Advice) -> Mapping[str, Any]:
    """Return the knobs that take an advice over: random's where it beat everything."""
    return {"method": CHANCE} if loses(best) else {**DEFAULT, **best.knobs}


def rests_on(study: Study, best: Advice) -> str:
    """Say what an advice rests on: who was trained, on how many seeds, and what it gained."""
    budgets = dict.fromkeys(place.budget for place in study.places)
    seeds = {row["seed"] for row in study.curves}
    basis = (
        f"It rests on {counted(len(study.curves), 'student')} ({plain(study.student)}), "
        f"{counted(len(seeds), 'seed')} and budgets of {plain(listed([*budgets]))}, judged by "
        f"{counted(study.dev_records, 'held-out record')}."
    )
    if not best.tried:
        return f"{basis} Two seeds are the least that can confirm anything."
    gains = {"records": best.gain_records, "tokens": best.gain_tokens}
    beside = " and ".join(
        f"{-gain:+.3f} at equal {unit}" for unit, gain in gains.items() if gain is not None
    )
    which = f"{patches_words(best.spec)}, {depth_words(best.spec)}"
    return (
        f"{basis} The best on the other seeds, {which}, was tried on the last, which had no part "
        f"in choosing: its loss beside random's is {beside} on average."
    )
