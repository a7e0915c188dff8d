"""A request for a selection: checked when it is made, written and read back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import UsageError
from ila_core.selection.spec import Spec, parameter


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"budget": "some"}, "Budget 'some' is not understood"),
        ({"budget": 0}, "chooses nothing"),
        ({"resolution": 0}, "Resolution 0 is not a whole number"),
        ({"patches": "round"}, "Unknown patches 'round'; choose even or grid"),
        ({"depth": "deep"}, "Unknown depth 'deep'; choose auto, loss-reduction, loss or column"),
        ({"resolution": "fine"}, "Resolution 'fine' is not auto or a whole number"),
        ({"resolution": 8193, "patches": "grid"}, "from 1 to 8192"),
        ({"depth_target": -0.1}, "--depth-target is -0.1; give a number from 0 to 1"),
        ({"seed": -1}, "--seed is -1; give a whole number from 0"),
        ({"seed": 2**32}, "--seed is 4294967296"),
        ({"seed": 0.5}, "--seed is 0.5"),
    ],
)
def test_values_that_cannot_be_meant(knobs, message):
    with pytest.raises(UsageError, match=message):
        Spec(**knobs)


def test_what_is_equal_is_equal_however_it_was_written():
    assert Spec(resolution="64", seed="3") == Spec(resolution=64, seed=3)
    assert Spec(budget=10_000) == Spec(budget="10000")
    one = Spec(parameters=(("b", 1), ("a", 2)))
    assert one == Spec(parameters={"a": 2, "b": 1})
    assert hash(one) == hash(Spec(parameters={"a": 2, "b": 1}))


specs = st.builds(
    Spec,
    method=st.sampled_from(["ila", "random"]),
    budget=st.sampled_from(["1", "2.5%", "3k-tokens"]),
    patches=st.sampled_from(["even", "grid"]),
    depth=st.sampled_from(["auto", "loss"]),
    resolution=st.one_of(st.just("auto"), st.integers(1, 8192)),
    depth_target=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    pinned=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    excluded=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    parameters=st.dictionaries(st.sampled_from(["eps", "start"]), st.floats(0, 1)),
)


@given(spec=specs)
def test_a_manifest_gives_it_back(spec):
    assert Spec.from_dict(spec.as_dict()) == spec


@given(spec=specs)
def test_the_command_gives_it_back(spec):
    line = spec.words()
    given = dict(zip(line[::2], line[1::2], strict=True)) if "--set" not in line else None
    if given is not None:
        knobs = {name[2:].replace("-", "_"): value for name, value in given.items()}
        knobs.pop("pin", None), knobs.pop("exclude", None)
        again = Spec(**knobs, pinned=spec.pinned, excluded=spec.excluded)
        assert again == spec


def test_the_command_names_what_is_not_as_it_starts():
    spec = Spec("semdedup", "5%", seed=2, pinned=(1,), parameters={"eps": 0.1, "start": "random"})
    assert spec.command("my run", "--out", "x.jsonl") == (
        "ila select 'my run' --budget 5% --method semdedup --seed 2 --set eps=0.1 "
        "--set start=random --pin pinned.txt --out x.jsonl"
    )


@pytest.mark.parametrize("text", ["eps", "=1", "eps=", " "])
def test_parameters_that_cannot_be_meant(text):
    with pytest.raises(UsageError, match="give NAME=VALUE"):
        parameter(text)
