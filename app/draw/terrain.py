"""The landscape as a terrain: how full a place is as its height, the mean depth as its colour."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from draw.ground import Ground
from draw.layers import Theme
from draw.scales import ramp, usual_range
from draw.theme import EMPTY, FONT, INKS
from ila_core.landscape import surface
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.surface import Raster

SIDE = 110
"""Points of the terrain along its longer side."""
CALM = 2.0
"""Points of the smallest bandwidth: the terrain has hills, not needles."""
FOOT = 6.0
"""How far below the least density that counts as land the slope goes down."""
TALL = 0.3
"""Height of the highest place, in longer sides of the map."""


def _heights(full: Raster) -> tuple[np.ndarray, np.ndarray]:
    """Return heights from 0 to 1, and where the terrain is: it ends in a slope, not in a wall."""
    top = float(full.values.max()) or 1.0
    low = max(float(full.values[full.there].min()), top / 1000) if full.there.any() else top / 10
    floor = low / FOOT
    values = np.maximum(full.values, floor)
    return np.log(values / floor) / np.log(top / floor), full.values > floor


def terrain(
    landscape: Landscape, ground: Ground, *, theme: Theme = "light", height: int = 560
) -> go.Figure:
    """Return the terrain of a window; where no record lies there is none."""
    ink, box = INKS[theme], ground.box
    wide, tall = box.x1 - box.x0, box.y1 - box.y0
    longer = max(wide, tall)
    shape = (max(round(SIDE * wide / longer), 8), max(round(SIDE * tall / longer), 8))
    view = surface.view_of(landscape, box, width=shape[0], height=shape[1])
    view = view._replace(bandwidth=max(view.bandwidth, CALM))
    full, deep = surface.density(landscape, view), surface.mean_depth(landscape, view)
    rise, there = _heights(full)
    z = np.where(there, rise, np.nan).astype(np.float32)
    depth = np.where(deep.there, deep.values, np.nan).astype(np.float32)
    ends = usual_range(depth)
    depth = np.where(np.isnan(depth), ends[0], depth)  # the foot of the slope
    figure = go.Figure(
        go.Surface(
            x=np.linspace(box.x0, box.x1, shape[0], dtype=np.float32),
            y=np.linspace(box.y0, box.y1, shape[1], dtype=np.float32),
            z=z, surfacecolor=depth, cmin=ends[0], cmax=ends[1], colorscale=ramp("depth", theme),
            hovertemplate="mean relative depth %{surfacecolor:.0%}<extra></extra>",
            lighting={"ambient": 0.72, "diffuse": 0.6, "specular": 0.08, "roughness": 0.9},
            colorbar={
                "title": {"text": "mean relative depth", "side": "right",
                          "font": {"size": 12, "color": ink.muted}},
                "thickness": 9, "len": 0.5, "tickformat": ".0%", "outlinewidth": 0, "x": 1.0,
                "tickfont": {"size": 12, "color": ink.muted},
            },
        )
    )  # fmt: skip
    hidden = {"visible": False}
    figure.update_layout(
        template="none", height=height, paper_bgcolor=EMPTY,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        font={"family": FONT, "size": 12, "color": ink.muted},
        scene={
            "xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "manual",
            "aspectratio": {"x": wide / longer, "y": tall / longer, "z": TALL},
            "camera": {"eye": {"x": 0.05, "y": -0.95, "z": 0.75},
                       "center": {"x": 0, "y": 0, "z": -0.1}},
        },
        uirevision="terrain",
    )  # fmt: skip
    return figure
