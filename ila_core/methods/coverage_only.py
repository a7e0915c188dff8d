"""A random record of every patch: ILA without depth."""

from __future__ import annotations

from dataclasses import replace

from ila_core.chance import stream
from ila_core.landscape.landscape import Landscape
from ila_core.methods.ila import ila
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def coverage_only(landscape: Landscape, spec: Spec, *, offset: float = 0.0) -> Selection:
    """Return ILA's selection from records whose depths are drawn by chance."""
    n = len(landscape)
    depth = (stream(spec.seed, "coverage-only").permutation(n) + 0.5) / n
    blind = Landscape.from_arrays(landscape.xy, relative_depth=depth, tokens=landscape.tokens)
    chosen = ila(blind, spec, offset=offset)
    return replace(chosen, landscape=landscape, taken="order")
