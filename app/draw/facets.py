"""Facets as their panel draws them: bars of the pool, of what is left, and of what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ila_core.landscape.brushing import Brushing, Counted
from ila_core.landscape.facets import FIELD, Categories, Facet, Numbers
from ila_core.selection.rules import Rule

TITLES = {
    "source": "Source",
    "domain": "Domain",
    "label": "Label",
    "language": "Language",
    "tokens": "Response tokens",
    "loss": "Loss, nats per token",
    "reduction": "Loss reduction, nats per token",
    "depth": "Relative depth",
    "skills": "Labels of a record",
    "kept": "Kept",
}
"""What the page calls them."""


def title_of(name: str) -> str:
    """Return what the page calls a facet; a field of the records by its own name.

    >>> title_of("tokens"), title_of("field.quality")
    ('Response tokens', 'quality')
    """
    return TITLES.get(name) or name.removeprefix(FIELD)


MOST_NAMED = 200
"""Categories that travel: more than these nobody reads through, and a source of its own for every
record would weigh more than the rest of the page."""


def panel_data(
    facets: Sequence[Facet],
    brushing: Brushing,
    chosen: np.ndarray,
    rules: Mapping[str, Rule],
    kept: str = "",
) -> list[dict[str, Any]]:
    """Return every facet as the panel takes it, and that of what is kept at the end.

    `chosen` (n,) bool are the selection's records. `rules` are those that the facets' own brushes
    stand for, by name, and `kept` says whether the kept or the left ones are looked at.
    """
    narrowed = bool(brushing.conditions)
    parts = [
        _data(facet, brushing.count(facet, chosen), rules.get(facet.name), narrowed=narrowed)
        for facet in facets
    ]
    both = kept_facet(chosen)
    last = _data(both, brushing.count(both, chosen), None, narrowed=narrowed)
    return [*parts, last | {"picked": [kept] if kept else [], "chosen": 0}]


def _data(facet: Facet, counted: Counted, rule: Rule | None, *, narrowed: bool) -> dict[str, Any]:
    about = {
        "name": facet.name,
        "title": title_of(facet.name),
        "among": counted.among,
        "chosen": counted.chosen,
        "narrowed": narrowed,
    }
    if isinstance(facet, Numbers):
        return about | _number(facet, counted, rule)
    return about | _category(facet, counted, rule)


def _number(facet: Numbers, counted: Counted, rule: Rule | None) -> dict[str, Any]:
    size = facet.size
    return {
        "kind": "number",
        "edges": facet.edges.tolist(),
        "whole": facet.whole,
        "pool": counted.pool[:size].tolist(),
        "shown": counted.shown[:size].tolist(),
        "kept": counted.kept[:size].tolist(),
        "missing": int(counted.pool[size]),
        "range": None if rule is None else list(facet.bins(rule.low, rule.high)),
    }


def _category(facet: Categories, counted: Counted, rule: Rule | None) -> dict[str, Any]:
    picked = [] if rule is None else [facet.place[v] for v in rule.values if v in facet.place]
    order = np.argsort(-counted.shown, kind="stable")  # the most frequent of what is left first
    listed = list(dict.fromkeys([*order[:MOST_NAMED].tolist(), *picked]))
    return {
        "kind": "category",
        "names": [facet.names[k] for k in listed],
        "pool": counted.pool[listed].tolist(),
        "shown": counted.shown[listed].tolist(),
        "kept": counted.kept[listed].tolist(),
        "picked": [facet.names[k] for k in picked],
        "others": facet.size - len(listed),
    }


def kept_facet(chosen: np.ndarray) -> Categories:
    """Return what is kept and what is left as a facet of its own.

    >>> kept_facet(np.array([True, False, False])).counts().tolist()
    [1, 2]
    """
    code = np.where(chosen, 0, 1).astype(np.int32)
    return Categories("kept", ("kept", "left"), code, None, len(code))
