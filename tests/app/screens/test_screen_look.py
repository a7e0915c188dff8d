"""Looking: filters, facets and search on the Map screen, run without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_helpers import button, fine, list_of, opened, surroundings, texts  # noqa: F401
from streamlit.testing.v1 import AppTest

import ila_core as ila
from ila_core.search.find import by_words


def sent(page: AppTest, key: str) -> dict[str, Any]:
    """What the component of a key was given."""
    return json.loads(
        next(part.proto.json for part in page.get("bidi_component") if key in part.proto.id)
    )


def test_a_search_for_words_lists_what_it_finds(run: Path) -> None:
    page = fine(opened(q="spiders -3"))
    rows = by_words(ila.open(run), "spiders -3").rows
    assert f"{len(rows)} records" in texts(page)
    assert all("spiders" in line["title"] for line in list_of(page)["lines"])
    page.text_input(key="knob_q").set_value("haiku").run()
    assert "12 records" in texts(fine(page))
    assert page.query_params["q"] == "haiku"
    button(page, "Clear").click().run()
    assert "q" not in fine(page).query_params
    assert "Click the map to read its records" in texts(page)


def test_a_search_that_makes_no_sense_is_told_and_narrows_nothing() -> None:
    page = fine(opened(q='say "hello'))
    assert "a quotation mark that is not closed" in texts(page)
    assert "Click the map to read its records" in texts(page)


def test_a_search_by_meaning_lists_the_nearest_first() -> None:
    page = fine(opened(q="a short poem about a number", by="meaning"))
    assert "haiku" in list_of(page)["lines"][0]["title"]


def test_records_like_one_of_them(run: Path) -> None:
    page = fine(opened(q="haiku"))
    button(page, "Similar").click().run()
    assert "The records most like row" in texts(fine(page))
    assert "q" not in page.query_params and page.query_params["like"]
    assert "59 records" in texts(page)  # all but itself
    page.button(key="clear like").click().run()
    assert "like" not in fine(page).query_params


def test_filters_narrow_the_records_and_can_be_taken_away(run: Path) -> None:
    landscape = ila.open(run)
    long = int((landscape.tokens >= 10).sum())
    page = fine(opened(filter="tokens=10.."))
    assert f"{long} record" in texts(page)
    page = fine(opened(filter="tokens=10..", kept="left"))
    kept = ila.select(landscape, budget="10%").rows
    left = long - int((landscape.tokens[kept] >= 10).sum())
    assert f"{left} record" in texts(page)
    button(page, "Clear all").click().run()
    assert "filter" not in fine(page).query_params and "kept" not in page.query_params


def test_a_filter_that_this_landscape_has_not_is_told_and_passed_over() -> None:
    page = fine(opened(filter="source=nowhere,tokens=10.."))
    assert "The records of this landscape have no source." in texts(page)
    assert "record" in texts(page)
    page.button(key="filter source=nowhere").click().run()
    assert fine(page).query_params["filter"] == "tokens=10.."


def test_a_place_a_filter_and_a_search_all_hold() -> None:
    everywhere = fine(opened(q="haiku", region="-1e9,-1e9,1e9,1e9"))
    assert "12 records" in texts(everywhere)
    assert not any(part.key == "look everywhere" for part in everywhere.button)
    nowhere = fine(opened(q="haiku", region="1e8,1e8,1e9,1e9"))
    assert "No record in what you search for, in the place you chose" in texts(nowhere)
    assert "12 more beside this place." in texts(nowhere)
    assert "hits" in sent(nowhere, "map")["marks"]  # the map goes on showing where they lie
    nowhere.button(key="look everywhere").click().run()
    assert "region" not in fine(nowhere).query_params and "12 records" in texts(nowhere)
    place = fine(opened(q="haiku", region="1e8,1e8,1e9,1e9"))
    place.button(key="all of the place").click().run()
    assert "q" not in fine(place).query_params and place.query_params["region"]


def test_the_facets_of_a_pool_without_labels_or_sources() -> None:
    page = opened(filter="tokens=10..")
    page.segmented_control(key="knob_panel").set_value("facets").run()
    facets = {part["name"]: part for part in sent(fine(page), "facets")["facets"]}
    assert "source" not in facets and "label" not in facets
    assert {"language", "tokens", "loss", "depth", "kept"} <= set(facets)
    assert facets["tokens"]["range"] is not None
    assert facets["loss"]["narrowed"] and facets["loss"]["among"] < 60
    assert sum(facets["language"]["pool"]) == 60


def test_hits_light_up_on_the_map() -> None:
    assert "hits" not in sent(fine(opened()), "map")["marks"]
    assert "hits" in sent(fine(opened(q="haiku")), "map")["marks"]


def test_arrays_without_texts_or_vectors_have_facets_all_the_same() -> None:
    def script() -> None:
        import numpy as np
        import streamlit as st

        import ila_core as ila
        from ila_core.methods.select import select
        from parts.facets import facets
        from parts.scope import scope
        from view import View

        pool = ila.Landscape.from_arrays(
            np.random.default_rng(0).random((30, 2)), depth=np.arange(30.0), tokens=np.arange(30.0)
        )
        selection = select(pool, budget=5)
        for view in (View(filters=("tokens=10..",)), View(q="words"), View(like=3)):
            looked = scope(view, selection)
            st.write(len(looked.rows), looked.asked)
        facets(View(), selection, scope(View(), selection))

    page = fine(AppTest.from_function(script, default_timeout=60).run())
    assert [part.value for part in page.markdown] == [
        "`20` `True`", "`0` `False`", "`0` `False`",
    ]  # fmt: skip
    names = [part["name"] for part in sent(page, "facets")["facets"]]
    assert names == ["tokens", "depth", "kept"]


@pytest.mark.parametrize("count", [1, 2])
def test_tiny_pools(count: int) -> None:
    from draw.facets import panel_data
    from ila_core.landscape.brushing import Brushing
    from ila_core.landscape.facets import facet, names
    from ila_core.landscape.landscape import Landscape

    pool = Landscape.from_arrays(np.zeros((count, 2)), tokens=np.arange(count))
    parts = [facet(pool, name) for name in names(pool)]
    found = panel_data(parts, Brushing(count, {}), np.ones(count, dtype=bool), {})
    assert [part["name"] for part in found] == (["kept"] if count == 1 else ["tokens", "kept"])
