"""The knobs of depth: what makes a record deep, and how deep a patch gives its first."""

from __future__ import annotations

import numpy as np
import streamlit as st

import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import find
from ila_core.selection.spec import Spec
from parts import terms
from parts.texts import plain
from parts.wording import on_page
from view import KNOBS, USUAL, View

KINDS = {"loss-reduction": "Loss reduction", "loss": "Loss", "column": "Your column"}
"""What the page calls the kinds of depth."""
BEST = "loss-reduction"
"""The kind of depth that is missed where a landscape has it not."""


def kind_knob(view: View, landscape: Landscape) -> None:
    """Draw what makes a record deep, as far as the landscape has kinds to choose from."""
    kinds, asked = landscape.kinds, view.spec.depth
    if not kinds:
        st.caption("There is no depth here: no loss was measured. Coverage alone tells what is "
                   "kept.")  # fmt: skip
        return
    now = landscape.kind if asked == USUAL.depth else asked
    if len(kinds) > 1 or now not in (*kinds, landscape.kind):
        st.segmented_control(
            "Depth",
            kinds,
            format_func=KINDS.get,
            key=session.knob("depth", now if now in kinds else None),
            on_change=change_kind,
            args=(landscape.kind,),
            width="stretch",
            help=f"{terms.DEPTH} Methods read it as relative depth. {terms.RELATIVE_DEPTH}",
        )
    if now in kinds:
        st.caption(f"Deep is {KNOBS['depth'].choices[now]}.")
    if BEST not in kinds:
        st.caption(plain(on_page(lacks(landscape))))


def lacks(landscape: Landscape) -> str:
    """Say that a landscape has no loss reduction, and how it would have one."""
    try:
        landscape.by(BEST)
    except IlaError as error:
        return str(error)
    return ""


def change_kind(first: str) -> None:
    """Callback: take a kind of depth; the one that is read unasked needs no word in links."""
    kind = session.turned("depth")
    if kind is not None:
        session.change(depth=USUAL.depth if kind == first else kind)


def target_knob(view: View, landscape: Landscape) -> None:
    """Draw how deep the record is that a patch gives first; nothing where none is deep."""
    option, spec = KNOBS["depth_target"], view.spec
    if option.name not in find(spec.method).reads or not landscape.kinds:
        return
    target = float(spec.depth_target)
    st.slider(
        "Depth target",
        float(option.least),
        float(option.most),
        step=0.05,
        format="percent",
        key=session.knob(option.name, target),
        on_change=session.follow,
        args=(option.name,),
        help="Which record of a patch comes first: 100% is its deepest, 50% its median. Less deep "
        "usually means fewer tokens.",
    )
    st.caption(target_words(target))


def target_words(target: float) -> str:
    """Say what a depth target does.

    >>> target_words(1.0)
    'The deepest record of each patch comes first: often an outlier.'
    """
    if target == 1:
        return "The deepest record of each patch comes first: often an outlier."
    if target > 0.5:
        return "Deep records come first, but the deepest, the outliers, are left out."
    if target == 0.5:
        return "The median record of each patch comes first."
    return "Shallow records come first."


def depth_words(spec: Spec) -> str:
    """Return which depth a selection reads, and how deep its patches give their first record.

    >>> depth_words(Spec(depth="loss"))
    'depth by loss, depth target 75%'
    """
    kind = KINDS.get(spec.depth, "the usual kind").lower()
    return f"depth by {kind}, depth target {spec.depth_target:.0%}"


def number_of(landscape: Landscape) -> tuple[str, np.ndarray]:
    """Return the number that the depth comes from, (n,), with the title of its column."""
    return {
        "loss-reduction": ("Reduction", landscape.loss_reduction),
        "loss": ("Loss", landscape.loss),
        "column": ("Given", landscape.depth),
    }[landscape.kind]


def name_of(landscape: Landscape) -> str:
    """Return what the kind of depth that is read is called in a sentence."""
    return KINDS.get(landscape.kind, landscape.kind).lower()
