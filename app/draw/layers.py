"""What the map can show: words that links and figures share."""

from __future__ import annotations

from typing import Literal, get_args

Theme = Literal["light", "dark"]
Layer = Literal["density", "depth", "representation", "both", "domain", "difference", "terrain"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
