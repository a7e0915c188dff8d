"""Mounts the canvas, and reads what it reports. The script and its style are files beside this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def map_canvas(
    data: Mapping[str, Any],
    *,
    key: str,
    on_window: Callable[[], None],
    on_pick: Callable[[], None],
) -> None:
    """Draw the map; the callbacks read what it reports with `window_told` and `pick_told`."""
    _mount(data=dict(data), key=key, on_window_change=on_window, on_pick_change=on_pick)


def window_told(event: Mapping[str, Any]) -> Box | None:
    """Return the window that the map reports; None for the whole map.

    >>> window_told({"window": {"box": [0, 0, 2, 1]}}), window_told({"window": {"box": None}})
    (Box(x0=0.0, y0=0.0, x1=2.0, y1=1.0), None)
    """
    return _box((event.get("window") or {}).get("box"))


def pick_told(event: Mapping[str, Any]) -> tuple[Region | None, int | None]:
    """Return the region that was picked, and the row of the record that was clicked in it.

    >>> pick_told({"pick": {"region": {"points": [[0, 0], [1, 0], [0, 1]]}, "record": 7}})
    (Lasso(points=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))), 7)
    """
    pick = event.get("pick") or {}
    shape = pick.get("region") or {}
    record = pick.get("record")
    region: Region | None = _box(shape.get("box"))
    if shape.get("points"):
        try:
            region = drawn((x, y) for x, y in shape["points"])
        except UsageError:  # two corners are no place
            region = None
    return region, None if record is None else int(record)


def _box(ends: Any) -> Box | None:
    return None if ends is None else Box(*map(float, ends))
