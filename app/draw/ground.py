"""What lies under every layer of the map: how full each place is, its land, and its contours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from draw.encoding import encoded
from ila_core.landscape import surface
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box
from ila_core.landscape.surface import Contour, Raster, View

PIXELS = 60_000
"""Of a layer's raster, whatever its form: what is sent is the same for every pool."""
AROUND = 0.15
"""How far a raster goes beyond its window, so that moving the map shows more of it at once."""
RIM = 0.08
"""How far the whole map goes beyond its records at every side, as a share of the longer one: the
land around them is as wide on all sides."""
CALM = 2.4
"""Pixels of the smallest bandwidth: a finer one shows single records, and no form."""
NARROWEST = 0.2
"""Least ratio of a raster's sides."""
UNITS = ((10_000, "ten-thousandth", 20_000), (100, "hundredth", 0))
"""Parts of the map that a density is told by, and from how many records on."""
LAND = 64
"""Bytes of the ground up to here are land around records; above, how full a place is."""
SHORE = 1.8
"""Bandwidths by which the land is wider than what lies on it."""
FADES = 2.5
"""Of the land's bandwidths, after which nothing of it is seen."""
LINES = (0.95, 0.8, 0.6, 0.4, 0.2)
"""Shares of the records that the contours go round."""
STEPS = 4096
"""Places of a contour along the picture's width."""
MOST_ENDS = 8_000
"""Corners of all contours together; the shortest lines go first."""
LEAST_ENDS = 10
"""Corners of a contour that is drawn: smaller rings are specks."""


@dataclass(frozen=True, eq=False)
class Ground:
    """A window of the map: how many records lie where."""

    view: View
    density: Raster
    land: np.ndarray
    """(height / 2, width / 2) uint8: 0 is nothing, to LAND the rim of the land, to 255 the more
    records a place holds."""
    whole: Box
    """The window of the whole map."""
    records: int
    """Of the whole map."""

    @property
    def box(self) -> Box:
        return self.view.box

    @cached_property
    def contours(self) -> tuple[Contour, ...]:
        """The lines that go round LINES of the window's records, the outermost first."""
        return surface.contours(self.density, surface.contour_levels(self.density, LINES))

    @cached_property
    def lines(self) -> dict[str, Any]:
        """The contours as the map's component takes them."""
        return contours_data(self.contours, self.box)

    @property
    def unit(self) -> tuple[float, str]:
        """The unit of the density: how many pixels of this raster it is, and what it is called.

        A part of the map that holds some records on average, whatever the pool's size.
        """
        parts, name = next((p, n) for p, n, least in UNITS if self.records >= least)
        return self.pixels_of_map / parts, f"a {name} of the map"

    @property
    def pixels_of_map(self) -> float:
        """Pixels that the whole map would have at this scale."""
        return _area(self.whole) * self.view.width * self.view.height / _area(self.box)

    def as_data(self) -> dict[str, Any]:
        """Return the ground as the map's component takes it."""
        tall, wide = self.land.shape
        return {"wide": wide, "tall": tall, "bytes": encoded(self.land, "u1")}


def extent(landscape: Landscape) -> Box:
    """Return the rectangle of the whole map, with its land: the fewer records, the wider it is."""
    box = surface.whole(landscape)
    reach = FADES * SHORE * surface.spread(len(landscape))
    rim = max(RIM, reach / (1 - 2 * reach)) * max(box.x1 - box.x0, box.y1 - box.y0)
    return Box(box.x0 - rim, box.y0 - rim, box.x1 + rim, box.y1 + rim)


def window_of(landscape: Landscape, box: Box | None) -> Box:
    """Return the rectangle that a picture of a window covers: some more, none beyond the map."""
    whole = extent(landscape)
    if box is None:
        return whole
    around = _wider(box, AROUND)
    inside = Box(
        max(around.x0, whole.x0), max(around.y0, whole.y0),
        min(around.x1, whole.x1), min(around.y1, whole.y1),
    )  # fmt: skip
    return inside if inside.x0 < inside.x1 and inside.y0 < inside.y1 else whole


def _wider(box: Box, share: float) -> Box:
    wide, tall = share * (box.x1 - box.x0), share * (box.y1 - box.y0)
    return Box(box.x0 - wide, box.y0 - tall, box.x1 + wide, box.y1 + tall)


def ground(landscape: Landscape, box: Box | None) -> Ground:
    """Return what lies in a window of the map, the whole of it where it is None."""
    covered = window_of(landscape, box)
    ratio = (covered.x1 - covered.x0) / (covered.y1 - covered.y0)
    ratio = min(max(ratio, NARROWEST), 1 / NARROWEST)
    wide = round((PIXELS * ratio) ** 0.5 / 2) * 2
    tall = round(PIXELS / wide / 2) * 2
    view = surface.view_of(landscape, covered, width=wide, height=tall)
    view = view._replace(bandwidth=max(view.bandwidth, CALM))
    density = surface.density(landscape, view)
    land = _land(landscape, view, density)
    return Ground(view, density, land, surface.whole(landscape), len(landscape))


def _land(landscape: Landscape, view: View, density: Raster) -> np.ndarray:
    half = view._replace(
        width=view.width // 2, height=view.height // 2, bandwidth=view.bandwidth / 2 * SHORE
    )
    wide = surface.density(landscape, half).values
    alone = 1 / (2 * np.pi * half.bandwidth**2)  # the middle of a single record
    shore = LAND * np.minimum(wide / (0.5 * alone), 1)
    there = density.there.reshape(half.height, 2, half.width, 2).any(axis=(1, 3))
    full = density.values.reshape(half.height, 2, half.width, 2).mean(axis=(1, 3))
    top = max(float(full.max()), 1e-12)
    low = max(float(full[there].min()), top / 1000) if there.any() else top / 10
    share = np.log(np.maximum(full, low) / low) / max(np.log(top / low), 1e-9)
    return np.rint(np.where(there, LAND + (255 - LAND) * share, shore)).astype(np.uint8)


def contours_data(contours: Sequence[Contour], box: Box) -> dict[str, Any]:
    """Return contours as the map's component takes them: in steps of the box's width."""
    wide = box.x1 - box.x0
    lines = [line for contour in contours for line in contour.lines]
    sizes = np.sort([len(line) for line in lines])[::-1]
    fits = int(np.searchsorted(np.cumsum(sizes), MOST_ENDS, side="right"))
    least = max(LEAST_ENDS, int(sizes[fits]) + 1 if fits < len(sizes) else 0)
    levels = []
    for contour in contours:
        shown = [line for line in contour.lines if len(line) >= least]
        corner, scale = np.array([box.x0, box.y0]), STEPS / wide
        ends = [np.rint((line - corner) * scale).clip(0, 2**16 - 1) for line in shown]
        levels.append(
            {
                "sizes": encoded([len(line) for line in shown], "u2"),
                "ends": encoded(np.concatenate(ends) if ends else [], "u2"),
            }
        )
    return {"steps": STEPS, "tall": (box.y1 - box.y0) / wide, "levels": levels}


def _area(box: Box) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)
