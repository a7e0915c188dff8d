"""The least resolution that is not crowded: what the page advises has been tried."""

from __future__ import annotations

import pytest

import cache
import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.paths import SAMPLE
from ila_core.selection.spec import Spec
from parts.patch_knobs import CROWDED, enough, least_side, patches_of


@pytest.mark.parametrize("patches", ["grid", "even"])
@pytest.mark.parametrize("budget", ["10%", "30%", "90%", "20000-tokens", "60000-tokens"])
@pytest.mark.parametrize("resolution", [1, 8, 20])
def test_what_is_enough_is_not_crowded_and_one_less_is(
    budget: str, resolution: int, patches: str
) -> None:
    landscape = ila.open(SAMPLE / "landscape")
    asked = Spec(budget=budget, resolution=resolution, patches=patches)  # type: ignore[arg-type]
    selection = cache.selection(landscape, asked)
    least = enough(selection)
    assert least is not None

    def crowd(number: int) -> float:
        spec = Spec(budget=budget, resolution=number, patches=patches)  # type: ignore[arg-type]
        found = cache.selection(landscape, spec)
        return len(found) / patches_of(found)

    assert crowd(least) <= CROWDED
    if not budget.endswith("tokens"):  # of which every resolution holds another number
        assert crowd(least - 1) > CROWDED


def test_nothing_is_enough_where_all_lies_in_three_places() -> None:
    places = [(0, 0), (1, 0), (1, 1)] * 10
    heaps = Landscape.from_arrays(places, depth=range(30))
    assert least_side(heaps, 3) == 2 and least_side(heaps, 4) is None
    assert enough(ila.select(heaps, budget=12, resolution=1, patches="grid")) is None
