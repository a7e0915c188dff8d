"""Figures by their content: what a reader, and a click, would find in them."""

from __future__ import annotations

import json

import numpy as np
import plotly.io
import pytest

import figures
from cells import Place, draw, frame, kept
from ila_core import metrics
from ila_core.landscape import Landscape
from ila_core.selection import select_ila


@pytest.fixture(scope="module")
def pool() -> Landscape:
    rng = np.random.default_rng(0)
    depth = rng.random(3000).astype(np.float32)
    depth[:9] = np.nan
    return Landscape.from_arrays(
        rng.normal(size=(3000, 2)), relative_depth=depth, tokens=rng.integers(1, 900, 3000)
    )


def drawn(pool: Landscape, side: int = 64, **settings: object) -> figures.go.Figure:
    chosen = select_ila(pool, 300)
    found = draw(pool, frame(pool, pool.grid(4000), side=side))
    return figures.landscape_map(found, kept(found, chosen), **settings)


def test_every_marker_carries_its_cell_first(pool: Landscape) -> None:
    found = draw(pool, frame(pool, pool.grid(4000), side=64))
    markers = drawn(pool).data[1]
    assert np.asarray(markers.customdata)[:, 0].tolist() == found.number.tolist()
    place = np.asarray(markers.x).astype(int) * 64 + np.asarray(markers.y)
    assert place.tolist() == found.number.tolist()


def test_the_heatmap_leaves_clicks_and_hovers_to_the_markers(pool: Landscape) -> None:
    figure = drawn(pool)
    assert figure.data[0].hoverinfo == "skip"
    assert figure.data[1].hoverinfo is None
    assert figure.data[1].marker.opacity == 0
    assert figure.layout.hoverdistance == -1
    assert figure.layout.dragmode == "pan"  # Streamlit answers no click while a drag selects


@pytest.mark.parametrize(("side", "kind"), [(32, "scatter"), (96, "scattergl")])
def test_many_markers_are_drawn_by_webgl(side: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    pool = Landscape.from_arrays(rng.random((20_000, 2)), relative_depth=rng.random(20_000))
    assert drawn(pool, side).data[1].type == kind


def test_density_is_the_logarithm_of_the_count(pool: Landscape) -> None:
    figure = drawn(pool)
    found = draw(pool, frame(pool, pool.grid(4000), side=64))
    shown = np.asarray(figure.data[0].z)
    level = np.log(found.count) / np.log(found.count.max())
    assert np.allclose(shown[found.row, found.column], 1 + 254 * level, atol=0.51)
    assert (shown == 0).sum() == 64 * 64 - len(found)
    assert figure.layout.annotations[0].text == "records in a cell (log)"
    assert figure.data[0].colorscale[0][1] == figures.EMPTY


def test_coverage_runs_from_none_to_all(pool: Landscape) -> None:
    figure = drawn(pool, layer="coverage")
    chosen = select_ila(pool, 300)
    found = draw(pool, frame(pool, pool.grid(4000), side=64))
    share = kept(found, chosen).share
    level = np.asarray(figure.data[0].z)[found.row, found.column]
    assert (level[share == 0] == 1).all()
    assert (level[share == 1] == 255).all()
    assert list(figure.layout.xaxis2.ticktext) == ["0%", "50%", "100%"]
    assert list(figure.layout.xaxis2.tickvals) == [0, 0.5, 1]


def test_land_lies_under_and_around_the_occupied_cells(pool: Landscape) -> None:
    land = drawn(pool).data[-1]
    found = draw(pool, frame(pool, pool.grid(4000), side=64))
    shown = np.asarray(land.z)
    assert land.zorder == -1 and land.hoverinfo == "skip"
    assert shown[found.row - int(land.y0), found.column - int(land.x0)].min() > 50
    assert shown.min() == 0


def test_the_two_way_scale_has_a_legend_of_its_own(pool: Landscape) -> None:
    figure = drawn(pool, layer="both")
    assert np.asarray(figure.data[2].z).shape == (figures.STEPS, figures.STEPS)
    told = [note.text for note in figure.layout.annotations]
    assert any("patches kept" in text for text in told)
    assert any("mean relative depth" in text for text in told)


def test_the_two_way_number_grows_with_both() -> None:
    shown = figures.two_way(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1]), 0, 1)
    assert shown.tolist() == [0, 4, 20, 24]
    assert np.isnan(figures.two_way(np.array([np.nan]), np.array([1]), 0, 1)).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("layer", ["density", "depth", "coverage"])
