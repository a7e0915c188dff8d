"""The methods to compare with: one interface, `select(landscape, budget=..., method=...)`."""

from __future__ import annotations

from ila_core.methods.compare import Comparison, Row, compare, print_comparison
from ila_core.methods.registry import Method, find, methods, names, select

__all__ = [
    "Comparison",
    "Method",
    "Row",
    "compare",
    "find",
    "methods",
    "names",
    "print_comparison",
    "select",
]
