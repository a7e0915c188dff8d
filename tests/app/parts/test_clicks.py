"""What a click, a box and a lasso report."""

from __future__ import annotations

from parts.clicks import cells_of, range_of


def event(*points: object, **shapes: object) -> dict[str, object]:
    return {"selection": {"points": [{"customdata": point} for point in points], **shapes}}


def test_cells_are_read_from_any_form_of_customdata() -> None:
    assert cells_of(event([7, 1, 2], {"0": 3, "1": 9}, 5)) == (3, 5, 7)
    assert cells_of({}) == ()
    assert cells_of(event(None, [])) == ()


def test_the_last_box_or_lasso_is_the_window() -> None:
    box = {"x": [5.0, 2.0], "y": [1.0, 4.0]}
    assert range_of(event(box=[box])) == ((2.0, 5.0), (1.0, 4.0))
    lasso = {"x": [0, 3, 1], "y": [2, 9, 5]}
    assert range_of(event(lasso=[lasso])) == ((0, 3), (2, 9))
    assert range_of(event([1])) is None