def test_lightness_runs_one_way_along_every_scale(
    layer: figures.Layer, theme: figures.Theme
) -> None:
    stops = [colour for _, colour in figures.ramp(layer, theme)]
    parts = [[int(part) for part in colour[4:-1].split(",")] for colour in stops]
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in parts]
    steps = np.diff(lightness)
    assert (steps < 0).all() if theme == "light" else (steps > 0).all()


def test_the_same_map_is_the_same_figure(pool: Landscape) -> None:
    assert drawn(pool).to_json() == drawn(pool).to_json()


def test_a_name_on_the_map_is_not_read_as_markup(pool: Landscape) -> None:
    figure = drawn(pool, names=[Place("<b>x</b> & y", 3, 4, 5)])
    assert figure.layout.annotations[-1].text == "&lt;b&gt;x&lt;/b&gt; &amp; y"


def test_marked_cells_start_out_as_chosen(pool: Landscape) -> None:
    found = draw(pool, frame(pool, pool.grid(4000), side=64))
    marked = found.number[[3, 7]].tolist()
    assert drawn(pool, marked=marked).data[1].selectedpoints.tolist() == [3, 7]
    assert drawn(pool).data[1].selectedpoints is None


def test_a_full_map_travels_in_less_than_300_kilobytes() -> None:
    rng = np.random.default_rng(0)
    everywhere = np.indices((128, 128)).reshape(2, -1).T + 0.5
    everywhere = everywhere.repeat(rng.integers(1, 60, len(everywhere)), axis=0)
    pool = Landscape.from_arrays(everywhere, relative_depth=rng.random(len(everywhere)))
    figure = drawn(pool, side=128)
    assert len(figure.data[1].x) == 128 * 128
    assert len(plotly.io.to_json(figure)) < 300_000


@pytest.mark.parametrize("layer", figures.LAYERS)
def test_a_pool_without_depth_can_be_drawn(layer: figures.Layer) -> None:
    pool = Landscape.from_arrays([[0, 0], [1, 1]], relative_depth=[np.nan, np.nan])
    assert json.loads(drawn(pool, layer=layer).to_json())["data"]


def test_the_present_point_stands_on_the_curve(pool: Landscape) -> None:
    curve = metrics.curve(pool, budgets=[10, 100, 1000])
    figure = figures.growth(curve, curve, now=(100, 0.25, 0.5))
    points = [(t.x[0], t.y[0]) for t in figure.data if t.mode == "markers"]
    assert points == [(100, 0.25), (100, 0.5)]
    assert [t.name for t in figure.data if t.name] == ["coverage", "fidelity"]


def test_a_histogram_counts_every_known_value_once() -> None:
    values = np.array([1.0, 1.0, 2.0, 3.0, np.nan])
    found = figures.histogram("loss", values, np.array([0, 4]), bins=4)
    assert found is not None
    assert found.pool.sum() == pytest.approx(1)
    assert found.kept.tolist() == [1, 0, 0, 0]
    assert figures.histogram("loss", np.full(3, np.nan), np.array([0])) is None


def test_a_histogram_of_one_value_has_a_width() -> None:
    found = figures.histogram("loss", np.ones(4), np.array([0]), bins=4)
    assert found is not None
    assert found.width > 0
    assert figures.histograms([found]).data
