"""A random record of every patch: what the patches alone are worth."""

from __future__ import annotations

from dataclasses import replace

from ila_core.chance import Purpose, stream
from ila_core.landscape.landscape import Landscape
from ila_core.methods.ila import ila
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec


def coverage_only(
    landscape: Landscape, spec: Spec, locks: Locks, *, offset: float = 0.0
) -> Selection:
    """Return a random record per patch of the automatic grid, then a second: ILA without depth."""
    return _blindly(landscape, replace(spec, patches="grid"), locks, offset, "coverage-only")


def even_random(
    landscape: Landscape, spec: Spec, locks: Locks, *, offset: float = 0.0
) -> Selection:
    """Return a random record of each of as many even patches as there are picks."""
    return _blindly(landscape, replace(spec, patches="even"), locks, offset, "even-random")


def _blindly(
    landscape: Landscape, spec: Spec, locks: Locks, offset: float, purpose: Purpose
) -> Selection:
    """Return ILA's selection from records whose depths are drawn by chance."""
    n = len(landscape)
    depth = (stream(spec.seed, purpose).permutation(n) + 0.5) / n
    blind = replace(
        landscape, given_ranks={landscape.kind: depth.astype("float32")}, whole=landscape.base
    )
    chosen = ila(blind, spec.deepest_first, locks, offset=offset)
    return replace(chosen, landscape=landscape, spec=spec, taken="order")
