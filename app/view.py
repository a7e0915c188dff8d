"""What a link carries: the view, and its text in the address bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from draw.layers import LAYERS, Layer
from ila_core.errors import UsageError
from ila_core.landscape.cells import SIDES, Box
from ila_core.options import options_of
from ila_core.selection.spec import Spec

SAMPLE = "sample"
"""How a link names the landscape that ships with the program."""
MOST_PICKED_IN_URL = 40
MOST_ROWS = 2**40
"""Of any pool; whether a row is there is for the landscape to say."""
USUAL = Spec()
"""What is asked for while nothing has been changed."""
KNOBS = options_of(Spec)
"""The knobs of a selection by name, as links and widgets have them."""


@dataclass(frozen=True)
class View:
    """What a link shows: the landscape, the selection's knobs, and where one looks."""

    landscape: str = SAMPLE
    spec: Spec = USUAL
    """What is asked for, but for pins and exclusions, which belong to a visitor."""
    layer: Layer = "density"
    cells: int = 64
    box: Box | None = None
    patch: tuple[int, ...] = ()
    """Numbers of the chosen cells, in the grid that is drawn."""
    methods: tuple[str, ...] = ()
    """What is compared; the fast methods where none is named."""
    pair: tuple[str, ...] = ()
    """The two methods that are set against each other."""
    study: str = ""
    """The folder of the study that is open."""
    mine: str = ""
    """The name of the visitor's own selection, or the token of its draft."""
    record: int | None = None
    """The row of the record that the inspector shows."""


def to_query(view: View) -> dict[str, str]:
    """Return a view as query parameters; what equals the default is left out."""
    default = _texts(View())
    return {name: text for name, text in _texts(view).items() if text != default[name]}


def _texts(view: View) -> dict[str, str]:
    few = len(view.patch) <= MOST_PICKED_IN_URL
    return {
        "landscape": view.landscape,
        **{name: knob.text(getattr(view.spec, name)) for name, knob in KNOBS.items()},
        "layer": view.layer,
        "cells": str(view.cells),
        "box": ",".join(f"{end:.6g}" for end in view.box or ()),
        "patch": ",".join(str(number) for number in view.patch if few),
        "methods": ",".join(view.methods),
        "pair": ",".join(view.pair),
        "study": view.study,
        "mine": view.mine,
        "record": "" if view.record is None else str(view.record),
    }


def from_query(query: Mapping[str, str]) -> View:
    """Return the view of a link; parts that make no sense are left at their default."""
    values: dict[str, Any] = {}
    readers = {
        "landscape": str,
        "layer": lambda text: LAYERS[LAYERS.index(text)],
        "cells": lambda text: SIDES[SIDES.index(int(text))],
        "box": _box,
        "patch": lambda text: tuple(_within(int(p), 0, 8192**2 - 1) for p in text.split(",")),
        "methods": _names,
        "pair": lambda text: _pair(_names(text)),
        "study": str,
        "mine": str,
        "record": lambda text: _within(int(text), 0, MOST_ROWS),
    }
    for name, read in readers.items():
        if query.get(name):
            try:
                values[name] = read(query[name])
            except ValueError:
                continue
    return View(spec=_spec(query), **values)


def _spec(query: Mapping[str, str]) -> Spec:
    """Return the spec of a link, knob by knob: one that makes no sense stays at its default."""
    spec = USUAL
    for name in KNOBS:
        if query.get(name):
            with suppress(UsageError):
                spec = replace(spec, **{name: query[name]})
    return spec


def _within(value: Any, low: Any, high: Any) -> Any:
    if not low <= value <= high:
        raise ValueError(f"{value} is not between {low} and {high}")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in text.split(",") if name))


def _pair(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) != 2:
        raise ValueError(f"{names} are not two names")
    return names


def _box(text: str) -> Box:
    x0, y0, x1, y1 = (float(part) for part in text.split(","))
    if not (-math.inf < x0 < x1 < math.inf and -math.inf < y0 < y1 < math.inf):
        raise ValueError(f"{text} is no box")
    return Box(x0, y0, x1, y1)
