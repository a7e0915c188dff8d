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


def test_small_maps_are_on_one_scale(shown: tuple[Cells, dict[str, Kept]]) -> None:
    cells, of = shown
    figure = small_maps(cells, list(of.items()))
    heats = figure.data
    assert len(heats) == len(of)
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
    figure = small_maps(cells, list(of.items()), what="records")
    top = max(part.records.max() for part in of.values())
    assert figure.layout.coloraxis.cmax == pytest.approx(np.log10(1 + top))
    level = np.asarray(figure.data[0].customdata)[cells.row, cells.column]
    assert level.tolist() == of["random"].records.tolist()


def test_sixteen_small_maps_travel_in_less_than_300_kilobytes() -> None:
    rng = np.random.default_rng(0)
    everywhere = np.indices((48, 48)).reshape(2, -1).T + 0.5
    full = Landscape.from_arrays(everywhere.repeat(3, axis=0))
    cells = count(full, frame(full, full.grid(4000), side=48))
    part = Kept(rng.integers(0, 4, len(cells)), rng.random(len(cells)))
    figure = small_maps(cells, [(f"method {k}", part) for k in range(16)])
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


def test_one_method_alone_can_be_drawn(shown: tuple[Cells, dict[str, Kept]]) -> None:
    cells, of = shown
    for what in ("share", "records"):
        assert small_maps(cells, [("random", of["random"])], what=what).data
    assert overlap({"random": {"random": 1.0}}).data
