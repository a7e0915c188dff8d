"""What the map can show, and what a drag on it can do: words that links and figures share."""

from __future__ import annotations

from typing import Literal, get_args

Theme = Literal["light", "dark"]
Layer = Literal["density", "depth", "coverage", "both", "domain"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Tool = Literal["click", "box", "lasso"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
