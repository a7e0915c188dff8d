"""Small maps, the difference of two, and the overlap, by their content."""

from __future__ import annotations

import numpy as np
import pytest
from app_helpers import compared_pool, scored_pool

from draw.compare import difference_map, overlap, small_maps
from ila_core.landscape.cells import Cells, Kept, count, frame, kept
from ila_core.landscape.landscape import Landscape
from ila_core.measure.compare import Comparison


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared_pool()


@pytest.fixture(scope="module")
def shown(comparison: Comparison) -> tuple[Cells, dict[str, Kept]]:
    scored = scored_pool()
    selections = {row.name: row.selection for row in comparison.done}
    found = count(scored, frame(scored, selections["random"].shown_cut, side=32))
    return found, {
        name: kept(found, chosen.landscape, chosen.shown_cut, chosen.rows)
        for name, chosen in selections.items()
    }


def test_small_maps_show_on_one_scale_where_more_is_kept_than_the_budgets_share() -> None:
    rng = np.random.default_rng(0)
    pool = Landscape.from_arrays(rng.uniform(0, 1, (4_000, 2)))
    left = np.flatnonzero(pool.xy[:, 0] < 0.5)
    figure = small_maps(pool, [("left", left), ("right", np.setdiff1d(np.arange(4_000), left))])
    heats = figure.data
    assert {heat.coloraxis for heat in heats} == {"coloraxis"}
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 255)
    level = np.asarray(heats[0].z)
    tall, wide = level.shape
    middle = level[tall // 2]
    assert middle[wide // 4] > 128 + 50 and middle[3 * wide // 4] < 10  # twice; a quarter or less
    assert level[0, 0] == 0  # where nothing lies nothing is drawn
    mirrored = np.asarray(heats[1].z)[tall // 2]
    assert mirrored[3 * wide // 4] > 128 + 50 and mirrored[wide // 4] < 10
    assert [note.text for note in figure.layout.annotations] == ["left", "right"]
    assert {heat.type for heat in heats} == {"heatmap"}  # no WebGL: a page has one map of that


def test_sixteen_small_maps_travel_in_less_than_300_kilobytes() -> None:
    rng = np.random.default_rng(0)
    pool = Landscape.from_arrays(rng.uniform(0, 1, (4_000, 2)))
    rows = [np.sort(rng.choice(4_000, 400, replace=False)) for _ in range(16)]
    figure = small_maps(pool, [(f"method {k}", part) for k, part in enumerate(rows)])
    assert len(figure.to_json()) < 300_000


@pytest.mark.parametrize("what", ["share", "records"])
def test_the_difference_is_nought_in_the_middle(
    shown: tuple[Cells, dict[str, Kept]], what: str
) -> None:
    cells, of = shown
    names = ("ila", "<random>")
    figure = difference_map(cells, of["ila"], of["random"], names=names, what=what)
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
    figure = difference_map(cells, of["ila"], of["random"], names=("ila", "random"))
    markers = figure.data[1]
    assert np.asarray(markers.customdata)[:, 0].tolist() == cells.number.tolist()
    assert np.asarray(markers.customdata)[:, 2].tolist() == of["ila"].records.tolist()
    assert figure.layout.clickmode == "event+select" and figure.layout.dragmode == "pan"


def test_the_overlap_is_a_table_of_per_cents(comparison: Comparison) -> None:
    shares = comparison.overlap
    figure = overlap(shares)
    heat = figure.data[0]
    names = list(shares)
    assert list(heat.x) == list(heat.y) == names
    at = names.index("ila"), names.index("nested")
    assert heat.text[at[0]][at[1]] == f"{100 * shares['ila']['nested']:.0f}"
    assert heat.text[0][0] == ""
    assert figure.layout.yaxis.autorange == "reversed"


def test_one_method_alone_can_be_drawn() -> None:
    assert small_maps(scored_pool(), [("random", np.arange(5))]).data
    assert overlap({"random": {"random": 1.0}}).data
