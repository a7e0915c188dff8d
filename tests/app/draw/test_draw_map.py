"""The map by its content: what a reader, and a click, would find in it."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest
from picking import ila

from draw.layers import LAYERS, Layer, Theme
from draw.map import landscape_map
from draw.names import Place
from draw.scales import DOMAIN_COLOURS, OTHER_COLOUR, STEPS
from draw.theme import EMPTY, rgb
from ila_core.landscape.cells import count, frame, kept, leading
from ila_core.landscape.landscape import Landscape


@pytest.fixture(scope="module")
def pool() -> Landscape:
    rng = np.random.default_rng(0)
    depth = rng.random(3000).astype(np.float32)
    depth[:9] = np.nan
    return Landscape.from_arrays(
        rng.normal(size=(3000, 2)), relative_depth=depth, tokens=rng.integers(1, 900, 3000)
    )


def drawn(pool: Landscape, side: int = 64, **settings: object) -> go.Figure:
    chosen = ila(pool, 300)
    found = count(pool, frame(pool, pool.grid(4000), side=side))
    settings.setdefault("leading", leading(pool, found))
    return landscape_map(
        found, kept(found, chosen.landscape, chosen.shown_cut, chosen.rows), **settings
    )


def test_every_marker_carries_its_cell_first(pool: Landscape) -> None:
    found = count(pool, frame(pool, pool.grid(4000), side=64))
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
    found = count(pool, frame(pool, pool.grid(4000), side=64))
    shown = np.asarray(figure.data[0].z)
    level = np.log(found.count) / np.log(found.count.max())
    assert np.allclose(shown[found.row, found.column], 1 + 254 * level, atol=0.51)
    assert (shown == 0).sum() == 64 * 64 - len(found)
    assert figure.layout.annotations[0].text == "records in a cell (log)"
    assert figure.data[0].colorscale[0][1] == EMPTY


def test_coverage_runs_from_none_to_all(pool: Landscape) -> None:
    figure = drawn(pool, layer="coverage")
    chosen = ila(pool, 300)
    found = count(pool, frame(pool, pool.grid(4000), side=64))
    share = kept(found, chosen.landscape, chosen.shown_cut, chosen.rows).share
    level = np.asarray(figure.data[0].z)[found.row, found.column]
    assert (level[share == 0] == 1).all()
    assert (level[share == 1] == 255).all()
    assert list(figure.layout.xaxis2.ticktext) == ["0%", "50%", "100%"]
    assert list(figure.layout.xaxis2.tickvals) == [0, 0.5, 1]


def test_land_lies_under_and_around_the_occupied_cells(pool: Landscape) -> None:
    land = drawn(pool).data[-1]
    found = count(pool, frame(pool, pool.grid(4000), side=64))
    shown = np.asarray(land.z)
    assert land.zorder == -1 and land.hoverinfo == "skip"
    assert shown[found.row - int(land.y0), found.column - int(land.x0)].min() > 50
    assert shown.min() == 0


def test_the_two_way_scale_has_a_legend_of_its_own(pool: Landscape) -> None:
    figure = drawn(pool, layer="both")
    assert np.asarray(figure.data[2].z).shape == (STEPS, STEPS)
    told = [note.text for note in figure.layout.annotations]
    assert any("patches kept" in text for text in told)
    assert any("mean relative depth" in text for text in told)


@pytest.fixture(scope="module")
def in_domains() -> Landscape:
    """Twelve domains of falling size, each in a place of its own; the second has a bad name."""
    domain = np.repeat(np.arange(12), np.arange(120, 0, -10))
    rng = np.random.default_rng(1)
    xy = np.stack([domain, domain % 5], axis=1) + rng.uniform(0, 0.4, (len(domain), 2))
    names = ["sums", "<b>code</b>", *(f"topic {k} · more · words" for k in range(2, 12))]
    return Landscape.from_arrays(xy, relative_depth=rng.random(len(xy)), domain=domain,
                                 domain_names=names)  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_cells_have_the_colour_of_their_domain(in_domains: Landscape, theme: Theme) -> None:
    figure = drawn(in_domains, layer="domain", theme=theme)
    cells = count(in_domains, frame(in_domains, in_domains.grid(4000), side=64))
    level = np.asarray(figure.data[0].z)[cells.row, cells.column]
    shown = [colour_of(figure.data[0].colorscale, value / 255) for value in level]
    colours = [*DOMAIN_COLOURS[theme], *[OTHER_COLOUR[theme]] * 4]
    domain = leading(in_domains, cells).domain
    assert shown == [rgb(colours[k]) for k in domain]
    told = [note.text for note in figure.layout.annotations if "■" in note.text]
    assert len(told) == 9
    assert told[0] == f'<span style="color:{colours[0]};font-size:17px">■</span> sums'
    assert told[1].endswith("&lt;b&gt;code&lt;/b&gt;")
    assert told[8].endswith("4 other domains") and OTHER_COLOUR[theme] in told[8]


def colour_of(scale: list[tuple[float, str]], value: float) -> str:
    """The colour of a value on a scale of flat bands."""
    return next(colour for end, colour in scale[::-1] if end <= value + 1e-9)


def test_hovering_tells_the_domain_and_its_share(in_domains: Landscape) -> None:
    markers = drawn(in_domains, layer="domain").data[1]
    assert set(markers.text) >= {"sums", "topic 3 · more"}
    assert "%{text}: %{customdata[6]}% of its records" in markers.hovertemplate
    assert (np.asarray(markers.customdata)[:, 6] == 100).all()
    assert drawn(in_domains, layer="density").data[1].text is None


def test_the_domain_layer_needs_the_domains(pool: Landscape) -> None:
    with pytest.raises(ValueError, match="leading"):
        drawn(pool, layer="domain", leading=None)


def test_the_same_map_is_the_same_figure(pool: Landscape) -> None:
    assert drawn(pool).to_json() == drawn(pool).to_json()


def test_a_name_on_the_map_is_not_read_as_markup(pool: Landscape) -> None:
    figure = drawn(pool, names=[Place("<b>x</b> & y", 3, 4, 5)])
    assert figure.layout.annotations[-1].text == "&lt;b&gt;x&lt;/b&gt; &amp; y"


def test_marked_cells_start_out_as_chosen(pool: Landscape) -> None:
    found = count(pool, frame(pool, pool.grid(4000), side=64))
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


@pytest.mark.parametrize("layer", LAYERS)
def test_a_pool_without_depth_can_be_drawn(layer: Layer) -> None:
    pool = Landscape.from_arrays([[0, 0], [1, 1]], relative_depth=[np.nan, np.nan])
    assert json.loads(drawn(pool, layer=layer).to_json())["data"]


def test_an_arabic_name_leaves_the_numbers_beside_it_in_their_place() -> None:
    names = ["قصيدة · ربيع", "code"]
    pool = Landscape.from_arrays([[0, 0], [1, 1]], domain=[0, 1], domain_names=names)
    figure = drawn(pool, layer="domain")
    told = [text for trace in figure.data for text in (trace.text or ())]
    assert set(told) == {f"\u2068{names[0]}\u2069", "code"}
    legend = [note.text for note in figure.layout.annotations if "■" in note.text]
    assert [text.endswith(f"\u2068{names[0]}\u2069") for text in legend] == [True, False]
