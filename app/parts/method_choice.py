"""Which methods are compared, and which numbers that cost time."""

from __future__ import annotations

from typing import Literal

import streamlit as st

import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import CHANCE
from ila_core.measure.compare import compared_unasked
from ila_core.methods import registry as methods
from ila_core.methods.needs import lacking
from ila_core.progress import duration
from ila_core.selection.budget import Budget
from parts.switch import toggle
from parts.texts import plain
from parts.wording import on_page
from view import View

Extra = Literal["novelty", "stability"]
SECONDS_A_THOUSAND = 0.8
"""NovelSum of one selection, for a thousand records chosen; measured on two cores."""


def choose_methods(view: View, landscape: Landscape) -> list[str]:
    """Draw the methods to choose from, and return those chosen in the order of the table."""
    known = methods.methods()
    missing = {name: lacking(about.needs, landscape) for name, about in known.items()}
    able = [name for name in known if missing[name] is None]
    wanted = view.methods or compared_unasked()
    chosen = [name for name in known if name in wanted or name == CHANCE]
    quick = [name for name in able if is_quick(name) and name != CHANCE]
    slow = [name for name in able if not is_quick(name)]
    for key, label, options, help in (
        ("quick", "Methods beside random", quick, "Seconds at most, also on a large pool."),
        ("slow", "Slower methods", slow, "They compare records with each other: seconds on a small "
         "pool, minutes on a large one."),
    ):  # fmt: skip
        st.pills(
            label,
            options,
            selection_mode="multi",
            key=session.knob(key, [name for name in options if name in chosen]),
            on_change=set_methods,
            args=(key, tuple(chosen), tuple(options)),
            help=help,
        )
    if unable := {name: lack for name, lack in missing.items() if lack is not None}:
        needs = "; ".join(f"**{name}** needs {plain(lack.what)}" for name, lack in unable.items())
        remedies = dict.fromkeys(plain(on_page(lack.remedy)) for lack in unable.values())
        st.caption(f"Cannot run on this landscape: {needs}. To have it, {' or '.join(remedies)}.")
    return [name for name in chosen if missing[name] is None]


def is_quick(name: str) -> bool:
    """Whether a method takes seconds at most on a large pool."""
    return methods.find(name).speed != "minutes"


def set_methods(key: str, before: tuple[str, ...], options: tuple[str, ...]) -> None:
    """Callback: one row of pills was changed; the other methods stay as they were."""
    now = {*session.turned(key), *(name for name in before if name not in options)}
    names = tuple(name for name in methods.names() if name in now)
    session.change(methods=() if list(names) == compared_unasked() else names)


def choose_extras(view: View, landscape: Landscape, among: int) -> tuple[Extra, ...]:
    """Offer the numbers that cost time, and say how much; return those that are wanted."""
    st.markdown("**More numbers, at a cost**")
    extras: dict[Extra, tuple[str, str]] = {
        "novelty": ("NovelSum", novelty_cost(view, landscape, among)),
        "stability": ("Stability", stability_cost(landscape)),
    }
    wanted = []
    for name, (label, cost) in extras.items():
        if toggle(name, label, disabled=landscape.vectors is None):
            wanted.append(name)
        st.caption(cost)
    return tuple(wanted) if landscape.vectors is not None else ()


def novelty_cost(view: View, landscape: Landscape, among: int) -> str:
    """Say what NovelSum is and what it costs: it sorts the distances between the chosen records."""
    if landscape.vectors is None:
        return "This landscape has no embeddings to measure it with."
    try:
        size = Budget.parse(view.spec.budget).records(landscape)
    except IlaError:
        return ""
    seconds = SECONDS_A_THOUSAND * size / 1000 * (among + methods.find(CHANCE).draws - 1)
    return f"Diversity of what is chosen. About {duration(max(seconds, 1))} for these methods."


def stability_cost(landscape: Landscape) -> str:
    """Say what the stability is and what it costs: two more projections."""
    if landscape.vectors is None:
        return "This landscape has no embeddings to make other maps of."
    took = landscape.manifest.get("stages", {}).get("projection", {}).get("seconds")
    cost = f", about {duration(2 * took)} once" if took else ""
    return f"What survives shifted patches and two other maps of the pool, made first{cost}."
