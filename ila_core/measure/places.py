"""The same records on the maps that other projection seeds give, for the stability of a selection.

A projection takes minutes on a large pool, so the maps are kept: with the landscape while it is
open, and in its run folder where that can be written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import IlaError
from ila_core.files import replacing

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.space.project import ProjectSettings

Say = Callable[[str], None]
OTHER_SEEDS = 2


def other_places(landscape: Landscape, say: Say = lambda _: None) -> list[np.ndarray]:
    """Return the places of the records, (n, 2) each, by the two next projection seeds.

    None for a landscape without vectors, or whose map knows no chance: given columns, principal
    components. `say` is told the cost before a projection is made.
    """
    from ila_core.space.project import ProjectSettings

    settings = landscape.manifest.get("settings", {})
    method, seed = settings.get("projection", "umap"), settings.get("seed", 0)
    if landscape.vectors is None or method not in ("umap", "tsne"):
        return []
    wanted = [ProjectSettings(method, seed + step) for step in range(1, OTHER_SEEDS + 1)]
    return landscape.remember(
        "places", method, lambda: [_places(landscape, how, say) for how in wanted], most=1
    )


def _places(landscape: Landscape, how: ProjectSettings, say: Say) -> np.ndarray:
    from ila_core.space import project

    assert landscape.vectors is not None
    kept = _kept_at(landscape, how)
    if kept is not None and kept.is_file():
        with suppress(ValueError, OSError):  # a damaged file is made anew
            return np.load(kept)
    took = landscape.manifest.get("stages", {}).get("projection", {}).get("seconds")
    cost = f" (the first took {took:,.0f} s)" if took else ""
    say(f"projecting {len(landscape):,} records with seed {how.seed} for the stability{cost}")
    xy = project.project(landscape.vectors, how)
    if kept is not None:
        with suppress(IlaError), replacing(kept) as temporary, open(temporary, "wb") as stream:
            np.save(stream, xy)
    return xy


def _kept_at(landscape: Landscape, how: ProjectSettings) -> Path | None:
    if landscape.run is None:
        return None
    name = f"places-{how.method}-{how.seed}-{landscape.fingerprint}"
    return landscape.run / ".stages" / name / "xy.npy"
