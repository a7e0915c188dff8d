"""The layers of the map by their bytes: what a reader of the colours would find."""

from __future__ import annotations

import json

import numpy as np
import pytest
from picking import ila

import ila_core
from draw import ground as grounds
from draw import pictures
from draw.encoding import decoded
from draw.ground import PIXELS, Ground
from draw.layers import Theme
from draw.pictures import Picture
from ila_core.landscape.facets import Categories
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box
from ila_core.selection.selection import Selection


def two_towns(n: int = 2_000, seed: int = 0) -> Landscape:
    """A dense town of shallow records on the left, a thin one of deep records on the right."""
    rng = np.random.default_rng(seed)
    left = rng.normal((0, 0), 0.3, (n - n // 8, 2))
    right = rng.normal((6, 0), 0.3, (n // 8, 2))
    town = np.repeat([0, 1], [len(left), len(right)])
    return Landscape.from_arrays(
        np.concatenate([left, right]), relative_depth=np.where(town, 0.88, 0.22),
        tokens=rng.integers(1, 90, n), domain=town, domain_names=["sums", "<b>code</b> · list"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Landscape:
    return two_towns()


@pytest.fixture(scope="module")
def lies(pool: Landscape) -> Ground:
    return grounds.ground(pool, None)


def level_at(picture: Picture, ground: Ground, x: float, y: float) -> int:
    """The byte at a place of the map."""
    tall, wide = picture.level.shape
    box = ground.box
    column = int((x - box.x0) / (box.x1 - box.x0) * wide)
    row = int((y - box.y0) / (box.y1 - box.y0) * tall)
    return int(picture.level[row, column])


def value_at(picture: Picture, ground: Ground, x: float, y: float) -> float:
    """What a byte stands for, as the tooltip reads it."""
    value, part = picture.value, (level_at(picture, ground, x, y) - 1) / 254
    if value["form"] == "log":
        return value["low"] * (value["high"] / value["low"]) ** part
    return value["low"] + part * (value["high"] - value["low"])


def test_density_is_told_in_records_of_a_place_of_the_map(pool: Landscape, lies: Ground) -> None:
    picture = pictures.density(lies, "light")
    (x0, y0), (x1, y1) = pool.bounds
    area = (x1 - x0) * (y1 - y0) * 1.06**2 / 100  # a pool as small as this
    near = np.hypot(*pool.xy.T) < 0.2
    expected = near.sum() / (np.pi * 0.2**2) * area
    assert value_at(picture, lies, 0, 0) == pytest.approx(expected, rel=0.2)
    assert level_at(picture, lies, 3, 0) == 0
    assert value_at(picture, lies, 0, 0) > 3 * value_at(picture, lies, 6, 0)


def test_depth_is_the_mean_of_a_place(pool: Landscape, lies: Ground) -> None:
    picture = pictures.depth(pool, lies, "light")
    assert value_at(picture, lies, 0, 0) == pytest.approx(0.22, abs=0.01)
    assert value_at(picture, lies, 6, 0) == pytest.approx(0.88, abs=0.01)
    assert [label for _, label in picture.legend["ticks"]] == ["20%", "55%", "90%"]


def rightmost(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    return np.argsort(-landscape.xy[:, 0])[:count]


def leftmost(landscape: Landscape, count: int, seed: int) -> np.ndarray:
    return np.argsort(landscape.xy[:, 0])[:count]


def only_right(pool: Landscape) -> Selection:
    """A selection that keeps nearly nothing of the dense town."""
    return ila_core.select(pool, budget=200, method=rightmost)  # fmt: skip


def test_representation_is_the_share_that_is_kept_over_the_budgets(
    pool: Landscape, lies: Ground
) -> None:
    picture = pictures.representation(lies, only_right(pool), "light")
    assert level_at(picture, lies, 0, 0) == 1
    assert level_at(picture, lies, 6, 0) == 255
    assert "by depth" not in picture.legend["title"]


def test_both_layers_meet_in_one_colour(pool: Landscape, lies: Ground) -> None:
    picture = pictures.both(lies, only_right(pool), "light")
    shallow_missed, deep_kept = (level_at(picture, lies, x, 0) for x in (0, 6))
    assert (shallow_missed, deep_kept) == (1, pictures.SHADES**2)
    colours = picture.legend["colours"]
    assert len(colours) == picture.legend["side"] ** 2
    for level, k in ((shallow_missed, 0), (deep_kept, -1)):
        shown = "#" + bytes(picture.colours[level].tolist()).hex()
        assert shown == colours[k]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_places_have_the_colour_of_their_domain(
    pool: Landscape, lies: Ground, theme: Theme
) -> None:
    picture = pictures.domain(pool, lies, np.array([1, 0]), theme)
    levels = [level_at(picture, lies, x, 0) for x in (0, 6)]
    shown = ["#" + bytes(picture.colours[level].tolist()).hex() for level in levels]
    assert picture.legend["entries"] == [[shown[0], "sums"], [shown[1], "<b>code</b> · list"]]
    assert [picture.value["names"][level - 1] for level in levels] == ["sums", "<b>code</b> · list"]
    assert shown[0] != shown[1]


@pytest.mark.parametrize(("name", "mean"), [("tokens", 20.0), ("loss", 1.25)])
def test_places_have_the_mean_of_a_number(name: str, mean: float) -> None:
    """Of tokens, which go over powers of ten, it is the geometric one: 10 and 40 make 20."""
    rng = np.random.default_rng(0)
    xy = np.concatenate([rng.normal((0, 0), 0.3, (900, 2)), rng.normal((6, 0), 0.3, (900, 2))])
    left = np.arange(1_800) < 900
    pool = Landscape.from_arrays(
        xy, depth=rng.random(1_800), loss=np.where(left, 1.25, 3.0),
        tokens=np.where(left, np.where(rng.random(1_800) < 0.5, 10, 40), 900),
    )  # fmt: skip
    lies = grounds.ground(pool, None)
    picture = pictures.facet(pool, lies, name, "light")
    assert value_at(picture, lies, 0, 0) == pytest.approx(mean, rel=0.12)
    assert value_at(picture, lies, 6, 0) > 2 * mean
    assert "mean of" in picture.legend["title"]


def test_places_have_the_colour_of_their_label_one_record_in_all_of_its_own() -> None:
    rng = np.random.default_rng(0)
    xy = np.concatenate([rng.normal((0, 0), 0.3, (90, 2)), rng.normal((6, 0), 0.3, (90, 2))])
    pool = Landscape.from_arrays(xy)
    lies = grounds.ground(pool, None)
    rows = np.sort(np.concatenate([np.arange(180), np.arange(90)]))  # left ones have two labels
    code = np.where(rows < 90, np.arange(270) % 2, 2).astype(np.int32)
    labels = Categories("label", ("chat", "code", ""), code, rows, 180)
    picture = pictures.category(pool, lies, labels, "light")
    spoken = [picture.value["names"][level_at(picture, lies, x, 0) - 1] for x in (0, 6)]
    assert spoken[0] in ("chat", "code") and spoken[1] == "no label"
    assert {words for _, words in picture.legend["entries"]} == set(spoken)


def test_many_mixed_domains_show_as_territories_not_as_specks() -> None:
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 10, (40_000, 2))
    by_place = (xy // 0.5).astype(int) @ [1, 20]  # of 400 small neighbourhoods one in five
    mixed = np.where(rng.random(len(xy)) < 0.2, by_place % 150, rng.integers(0, 150, len(xy)))
    pool = Landscape.from_arrays(xy, domain=mixed, domain_names=[f"topic {k}" for k in range(150)])
    level = pictures.domain(pool, grounds.ground(pool, None), np.arange(150), "light").level
    inside = level[40:-40, 40:-40]
    borders = np.count_nonzero(inside[:, 1:] != inside[:, :-1]) / inside[:, 1:].size
    assert borders < 1 / 8  # a territory is eight pixels wide at least, on average


def test_more_domains_than_a_byte_tells_apart_still_have_colours() -> None:
    rng = np.random.default_rng(0)
    places = np.stack(np.divmod(np.arange(400), 20), axis=1).repeat(20, axis=0)
    pool = Landscape.from_arrays(places + rng.normal(0, 0.05, places.shape),
                                 domain=np.arange(400).repeat(20),
                                 domain_names=[f"topic {k}" for k in range(400)])  # fmt: skip
    lies = grounds.ground(pool, None)
    picture = pictures.domain(pool, lies, np.arange(400)[::-1], "light")
    assert picture.level.max() <= 255 and len(picture.value["names"]) == picture.level.max()
    assert all(picture.value["names"])
    assert len(picture.legend["entries"]) == pictures.NAMED
    assert "more" in picture.legend["more"]


def test_a_difference_is_orange_where_the_other_keeps_more(pool: Landscape, lies: Ground) -> None:
    right = only_right(pool)
    left = ila_core.select(pool, budget=200, method=leftmost)  # fmt: skip
    picture = pictures.difference(lies, right, left, "light")
    assert value_at(picture, lies, 6, 0) > 0.9
    assert value_at(picture, lies, -0.6, 0) < -0.5


def test_a_picture_is_about_as_large_for_every_pool_and_window() -> None:
    sizes = []
    for n in (500, 50_000):
        pool = two_towns(n)
        for box in (None, Box(-0.5, -0.2, 0.5, 0.2)):
            lies = grounds.ground(pool, box)
            chosen = ila(pool, n // 10)
            parts = [pictures.both(lies, chosen, "light").as_data(), lies.as_data()]
            sizes.append(len(json.dumps(parts)))
            assert abs(lies.view.width * lies.view.height - PIXELS) < 0.02 * PIXELS
    assert max(sizes) < 1.1 * min(sizes) and max(sizes) < 130_000


def test_contours_stay_within_their_weight_and_their_picture() -> None:
    rng = np.random.default_rng(0)
    specks = Landscape.from_arrays(rng.random((30_000, 2)))
    lies = grounds.ground(specks, None)
    data = grounds.contours_data(lies.contours, lies.box)
    assert len(json.dumps(data)) < 60_000
    for level in data["levels"]:
        sizes, ends = decoded(level["sizes"], "u2"), decoded(level["ends"], "u2")
        assert 2 * sizes.sum() == len(ends)
        if len(ends):
            assert ends[::2].max() <= data["steps"]
            assert ends[1::2].max() <= data["steps"] * data["tall"] + 1


@pytest.mark.parametrize("n", [1, 2, 14, 100, 600, 5_000])
def test_the_land_ends_within_the_map_however_few_records(n: int) -> None:
    places = np.random.default_rng(n).random((n, 2))
    land = grounds.ground(Landscape.from_arrays(places), None).land
    rim = np.concatenate([land[0], land[-1], land[:, 0], land[:, -1]])
    assert rim.max() < 0.15 * grounds.LAND  # of whose square the paint is


def test_the_land_reaches_beyond_the_records_and_ends(pool: Landscape, lies: Ground) -> None:
    land = lies.land
    assert land.max() == 255 and land[:, land.shape[1] // 2].max() == 0
    there = lies.density.there[::2, ::2]
    assert (land[there] >= 32).all()
    rim = (land > 0) & (land < grounds.LAND)
    assert rim.sum() > 0.2 * there.sum()


def test_a_window_shows_some_more_and_nothing_beyond_the_map(pool: Landscape) -> None:
    whole = grounds.extent(pool)
    assert grounds.window_of(pool, None) == whole
    inside = grounds.window_of(pool, Box(0, 0, 1, 0.5))
    assert inside.x0 < 0 and inside.x1 > 1 and inside.y1 > 0.5
    beyond = grounds.window_of(pool, Box(5, 0, 500, 400))
    assert (beyond.x1, beyond.y1) == (whole.x1, whole.y1)
    assert grounds.window_of(pool, Box(900, 900, 901, 901)) == whole


@pytest.mark.parametrize("n", [1, 2])
def test_pools_of_a_record_or_two_without_depth_can_be_drawn(n: int) -> None:
    pool = Landscape.from_arrays([[k, k] for k in range(n)], relative_depth=[np.nan] * n)
    lies = grounds.ground(pool, None)
    chosen = ila_core.select(pool, budget=1, method="random")
    for picture in (
        pictures.density(lies, "light"), pictures.depth(pool, lies, "light"),
        pictures.representation(lies, chosen, "light"), pictures.both(lies, chosen, "light"),
        pictures.domain(pool, lies, np.arange(1), "light"),
        pictures.difference(lies, chosen, chosen, "light"),
    ):  # fmt: skip
        text = json.dumps([picture.as_data(), picture.legend, lies.as_data()], allow_nan=False)
        assert text
        assert json.dumps(grounds.contours_data(lies.contours, lies.box), allow_nan=False)


def test_the_density_of_a_large_pool_is_told_by_smaller_places() -> None:
    for n, name in ((19_999, "a hundredth of the map"), (20_000, "a ten-thousandth of the map")):
        picture = pictures.density(grounds.ground(two_towns(n), None), "light")
        assert picture.legend["title"] == f"records in {name} (log)"
        assert picture.value["after"] == f" records in {name}"
