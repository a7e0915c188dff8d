"""The tables and figures of the Compare and the Study screen, by what a reader finds in them."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from pandas.io.formats.style import Styler

import figures
import ila_core as ila
import tables
from cells import Cells, Kept, draw, frame, kept
from ila_core.landscape.landscape import Landscape
from ila_core.methods import Comparison
from ila_core.studies import Study

BY_KEY = {number.key: number for number in tables.NUMBERS}


@pytest.fixture(scope="module")
def pool() -> Landscape:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(900, 8))
    return Landscape.from_arrays(
        rng.normal(size=(900, 2)), relative_depth=rng.random(900), depth=rng.random(900),
        loss=rng.random(900), tokens=rng.integers(1, 90, 900), domain=rng.integers(0, 4, 900),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )  # fmt: skip


@pytest.fixture(scope="module")
def comparison(pool: Landscape) -> Comparison:
    return ila.compare(pool, budget=90)


@pytest.fixture(scope="module")
def shown(pool: Landscape, comparison: Comparison) -> tuple[Cells, dict[str, Kept]]:
    selections = {row.name: row.selection for row in comparison.done}
    found = draw(pool, frame(pool, selections["random"].shown_grid, side=32))
    return found, {name: kept(found, chosen) for name, chosen in selections.items()}


# -- the table of a comparison --------------------------------------------------------------------


def written(comparison: Comparison) -> tuple[pd.DataFrame, list[list[str]]]:
    """The bare table, and the texts that a reader sees in it."""
    bare = tables.table_frame(comparison, tables.NUMBERS)
    styled = tables.beside_random(bare, comparison, tables.NUMBERS, [], "light")
    return bare, read(styled)


def read(styled: Styler) -> pd.DataFrame:
    """The texts of a table as they are shown, by method."""
    lines = styled.hide(axis="index").to_string(delimiter="|").strip().splitlines()
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return pd.DataFrame(rows, columns=head).set_index("Method")


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
    assert set(texts["Fidelity"]) == set(texts["Distance"]) == {tables.DASH}


@pytest.mark.parametrize(
    ("key", "value", "how"),
    [
        ("coverage", 0.60, "better"), ("coverage", 0.40, "worse"), ("coverage", 0.519, ""),
        ("coverage", 0.481, ""), ("embedding_distance_mean", 0.40, "better"),
        ("embedding_distance_mean", 0.60, "worse"), ("tokens", 0.9, ""), ("coverage", math.nan, ""),
    ],
)  # fmt: skip
def test_better_and_worse_count_beyond_twice_the_spread(key: str, value: float, how: str) -> None:
    for theme in ("light", "dark"):
        better, worse = figures.TONES[theme]
        style = tables.tone(BY_KEY[key], value, 0.5, 0.01, theme)
        assert style == {
            "better": f"color: {better}; font-weight: 600", "worse": f"color: {worse}", "": "",
        }[how]  # fmt: skip


def test_the_csv_holds_every_number_of_the_json(comparison: Comparison) -> None:
    found = pd.read_csv(io.BytesIO(tables.csv_of(comparison))).set_index("name")
    for told in comparison.as_dict()["methods"]:
        line = found.loc[told["name"]]
        assert line["rows"] == told["rows"] == 90
        assert line["coverage"] == pytest.approx(told["coverage"])
        assert line["fidelity_by_grid_512"] == pytest.approx(told["fidelity_by_grid"]["512"])
    assert found["coverage_std"].notna().tolist() == [True] + [False] * 8


def test_the_other_grids_are_a_column_each(comparison: Comparison) -> None:
    found = tables.grid_frame(comparison, "coverage").set_index("Method")
    assert found["256 × 256"]["random"] == comparison["random"].numbers["coverage"]
    assert (found["32 × 32"] >= found["512 × 512"]).all()


# -- small maps, the difference, the overlap ------------------------------------------------------


def test_small_maps_are_on_one_scale(shown: tuple[Cells, dict[str, Kept]]) -> None:
    cells, of = shown
    figure = figures.small_maps(cells, list(of.items()))
    heats = figure.data
    assert len(heats) == 9
    assert {heat.coloraxis for heat in heats} == {"coloraxis"}
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    for heat, part in zip(heats, of.values(), strict=True):
        level = np.asarray(heat.z)[cells.row, cells.column]
        assert np.allclose(level, part.share, atol=6e-4)
    assert np.isnan(np.asarray(heats[0].z)).sum() == np.asarray(heats[0].z).size - len(cells)
    assert [note.text for note in figure.layout.annotations] == list(of)
    assert {heat.type for heat in heats} == {"heatmap"}  # no WebGL: a page has one map of that


def test_small_maps_of_records_share_the_largest_count(
    shown: tuple[Cells, dict[str, Kept]],
) -> None:
    cells, of = shown
    figure = figures.small_maps(cells, list(of.items()), what="records")
    top = max(part.records.max() for part in of.values())
    assert figure.layout.coloraxis.cmax == pytest.approx(np.log10(1 + top))
    level = np.asarray(figure.data[0].customdata)[cells.row, cells.column]
    assert level.tolist() == of["random"].records.tolist()


def test_sixteen_small_maps_travel_in_less_than_300_kilobytes() -> None:
    rng = np.random.default_rng(0)
    everywhere = np.indices((48, 48)).reshape(2, -1).T + 0.5
    full = Landscape.from_arrays(everywhere.repeat(3, axis=0))
    cells = draw(full, frame(full, full.grid(4000), side=48))
    part = Kept(rng.integers(0, 4, len(cells)), rng.random(len(cells)))
    figure = figures.small_maps(cells, [(f"method {k}", part) for k in range(16)])
    assert len(figure.to_json()) < 300_000


@pytest.mark.parametrize("what", ["share", "records"])
def test_the_difference_is_nought_in_the_middle(
    shown: tuple[Cells, dict[str, Kept]], what: str
) -> None:
    cells, of = shown
    names = ("ila", "<random>")
    figure = figures.difference_map(cells, of["ila"], of["random"], names=names, what=what)
    level = np.asarray(figure.data[0].z)[cells.row, cells.column].astype(int)
    gap = getattr(of["ila"], what) - getattr(of["random"], what)
    assert (level[gap == 0] == 128).all()
    assert (level[gap > 0] > 128).all() and (level[gap < 0] < 128).all()
    assert figure.layout.xaxis2.ticktext[1] == "0"
    assert "more by &lt;random&gt;" in figure.layout.annotations[0].text


def test_the_difference_answers_clicks_with_its_cells(
    shown: tuple[Cells, dict[str, Kept]],
) -> None:
    cells, of = shown
    figure = figures.difference_map(cells, of["ila"], of["random"], names=("ila", "random"))
    markers = figure.data[1]
    assert np.asarray(markers.customdata)[:, 0].tolist() == cells.number.tolist()
    assert np.asarray(markers.customdata)[:, 2].tolist() == of["ila"].records.tolist()
    assert figure.layout.clickmode == "event+select" and figure.layout.dragmode == "pan"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_difference_scale_runs_one_way_to_either_side(theme: figures.Theme) -> None:
    stops = [colour for _, colour in figures.ramp("difference", theme)]
    parts = [[int(part) for part in colour[4:-1].split(",")] for colour in stops]
    lightness = np.array([0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in parts])
    away = lightness if theme == "dark" else -lightness
    middle = len(stops) // 2
    assert (np.diff(away[: middle + 1]) < 0).all() and (np.diff(away[middle:]) > 0).all()


def test_the_overlap_is_a_table_of_per_cents(comparison: Comparison) -> None:
    shares = comparison.overlap
    figure = figures.overlap(shares)
    heat = figure.data[0]
    names = list(shares)
    assert list(heat.x) == list(heat.y) == names
    at = names.index("ila"), names.index("nested")
    assert heat.text[at[0]][at[1]] == f"{100 * shares['ila']['nested']:.0f}"
    assert heat.text[0][0] == ""
    assert figure.layout.yaxis.autorange == "reversed"


def test_one_method_alone_can_be_drawn(shown: tuple[Cells, dict[str, Kept]]) -> None:
    cells, of = shown
    for what in ("share", "records"):
        assert figures.small_maps(cells, [("random", of["random"])], what=what).data
    assert figures.overlap({"random": {"random": 1.0}}).data


# -- studies --------------------------------------------------------------------------------------


def study_of(**losses: dict[str, list[float]]) -> Study:
    """A study: by method, and by budget, the micro loss of each seed; macro is one more."""
    curves = [
        {"method": method.split("@")[0].replace("_", "-"),
         "depth_target": float(method.partition("@")[2] or 1), "budget": budget, "unit": "records",
         "seed": seed, "records": int(budget), "tokens": 10.0 * int(budget), "micro": loss,
         "macro": loss + 1}
        for method, by_budget in losses.items()
        for budget, values in by_budget.items()
        for seed, loss in enumerate(values)
    ]  # fmt: skip
    return Study("ngram", 200, curves)


FOUND = study_of(
    random={"100": [4.0, 4.2], "10": [5.0, 5.2]},
    ila={"100": [3.5, 3.7], "10": [5.3, 5.5]},
    **{"ila@0.5": {"100": [3.0, 3.2], "10": [5.0, 5.2]}},
    deita={"100": [4.5, 3.7]},
)


def test_the_curves_are_means_with_their_spread_in_ascending_budgets() -> None:
    lines = {line.name: line for line in tables.scaling_lines(FOUND, "records", "micro")}
    assert list(lines) == ["random", "ila", "ila q=0.5", "deita"]
    assert lines["random"].x == [10, 100] and lines["random"].notes == ["10", "100"]
    assert lines["random"].y == pytest.approx([5.1, 4.1])
    assert lines["random"].spread == pytest.approx([math.sqrt(0.02)] * 2)
    assert lines["deita"].x == [100]
    macro = tables.scaling_lines(FOUND, "records", "macro")
    assert macro[0].y == pytest.approx([6.1, 5.1])


def test_a_line_a_method_is_drawn_with_bars_on_a_log_axis() -> None:
    lines = tables.scaling_lines(FOUND, "records", "micro")
    figure = figures.scaling(lines, axis="records")
    assert [trace.name for trace in figure.data] == ["random", "ila", "ila q=0.5", "deita"]
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.tickvals) == [10, 20, 50, 100]
    assert figure.data[0].error_y.array == pytest.approx([math.sqrt(0.02)] * 2)
    assert figure.data[0].line.dash == "dash" and figure.data[2].line.dash == "dot"
    assert figure.data[1].line.color == figure.data[2].line.color


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_differ_in_colour_and_mark(theme: figures.Theme) -> None:
    names = ["random", "coverage-only", "depth-only", "ila", "nested", "deita"]
    styles = figures.series_style(names, theme)
    for what in ("color", "symbol"):
        assert len({styles[name][what] for name in names}) == len(names)


def table_of(study: Study, budgets: list[str], theme: figures.Theme = "light") -> Styler:
    variants = study.variants
    means = [[study.mean(m, b, "records", q) for b in budgets] for m, q in variants]
    gaps = [[study.against_random(m, b, "records", q) for b in budgets] for m, q in variants]
    names = [tables.named(m, q) for m, q in variants]
    return tables.losses(names, budgets, means, gaps, theme)


def test_losses_say_who_beats_random_and_who_is_lowest() -> None:
    texts = read(table_of(FOUND, ["10", "100"]))
    assert texts["10"]["random"] == "5.100 ± 0.141"
    assert " ".join(texts["100"]["ila"].split()) == "3.600 ± 0.141 -0.500"
    assert texts["10"]["deita"] == tables.DASH
    better, worse = figures.TONES["light"]
    styled = table_of(FOUND, ["10", "100"])
    styled._compute()  # now its ctx holds, by line and column, what is declared
    style = {place: "; ".join(f"{k}: {v}" for k, v in said) for place, said in styled.ctx.items()}
    ila, variant, deita = 1, 2, 3
    assert f"color: {worse}" in style[ila, 1] and f"color: {better}" in style[ila, 2]
    assert "font-weight: 700" in style[variant, 2] and "font-weight" not in style[ila, 2]
    assert "color" not in style.get((deita, 2), "")  # its sign differs from seed to seed


def test_the_sweep_is_ila_less_random() -> None:
    lines, rows = tables.sweep_lines(FOUND, "records", "micro", [0.5, 1.0])
    by_budget = {line.name: line for line in lines}
    assert by_budget["100"].x == [0.5, 1.0]
    assert by_budget["100"].y == pytest.approx([-1.0, -0.5])
    assert by_budget["10"].y == pytest.approx([0.0, 0.3])
    assert [(row["Budget"], row["q"], row["Tokens"]) for row in rows] == [
        ("100", 0.5, 1000), ("100", 1.0, 1000), ("10", 0.5, 100), ("10", 1.0, 100),
    ]  # fmt: skip
    figure = figures.depth_sweep(lines)
    assert [trace.name for trace in figure.data] == ["100", "10"]
    assert figure.layout.annotations[0].text == "random"


def test_predictions_stand_round_the_line_of_equality() -> None:
    actual, predicted = np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.0, 2.5])
    figure = figures.predictions(actual, predicted)
    line, points = figure.data
    assert list(line.x) == list(line.y)
    assert np.allclose(points.x, predicted) and np.allclose(points.y, actual)
    assert line.x[0] < 1.0 and line.x[1] > 3.0
    assert json.loads(figures.predictions(np.zeros(0), np.zeros(0)).to_json())["data"]
