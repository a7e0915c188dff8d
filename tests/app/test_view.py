"""The view and its link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.landscape.region import Box, Lasso
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
    layer=st.sampled_from(["density", "depth", "representation", "both", "domain", "terrain"]),
    against=st.sampled_from(["random", "nested"]),
    colour=st.sampled_from(["domain", "source", "tokens", "field.a, b"]),
    cells=st.sampled_from([0, 32, 64, 96, 128]),
    box=st.sampled_from([None, Box(-1.5, 0.25, 2.0, 3.0)]),
    region=st.sampled_from(
        [None, Box(-1.5, 0.25, 2.0, 3.0), Lasso(((0.0, 0.0), (2.5, 0.0), (1.0, -1.25)))]
    ),
    record=st.sampled_from([None, 0, 74_000]),
    filters=st.sampled_from(
        [(), ("tokens=10..500",), ("source=a%7Cb|c%2Cd", "loss=..2.5", "label=")]
    ),
    fields=st.sampled_from([(), ("field.quality", "field.a, b:c=d")]),
    kept=st.sampled_from(["", "kept", "left"]),
    q=st.sampled_from(["", 'tax "capital gains" -crypto', "中国 & co=1"]),
    by=st.sampled_from(["words", "meaning"]),
    sort=st.sampled_from(["", "tokens", "field.a, b"]),
    way=st.sampled_from(["falling", "rising"]),
    like=st.sampled_from([None, 0, 17]),
    methods=st.sampled_from([(), ("random",), ("random", "ila", "k-center")]),
    pair=st.sampled_from([(), ("ila", "random"), ("deita", "nested")]),
    study=st.sampled_from(["", "/some/where/study"]),
    mine=st.sampled_from(["", "my best", "~AAAAAAAAAAAAAAAAAAAAAA"]),
)


@given(VIEWS)
def test_a_link_carries_the_whole_view(view: View) -> None:
    assert from_query(to_query(view)) == (view, ())


def test_the_first_screen_needs_no_parameters() -> None:
    assert to_query(View()) == {}


def test_a_resolution_is_read_as_one_of_its_patches() -> None:
    assert from_query({"resolution": "9000"}).view.spec.resolution == 9000
    found = from_query({"resolution": "9000", "patches": "grid"})
    assert found.view.spec.patches == "grid" and found.view.spec.resolution == "auto"
    assert len(found.senseless) == 1 and "resolution=9000" in found.senseless[0]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"resolution": "0"}, "resolution=0"), ({"resolution": "a few"}, "resolution=a few"),
        ({"sort": "domain"}, "one of tokens, loss"),
        ({"filter": "colour=red"}, "colour"), ({"filter": "tokens=9..1"}, "lower end before"),
        ({"by": "smell"}, "it is one of words, meaning"), ({"like": "me"}, "it is a row"),
        ({"depth_target": "2"}, "depth_target=2"), ({"method": "nope"}, "methods are"),
        ({"layer": "taste"}, "it is one of density, depth"), ({"against": "nope"}, "methods are"),
        ({"patches": "round"}, "patches=round"), ({"depth": "deep"}, "depth=deep"),
        ({"pair": "ila"}, "two methods"), ({"pair": "a,b,c"}, "two methods"),
        ({"box": "0,0,inf,inf"}, "none of the map"), ({"box": "nan,nan,nan,nan"}, "box=nan"),
        ({"box": "1,2,3"}, "none of the map"), ({"box": "3,0,1,1"}, "x0 <= x1"),
        ({"box": "0,0,0,1"}, "window"), ({"box": "0,0;1,0;1,1"}, "window"),
        ({"cells": "7"}, "one of 0, 32, 64, 96, 128"), ({"seed": "-1"}, "seed=-1"),
        ({"region": "a"}, "none of the map"), ({"region": "0,0;1,1"}, "2 corners"),
        ({"record": "-1"}, "a row of the pool"), ({"record": "9" * 30}, "a row of the pool"),
        ({"patch": "12"}, "no such part"),
        ({"only": "taste=good"}, "'taste'"), ({"quotas": "a"}, "LEAST..MOST"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_in_a_link_is_said_and_left_at_its_default(
    query: dict[str, str], why: str
) -> None:
    view, senseless = from_query(query)
    assert view == View()
    assert len(senseless) == 1 and why in senseless[0]
    assert senseless[0].startswith(f"The link's {next(iter(query))}=")


def test_what_makes_no_sense_leaves_the_rest_of_the_link() -> None:
    view, senseless = from_query({"cells": "7", "layer": "depth", "budget": "x", "seed": "3"})
    assert view.layer == "depth" and view.spec.seed == 3
    assert len(senseless) == 2
