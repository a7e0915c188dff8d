"""Selections that are made in a process of their own: what their folder says and holds."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ila_core as ila
from ila_core.errors import IlaError
from ila_core.methods import beside
from ila_core.methods.facility import facility_location
from ila_core.methods.registry import find, methods
from ila_core.methods.select import select_by
from ila_core.progress import listening
from ila_core.selection.spec import Spec


def wanted(method: str, budget: str, **more: object) -> Spec:
    return find(method).applied(Spec(method=method, budget=budget, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["facility-location", "k-means"])
def test_a_process_leaves_the_selection_that_would_be_made_here(
    run: Path, tmp_path: Path, method: str
) -> None:
    spec, landscape = wanted(method, "12", excluded=(3,), pinned=(7, 5)), ila.open(run)
    folder = tmp_path / "one"
    folder.mkdir()
    beside.ask(folder, run, spec)
    assert beside.made(folder, landscape, spec) is None
    done = subprocess.run([sys.executable, "-m", "ila_core.methods.beside", str(folder)])
    assert done.returncode == 0
    made, here = beside.made(folder, landscape, spec), select_by(landscape, spec)
    assert made is not None and made.rows.tolist() == here.rows.tolist()
    assert (made.spec, made.filled) == (here.spec, here.filled)
    assert json.loads((folder / "progress.json").read_text())["state"] == "done"


def test_one_folder_serves_all_smaller_budgets_of_a_method_whose_picks_extend_each_other(
    run: Path, tmp_path: Path
) -> None:
    landscape, folder = ila.open(run), tmp_path / "one"
    folder.mkdir()
    large = wanted("k-center", "30")
    beside.ask(folder, run, large)
    beside.make(folder)
    for budget in ("10", "20%", "40-tokens"):
        spec = replace(large, budget=budget)
        assert beside.place_of(landscape, spec) == beside.place_of(landscape, large)
        found = beside.made(folder, landscape, spec)
        assert found is not None
        assert found.rows.tolist() == select_by(landscape, spec).rows.tolist()
        assert found.spec.budget == budget
    assert beside.made(folder, landscape, replace(large, budget="31")) is None
    assert beside.made(folder, landscape, replace(large, budget="1M-tokens")) is None
    beside.ask(folder, run, replace(large, budget="31"))  # what is there stays until it is made
    assert beside.made(folder, landscape, replace(large, budget="31")) is None


def test_a_method_that_chooses_anew_has_a_folder_for_every_budget(
    run: Path, tmp_path: Path
) -> None:
    landscape, folder = ila.open(run), tmp_path / "one"
    folder.mkdir()
    large = wanted("k-means", "30")
    beside.ask(folder, run, large)
    beside.make(folder)
    small = replace(large, budget="10")
    assert beside.place_of(landscape, small) != beside.place_of(landscape, large)
    assert beside.made(folder, landscape, small) is None


def test_a_method_that_lacks_something_says_so_in_its_folder(run: Path, tmp_path: Path) -> None:
    beside.ask(tmp_path, run, wanted("ifd", "5"))
    with pytest.raises(IlaError, match="ifd needs the loss of the responses without"):
        beside.make(tmp_path)
    told = json.loads((tmp_path / "progress.json").read_text())
    assert told["state"] == "failed" and "--unconditional" in told["message"]
    with pytest.raises(IlaError, match="asks for no selection"):
        beside.asked(tmp_path / "nowhere")


def test_a_long_method_tells_how_far_it_is(run: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    with listening(lambda done, total: heard.append((done, total))):
        facility_location(ila.open(run), 9, 0)
    assert heard == [(k, 9) for k in range(1, 10)]


def test_the_registry_knows_which_methods_take_long() -> None:
    slow = {name for name, one in methods().items() if one.speed == "minutes"}
    assert {"facility-location", "qdit", "k-center", "k-means", "semdedup"} <= slow
    quick = {name for name, one in methods().items() if one.speed == "moments"}
    assert {"random", "ila", "nested", "paper", "depth-only", "ifd"} <= quick
    mine = replace(find("random"), home="my_package:random")
    assert mine.speed == "minutes"
    assert np.all([one.speed != "minutes" for one in methods().values() if one.compared])
