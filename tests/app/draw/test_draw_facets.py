"""Facets as their panel takes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from draw.facets import MOST_NAMED, TITLES, panel_data
from ila_core.landscape.brushing import Brushing
from ila_core.landscape.facets import KINDS, facet, names
from ila_core.landscape.landscape import Landscape
from ila_core.selection.rules import Rule


@pytest.fixture(scope="module")
def pool() -> Landscape:
    return Landscape.from_arrays(
        np.zeros((8, 2)),
        tokens=[1, 2, 3, 4, 50, 60, 70, np.nan],
        domain=[0, 0, 0, 0, 0, 1, 1, 2],
        domain_names=["maths", "code", "talk"],
    )


def data_of(pool: Landscape, chosen: np.ndarray, *rules: str, kept: str = "") -> dict[str, Any]:
    parsed = {rule.name: rule for rule in map(Rule.parse, rules)}
    masks = {name: rule.mask(pool) for name, rule in parsed.items()}
    parts = [facet(pool, name) for name in names(pool)]
    found = panel_data(parts, Brushing(len(pool), masks), chosen, parsed, kept)
    json.dumps(found)  # as it travels
    return {part["name"]: part for part in found}


CHOSEN = np.array([True, False, False, False, True, True, False, False])


def test_without_filters_what_is_left_is_the_pool(pool: Landscape) -> None:
    found = data_of(pool, CHOSEN)
    assert list(found) == ["domain", "tokens", "kept"]
    domain = found["domain"]
    assert domain["names"] == ["maths", "code", "talk"]
    assert domain["pool"] == domain["shown"] == [5, 2, 1]
    assert domain["kept"] == [2, 1, 0]
    assert (domain["among"], domain["chosen"], domain["narrowed"]) == (8, 3, False)
    assert found["tokens"]["missing"] == 1
    assert sum(found["tokens"]["pool"]) == 7 and found["tokens"]["range"] is None
    assert found["kept"]["names"] == ["left", "kept"] and found["kept"]["shown"] == [5, 3]


def test_a_filter_narrows_the_others_and_shows_its_brush(pool: Landscape) -> None:
    found = data_of(pool, CHOSEN, "tokens=50..", kept="kept")
    assert found["domain"]["names"] == ["code", "maths", "talk"]  # of what is left
    assert found["domain"]["shown"] == [2, 1, 0]
    assert found["domain"]["pool"] == [2, 5, 1]
    assert found["domain"]["kept"] == [1, 1, 0]
    assert sum(found["tokens"]["shown"]) == 7
    low, high = found["tokens"]["range"]
    assert high == len(found["tokens"]["pool"]) - 1 and found["tokens"]["edges"][low] <= 50
    assert found["kept"]["picked"] == ["kept"]
    assert found["kept"]["shown"] == [2, 1]


def test_what_is_picked_travels_however_rare_it_is() -> None:
    n = MOST_NAMED + 50
    pool = Landscape.from_arrays(
        np.zeros((n, 2)), domain=np.arange(n), domain_names=[f"d{k:03}" for k in range(n)]
    )
    domain = data_of(pool, np.zeros(n, dtype=bool), f"domain=d{n - 1:03}")["domain"]
    assert len(domain["names"]) == MOST_NAMED + 1
    assert domain["names"][-1] == f"d{n - 1:03}" == domain["picked"][0]
    assert domain["others"] == 49


def test_every_facet_has_a_title() -> None:
    assert {*KINDS, "kept"} == set(TITLES)
