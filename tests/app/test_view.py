"""The view and its link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.landscape.cells import Box
from ila_core.selection.spec import Spec
from view import View, from_query, to_query

VIEWS = st.builds(
    View,
    landscape=st.sampled_from(["sample", "/some/where"]),
    spec=st.builds(
        Spec,
        method=st.sampled_from(["ila", "nested", "random"]),
        budget=st.sampled_from(["10%", "500", "20000-tokens"]),
        patches=st.sampled_from(["even", "grid"]),
        resolution=st.one_of(st.just("auto"), st.integers(1, 8192)),
        depth=st.sampled_from(["auto", "loss-reduction", "loss", "column"]),
        depth_target=st.sampled_from([0.0, 0.5, 0.75, 1.0]),
        seed=st.integers(0, 99),
        only=st.sampled_from([(), ("domain=a%2Cb|c", "tokens=10..")]),
        quotas=st.sampled_from([(), ("domain:a%2Cb=10%..", "tokens:10..=..5")]),
    ),
    layer=st.sampled_from(["density", "depth", "coverage", "both", "domain"]),
    cells=st.sampled_from([32, 64, 96, 128]),
    box=st.sampled_from([None, Box(-1.5, 0.25, 2.0, 3.0)]),
    patch=st.lists(st.integers(0, 16383), max_size=5, unique=True).map(lambda p: tuple(sorted(p))),
    methods=st.sampled_from([(), ("random",), ("random", "ila", "k-center")]),
    pair=st.sampled_from([(), ("ila", "random"), ("deita", "nested")]),
    study=st.sampled_from(["", "/some/where/study"]),
    mine=st.sampled_from(["", "my best", "~AAAAAAAAAAAAAAAAAAAAAA"]),
    record=st.sampled_from([None, 0, 74_999]),
)


@given(VIEWS)
def test_a_link_carries_the_whole_view(view: View) -> None:
    assert from_query(to_query(view)) == view


def test_the_first_screen_needs_no_parameters() -> None:
    assert to_query(View()) == {}


def test_a_view_of_very_many_cells_leaves_them_out_of_the_link() -> None:
    assert "patch" not in to_query(View(patch=tuple(range(500))))


def test_a_resolution_is_read_as_one_of_its_patches() -> None:
    assert from_query({"resolution": "9000"}).spec.resolution == 9000
    found = from_query({"resolution": "9000", "patches": "grid"}).spec
    assert found.patches == "grid" and found.resolution == "auto"


@pytest.mark.parametrize(
    "query",
    [
        {"resolution": "0"}, {"resolution": "a few"}, {"depth_target": "2"}, {"layer": "taste"},
        {"patches": "round"}, {"depth": "deep"},
        {"pair": "ila"}, {"pair": "a,b,c"}, {"methods": ","},
        {"box": "0,0,inf,inf"}, {"box": "-inf,0,1,1"}, {"box": "nan,nan,nan,nan"},
        {"cells": "7"}, {"box": "1,2,3"}, {"box": "3,0,1,1"}, {"patch": "a"}, {"seed": "-1"},
        {"record": "-1"}, {"record": "first"}, {"only": "taste=good"}, {"quotas": "a"},
        {"patch": "-1"}, {"patch": "99999999999999999999"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_in_a_link_is_left_at_its_default(query: dict[str, str]) -> None:
    assert from_query(query) == View()
