"""The page's memory: the only file that spells session keys, query parameters and environment.

A View is everything that a link carries. It lives in the session and is written to the URL after
every run; widgets are set from it before they are drawn and write back into it when they are used.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from cells import SIDES, Box
from figures import LAYERS, Layer, Theme
from ila_core import paths
from ila_core.errors import IlaError, UsageError

SAMPLE = "sample"
"""How a link names the landscape that ships with the program."""
MOST_PICKED_IN_URL = 40

_VIEW, _LOCKS, _STILL, _RANGE = "view", "locks", "still", "range"


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
class Lock:
    """A hand's word on one record: pinned into the selection, or excluded from it."""

    action: Literal["pin", "exclude"]
    row: int


# -- the view and its URL -------------------------------------------------------------------------


def view() -> View:
    """Return the present view; a new session takes it from its link."""
    if _VIEW not in st.session_state:
        start = from_query(st.query_params.to_dict())
        if "landscape" not in st.query_params and (run := opened_with()) and is_run(run):
            start = replace(start, landscape=str(run))
        st.session_state[_VIEW] = start
    return st.session_state[_VIEW]


def change(**values: Any) -> None:
    """Set fields of the view. Another landscape drops what belonged to the old one."""
    before = view()
    after = replace(before, **values)
    if after.landscape != before.landscape:
        after = replace(
            after, box=None, patch=values.get("patch", ()), study=values.get("study", "")
        )
        for key in (_LOCKS, _RANGE, _STILL):
            st.session_state.pop(key, None)
    elif after.box != before.box or after.cells != before.cells:
        after = replace(after, patch=values.get("patch", ()))
        st.session_state.pop(_RANGE, None)
    st.session_state[_VIEW] = after


def write_url() -> None:
    """Put the view into the address bar, leaving out what is as it starts."""
    wanted = to_query(view())
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


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


# -- widgets --------------------------------------------------------------------------------------


def knob(name: str, value: Any) -> str:
    """Return the session key of a widget, set to `value`: for widgets that mirror the view."""
    key = f"knob_{name}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return key


def arrive(screen: str) -> None:
    """Forget the knobs of the screen that was left; they are set anew from the view.

    A key that two screens share names two widgets: one that still holds its value would not be
    set, and the other screen's widget would start at its least.
    """
    if recall("screen") != screen:
        for key in [key for key in st.session_state if str(key).startswith("knob_")]:
            del st.session_state[key]
        remember("screen", screen)


def turned(name: str) -> Any:
    """Return what a knob's widget was just set to."""
    return st.session_state[f"knob_{name}"]


def widget(key: str) -> Any:
    """Return the value of a screen's own widget, inside a callback."""
    return st.session_state[key]


def follow(name: str) -> None:
    """Callback: the view's field takes the value of its knob."""
    value = turned(name)
    if value is not None:  # a click on the chosen segment would clear it
        change(**{name: value})


# -- what was clicked -----------------------------------------------------------------------------


def chart_event(key: str) -> Mapping[str, Any]:
    """Return what a chart reported last."""
    return st.session_state.get(key) or {}


