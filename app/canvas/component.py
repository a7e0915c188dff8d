"""Mounts the canvas, and reads what it reports. The script and its style are files beside this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from ila_core.errors import UsageError
from ila_core.landscape.region import Box, Region, drawn

HERE = Path(__file__).parent
SCRIPTS = (
    "bytes", "camera", "picture", "album", "names", "marks", "shell", "hands", "map",
)  # fmt: skip
"""The parts of the script, which is one module: none reads another's names before it runs."""
WORDS = {
    "tools": "Tools of the map",
    "move": "Move: drag; scroll to zoom",
    "box": "Choose a box (or Shift and drag)",
    "lasso": "Choose by lasso",
    "nearer": "Nearer (+)",
    "farther": "Farther (−)",
    "all": "Whole map (0 or double click)",
    "kept": "kept",
    "left": "left",
    "record": "record",
    "records": "records",
    "keptOf": "kept",
    "depth": "mean relative depth",
    "even": "kept like the whole pool",
    "more": "times its share is kept",
    "less": "times less than its share is kept",
    "asMany": "keeps about as many here as",
    "onlyBy": "kept here by hardly any but",
    "keeps": "keeps",
    "timesAsMany": "times as many here as",
}
"""What the tools and the tooltip say."""


def script() -> str:
    """Return the component's module, without comments and indents: it travels with the data."""
    lines = (
        line.strip()
        for name in SCRIPTS
        for line in (HERE / "js" / f"{name}.js").read_text(encoding="utf-8").splitlines()
    )
    return "\n".join(line for line in lines if line and not line.startswith("//"))


_mount = st.components.v2.component(
    "landscape_map", css=(HERE / "map.css").read_text(encoding="utf-8"), js=script()
)


@dataclass(frozen=True)
class Pick:
    """A place that was picked, None where it was let go, and the row of a record clicked in it."""

    region: Region | None
    record: int | None


def map_canvas(data: Mapping[str, Any], *, key: str, on_told: Callable[[], None]) -> None:
    """Draw the map; `on_told` is called when it has something to report: read it with `news`."""
    _mount(data=dict(data), key=key, on_told_change=on_told)


def news(event: Mapping[str, Any], seen: Mapping[str, int]) -> dict[str, tuple[int, Any]]:
    """Return what the map reports that was not `seen` yet: when, and a box or a Pick.

    The map repeats the latest window and pick with every report, each with its time, so that none
    is lost where the page was busy. A "window" of None is the whole map.

    >>> told = {"told": {"window": {"box": [0, 0, 2, 1], "at": 7}, "pick": {"at": 5}}}
    >>> news(told, {"pick": 5})
    {'window': (7, Box(x0=0.0, y0=0.0, x1=2.0, y1=1.0))}
    """
    told = event.get("told") or {}
    readers = {"window": lambda said: _box(said.get("box")), "pick": _pick}
    return {
        part: (said["at"], readers[part](said))
        for part, said in told.items()
        if part in readers and seen.get(part) != said["at"]
    }


def _pick(said: Mapping[str, Any]) -> Pick:
    shape, record = said.get("region") or {}, said.get("record")
    region: Region | None = _box(shape.get("box"))
    if shape.get("points"):
        try:
            region = drawn((x, y) for x, y in shape["points"])
        except UsageError:  # two corners are no place
            region = None
    return Pick(region, None if record is None else int(record))


def _box(ends: Any) -> Box | None:
    return None if ends is None else Box(*map(float, ends))
