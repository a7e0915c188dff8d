"""Mounts the panel of facets, and reads what it reports. Script and style are files beside this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent
SCRIPTS = ("parts", "numbers", "categories", "panel")
"""The parts of the script, which is one module: none reads another's names before it runs."""
WORDS = {
    "pool": "pool",
    "shown": "left by filters, place and search, on a scale of its own",
    "kept": "kept, as if it were as many",
    "keptOnly": "kept",
    "clear": "Clear",
    "clearAll": "Clear all",
    "none": "none",
    "unknown": "unknown",
    "more": "more",
    "fewer": "Fewer",
    "find": "Find a name",
    "record": "record",
    "records": "records",
    "of": "of",
    "from": "from",
    "to": "to",
    "upTo": "up to",
    "over": "from",
    "missing": "without it",
    "others": "further names, each of fewer records, are not listed",
    "drag": "Drag over the bars to narrow",
}
"""What the panel says."""


@dataclass(frozen=True)
class Brush:
    """What was brushed or clicked in a facet."""

    name: str
    """Of the facet; "" for all of them."""
    bins: tuple[int, int] | None = None
    """First and last bin of a number; None where the brush was cleared."""
    values: tuple[str, ...] = ()
    """Names of categories; none where all were let go."""


def script() -> str:
    """Return the component's module, without comments and indents: it travels with the data."""
    lines = (
        line.strip()
        for name in SCRIPTS
        for line in (HERE / "js" / f"{name}.js").read_text(encoding="utf-8").splitlines()
    )
    return "\n".join(line for line in lines if line and not line.startswith("//"))


_mount = st.components.v2.component(
    "facets_panel", css=(HERE / "facets.css").read_text(encoding="utf-8"), js=script()
)


def facets_panel(
    facets: Sequence[Mapping[str, Any]],
    inks: Mapping[str, str],
    *,
    key: str,
    on_brush: Callable[[], None],
) -> None:
    """Draw facets as `draw.facets` makes them; the callback reads a brush with `brush_told`."""
    data = {"words": WORDS, "inks": dict(inks), "facets": list(facets)}
    _mount(data=data, key=key, on_brush_change=on_brush)


def brush_told(event: Mapping[str, Any]) -> Brush | None:
    """Return what the panel reports, None for nothing.

    >>> brush_told({"brush": {"name": "loss", "bins": [4, 2]}})
    Brush(name='loss', bins=(2, 4), values=())
    """
    told = event.get("brush")
    if not told:
        return None
    bins = told.get("bins")
    ends = None if bins is None else (int(min(bins)), int(max(bins)))
    return Brush(str(told.get("name", "")), ends, tuple(map(str, told.get("values") or ())))
