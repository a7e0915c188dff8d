"""The lines and tables of a study, by what a reader finds in them."""

from __future__ import annotations

import math

import pytest
from app_helpers import read_table
from studies_made import FOUND

from draw.curves import depth_sweep
from draw.theme import TONES
from ila_core.selection.spec import Spec
from ila_core.studies.findings import ILA
from ila_core.studies.variant import Variant
from parts import study_tables as tables
from parts.texts import DASH


def test_the_curves_are_means_with_their_spread_in_ascending_budgets() -> None:
    lines = {line.name: line for line in tables.scaling_lines(FOUND, "records", "micro")}
    assert list(lines) == ["random", "ila", "ila q=0.5", "deita"]
    assert lines["random"].x == [10, 100] and lines["random"].notes == ["10", "100"]
    assert lines["random"].y == pytest.approx([5.1, 4.1])
    assert lines["random"].spread == pytest.approx([math.sqrt(0.02)] * 2)
    assert lines["deita"].x == [100]
    macro = tables.scaling_lines(FOUND, "records", "macro")
    assert macro[0].y == pytest.approx([6.1, 5.1])


def test_losses_say_who_beats_random_and_who_is_lowest() -> None:
    shown = tables.losses(FOUND, "records", "micro", "light")
    texts = read_table(shown.styled)
    assert texts["10"]["random"] == "5.100 ± 0.141"
    assert " ".join(texts["100"]["ila"].split()) == "3.600 ± 0.141 -0.500"
    assert texts["10"]["deita"] == DASH
    better, worse = TONES["light"]
    style = shown.styles.set_index(shown.values["Method"])
    assert f"color: {worse}" in style["10"]["ila"] and f"color: {better}" in style["100"]["ila"]
    assert "font-weight: 700" in style["100"]["ila q=0.5"]
    assert "font-weight" not in style["100"]["ila"]
    assert "color" not in style["100"]["deita"]  # its sign differs from seed to seed


def test_the_sweep_is_ila_less_random() -> None:
    lines, rows = tables.sweep_lines(
        FOUND, "records", "micro", [ILA, Variant(Spec("ila", depth_target=0.5))]
    )
    by_budget = {line.name: line for line in lines}
    assert by_budget["100"].x == [0.5, 0.75]
    assert by_budget["100"].y == pytest.approx([-1.0, -0.5])
    assert by_budget["10"].y == pytest.approx([0.0, 0.3])
    assert [(row["Budget"], row["q"], row["Tokens"]) for row in rows] == [
        ("100", 0.5, 1000), ("100", 0.75, 1000), ("10", 0.5, 100), ("10", 0.75, 100),
    ]  # fmt: skip
    figure = depth_sweep(lines)
    assert [trace.name for trace in figure.data] == ["100", "10"]
    assert figure.layout.annotations[0].text == "random"
