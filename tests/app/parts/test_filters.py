"""Filters: as a visitor reads them, and how a brush changes them."""

from __future__ import annotations

import numpy as np
import pytest

from facets.component import Brush
from ila_core.landscape.landscape import Landscape
from ila_core.selection.rules import Rule
from parts.filters import in_words, replaced


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("tokens=10..500", "Response tokens 10 to 500"),
        ("tokens=20000..", "Response tokens from 20k"),
        ("loss=..2.5", "Loss up to 2.5"),
        ("source=a|b", "Source: a or b"),
        ("label=", "Label: none"),
    ],
)
def test_a_rule_in_words(rule: str, words: str) -> None:
    assert in_words(Rule.parse(rule)) == words


def test_a_brush_takes_the_place_of_the_filter_of_its_facet() -> None:
    pool = Landscape.from_arrays(
        np.zeros((40, 2)), loss=np.arange(40) / 10, domain=np.arange(40) % 2,
        domain_names=["a|b", "c"],
    )  # fmt: skip
    filters = replaced((), pool, Brush("domain", None, ("a|b",)))
    assert filters == ("domain=a%7Cb",)
    filters = replaced(filters, pool, Brush("loss", (0, 4)))
    assert filters[0] == "domain=a%7Cb" and Rule.parse(filters[1]).low == -np.inf
    assert replaced(filters, pool, Brush("domain")) == filters[1:]
    assert replaced(filters, pool, Brush("loss", None)) == filters[:1]
    assert len(replaced(filters, pool, Brush("loss", (3, 9)))) == 2
