"""How much of a selection survives where the map had come out otherwise.

The same records lie elsewhere by another projection seed, and other patches are cut where the grid
is shifted. A projection takes minutes on a large pool, so the other maps are kept: with the
landscape while it is open, and in its run folder where that can be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ila_core.artifacts import STAGES
from ila_core.errors import IlaError
from ila_core.files import replacing
from ila_core.landscape.folder import projection_of
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import methods
from ila_core.methods.select import select_by
from ila_core.progress import Say, silent
from ila_core.selection.selection import Selection

if TYPE_CHECKING:
    from ila_core.space.project import ProjectionSettings

OTHER_SEEDS = 2
OFFSETS = (0.25, 0.5, 0.75)
"""Fractions of a patch by which grids are shifted."""


def stability(
    selection: Selection,
    *,
    offsets: Sequence[float] = OFFSETS,
    places: Iterable[np.ndarray] = (),
) -> dict[str, float]:
    """Return the mean share of a selection that survives another place of grid or map.

    "offset": the grid shifted by these fractions of a patch; "projection": the map that other
    projection seeds give, `places` being their xy arrays, (n, 2). Nothing for a method that does
    not read the map.

    >>> import ila_core as ila
    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> stability(ila.select(pool, budget=2), offsets=[0.5], places=[pool.xy[:, ::-1]])
    {'offset': 0.5, 'projection': 1.0}
    """
    landscape, spec = selection.landscape, selection.spec
    method = methods().get(spec.method)
    if method is None or "map" not in method.reads or not len(selection):
        return {}
    shares = {}
    given = dict(spec.parameters)
    shifted = [
        replace(spec, parameters=tuple({**given, "offset": offset}.items())) for offset in offsets
    ]
    if shifted:
        shares["offset"] = _survives(selection, [select_by(landscape, one) for one in shifted])
    if moved := [landscape.moved(xy) for xy in places]:
        shares["projection"] = _survives(selection, [select_by(one, spec) for one in moved])
    return shares


def _survives(selection: Selection, others: Sequence[Selection]) -> float:
    return float(np.mean([other.mask[selection.rows].mean() for other in others]))


def other_places(landscape: Landscape, say: Say = silent) -> list[np.ndarray]:
    """Return the places of the records, (n, 2) each, by the two next projection seeds.

    Nothing for a landscape without vectors, or whose map knows no chance: given columns, principal
    components. `say` is told the cost before a projection is made.
    """
    from ila_core.space.project import FITTED, ProjectionSettings

    method = projection_of(landscape.manifest)
    seed = landscape.manifest.get("settings", {}).get("seed", 0)
    if landscape.vectors is None or method not in FITTED:
        return []
    steps = range(1, OTHER_SEEDS + 1)
    hows = [ProjectionSettings(cast(Any, method), seed + step) for step in steps]
    return [_places(landscape, how, say) for how in hows]


def _places(landscape: Landscape, how: ProjectionSettings, say: Say) -> np.ndarray:
    from ila_core.space.project import project

    assert landscape.vectors is not None
    kept = landscape.memory.setdefault(_places, {})
    if how in kept:
        return kept[how]
    path = _kept_at(landscape, how)
    if path is not None and path.is_file():
        with suppress(ValueError, OSError):  # a damaged file is made anew
            return kept.setdefault(how, np.load(path))
    took = landscape.manifest.get("stages", {}).get("projection", {}).get("seconds")
    cost = f" (the first took {took:,.0f} s)" if took else ""
    say(f"projecting {len(landscape):,} records with seed {how.seed} for the stability{cost}")
    xy = project(landscape.vectors, how)
    if path is not None:
        with suppress(IlaError), replacing(path) as temporary, open(temporary, "wb") as stream:
            np.save(stream, xy)
    return kept.setdefault(how, xy)


def _kept_at(landscape: Landscape, how: ProjectionSettings) -> Path | None:
    if landscape.run is None:
        return None
    name = f"places-{how.method}-{how.seed}-{landscape.fingerprint}"
    return landscape.run / STAGES / name / "xy.npy"
