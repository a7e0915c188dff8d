"""Regions: who lies in them, and their text in a link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import MOST_CORNERS, Box, Lasso, drawn, parse, rows_in

NUMBERS = st.integers(-40, 40).map(lambda k: k / 8)
OUTLINES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=12, unique=True)


def pool_of(points: list[tuple[float, float]]) -> Landscape:
    return Landscape.from_arrays(points)


def slow_inside(x: float, y: float, corners: tuple[tuple[float, float], ...]) -> bool:
    """Count the edges to the right of a point: an odd number of them goes round it."""
    odd = False
    for (xa, ya), (xb, yb) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (ya > y) != (yb > y) and x < xa + (y - ya) / (yb - ya) * (xb - xa):
            odd = not odd
    return odd


def test_a_box_holds_its_border() -> None:
    pool = pool_of([(0, 0), (1, 1), (1.01, 1), (0.5, -0.01), (0, 1)])
    assert rows_in(pool, Box(0, 0, 1, 1)).tolist() == [0, 1, 4]


def test_an_outline_may_have_a_notch() -> None:
    notched = Lasso(((0, 0), (4, 0), (4, 4), (2, 1), (0, 4)))
    pool = pool_of([(2, 0.5), (2, 2), (0.5, 2), (3.5, 2), (-1, 1), (2, 5)])
    assert rows_in(pool, notched).tolist() == [0, 2, 3]


def test_what_an_outline_goes_round_twice_is_outside() -> None:
    star = Lasso(tuple((np.cos(4 * np.pi * k / 5), np.sin(4 * np.pi * k / 5)) for k in range(5)))
    pool = pool_of([(0, 0), (0.9, 0), (0.1, 0.9)])
    assert rows_in(pool, star).tolist() == [1]


@given(OUTLINES, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40))
def test_strips_change_nothing(
    corners: list[tuple[float, float]], points: list[tuple[float, float]]
) -> None:
    outline = Lasso(tuple(corners))
    points = [(x + 1 / 32, y + 1 / 32) for x, y in points]  # clear of every corner
    expected = [k for k, (x, y) in enumerate(points) if slow_inside(x, y, outline.points)]
    assert rows_in(pool_of(points), outline).tolist() == expected


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_a_box_is_read_as_it_was_written(ends: tuple[float, float, float, float]) -> None:
    x, y = sorted(ends[::2]), sorted(ends[1::2])
    box = Box(x[0], y[0], x[1], y[1])
    assert parse(str(box)) == box


@given(OUTLINES)
def test_an_outline_is_read_as_it_was_written(corners: list[tuple[float, float]]) -> None:
    outline = Lasso(tuple(corners))
    assert parse(str(outline)) == outline


def test_a_drawn_outline_keeps_its_form_with_fewer_corners() -> None:
    turns = np.linspace(0, 2 * np.pi, 700, endpoint=False)
    circle = drawn(zip(np.cos(turns).tolist(), np.sin(turns).tolist(), strict=True))
    assert len(circle.points) == MOST_CORNERS
    places = np.random.default_rng(0).uniform(-1.2, 1.2, (4000, 2))
    radius = np.hypot(*places.T)
    clear = np.abs(radius - 1) > 0.01
    inside = np.zeros(len(places), dtype=bool)
    inside[rows_in(Landscape.from_arrays(places), circle)] = True
    assert (inside == (radius < 1))[clear].all()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is none of the map"),
        ("1,2,3", "is none of the map"),
        ("2,0,1,1", "x0 <= x1"),
        ("0,0,nan,1", "is none of the map"),
        ("a,b;c,d;e,f", "is none of the map"),
        ("0,0;1,1", "has 2 corners"),
        ("0,0;1,inf;2,2", "finite"),
        (";".join(["0,1"] * 61), "has 61 corners"),
    ],
)
def test_text_that_is_no_region_is_told(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(text)