def picked_cells(event: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of the cells in a chart's event, ascending.

    >>> picked_cells({"selection": {"points": [{"customdata": [7, 3]}, {"customdata": {"0": 2}}]}})
    (2, 7)
    """
    points = (event.get("selection") or {}).get("points") or []
    numbers = {_first(point.get("customdata")) for point in points}
    return tuple(sorted(number for number in numbers if number is not None))


def picked_box(event: Mapping[str, Any]) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the last drawn box, or the rectangle around the lasso, in the chart's units."""
    selection = event.get("selection") or {}
    for kind in ("box", "lasso"):
        if shapes := selection.get(kind):
            x, y = shapes[-1]["x"], shapes[-1]["y"]
            return (min(x), max(x)), (min(y), max(y))
    return None


def _first(customdata: Any) -> int | None:
    """First entry of a point's customdata, which arrives as a list, an object or a number."""
    if isinstance(customdata, Mapping):
        customdata = customdata.get("0")
    elif isinstance(customdata, (list, tuple)):
        customdata = customdata[0] if customdata else None
    return None if customdata is None else int(customdata)


def pick(key: str) -> None:
    """Callback of the map: remember the cells, and the box if one was drawn."""
    event = chart_event(key)
    change(patch=picked_cells(event))
    st.session_state[_RANGE] = picked_box(event)


def pick_for(content: object, key: str) -> None:
    """Callback of another chart of cells: remember what was chosen while it showed `content`."""
    remember(f"picked_{key}", (content, picked_cells(chart_event(key))))


def picked_for(content: object, key: str) -> tuple[int, ...]:
    """Return the cells chosen on a chart, none where it shows something else since."""
    kept = recall(f"picked_{key}")
    return kept[1] if kept is not None and kept[0] == content else ()


def picked_range() -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the box that was drawn on the map as it stands, in units of cells."""
    return st.session_state.get(_RANGE)


def still(content: object) -> tuple[int, ...]:
    """Return the cells that were chosen when the map's content last changed.

    A chart loses its zoom and selection when any byte of it changes, so the map may show the cells
    that were chosen before its content changed, never those that are clicked on it now.
    """
    kept = st.session_state.get(_STILL)
    if kept is None or kept[0] != content:
        kept = (content, view().patch)
        st.session_state[_STILL] = kept
    return kept[1]


# -- locks ----------------------------------------------------------------------------------------


def locks() -> tuple[Lock, ...]:
    """Return what was pinned and excluded by hand, oldest first, one entry a record."""
    return st.session_state.get(_LOCKS, ())


def lock(action: Literal["pin", "exclude"], row: int) -> None:
    """Callback: pin or exclude a record; a second word on it replaces the first."""
    others = tuple(entry for entry in locks() if entry.row != row)
    st.session_state[_LOCKS] = (*others, Lock(action, row))


def unlock(row: int | None = None) -> None:
    """Callback: take back the word on a record, or the last word where none is named."""
    entries = locks()
    st.session_state[_LOCKS] = (
        entries[:-1] if row is None else tuple(entry for entry in entries if entry.row != row)
    )


def locked(action: Literal["pin", "exclude"]) -> tuple[int, ...]:
    """Return the rows under one action, ascending."""
    return tuple(sorted(entry.row for entry in locks() if entry.action == action))


# -- anything else that outlives a run ------------------------------------------------------------


def recall(name: str, default: Any = None) -> Any:
    """Return a value that a screen keeps for itself."""
    return st.session_state.get(f"note_{name}", default)


def remember(name: str, value: Any) -> None:
    """Keep a value for a screen."""
    st.session_state[f"note_{name}"] = value


# -- surroundings ---------------------------------------------------------------------------------


def theme() -> Theme:
    """Return whether the page is light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def opened_with() -> Path | None:
    """Return the run folder or pool that `ila app` was given."""
    text = os.environ.get("ILA_APP_OPEN", "")
    return Path(text) if text else None


def is_run(path: Path) -> bool:
    return (path / "manifest.json").is_file()


def runs_folder() -> Path:
    """Return where uploads and landscapes built here are stored."""
    if text := os.environ.get("ILA_RUNS_DIR"):
        return Path(text).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "ila" / "runs"


def roots() -> tuple[Path, ...]:
    """Return the folders that this server may open paths under."""
    given = os.environ.get("ILA_APP_ROOTS", "").split(os.pathsep)
    return (*(Path(root) for root in given if root), runs_folder(), paths.SAMPLE)


def allowed(text: str) -> Path:
    """Return the path a visitor named; UsageError if it is outside the folders, or not there."""
    path = Path(text.strip()).expanduser()
    try:
        found = path.resolve()
        inside = any(found.is_relative_to(root.expanduser().resolve()) for root in roots())
        exists = found.exists()
    except (OSError, ValueError) as error:
        raise UsageError(f"{text!r} is no path: {error}.") from error
    if not inside:
        folders = ", ".join(str(root) for root in roots())
        raise UsageError(
            f"{path} lies outside the folders this page may open ({folders}); start the page with "
            "ila app --root FOLDER to open more, or upload the file."
        )
    if not exists:
        raise UsageError(f"{path} does not exist; check the spelling, or upload the file.")
    return found


def run_of(view: View) -> Path:
    """Return the folder of the view's landscape; IlaError if it may not or cannot be opened."""
    if view.landscape == SAMPLE:
        return paths.SAMPLE / "landscape"
    path = allowed(view.landscape)
    if not is_run(path):
        raise IlaError(
            f"{path} holds no finished landscape (no manifest.json); open the pool on the Data "
            "screen to build one."
        )
    return path
