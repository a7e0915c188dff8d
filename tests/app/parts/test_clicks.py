"""What a click on a chart of cells reports."""

from __future__ import annotations

from parts.clicks import cells_of


def event(*points: object, **shapes: object) -> dict[str, object]:
    return {"selection": {"points": [{"customdata": point} for point in points], **shapes}}


def test_cells_are_read_from_any_form_of_customdata() -> None:
    assert cells_of(event([7, 1, 2], {"0": 3, "1": 9}, 5)) == (3, 5, 7)
    assert cells_of({}) == ()
    assert cells_of(event(None, [])) == ()
