"""The two doors to a selection: by its knobs, and by a Spec that has them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import Pick, find
from ila_core.options import options_of
from ila_core.selection.budget import Budget
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def select(
    landscape: Landscape,
    *,
    budget: str | int | Budget,
    method: str | Pick = "ila",
    pin: Iterable[int] = (),
    exclude: Iterable[int] = (),
    **knobs: Any,
) -> Selection:
    """Choose exactly min(budget, what can be chosen) records and return them in pick order.

    budget: a count, "10%" or "2M-tokens". method: a name of `names()` or a function
    (landscape, count, seed) -> rows. knobs: the other fields of Spec (patches, resolution,
    seed, ...), of which each method reads those that its `Method.reads` names, and the method's
    own parameters. Pins come first, excluded rows never. UsageError on an unknown name or value,
    IlaError where the method lacks an input.

    >>> import numpy as np
    >>> from ila_core import Landscape
    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> select(pool, budget=2, method="depth-only").rows.tolist()
    [1, 2]
    >>> def last(landscape, count, seed):
    ...     return np.arange(len(landscape))[::-1][:count]
    >>> select(pool, budget=2, method=last).rows.tolist()
    [2, 1]
    """
    chosen = find(method)
    fields = {name: knobs.pop(name) for name in options_of(Spec) if name in knobs}
    spec = Spec(
        method=chosen.name,
        budget=Budget.parse(budget).text,
        pinned=tuple(pin),
        excluded=tuple(exclude),
        parameters=tuple(knobs.items()),
        **fields,
    )
    return chosen.select(landscape, spec)


def select_sizes(landscape: Landscape, spec: Spec, most: int) -> Callable[[int], Selection]:
    """Return what selects any number of records up to `most` by a spec, its budget aside.

    A method whose picks extend each other is asked once for all of them, another one each time;
    with quotas every one, for a share of few picks is not the start of a share of many.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> sized = select_sizes(pool, Spec("nested"), 3)
    >>> sized(1).rows.tolist(), sized(2).rows.tolist()
    ([1], [1, 2])
    """

    def anew(size: int) -> Selection:
        return select_by(landscape, replace(spec, budget=str(size)))

    return anew(most).first if find(spec.method).extends(spec) else anew


def select_by(landscape: Landscape, spec: Spec) -> Selection:
    """Return the selection that a spec asks for.

    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> select_by(pool, Spec("nested", budget="1")).rows.tolist()
    [1]
    """
    return find(spec.method).select(landscape, spec)
