"""The named regions of a landscape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered

if TYPE_CHECKING:
    from ila_core.space.regions import Regions


@remembered(most=1, of_map=True)
def named_regions(landscape: Landscape) -> Regions:
    """Return the regions of a landscape's map in three levels, with their names."""
    from ila_core.space.regions import find_regions

    return find_regions(landscape.xy, landscape.domain, landscape.domain_names)
