"""ILA: the landscape of an instruction pool, and the part of it worth training on.

>>> import ila_core as ila
>>> landscape = ila.Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
>>> ila.select(landscape, budget=2, resolution=1).rows.tolist()
[1, 2]
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ila_core._version import __version__

_HOMES = {
    "add": "pipeline.adding",
    "build": "pipeline.build",
    "open": "landscape.buckets:open_run",
    "select": "methods.select",
    "compare": "measure.compare",
    "study": "studies.run",
    "export": "exports.write",
    "Budget": "selection.budget",
    "Grid": "landscape.grid",
    "IlaError": "errors",
    "Landscape": "landscape.landscape",
    "Records": "pool.records",
    "Selection": "selection.selection",
    "Spec": "selection.spec",
    "UsageError": "errors",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Resolve a public name on first use, so that importing the package stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ila_core' has no attribute {name!r}")
    module, _, inside = _HOMES[name].partition(":")
    value = getattr(import_module(f"ila_core.{module}"), inside or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
