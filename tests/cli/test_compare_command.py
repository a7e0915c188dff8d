"""`ila compare`: the table, the one JSON object, and how far it is."""

from __future__ import annotations

import json
from pathlib import Path

from command import cli
from studies_made import advising

import ila_core as ila
from ila_core.selection.spec import Spec
from ila_core.studies.advice import Advice


def test_compare_prints_one_row_a_method(run: Path) -> None:
    found = json.loads(cli("compare", run, "--budget", 12, "--json").stdout)
    names = [method["name"] for method in found["methods"]]
    assert len(names) == 11 and names[0] == "random"
    assert all(method["rows"] == 12 for method in found["methods"])
    assert found["methods"][0]["coverage_std"] >= 0
    assert found["overlap"]["ila"]["ila"] == 1
    assert "nested" in cli("compare", run, "--budget", 12, "--methods", "nested").stdout


def test_compare_tells_how_far_it_is_beside_its_one_object(run: Path) -> None:
    done = cli("compare", run, "--budget", 12, "--methods", "ila", "--novelty", "--json")
    assert "compare: ila, 2 of 2 methods" in done.stderr
    found = json.loads(done.stdout)
    assert [method["novelsum"] > 0 for method in found["methods"]] == [True, True]


def test_compare_takes_over_what_a_study_advises(run: Path, tmp_path: Path) -> None:
    advice = Advice(Spec(patches="grid", depth="loss", depth_target=0.5), True, 0.125, 0.25)
    study = advising(ila.open(run), tmp_path / "study", advice)
    done = cli("compare", run, "--budget", 12, "--methods", "ila", "--advice", study, "--json")
    row = json.loads(done.stdout)["methods"][1]
    assert (row["name"], row["patches"], row["depth_target"]) == ("ila", "grid", 0.5)
    assert "note: Advice: --patches grid --depth loss --depth-target 0.5." in done.stderr
