"""Which records are looked at: those of the region, of the filters, and of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import cache
from draw.marks import MOST_MARKED, Mark
from ila_core.errors import UsageError
from ila_core.landscape.brushing import Brushing
from ila_core.landscape.facets import mask_of
from ila_core.landscape.region import rows_in
from ila_core.search.find import Hits
from ila_core.selection.rules import Rule
from ila_core.selection.selection import Selection
from parts.search import found
from view import View


@dataclass(frozen=True, eq=False)
class Scope:
    """The records that the inspector lists, and what they are left by."""

    brushing: Brushing
    """The conditions that hold: of every facet by its name, "region" and "search"."""
    rules: Mapping[str, Rule]
    """The rule of every facet that is brushed, by name, but of what is kept."""
    hits: Hits | None
    """What the search found, None without one."""
    nearest: bool
    """Whether the hits come by likeness, so that their order tells more than any other."""
    troubles: tuple[str, ...]
    """Why filters do not hold here, a sentence each: these are passed over."""

    @cached_property
    def rows(self) -> np.ndarray:
        """(m,) int64, ascending; none where nothing is asked for."""
        return np.flatnonzero(self.brushing.all) if self.asked else np.zeros(0, dtype=np.int64)

    @cached_property
    def ranked(self) -> np.ndarray | None:
        """The same rows, the best hit first; None without a search."""
        if self.hits is None:
            return None
        return self.hits.rows[self.brushing.all[self.hits.rows]]

    @cached_property
    def everywhere(self) -> np.ndarray:
        """(m,) int64, ascending, the rows wherever they lie: with those beside the place chosen."""
        return np.flatnonzero(self.brushing.but("region"))

    @property
    def elsewhere(self) -> int:
        """How many more records fit what was asked for, but for the place."""
        return len(self.everywhere) - len(self.rows) if self.narrowed else 0

    @property
    def asked(self) -> bool:
        """Whether anything was asked for: a place, or what narrows it."""
        return bool(self.brushing.conditions)

    @property
    def narrowed(self) -> bool:
        """Whether anything but a place was asked for."""
        return bool(self.brushing.conditions.keys() - {"region"})

    @property
    def why(self) -> str:
        """What they are, as a heading says it: "the place you chose"."""
        if not self.narrowed:
            return "the place you chose"
        what = "what you search for" if self.hits is not None else "your filters"
        if self.hits is not None and len(self.brushing.conditions.keys() - {"region", "search"}):
            what += " and your filters"
        return what + (", in the place you chose" if "region" in self.brushing.conditions else "")


def scope(view: View, selection: Selection) -> Scope:
    """Return what is looked at: the records of the region that the filters and the search leave."""
    landscape, n = selection.landscape, len(selection.landscape)
    conditions: dict[str, np.ndarray] = {}
    rules: dict[str, Rule] = {}
    troubles = []
    for text in view.filters:
        rule = Rule.parse(text)
        try:
            mask = cache.matching(landscape, text)
        except UsageError as error:
            troubles.append(str(error))
            continue
        earlier = conditions.get(rule.name)
        conditions[rule.name] = mask if earlier is None else earlier & mask
        rules.setdefault(rule.name, rule)
    if view.kept:
        conditions["kept"] = selection.mask if view.kept == "kept" else ~selection.mask
    if view.region is not None:
        conditions["region"] = mask_of(rows_in(landscape, view.region), n)
    hits = found(view, landscape)
    if hits is not None:
        conditions["search"] = mask_of(hits.rows, n)
    nearest = view.like is not None or view.by == "meaning"
    return Scope(Brushing(n, conditions), rules, hits, nearest, tuple(troubles))


def marks(view: View, selection: Selection) -> dict[Mark, np.ndarray]:
    """Return the records that stand out on the map, by kind, in the order they are drawn."""
    spec = selection.spec
    there = view.record is not None and view.record < len(selection.landscape)
    opened = [view.record] if there else []
    return {
        "hits": lit(scope(view, selection)),
        "excluded": np.array(spec.excluded, dtype=np.int64),
        "pins": np.array(spec.pinned, dtype=np.int64),
        "open": np.array(opened, dtype=np.int64),
    }


def lit(looked: Scope) -> np.ndarray:
    """Return the records that light up on the map, evenly thinned to what it can show.

    Those beside the place that was chosen too: the map shows where else they lie.
    """
    if not looked.narrowed:
        return np.zeros(0, dtype=np.int64)
    rows = looked.everywhere
    if len(rows) <= MOST_MARKED:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_MARKED).astype(np.int64)]
