"""The keys of a study's findings."""

from __future__ import annotations

from dataclasses import fields

from ila_core.options import options_of
from ila_core.selection.spec import Spec
from ila_core.studies.variant import Place, Variant


def test_every_knob_of_a_curve_is_one_of_a_selection():
    assert {field.name for field in fields(Variant)} <= set(options_of(Spec))


def test_a_curve_is_found_again_in_its_row_and_its_spec():
    variant = Variant("ila", 0.5)
    assert Variant.of_row({**variant.as_dict(), "budget": "1%", "seed": 3}) == variant
    assert Variant.of(Spec(budget="1%", **variant.as_dict())) == variant


def test_a_row_that_tells_of_no_knob_is_of_the_plain_method():
    assert Variant.of_row({"method": "ila"}) == Variant("ila") == Variant("ila", 1.0)


def test_a_place_is_a_unit_and_a_budget():
    assert Place.of_row({"unit": "tokens", "budget": "1%", "seed": 0}) == Place("tokens", "1%")
