"""The charts of a study, by their content."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from studies_made import FOUND

from draw.curves import predictions, scaling, series_style
from draw.layers import Theme
from parts import study_tables as tables


def test_a_line_a_method_is_drawn_with_bars_on_a_log_axis() -> None:
    lines = tables.scaling_lines(FOUND, "records", "micro")
    figure = scaling(lines, axis="records")
    assert [trace.name for trace in figure.data] == ["random", "ila", "ila q=0.5", "deita"]
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.tickvals) == [10, 20, 50, 100]
    assert figure.data[0].error_y.array == pytest.approx([math.sqrt(0.02)] * 2)
    assert figure.data[0].line.dash == "dash" and figure.data[2].line.dash == "dot"
    assert figure.data[1].line.color == figure.data[2].line.color


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_differ_in_colour_and_mark(theme: Theme) -> None:
    names = ["random", "coverage-only", "depth-only", "ila", "nested", "deita"]
    styles = series_style(names, theme)
    for what in ("color", "symbol"):
        assert len({styles[name][what] for name in names}) == len(names)


def test_predictions_stand_round_the_line_of_equality() -> None:
    actual, predicted = np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.0, 2.5])
    figure = predictions(actual, predicted)
    line, points = figure.data
    assert list(line.x) == list(line.y)
    assert np.allclose(points.x, predicted) and np.allclose(points.y, actual)
    assert line.x[0] < 1.0 and line.x[1] > 3.0
    assert json.loads(predictions(np.zeros(0), np.zeros(0)).to_json())["data"]
