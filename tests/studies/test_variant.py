"""The keys of a study's findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ila_core.methods.registry import names
from ila_core.options import options_of
from ila_core.selection.spec import STUDIED, Spec
from ila_core.studies.variant import ILA, PAPER, RANDOM, Place, Variant

TURNED = [
    ILA, PAPER, RANDOM, Variant(Spec(depth_target=0.5)), Variant(Spec(patches="grid")),
    Variant(Spec(depth="loss")), Variant(Spec("depth-only", depth="loss")),
    Variant(Spec("nested", patches="grid", depth="loss", depth_target=1.0)),
]  # fmt: skip


def test_every_knob_of_a_curve_is_one_of_a_selection_and_has_its_default():
    assert set(STUDIED) <= set(options_of(Spec))
    assert ILA.spec == Spec() and ILA.turned == ()


@pytest.mark.parametrize("variant", TURNED, ids=str)
def test_a_curve_is_found_again_in_its_row_and_its_spec(variant):
    row = {**variant.as_row("loss-reduction"), "budget": "1%", "seed": 3}
    assert Variant.of_row(row, "loss-reduction") == variant
    assert Variant(replace(variant.spec, budget="1%", seed=3)) == variant


@pytest.mark.parametrize("method", names())
def test_a_knob_that_a_method_does_not_read_makes_no_curve_of_its_own(method):
    turned = Spec(method, patches="grid", depth="loss", depth_target=0.25)
    row = Variant(turned).as_row("column")
    assert Variant.of_row(row, "column") == Variant(turned)
    if method in ("random", "coverage-only", "paper", "longest"):
        assert Variant(turned) == Variant(Spec(method))


def test_rows_say_what_was_read_by_hand():
    assert list(ILA.as_row("column").items()) == [
        ("method", "ila"), ("patches", "even"), ("depth", "column"), ("depth_target", 0.75),
    ]  # fmt: skip
    assert RANDOM.as_row("column") == {"method": "random", **dict.fromkeys(STUDIED)}
    assert Variant(Spec("deita")).as_row("loss")["depth"] == "loss"
    paper = {"method": "paper", "patches": "grid", "depth": "loss", "depth_target": 1.0}
    assert PAPER.as_row("loss-reduction") == paper


def test_the_kind_read_unasked_and_the_same_one_asked_for_are_one_curve():
    row = {"method": "ila", "patches": "even", "depth": "loss", "depth_target": 0.75}
    assert Variant.of_row(row, "loss") == ILA
    assert Variant.of_row(row, "loss-reduction") == Variant(Spec("ila", depth="loss"))


def test_a_row_that_tells_of_no_patches_is_of_the_first_studies():
    assert Variant.of_row({"method": "ila"}) == Variant(
        Spec("ila", patches="grid", depth_target=1.0)
    )
    assert Variant.of_row({"method": "nested", "depth_target": 1.0}) == Variant(
        Spec("nested", patches="grid", depth_target=1.0)
    )
    assert Variant.of_row({"method": "random", "depth_target": 1.0}) == RANDOM


def test_a_method_that_is_not_installed_is_a_plain_curve():
    assert Variant.of_row({"method": "elsewhere", "depth_target": 0.5}) == Variant(
        Spec("elsewhere")
    )


def test_a_name_says_what_is_turned():
    assert (
        str(Variant(Spec("nested", patches="grid", depth="loss", depth_target=1.0)))
        == "nested grid loss q=1"
    )
    assert Variant(Spec("nested", patches="grid", depth_target=1.0)).turned == (
        "patches",
        "depth_target",
    )


def test_a_place_is_a_unit_and_a_budget():
    assert Place.of_row({"unit": "tokens", "budget": "1%", "seed": 0}) == Place("tokens", "1%")
