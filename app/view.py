"""What a link carries: the view, and its text in the address bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from draw.layers import LAYERS, Layer
from ila_core.errors import UsageError
from ila_core.landscape import region as regions
from ila_core.landscape.cells import SIDES
from ila_core.landscape.facets import FIELD, KINDS, is_facet
from ila_core.landscape.region import Box, Region
from ila_core.methods.registry import find
from ila_core.options import options_of
from ila_core.selection import rules
from ila_core.selection.spec import Spec

SAMPLE = "sample"
"""How a link names the landscape that ships with the program."""
USUAL = Spec()
"""What is asked for while nothing has been changed."""
KNOBS = options_of(Spec)
"""The knobs of a selection by name, as links and widgets have them."""

COLOURED = tuple(name for name in KINDS if name != "depth")
"""Facets that the map can show: the depth has a layer of its own."""
SORTED = tuple(name for name, kind in KINDS.items() if kind == "number")
"""Facets that records can be listed by, beside fields of their own."""
Kept = Literal["", "kept", "left"]
Way = Literal["falling", "rising"]
By = Literal["words", "meaning"]


@dataclass(frozen=True)
class View:
    """What a link shows: the landscape, the selection's knobs, and where one looks."""

    landscape: str = SAMPLE
    spec: Spec = USUAL
    """What is asked for, but for pins and exclusions, which belong to a visitor."""
    layer: Layer = "density"
    against: str = "random"
    """The method that the layer of differences sets the selection against."""
    colour: str = "domain"
    """The facet that the layer of facets shows."""
    cells: int = 0
    """Cells a side that are drawn over the map; 0 for none."""
    box: Box | None = None
    """The window that one looks at; the whole map where it is None."""
    region: Region | None = None
    """The place whose records are listed."""
    record: int | None = None
    """The row of the record that is read."""
    filters: tuple[str, ...] = ()
    """Rules of which all must hold for what is looked at; the selection knows nothing of them."""
    fields: tuple[str, ...] = ()
    """Fields of the records that stand among the facets: `field.NAME`."""
    kept: Kept = ""
    """Whether only what is kept, or what is left, is looked at."""
    q: str = ""
    """What is searched for."""
    by: By = "words"
    """What the search goes by."""
    sort: str = ""
    """The number that records are listed by; chosen ones first where it is empty."""
    way: Way = "falling"
    """Whether the highest or the lowest number is listed first."""
    like: int | None = None
    """The row whose like are looked at, in place of a search."""
    methods: tuple[str, ...] = ()
    """What is compared; the fast methods where none is named."""
    pair: tuple[str, ...] = ()
    """The two methods that are set against each other."""
    study: str = ""
    """The folder of the study that is open."""
    mine: str = ""
    """The name of the visitor's own selection, or the token of its draft."""
    build: str = ""
    """The name of the build that is followed."""


FIELDS = {"filter": "filters"}
"""Parts of a link that are called otherwise than their field."""


class Link(NamedTuple):
    """What a link says."""

    view: View
    senseless: tuple[str, ...]
    """What made no sense in it, a sentence each: those parts are left at their default."""


def to_query(view: View) -> dict[str, str]:
    """Return a view as query parameters; what equals the default is left out."""
    default = _texts(View())
    return {name: text for name, text in _texts(view).items() if text != default[name]}


def _texts(view: View) -> dict[str, str]:
    return {
        "landscape": view.landscape,
        **{name: knob.text(getattr(view.spec, name)) for name, knob in KNOBS.items()},
        "layer": view.layer,
        "against": view.against,
        "colour": rules.written(view.colour),
        "cells": str(view.cells),
        "box": _or_nothing(view.box),
        "region": _or_nothing(view.region),
        "record": _or_nothing(view.record),
        "filter": rules.joined(view.filters),
        "fields": ",".join(map(rules.written, view.fields)),
        "kept": view.kept,
        "q": view.q,
        "by": view.by,
        "sort": rules.written(view.sort),
        "way": view.way,
        "like": _or_nothing(view.like),
        "methods": ",".join(view.methods),
        "pair": ",".join(view.pair),
        "study": view.study,
        "mine": view.mine,
        "build": view.build,
    }


def _or_nothing(value: object) -> str:
    return "" if value is None else str(value)


def from_query(query: Mapping[str, str]) -> Link:
    """Return the view of a link, and what made no sense in it.

    >>> from_query({"cells": "7"}).senseless
    ("The link's cells=7 makes no sense: it is one of 0, 32, 64, 96, 128.",)
    """
    view, senseless = View(), []
    ordered = [*(name for name in KNOBS if name in query), *(n for n in query if n not in KNOBS)]
    for name in ordered:  # patches before the resolution that counts them
        text = query[name]
        if not text:
            continue
        try:
            if name in KNOBS:
                spec = replace(view.spec, **{name: text})
                find(spec.method)
                view = replace(view, spec=spec)
            elif name in _READERS:
                view = replace(view, **{FIELDS.get(name, name): _READERS[name](text)})
            else:
                raise UsageError("there is no such part of a link")
        except UsageError as error:
            why = str(error).rstrip(".")
            senseless.append(f"The link's {name}={shortened(text)} makes no sense: {why}.")
    return Link(view, tuple(senseless))


def shortened(text: str, letters: int = 40) -> str:
    """Return a text of a link as a sentence may hold it."""
    return text if len(text) <= letters else f"{text[:letters]}…"


def _one_of(*known: Any) -> Callable[[str], Any]:
    """Return a reader of one of these values."""
    by_text = {str(value): value for value in known}

    def read(text: str) -> Any:
        if text not in by_text:
            raise UsageError(f"it is one of {', '.join(by_text)}")
        return by_text[text]

    return read


def _field(text: str) -> str:
    name = rules.read(text)
    if not (name.startswith(FIELD) and is_facet(name)):
        raise UsageError(f"it is fields of the records, {FIELD}NAME and so on")
    return name


def _coloured(text: str) -> str:
    return _field(text) if text.startswith(FIELD) else _one_of(*COLOURED)(text)


def _sorted(text: str) -> str:
    return _field(text) if text.startswith(FIELD) else _one_of(*SORTED)(text)


def _method(text: str) -> str:
    return find(text).name


def _row(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise UsageError("it is a row of the pool, a whole number from 0 on")
    return int(text)


def _window(text: str) -> Box:
    box = regions.parse(text)
    if not (isinstance(box, Box) and box.x0 < box.x1 and box.y0 < box.y1):
        raise UsageError("it is a window of the map, x0,y0,x1,y1")
    return box


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in text.split(",") if name))


def _pair(text: str) -> tuple[str, ...]:
    names = _names(text)
    if len(names) != 2:
        raise UsageError("it is two methods, A,B")
    return names


_READERS: dict[str, Callable[[str], Any]] = {
    "landscape": str,
    "layer": _one_of(*LAYERS),
    "against": _method,
    "colour": _coloured,
    "cells": _one_of(0, *SIDES),
    "box": _window,
    "region": regions.parse,
    "record": _row,
    "filter": lambda text: rules.checked(map(str, rules.split(text))),
    "fields": lambda text: tuple(dict.fromkeys(_field(part) for part in text.split(","))),
    "kept": _one_of("kept", "left"),
    "q": str,
    "by": _one_of("words", "meaning"),
    "sort": _sorted,
    "way": _one_of("falling", "rising"),
    "like": _row,
    "methods": _names,
    "pair": _pair,
    "study": str,
    "mine": str,
    "build": str,
}
"""How each part of a link beside the knobs is read; UsageError says what it should be."""
