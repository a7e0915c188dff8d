"""What a link carries: the view, and its text in the address bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cells import Box
from draw.layers import LAYERS, SIDES, Layer

SAMPLE = "sample"
"""How a link names the landscape that ships with the program."""
MOST_PICKED_IN_URL = 40
GRIDDED = {"ila"}
"""Methods that take a resolution by hand; coverage-only has a grid, always the automatic one."""
TARGETED = {"ila", "nested"}


@dataclass(frozen=True)
class View:
    """What a link shows: the landscape, the selection's knobs, and where one looks."""

    landscape: str = SAMPLE
    method: str = "ila"
    budget: str = "10%"
    resolution: int | Literal["auto"] = "auto"
    depth_target: float = 1.0
    seed: int = 0
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


@dataclass(frozen=True)
class Ask:
    """Everything that decides a selection from a landscape."""

    method: str
    budget: str
    resolution: int | str = "auto"
    depth_target: float = 1.0
    seed: int = 0
    pin: tuple[int, ...] = ()
    exclude: tuple[int, ...] = ()


def to_query(view: View) -> dict[str, str]:
    """Return a view as query parameters; what equals the default is left out."""
    default = _texts(View())
    return {name: text for name, text in _texts(view).items() if text != default[name]}


def _texts(view: View) -> dict[str, str]:
    few = len(view.patch) <= MOST_PICKED_IN_URL
    return {
        "landscape": view.landscape,
        "method": view.method,
        "budget": view.budget,
        "resolution": str(view.resolution),
        "depth_target": f"{view.depth_target:g}",
        "seed": str(view.seed),
        "layer": view.layer,
        "cells": str(view.cells),
        "box": ",".join(f"{end:.6g}" for end in view.box or ()),
        "patch": ",".join(str(number) for number in view.patch if few),
        "methods": ",".join(view.methods),
        "pair": ",".join(view.pair),
        "study": view.study,
    }


def from_query(query: Mapping[str, str]) -> View:
    """Return the view of a link; parts that make no sense are left at their default."""
    values: dict[str, Any] = {}
    readers = {
        "landscape": str,
        "method": str,
        "budget": str,
        "resolution": lambda text: "auto" if text == "auto" else _within(int(text), 1, 8192),
        "depth_target": lambda text: _within(float(text), 0.0, 1.0),
        "seed": lambda text: _within(int(text), 0, 2**31),
        "layer": lambda text: LAYERS[LAYERS.index(text)],
        "cells": lambda text: SIDES[SIDES.index(int(text))],
        "box": _box,
        "patch": lambda text: tuple(_within(int(p), 0, 8192**2 - 1) for p in text.split(",")),
        "methods": _names,
        "pair": lambda text: _pair(_names(text)),
        "study": str,
    }
    for name, read in readers.items():
        if query.get(name):
            try:
                values[name] = read(query[name])
            except ValueError:
                continue
    return View(**values)


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
