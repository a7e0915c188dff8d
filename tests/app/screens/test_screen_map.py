"""The Map screen in every state, run without a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_helpers import (  # noqa: F401
    EVERYWHERE,
    button,
    fine,
    list_of,
    map_of,
    opened,
    surroundings,
    texts,
)
from conftest import small_pool, write_jsonl
from streamlit.testing.v1 import AppTest

import cache
import ila_core as ila
from draw.layers import LAYERS, Layer
from ila_core.landscape.cells import Kept, count, frame, leading
from ila_core.landscape.landscape import Landscape
from ila_core.measure import baseline
from ila_core.measure.describe import describe
from ila_core.measure.pairs import pairs
from ila_core.methods import beside
from ila_core.methods.registry import find, methods
from ila_core.selection.rules import Rule
from ila_core.selection.spec import Spec
from jobs import picks
from parts import map_panel, opening, reach, selecting
from parts.cell_table import cell_table


def test_what_the_first_look_at_a_large_pool_waits_for_begins_when_it_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[tuple[int, ...]] = []
    monkeypatch.setattr(
        baseline, "shuffle_ahead", lambda *given: begun.append((len(given[0]), given[1]))
    )
    cache.ahead.clear()
    fine(opened())
    assert begun == []  # a small one waits for nothing
    monkeypatch.setattr(cache, "named_regions", lambda landscape: begun.append((len(landscape),)))
    monkeypatch.setattr(opening, "LARGE", 60)
    monkeypatch.setattr(reach, "LARGE", 60)
    fine(fine(opened(seed="5")).run())
    assert begun == [(60,), (60, 5)]
    cache.ahead.clear()


def test_the_first_screen_is_a_finished_map_in_one_sentence() -> None:
    page = fine(opened())
    assert "60 records, near each other where their instructions are alike" in texts(page)
    assert "6 are kept" in texts(page)
    assert button(page, "Export 6")
    assert [part.label for part in page.metric] == [
        "Coverage", "Reach", "Fidelity", "Mean relative depth", "Response tokens",
    ]  # fmt: skip


def test_the_map_of_a_large_pool_stands_before_its_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = [(part.label, part.value, part.delta) for part in fine(opened()).metric]
    events: list[str] = []

    def note(module: Any, name: str) -> None:
        function = getattr(module, name)

        def noted(*given: Any, **options: Any) -> Any:
            events.append(name)
            return function(*given, **options)

        monkeypatch.setattr(module, name, noted)

    drawn_at_random: Future[None] = Future()
    monkeypatch.setattr(reach, "LARGE", 60)
    monkeypatch.setattr(cache, "ahead", lambda landscape, seed: drawn_at_random)
    monkeypatch.setattr(reach, "wait", lambda _: drawn_at_random.set_result(None))
    note(reach, "number_rows")
    note(reach, "fill")
    note(map_panel, "map_panel")
    page = fine(opened())
    assert events == ["number_rows", "map_panel", "fill"]
    assert [(part.label, part.value, part.delta) for part in page.metric] == usual
    assert "Below each number over the map" in texts(page)
    events.clear()
    assert [(part.label, part.value, part.delta) for part in fine(page.run()).metric] == usual
    assert events == ["number_rows", "map_panel"]  # they are known, and stand at once


def test_a_pool_instead_of_a_run_opens_the_data_screen(
    pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_APP_OPEN", str(pool))
    monkeypatch.setenv("ILA_APP_ROOTS", str(pool.parent))
    page = fine(opened())
    assert "Of all 60 records 60 can be used." in texts(page)
    assert button(page, "Build the landscape")


def test_a_landscape_outside_the_folders_is_refused(tmp_path: Path) -> None:
    page = fine(opened(landscape="/etc"))
    assert "lies outside the folders this page may open" in page.error[0].value
    assert button(page, "Open the sample instead")


def test_a_folder_without_a_landscape_says_what_to_do(run: Path) -> None:
    page = fine(opened(landscape=str(run.parent)))
    assert "holds no finished landscape" in page.error[0].value


def test_a_damaged_landscape_is_told_in_a_sentence(run: Path, tmp_path: Path) -> None:
    broken = run.parent / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "manifest.json").write_text("{}", encoding="utf-8")
    page = fine(opened(landscape=str(broken)))
    assert page.error and "manifest" in page.error[0].value.lower().replace("\\", "")


# -- the knobs ------------------------------------------------------------------------------------


def test_the_budget_moves_the_numbers_and_the_link() -> None:
    page = opened()
    before = page.metric[0].value
    page.number_input(key="knob_amount").set_value(50.0).run()
    assert "30 are kept" in texts(fine(page))
    assert page.metric[0].value != before
    assert page.query_params["budget"] == "50%"


def test_another_unit_shows_the_same_budget_and_changes_no_selection(run: Path) -> None:
    page = opened(budget="26%")
    shown = [metric.value for metric in page.metric]
    for unit in ("tokens", "records", "tokens", "percent"):
        page.segmented_control(key="knob_unit").set_value(unit).run()
        assert page.query_params["budget"] == "26%"
        assert [metric.value for metric in fine(page).metric] == shown
        number = page.number_input(key="knob_amount")
        wanted = {"records": 15, "percent": 26}.get(unit)
        assert number.label == f"Budget in {unit}"
        assert number.value == (wanted or ila.select(ila.open(run), budget="26%").tokens)


def test_a_number_in_another_unit_is_a_budget_of_that_unit() -> None:
    page = opened(budget="25%")
    page.segmented_control(key="knob_unit").set_value("records").run()
    page.number_input(key="knob_amount").set_value(7).run()
    assert page.query_params["budget"] == "7" and "7 are kept" in texts(fine(page))
    assert page.segmented_control(key="knob_unit").value == "records"


@pytest.mark.parametrize(("number", "unit"), [(0, "records"), (10**9, "records"), (0.0, "percent"),
                                              (101.0, "percent")])  # fmt: skip
def test_a_number_that_is_no_budget_is_told_and_the_last_one_stays(
    number: float, unit: str
) -> None:
    budget = {"records": "20", "percent": "25%"}[unit]
    page = opened(budget=budget)
    page.number_input(key="knob_amount").set_value(number).run()
    told = texts(fine(page)).replace("\\", "")
    least, most = {"records": ("1", "60 records"), "percent": ("0.01", "100 per cent")}[unit]
    assert f"{number:,.0f} is no budget: it is {least} to {most}" in told
    assert page.query_params["budget"] == budget
    assert page.number_input(key="knob_amount").value == float(budget.strip("%"))
    assert "is no budget" not in texts(fine(page.run()))


def test_a_cleared_budget_says_nothing() -> None:
    page = opened(budget="20")
    page.number_input(key="knob_amount").set_value(None).run()
    assert page.query_params["budget"] == "20" and "20 are kept" in texts(fine(page))
    assert page.number_input(key="knob_amount").value == 20


def test_the_advice_on_a_crowded_resolution_cures_it() -> None:
    page = fine(opened(landscape="sample", budget="10%", resolution="8", patches="grid"))
    told = page.warning[0].value
    assert "5.3 picks from every patch lie close together" in told
    assert f"they cover {coverage_of(page)}%" in told  # as the numbers above the map say
    [least] = re.findall(r"at least ([\d,]+) patches", told)
    page.number_input(key="knob_resolution").set_value(int(least)).run()
    assert not fine(page).warning
    page.segmented_control(key="knob_mode").set_value("auto").run()
    assert not fine(page).warning


def test_a_crowded_resolution_that_costs_nothing_is_not_warned_of() -> None:
    """Each of 60 records is a reference patch of its own: how they are spread does not matter."""
    assert not fine(opened(budget="40", resolution="2", patches="grid")).warning


def test_a_grid_that_the_budget_does_not_reach_is_told() -> None:
    page = opened(budget="6", resolution="64", patches="grid")
    assert "of the patches have given a record, the deepest ones first" in fine(page).info[0].value


def test_a_resolution_is_asked_for_only_where_the_method_takes_one() -> None:
    page = fine(opened(budget="40", method="coverage-only", resolution="2"))
    assert not [part for part in page.number_input if part.key == "knob_resolution"]
    assert "2 patches of" not in texts(page)
    page.selectbox(key="knob_method").set_value("ila").run()
    assert page.number_input(key="knob_resolution").value == 2


def test_even_patches_are_counted_by_hand_and_told_in_words() -> None:
    page = fine(opened(budget="12"))
    assert "12 patches of 5 records, 1 of each kept" in texts(page)
    page.segmented_control(key="knob_mode").set_value("hand").run()
    number = fine(page).number_input(key="knob_resolution")
    assert (number.label, number.value, number.max) == ("Number of even patches", 12, 60)
    number.set_value(3).run()
    assert "3 patches of 20 records, 4 of each kept" in texts(fine(page))
    assert page.query_params["resolution"] == "3"
    page.number_input(key="knob_resolution").set_value(30).run()
    assert "when 40% of the patches have given a record" in fine(page).info[0].value


def test_patches_of_another_kind_start_at_their_automatic_resolution() -> None:
    page = opened(budget="12", resolution="3")
    page.segmented_control(key="knob_patches").set_value("grid").run()
    assert "of them occupied by" in texts(fine(page)) and "resolution" not in page.query_params
    page.segmented_control(key="knob_mode").set_value("hand").run()
    assert fine(page).number_input(key="knob_resolution").label == "Patches a side of the grid"
    assert page.query_params["patches"] == "grid"


def test_more_even_patches_than_records_are_told_with_a_way_back() -> None:
    page = opened(resolution="61")
    assert "there are only 60 records to cut" in fine(page).error[0].value
    button(page, "Back to the default").click().run()
    assert "6 are kept" in texts(fine(page)) and "resolution" not in page.query_params


def test_the_papers_recipe_is_one_press_and_so_is_the_way_back(run: Path) -> None:
    page = fine(opened(budget="12", depth_target="0.5"))
    recipe = page.segmented_control(key="knob_recipe")
    assert recipe.value is None
    recipe.set_value("paper").run()
    assert {name: fine(page).query_params[name] for name in ("patches", "depth", "depth_target")} \
        == {"patches": "grid", "depth": "loss", "depth_target": "1"}  # fmt: skip
    shown = [metric.value for metric in page.metric]
    by_name = fine(opened(budget="12", method="paper"))
    assert [metric.value for metric in by_name.metric] == shown
    assert by_name.segmented_control(key="knob_recipe").value == "paper"
    page.segmented_control(key="knob_recipe").set_value("default").run()
    assert not {"patches", "depth", "depth_target"} & set(fine(page).query_params)


def test_the_kind_of_depth_moves_map_and_numbers(run: Path) -> None:
    page = opened(layer="depth", budget="12")
    assert "by loss reduction, beside others" in texts(fine(page))
    before = [metric.value for metric in page.metric]
    page.segmented_control(key="knob_depth").set_value("loss").run()
    assert "by loss, beside others" in texts(fine(page))
    assert "an answer that nobody could guess" in texts(page)
    assert [metric.value for metric in page.metric] != before
    wanted = describe(ila.select(ila.open(run), budget=12, depth="loss"), distances=False)
    depth = next(metric.value for metric in page.metric if metric.label == "Mean relative depth")
    assert depth == f"{wanted.mean_relative_depth:.1%}"
    page.segmented_control(key="knob_depth").set_value("loss-reduction").run()
    assert "depth" not in fine(page).query_params


def test_a_landscape_without_reduction_says_so_and_offers_no_choice(
    tmp_path: Path, run: Path
) -> None:
    folder = run.parent / "by_column"
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool())
    ila.build(pool, out=folder, projection="pca", loss="column:score")
    page = fine(opened(landscape=str(folder)))
    told = texts(page).replace("\\", "")
    assert "has no depth of the kind 'loss-reduction'; it has loss. Build it again" in told
    assert not [part for part in page.segmented_control if part.key == "knob_depth"]
    assert "an answer that nobody could guess" in told


def test_a_kind_of_depth_that_is_not_there_is_told_with_a_way_back() -> None:
    page = opened(depth="column")
    assert "has no depth of the kind 'column'" in fine(page).error[0].value.replace("\\", "")
    compared = fine(page.switch_page("screens/compare.py").run())
    assert compared.error and button(compared, "Back to the depth it has")
    page = opened(depth="column")
    button(page, "Back to the default").click().run()
    assert "6 are kept" in texts(fine(page))


def test_each_part_says_in_a_sentence_what_it_does() -> None:
    told = texts(fine(opened()))
    for part in ("keep the pool's own density", "can be learned", "outliers, are left out"):
        assert part in told


def test_every_method_runs_or_says_what_it_lacks() -> None:
    page = opened(budget="10")
    for name, listed in zip(*known_methods(page), strict=True):
        page.selectbox(key="knob_method").set_value(name).run()
        fine(page)
        about = methods()[name]
        assert listed.startswith(f"{name}: {about.rule}")
        assert f"{about.rule[1:]}. From {about.source}" in texts(page).replace("\\", "")
        assert ("cannot run here" in listed) == (name == "ifd")
        told = page.error[0].value if page.error else texts(page)
        assert "10 are kept" in told or name == "ifd", name
        if page.error:
            assert "needs the loss" in told
            lacks = texts(page).replace("\\", "")
            assert "It cannot run here: it needs the loss of the responses without" in lacks
            assert "and “Also the loss without the instruction”" in lacks
            button(page, "Back to ILA").click().run()


def known_methods(page: AppTest) -> tuple[list[str], list[str]]:
    """The names of the list of methods, and its lines."""
    listed = page.selectbox(key="knob_method").options
    return [line.partition(":")[0] for line in listed], listed


def test_a_slow_method_runs_beside_the_page_when_it_is_told_to(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selecting, "PATIENT", 50)
    started = []
    monkeypatch.setattr(picks.process, "launch", lambda *job: started.append(job))
    page = fine(opened(method="k-center", budget="20"))
    assert "k-center has not run for this budget" in texts(page).replace("\\", "")
    assert not page.metric and not page.get("plotly_chart") and not started
    exported = fine(page.switch_page("screens/export.py").run())
    assert button(exported, "Run it") and not started
    page = fine(page.switch_page("screens/map.py").run())
    button(page, "Run it").click().run()
    [(place, name, command)] = started
    beside.make(place / name)  # what the command does
    assert command[-1] == str(place / name)
    page.run()
    assert "20 are kept" in texts(fine(page))
    shown = [metric.value for metric in page.metric]
    page.number_input(key="knob_amount").set_value(10).run()
    assert "10 are kept" in texts(fine(page)) and len(started) == 1
    page.number_input(key="knob_amount").set_value(30).run()
    assert button(fine(page), "Run it")
    again = fine(opened(method="k-center", budget="20"))
    assert [metric.value for metric in again.metric] == shown


def test_a_slow_method_under_way_is_followed_and_can_be_stopped(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selecting, "PATIENT", 50)
    spec = find("k-center").applied(Spec("k-center", budget="20"))
    folder = picks.folder_of(tmp_path / "runs", ila.open(run), spec)
    folder.mkdir(parents=True)
    stage = {"stage": "k-center", "state": "running", "done": 12, "total": 20, "seconds": 2}
    told = {"state": "running", "pid": 1, "stages": [stage]}
    (folder / "progress.json").write_text(json.dumps(told))
    monkeypatch.setattr(picks.process, "alive", lambda pid: True)
    page = fine(opened(method="k-center", budget="20"))
    assert button(page, "Stop") and not any(one.label == "Run it" for one in page.button)
    told |= {"state": "failed", "message": "There is not enough memory."}
    (folder / "progress.json").write_text(json.dumps(told))
    page.run()
    assert "There is not enough memory." in fine(page).error[0].value
    assert button(page, "Run it")


def test_a_nested_budget_is_cut_from_one_order(run: Path) -> None:
    landscape = ila.open(run)
    few, many = (cache.selection(landscape, Spec("nested", budget=b)) for b in ("11", "31"))
    assert np.shares_memory(few.rows, many.rows)


def test_a_method_that_is_none_leaves_all_knobs() -> None:
    page = fine(opened(method="nope"))
    assert page.selectbox(key="knob_method").value == "ila"
    assert page.slider(key="knob_depth_target") and not page.error
    assert "6 are kept" in texts(page)


def test_a_link_shows_the_same_view() -> None:
    page = fine(opened(method="nested", budget="30", layer="both", depth_target="0.5"))
    assert page.selectbox(key="knob_method").value == "nested"
    assert page.segmented_control(key="knob_layer").value == "both"
    assert page.slider(key="knob_depth_target").value == 0.5
    assert "30 are kept" in texts(page)


def test_nonsense_in_a_link_is_told_once_and_passed_over() -> None:
    page = fine(opened(budget="lots", resolution="-3", layer="taste", cells="7", box="1,1,0,0"))
    assert "6 are kept" in texts(page)
    told = " ".join(note.value for note in page.toast).replace("\\", "")
    for part in ("budget=lots", "resolution=-3", "layer=taste", "cells=7", "box=1,1,0,0"):
        assert f"The link's {part} makes no sense" in told
    assert not fine(page.run()).toast


def test_an_unknown_method_in_a_link_is_said_and_the_knobs_stay() -> None:
    page = fine(opened(method="nope"))
    assert "Unknown method 'nope'" in page.toast[0].value.replace("\\", "")
    assert page.segmented_control(key="knob_patches").value == "even"


def test_a_budget_that_holds_no_record_is_told_on_every_screen() -> None:
    page = opened(budget="1-tokens")
    assert "less than the first record takes" in fine(page).error[0].value
    page.switch_page("screens/export.py").run()
    assert "less than the first record takes" in fine(page).error[0].value
    fine(page.switch_page("screens/compare.py").run())
    page = opened(budget="1-tokens")
    button(page, "Back to 10 per cent").click().run()
    assert "6 are kept" in texts(fine(page))


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_draws(layer: Layer) -> None:
    page = opened()
    page.segmented_control(key="knob_layer").set_value(layer).run()
    shown = map_of(fine(page))
    assert len(page.get("plotly_chart")) == (layer == "terrain")
    assert shown.get("hidden") if layer == "terrain" else shown["picture"]["bytes"]


def test_a_layer_of_differences_is_set_against_another_method() -> None:
    page = fine(opened(layer="difference", budget="12"))
    assert "blue places are kept more by ila, orange ones by random" in texts(page).lower()
    before = map_of(page)["picture"]["bytes"]
    page.selectbox(key="knob_against").set_value("longest").run()
    assert map_of(fine(page))["picture"]["bytes"] != before
    assert page.query_params["against"] == "longest"
    assert "ila" not in page.selectbox(key="knob_against").options


def test_the_map_shows_any_facet_that_tells_records_apart() -> None:
    page = fine(opened(layer="domain"))
    choice = page.selectbox(key="knob_colour")
    assert choice.value == "domain" and "Response tokens" in choice.options
    before = map_of(page)["picture"]["bytes"]
    page = fine(choice.set_value("tokens").run())
    assert page.query_params["colour"] == "tokens"
    assert "the mean around there of response tokens" in texts(page).lower()
    assert map_of(page)["picture"]["bytes"] != before
    assert "colour=depth makes no sense" in fine(opened(colour="depth")).toast[0].value


def test_fields_of_the_records_become_facets_of_the_page_and_of_the_map() -> None:
    page = fine(opened(layer="domain"))
    page = fine(page.segmented_control(key="knob_panel").set_value("facets").run())
    chosen = page.multiselect(key="knob_fields")
    assert "topic" in chosen.options
    page = fine(chosen.set_value(["field.topic"]).run())
    assert page.query_params["fields"] == "field.topic"
    assert "topic" in page.selectbox(key="knob_colour").options
    page = fine(page.selectbox(key="knob_colour").set_value("field.topic").run())
    assert "the topic that leads around there" in texts(page).lower()
    again = fine(opened(**dict(page.query_params)))
    assert again.selectbox(key="knob_colour").value == "field.topic"
    told = fine(opened(fields="field.nope", layer="domain"))
    assert any("Field 'nope' not found" in part.value for part in told.error)


def test_a_slow_method_is_set_against_others_once_it_has_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selecting, "PATIENT", 50)
    page = fine(opened(layer="difference", against="k-center"))
    assert "takes long on this pool" in page.info[0].value and map_of(page)["hidden"]


def test_random_is_set_against_another_method() -> None:
    page = fine(opened(layer="difference", method="random"))
    assert page.query_params["against"] == page.selectbox(key="knob_against").value != "random"


def test_a_method_that_cannot_run_leaves_the_map_without_a_difference() -> None:
    page = fine(opened(layer="difference", against="ifd"))
    assert "needs the loss" in page.error[0].value
    assert map_of(page)["hidden"]


# -- the map --------------------------------------------------------------------------------------


def test_window_region_and_record_survive_layer_budget_and_cells() -> None:
    place = {"region": "-1,-1,1,1", "box": "-2,-2,2,2", "record": "3"}
    page = fine(opened(**place))
    first = map_of(page)
    page.segmented_control(key="knob_layer").set_value("depth").run()
    page.number_input(key="knob_amount").set_value(50.0).run()
    page.selectbox(key="knob_cells").set_value(32).run()
    shown = map_of(fine(page))
    assert {name: page.query_params[name] for name in place} == place
    for part in ("window", "region", "extent", "names"):
        assert shown[part] == first[part], part
    assert first["cells"] is None and shown["cells"]["across"] == 32


def test_the_inspector_lists_the_same_records_whatever_the_budget() -> None:
    page = fine(opened(region="-0.3,-0.3,0.3,0.3", budget="10%"))
    before = listed(page)
    page.number_input(key="knob_amount").set_value(15.0).run()
    assert listed(fine(page)) == before
    page.selectbox(key="knob_cells").set_value(128).run()
    assert listed(fine(page)) == before


def listed(page: AppTest) -> set[str]:
    assert button(page, "Next") and not [b for b in page.button if b.label == "Next page"]
    return {line["row"] for line in list_of(page)["lines"]}


def test_the_map_draws_a_small_pool_record_by_record() -> None:
    shown = map_of(fine(opened()))
    assert shown["note"] == "all 60 records"
    assert len(shown["points"]["texts"]) == 60
    assert ["kept", "kept"] in shown["legend"]["signs"]


def test_what_a_hand_said_is_marked_on_the_map() -> None:
    page = opened(region=EVERYWHERE, record="3")
    assert set(map_of(page)["marks"]) == {"open"}
    button(page, "Exclude").click().run()
    assert set(map_of(fine(page))["marks"]) == {"open", "excluded"}
    button(page, "Pin").click().run()
    assert set(map_of(fine(page))["marks"]) == {"open", "pins"}


def test_a_run_that_changes_nothing_sends_the_same_map() -> None:
    page = opened(region=EVERYWHERE, layer="both")
    before = page.get("bidi_component")[0].proto
    assert fine(page.run()).get("bidi_component")[0].proto == before


def test_a_map_is_never_the_same_message_as_one_before_the_last() -> None:
    page = opened()
    seen = [map_of(page)]
    for layer in ("depth", "density", "depth"):
        page.segmented_control(key="knob_layer").set_value(layer).run()
        seen.append(map_of(fine(page)))
    assert [shown["turn"] for shown in seen] == [0, 1, 2, 3]
    assert seen[2] | {"turn": 0} == seen[0]


def test_beside_the_map_stand_records_facets_budget_and_the_table() -> None:
    page = fine(opened())
    panel = page.segmented_control(key="knob_panel")
    assert panel.options == ["Records", "Facets", "Budget", "Table"]
    for name, charts, panels in (("facets", 0, 2), ("budget", 1, 1), ("table", 0, 1)):
        page.segmented_control(key="knob_panel").set_value(name).run()
        assert len(fine(page).get("plotly_chart")) == charts
        assert len(page.get("bidi_component")) == panels  # the map is one of them
    assert page.dataframe[0].value["Records"].sum() == 60


def test_solving_for_a_budget_sets_the_knobs_that_cover_most() -> None:
    page = opened(budget="12", depth_target="1")
    before = coverage_of(page)
    page.segmented_control(key="knob_wish").set_value("budget").run()
    assert page.number_input(key="wished_records_12").value == 12
    button(page, "Find what covers most").click().run()
    assert coverage_of(fine(page)) >= before and "12 are kept" in texts(page)
    page.segmented_control(key="wished_unit").set_value("tokens").run()
    number = next(one for one in page.number_input if str(one.key).startswith("wished_tokens"))
    number.set_value(300).run()
    button(page, "Find what covers most").click().run()
    assert fine(page).query_params["budget"] == "300-tokens"
    tokens = next(metric.value for metric in page.metric if metric.label == "Response tokens")
    assert float(tokens) <= 300


def coverage_of(page: AppTest) -> float:
    return float(next(m.value for m in page.metric if m.label == "Coverage").rstrip("%"))


def test_solving_for_coverage_sets_the_budget() -> None:
    page = opened()
    page.number_input(key="wished").set_value(50.0).run()
    button(page, "Find the fewest records").click().run()
    coverage = float(next(m.value for m in fine(page).metric if m.label == "Coverage").rstrip("%"))
    assert coverage >= 50
    assert page.segmented_control(key="knob_unit").value == "records"


def test_the_map_says_how_much_of_a_selection_the_tuned_model_knows(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(run, tmp_path / "tuned")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["loss"]["tuned_rows"] = 7
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "tuned_rows.txt").write_text("".join(f"{row}\n" for row in range(7)))
    monkeypatch.setenv("ILA_APP_ROOTS", str(tmp_path))
    page = fine(opened(landscape=str(folder), budget="60"))
    assert "7 of them are records that the tuned model has learned from" in texts(page)


# -- the inspector --------------------------------------------------------------------------------


def test_a_place_in_the_link_opens_its_records() -> None:
    page = fine(opened(region=EVERYWHERE))
    assert "60 records, 6 kept" in texts(
        page
    ) and "The place you chose: chosen ones, then the deepest." in texts(page)
    assert "Kept" in texts(page)
    page = fine(opened(region=EVERYWHERE, record="17"))
    assert "row 17" in texts(page)
    assert page.query_params["record"] == "17"


def test_a_place_without_records_says_so() -> None:
    assert "No record in the place you chose" in texts(fine(opened(region="500,500,501,501")))


def test_without_a_place_all_records_are_listed_the_chosen_ones_first() -> None:
    page = fine(opened())
    assert "All 60 records, 6 kept" in texts(page) and "1 to 25" in texts(page)
    assert "**Kept" in texts(page) and "Click the map to read its records" in texts(page)


def test_records_are_listed_by_a_number_that_stands_in_the_link(run: Path) -> None:
    loss = ila.open(run).loss
    page = fine(opened(record="3"))
    page.selectbox(key="knob_sort").set_value("loss").run()
    rows = [line["row"] for line in list_of(fine(page))["lines"]]
    assert rows == np.argsort(-loss, kind="stable")[:25].tolist()
    assert page.query_params["sort"] == "loss" and "record" not in page.query_params
    assert list_of(page)["lines"][0]["note"] == f"loss {loss[rows[0]]:.4g}"
    page.segmented_control(key="knob_way").set_value("rising").run()
    assert list_of(fine(page))["lines"][0]["row"] == loss.argmin()
    assert "Lowest loss first." in texts(page)
    page.selectbox(key="knob_sort").set_value("").run()
    assert "Chosen ones first" in page.selectbox(key="knob_sort").options
    assert list_of(fine(page))["lines"][0]["kept"]
    assert "sort" not in page.query_params
    told = texts(opened(sort="field.topic"))
    assert "topic is no number; list the records by another one." in told
    assert list_of(fine(opened(sort="field.score")))["lines"][0]["note"] == "score 59"


def test_a_record_is_shown_with_all_its_fields_once_they_are_asked_for(pool: Path) -> None:
    page = opened(record="7")
    assert '"topic"' not in texts(fine(page))
    page.session_state["all_fields"] = True
    record = json.loads(pool.read_text().splitlines()[7])
    shown = [json.loads(part.value) for part in fine(page.run()).code if part.value[:1] == "{"]
    assert shown == [record]


def test_pages_and_records_are_walked_through_and_stand_in_the_link() -> None:
    page = fine(opened())
    assert button(page, "Page before").disabled and button(page, "Previous").disabled
    button(page, "Next").click().run()
    second = fine(page).query_params["record"]
    button(page, "Next page").click().run()
    assert "26 to 50" in texts(fine(page)) and page.query_params["record"] != second
    button(page, "Next page").click().run()
    assert "51 to 60" in texts(fine(page)) and button(page, "Next page").disabled
    button(page, "Previous").click().run()
    assert "26 to 50" in texts(fine(page))
    assert f"row {second}" in texts(fine(opened(record=second)))


def test_a_record_of_the_link_that_is_not_there_shows_the_first() -> None:
    assert "1 to 25" in texts(fine(opened(record="4000000")))


def test_pinned_and_excluded_records_go_into_the_selection_and_can_be_undone() -> None:
    page = opened(record="7")
    assert list_of(page)["open"] == 7
    button(page, "Exclude").click().run()
    assert "excluded by hand" in texts(fine(page)) and "1 excluded" in texts(page)
    assert {line["row"]: line["word"] for line in list_of(page)["lines"]}[7] == "excluded"
    button(page, "Pin").click().run()
    assert "pinned by hand" in texts(fine(page)) and "1 pinned" in texts(page)
    assert map_of(page)["marks"].keys() == {"pins", "open"}
    button(page, "Undo").click().run()
    assert "excluded by hand" in texts(fine(page))
    button(page, "Allow").click().run()
    assert "by hand" not in texts(fine(page)) and "nothing yet" in texts(page)
    button(page, "Undo").click().run()
    assert "excluded by hand" in texts(fine(page))


def test_the_list_stands_still_while_records_are_pinned_and_excluded() -> None:
    page = opened(budget="3", record="7")
    button(page, "Next").click().run()
    after = fine(page).query_params["record"]
    button(page, "Previous").click().run()
    assert fine(page).query_params["record"] == "7"
    button(page, "Pin").click().run()
    button(page, "Next").click().run()
    assert fine(page).query_params["record"] == after


def test_a_key_means_the_record_that_was_stepped_to_before_the_page_was_drawn() -> None:
    def stepped(page: AppTest, row: int) -> None:
        page.session_state["view"] = replace(page.session_state["view"], record=row)

    page = fine(opened())
    rows = [line["row"] for line in list_of(page)["lines"]]
    stepped(page, rows[5])
    button(page, "Next").click().run()
    assert list_of(fine(page))["open"] == rows[6]
    stepped(page, rows[9])
    button(page, "Previous").click().run()
    assert list_of(fine(page))["open"] == rows[8]
    stepped(page, rows[11])
    button(page, "Exclude").click().run()
    assert list_of(fine(page))["open"] == rows[11]
    words = {line["row"]: line["word"] for line in list_of(page)["lines"] if line["word"]}
    assert words == {rows[11]: "excluded"}


def test_a_key_means_the_drawn_record_where_another_list_is_on_its_way() -> None:
    page = fine(opened(region="-999,-999,0,999"))
    drawn = list_of(page)["open"]
    everywhere = [line["row"] for line in list_of(fine(opened()))["lines"]]
    away = next(row for row in everywhere if row not in [r["row"] for r in list_of(page)["lines"]])
    for record in (None, away):
        page.session_state["view"] = replace(page.session_state["view"], record=record)
        button(page, "Pin").click().run()
        words = {line["row"]: line["word"] for line in list_of(fine(page))["lines"] if line["word"]}
        assert words == {drawn: "pinned"}
        button(page, "Undo").click().run()


def test_a_place_is_kept_or_dropped_as_a_whole() -> None:
    page = opened(region="-999,-999,0,999", budget="80%")
    drop = next(part for part in page.button if part.key == "drop_region")
    n = int(drop.label.split()[-1])
    assert 0 < n < 60
    drop.click().run()
    assert f"{n} excluded" in texts(fine(page)) and ", 0 kept" in texts(page)
    next(part for part in page.button if part.key == "keep_region").click().run()
    assert f"{n} pinned" in texts(fine(page)) and f", {n} kept" in texts(page)
    button(page, "Undo").click().run()
    assert f"{n} excluded" in texts(fine(page))
    next(part for part in page.button if part.key == "free_region").click().run()
    assert "nothing yet" in texts(fine(page))


# -- one's own selection --------------------------------------------------------------------------


def test_a_reload_and_another_screen_find_what_was_settled_and_take_it_back() -> None:
    page = opened(record="7")
    button(page, "Pin").click().run()
    link = fine(page).query_params["mine"]
    page.switch_page("screens/export.py").run()
    assert "1 pinned" in texts(fine(page)) and "by hand 1 pinned" in texts(page)
    again = fine(opened(mine=link))
    assert "1 pinned" in texts(again)
    next(part for part in again.button if part.key == "undo_mine").click().run()
    assert "nothing yet" in texts(fine(again))


def test_no_visitor_meets_what_another_has_settled() -> None:
    first, second = opened(record="7"), opened(record="8")
    button(first, "Pin").click().run()
    button(second, "Exclude").click().run()
    assert first.query_params["mine"] != second.query_params["mine"]
    assert "1 pinned" in texts(fine(first.run())) and "1 excluded" in texts(fine(second.run()))
    assert "nothing yet" in texts(fine(opened()))
    guest = opened(mine=first.query_params["mine"], record="9")
    button(guest, "Exclude").click().run()
    assert "1 pinned, 1 excluded" in texts(fine(guest))
    assert guest.query_params["mine"] != first.query_params["mine"]
    assert "1 excluded" not in texts(fine(opened(mine=first.query_params["mine"])))


def test_it_is_saved_opened_and_deleted_by_name() -> None:
    page = opened(record="7")
    button(page, "Pin").click().run()
    page.text_input(key="mine_name").set_value("my best").run()
    next(part for part in page.button if part.key == "save_mine").click().run()
    assert "**my best**" in texts(fine(page)) and page.query_params["mine"] == "my best"
    button(page, "Next").click().run()
    button(page, "Exclude").click().run()
    assert "**my best, changed**" in texts(fine(page)) and page.query_params["mine"] != "my best"

    other = fine(opened(mine="my best"))
    assert "1 pinned" in texts(other) and "excluded" not in texts(other)
    button(other, "Exclude").click().run()
    assert fine(other).query_params["mine"] != "my best"
    other.text_input(key="mine_name").set_value("my best").run()
    next(part for part in other.button if part.key == "save_mine").click().run()
    told = texts(fine(other)).replace("\\", "")
    assert "There is one named my best already: replace it" in told
    next(part for part in other.button if part.key == "replace_mine").click().run()
    assert fine(other).query_params["mine"] == "my best"

    next(part for part in page.button if part.key == "open_mine_my best").click().run()
    assert fine(page).query_params["mine"] == "my best"
    next(part for part in page.button if part.key == "delete_mine_my best").click().run()
    assert "**My selection**" in texts(fine(page)) and page.query_params["mine"].startswith("~")
    assert "There is no selection named 'my best'" in texts(fine(opened(mine="my best"))).replace(
        "\\", ""
    )


@pytest.mark.parametrize("name", ["~AAAAAAAAAAAAAAAAAAAAAA", "absent", "../../manifest", "~x"])
def test_a_selection_of_a_link_that_cannot_be_found_is_told(name: str) -> None:
    page = fine(opened(mine=name))
    assert page.error and "nothing yet" in texts(page)


def test_rules_and_quotas_are_added_told_and_taken_away() -> None:
    page = opened(budget="12")
    page.session_state["rules_panel"] = True  # opened by a click
    page.run()
    page.selectbox(key="rule_by").set_value("tokens").run()
    page.number_input(key="rule_low_tokens").set_value(4.0).run()
    next(part for part in page.button if part.key == "rule_only").click().run()
    told = texts(fine(page)).replace("\\", "")
    assert "Only Response tokens from 4" in told and "1 rule" in told
    page.number_input(key="rule_low_tokens").set_value(6.0).run()
    page.text_input(key="quota_least").set_value("50%").run()
    next(part for part in page.button if part.key == "rule_quota").click().run()
    told = texts(fine(page)).replace("\\", "")
    assert "1 rule, 1 quota" in told and "Response tokens from 6: 50% to all" in told
    assert "tokens:6..=50%..; " in told and "6 to 12 asked for" in told
    page.text_input(key="quota_least").set_value("many").run()
    next(part for part in page.button if part.key == "rule_quota").click().run()
    assert "ends at 'many'" in fine(page).error[0].value.replace("\\", "")
    next(part for part in page.button if part.key == "drop_tokens=4..").click().run()
    assert "1 quota" in texts(fine(page)) and "1 rule" not in texts(page)


def test_filters_become_rules_and_one_is_dropped_by_its_others() -> None:
    page = opened(filter="tokens=4..")
    button(page, "Choose only among these").click().run()
    assert "1 rule" in texts(fine(page)) and "filter" not in page.query_params
    name = ila.open(Path(os.environ["ILA_APP_OPEN"])).domain_names[0]
    page = opened(filter=str(Rule("domain", (name,))))
    next(part for part in page.button if part.key == "drop_region").click().run()
    assert "1 rule" in texts(fine(page)) and "excluded" not in texts(page)
    assert ", 0 kept" in texts(page)


def test_a_quota_that_cannot_be_met_is_told_with_a_way_back() -> None:
    page = opened(quotas="tokens:1..=100..")
    assert "asks for 100 records" in fine(page).error[0].value
    next(part for part in page.button if part.key == "undo_mine").click().run()
    assert not fine(page).error and "6 are kept" in texts(page)


def test_quotas_that_leave_fewer_than_the_budget_are_told() -> None:
    page = fine(opened(budget="60", quotas="tokens:6..=..5"))
    assert "Your quota lets" in texts(page) and "where the budget holds 60" in texts(page)
    assert "where the budget holds" not in texts(fine(opened(budget="60")))


def test_rules_of_a_link_become_the_visitors_own() -> None:
    page = fine(opened(only="tokens=4.."))
    assert "1 rule" in texts(page) and "only" not in page.query_params
    assert "1 rule" in texts(fine(opened(mine=page.query_params["mine"])))


def test_text_of_records_is_never_read_as_markup(tmp_path: Path, run: Path) -> None:
    from ila_core.pipeline.build import build

    records = [
        {**record, "instruction": f"<b onclick='x'>*{i}*</b> $x$ :smile:"}
        for i, record in enumerate(small_pool(20))
    ]
    folder = run.parent / "marked"
    build(write_jsonl(tmp_path / "marked.jsonl", records), out=folder, projection="pca")
    page = fine(opened(landscape=str(folder), region=EVERYWHERE))
    assert any("<b onclick='x'>" in code.value for code in page.code)
    marks = [part.value for part in (*page.markdown, *page.caption)]
    assert not any("<b" in mark for mark in marks)


def test_the_table_of_patches_names_the_domain_that_colours_the_map() -> None:
    places = [(0, 0)] * 2 + [(3, 3)] * 2
    pool = Landscape.from_arrays(places, domain=[1, 0, 2, 1], domain_names=["a", "b", "c"])
    cells = count(pool, frame(pool, pool.grid(3)))
    lead = leading(pool, cells)
    kept = Kept(np.zeros(2, int), np.zeros(2))
    assert [lead.names[k] for k in lead.domain] == ["a", "b"]  # ties go to the first
    assert cell_table(cells, kept, lead)["Region"].tolist() == ["a", "b"]


# -- the first minute -----------------------------------------------------------------------------


def test_a_first_visitor_is_offered_ten_kept_and_ten_left_records(
    run: Path, tmp_path: Path
) -> None:
    page = fine(opened(budget="12"))
    assert "10 records that it keeps, each beside one that it leaves" in texts(page)
    button(page, "Show me").click().run()
    told = texts(fine(page))
    found = pairs(ila.select(ila.open(run), budget=12))
    assert told.count("Relative depth") >= 20
    for pair in found:
        for row in pair:
            assert ila.select(ila.open(run), budget=12).why(row).sentence in told.replace("\\", "")
    page = fine(opened(budget="12"))
    page.button(key="guide_close").click().run()
    assert "First time here?" not in texts(fine(page))
    assert "First time here?" not in texts(fine(opened()))


def test_the_first_minute_is_not_offered_where_all_is_kept() -> None:
    assert "First time here?" not in texts(fine(opened(budget="100%")))
