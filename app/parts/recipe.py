"""The knobs of a selection in one press: the default, and the recipe of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

import session
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import find
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec
from parts.depth_knobs import depth_words
from parts.texts import counted
from view import USUAL, View

Recipe = Mapping[str, Any]
"""Values of the knobs that say how to choose, whatever the budget."""

PAPER: Recipe = {"method": USUAL.method, **find("paper").fixed}
DEFAULT: Recipe = {name: getattr(USUAL, name) for name in PAPER}
RECIPES = {"default": DEFAULT, "paper": PAPER}
NAMES = {"default": "Default", "paper": "As in the paper"}


def recipe_knob(view: View, landscape: Landscape) -> None:
    """Offer the whole recipes that this landscape has the depth for; none where there is one."""
    able = [name for name in RECIPES if can(landscape, RECIPES[name])]
    if len(able) < 2:
        return
    st.segmented_control(
        "Recipe",
        able,
        format_func=NAMES.get,
        key=session.knob("recipe", recipe_of(view.spec, landscape)),
        on_change=choose,
        width="stretch",
        help="All knobs below but the budget. Default: even patches, loss reduction, depth target "
        "75%. As in the paper: a grid, plain loss, the deepest record of each patch.",
    )


def can(landscape: Landscape, recipe: Recipe) -> bool:
    """Whether the landscape has a recipe's kind of depth."""
    return recipe["depth"] in (USUAL.depth, *landscape.kinds)


def recipe_of(spec: Spec, landscape: Landscape) -> str | None:
    """Return the recipe that the knobs stand for, None where they are set otherwise.

    "auto" is the kind of depth that the landscape reads unasked.
    """
    if find(spec.method).fixed == find("paper").fixed:
        return "paper"
    for name, recipe in RECIPES.items():
        wanted = replace(spec, **recipe)
        if _known(wanted, landscape) == _known(spec, landscape):
            return name
    return None


def _known(spec: Spec, landscape: Landscape) -> Spec:
    return replace(spec, depth=landscape.kind) if spec.depth == USUAL.depth else spec


def choose() -> None:
    """Callback: set the knobs of a recipe."""
    name = session.turned("recipe")
    if name is not None:
        session.change(**RECIPES[name])


def words(selection: Selection) -> str:
    """Return how a selection was made: its method, patches, depth and target."""
    spec = selection.spec
    about = find(spec.method)
    parts = [spec.method]
    if "patches" in about.reads or about.fixed:
        parts += [patches_words(spec, selection.resolution), depth_words(spec)]
    return ", ".join(parts)


def patches_words(spec: Spec, number: int | None = None) -> str:
    """Return the patches of a selection in words, and how many where that is known.

    >>> patches_words(Spec(), 1), patches_words(Spec(), 2063)
    ('1 even patch', '2,063 even patches')
    """
    if spec.even:
        return "even patches" if number is None else counted(number, "even patch")
    return "a grid" if number is None else f"a grid of {number:,} × {number:,}"
