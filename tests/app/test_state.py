"""The view and its link, chart events, and which paths may be opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import state
from cells import Box
from ila_core.errors import IlaError, UsageError

VIEWS = st.builds(
    state.View,
    landscape=st.sampled_from(["sample", "/some/where"]),
    method=st.sampled_from(["ila", "nested", "random"]),
    budget=st.sampled_from(["10%", "500", "20000-tokens"]),
    resolution=st.one_of(st.just("auto"), st.integers(1, 8192)),
    depth_target=st.sampled_from([0.0, 0.5, 0.75, 1.0]),
    seed=st.integers(0, 99),
    layer=st.sampled_from(["density", "depth", "coverage", "both", "domain"]),
    cells=st.sampled_from([32, 64, 96, 128]),
    box=st.sampled_from([None, Box(-1.5, 0.25, 2.0, 3.0)]),
    patch=st.lists(st.integers(0, 16383), max_size=5, unique=True).map(lambda p: tuple(sorted(p))),
    methods=st.sampled_from([(), ("random",), ("random", "ila", "k-center")]),
    pair=st.sampled_from([(), ("ila", "random"), ("deita", "nested")]),
    study=st.sampled_from(["", "/some/where/study"]),
)


@given(VIEWS)
def test_a_link_carries_the_whole_view(view: state.View) -> None:
    assert state.from_query(state.to_query(view)) == view


def test_the_first_screen_needs_no_parameters() -> None:
    assert state.to_query(state.View()) == {}


def test_a_view_of_very_many_cells_leaves_them_out_of_the_link() -> None:
    assert "patch" not in state.to_query(state.View(patch=tuple(range(500))))


@pytest.mark.parametrize(
    "query",
    [
        {"resolution": "0"}, {"resolution": "9000"}, {"depth_target": "2"}, {"layer": "taste"},
        {"pair": "ila"}, {"pair": "a,b,c"}, {"methods": ","},
        {"box": "0,0,inf,inf"}, {"box": "-inf,0,1,1"}, {"box": "nan,nan,nan,nan"},
        {"cells": "7"}, {"box": "1,2,3"}, {"box": "3,0,1,1"}, {"patch": "a"}, {"seed": "-1"},
        {"patch": "-1"}, {"patch": "99999999999999999999"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_in_a_link_is_left_at_its_default(query: dict[str, str]) -> None:
    assert state.from_query(query) == state.View()


def event(*points: object, **shapes: object) -> dict[str, object]:
    return {"selection": {"points": [{"customdata": point} for point in points], **shapes}}


def test_cells_are_read_from_any_form_of_customdata() -> None:
    assert state.picked_cells(event([7, 1, 2], {"0": 3, "1": 9}, 5)) == (3, 5, 7)
    assert state.picked_cells({}) == ()
    assert state.picked_cells(event(None, [])) == ()


def test_the_last_box_or_lasso_is_the_window() -> None:
    box = {"x": [5.0, 2.0], "y": [1.0, 4.0]}
    assert state.picked_box(event(box=[box])) == ((2.0, 5.0), (1.0, 4.0))
    lasso = {"x": [0, 3, 1], "y": [2, 9, 5]}
    assert state.picked_box(event(lasso=[lasso])) == ((0, 3), (2, 9))
    assert state.picked_box(event([1])) is None


def test_only_paths_under_the_folders_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "pool.jsonl").touch()
    (tmp_path / "secret").touch()
    (inside / "link").symlink_to(tmp_path / "secret")
    monkeypatch.setenv("ILA_APP_ROOTS", str(inside))
    assert state.allowed(str(inside / "pool.jsonl")) == (inside / "pool.jsonl").resolve()
    for path in ("/etc/hostname", f"{inside}/../secret", f"{inside}/link", "\0"):
        with pytest.raises(UsageError):
            state.allowed(path)
    with pytest.raises(UsageError, match="does not exist"):
        state.allowed(str(inside / "absent"))


def test_a_folder_that_is_no_landscape_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_APP_ROOTS", str(tmp_path))
    with pytest.raises(IlaError, match="no finished landscape"):
        state.run_of(state.View(landscape=str(tmp_path)))
