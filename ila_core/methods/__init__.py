"""The methods to compare with: one interface, `select(landscape, budget=..., method=...)`."""

from __future__ import annotations

from ila_core.measure.compare import (
    RANDOM_SEEDS,
    Comparison,
    Row,
    compare,
    fast_names,
    measure,
    print_comparison,
    with_novelty,
    with_stability,
)
from ila_core.measure.places import other_places
from ila_core.methods.inputs import lacking
from ila_core.methods.registry import Method, find, methods, names, select

__all__ = [
    "RANDOM_SEEDS",
    "Comparison",
    "Method",
    "Row",
    "compare",
    "fast_names",
    "find",
    "lacking",
    "measure",
    "methods",
    "names",
    "other_places",
    "print_comparison",
    "select",
    "with_novelty",
    "with_stability",
]
