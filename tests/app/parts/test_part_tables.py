"""The table of a comparison, by what a reader finds in it."""

from __future__ import annotations

import io
import math

import numpy as np
import pandas as pd
import pytest
from app_helpers import compared_pool, read_table

import ila_core as ila
from draw.theme import INKS, TONES
from ila_core.landscape.landscape import Landscape
from ila_core.measure.compare import Comparison
from parts import tables
from parts.texts import DASH

BY_KEY = {number.key: number for number in tables.NUMBERS}


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared_pool()


def written(comparison: Comparison) -> tuple[pd.DataFrame, list[list[str]]]:
    """The bare table, and the texts that a reader sees in it."""
    bare = tables.table_frame(comparison, tables.NUMBERS)
    styled = tables.beside_random(bare, comparison, tables.NUMBERS, [], "light")
    return bare, read_table(styled)


def test_random_stands_with_its_spread_and_the_others_with_their_difference(
    comparison: Comparison,
) -> None:
    bare, texts = written(comparison)
    numbers = comparison["random"].numbers
    assert texts["Coverage"]["random"] == (
        f"{numbers['coverage']:.1%} ± {100 * numbers['coverage_std']:.1f}"
    )
    own = comparison["ila"].numbers["coverage"]
    gap = 100 * (own - numbers["coverage"])
    assert " ".join(texts["Coverage"]["ila"].split()) == f"{own:.1%} {gap:+.1f}"
    ratio = comparison["longest"].numbers["tokens"] / numbers["tokens"] - 1
    assert texts["Tokens"]["longest"].endswith(f"{ratio:+.0%}")
    assert bare.set_index("Method")["Coverage"]["ila"] == own  # it sorts by numbers


def test_a_missing_number_is_a_dash_without_a_difference() -> None:
    bare = Landscape.from_arrays(np.random.default_rng(0).random((40, 2)))
    _, texts = written(ila.compare(bare, budget=8, methods=["ila", "loss-top"]))
    assert list(texts.index) == ["random", "ila"]
    assert set(texts["Fidelity"]) == set(texts["Distance"]) == {DASH}


@pytest.mark.parametrize(
    ("key", "value", "how"),
    [
        ("coverage", 0.60, "better"), ("coverage", 0.40, "worse"), ("coverage", 0.519, "within"),
        ("coverage", 0.481, "within"), ("embedding_distance_mean", 0.40, "better"),
        ("embedding_distance_mean", 0.60, "worse"), ("tokens", 0.9, ""), ("coverage", math.nan, ""),
    ],
)  # fmt: skip
def test_better_and_worse_count_beyond_twice_the_spread(key: str, value: float, how: str) -> None:
    for theme in ("light", "dark"):
        better, worse = TONES[theme]
        style = tables.tone(BY_KEY[key], value, 0.5, 0.01, theme)
        assert style == {
            "better": f"color: {better}; font-weight: 600", "worse": f"color: {worse}", "": "",
            "within": f"color: {INKS[theme].muted}",
        }[how]  # fmt: skip


def test_the_csv_holds_every_number_of_the_json(comparison: Comparison) -> None:
    found = pd.read_csv(io.BytesIO(tables.csv_of(comparison))).set_index("name")
    for told in comparison.as_dict()["methods"]:
        line = found.loc[told["name"]]
        assert line["rows"] == told["rows"] == 90
        assert line["coverage"] == pytest.approx(told["coverage"])
        assert line["fidelity_by_grid_512"] == pytest.approx(told["fidelity_by_grid"]["512"])
    assert found["coverage_std"].notna().tolist() == [True] + [False] * 10


def test_the_other_grids_are_a_column_each(comparison: Comparison) -> None:
    found = tables.grid_frame(comparison, "coverage").set_index("Method")
    assert found["256 × 256"]["random"] == comparison["random"].numbers["coverage"]
    assert (found["32 × 32"] >= found["512 × 512"]).all()
