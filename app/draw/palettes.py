"""Colours of the map's layers as tables: along a ramp, on two axes, and of kindred domains."""

from __future__ import annotations

import numpy as np

from draw.layers import Theme
from draw.scales import RAMPS, Ramp

LIGHTNESS: dict[Theme, tuple[float, ...]] = {
    "light": (0.56, 0.72, 0.44),
    "dark": (0.72, 0.56, 0.84),
}
"""Of one domain after the other: neighbours in hue are told apart by it, by every eye."""
CHROMA = 0.115
"""Of the domains' colours, within what a screen shows at nearly every hue."""

SHALLOW_TO_DEEP: dict[Theme, tuple[float, float]] = {"light": (0.93, 0.42), "dark": (0.33, 0.84)}
"""Lightness of the two-way scale, from a step off the paper to as far as white names stand out."""
KEPT_HUES = 55.0, 245.0
"""Degrees of the orange and the blue of the scale of differences."""
TINTED = 0.125
"""Chroma of the two-way scale's ends, within what a screen shows at either."""
BREATH = np.array([0.0, -0.012, -0.004])
"""What makes its grey that of the page, which leans to the accent."""


def along(ramp: Ramp, theme: Theme) -> np.ndarray:
    """Return the colours of the levels 1 to 255 along a ramp, (256, 3) uint8; level 0 is black."""
    stops = np.array([_rgb(colour) for colour in RAMPS[ramp, theme]], dtype=float)
    at = np.linspace(0, len(stops) - 1, 255)
    colours = np.zeros((256, 3), np.uint8)
    for k in range(3):
        colours[1:, k] = np.rint(np.interp(at, np.arange(len(stops)), stops[:, k]))
    return colours


def two_way(side: int, theme: Theme) -> np.ndarray:
    """Return side * side colours, (side ** 2, 3) uint8: share kept outer, depth inner.

    The hue says what is kept: orange too little, grey its share, blue more. Lightness says how deep
    it is: the deeper, the farther from the paper. Each is read without the other, and what is kept
    as it should be, most of a map, does not mix two hues into mud.
    """
    kept, deep = np.meshgrid(np.linspace(-1, 1, side), np.linspace(0, 1, side), indexing="ij")
    shallow, deepest = SHALLOW_TO_DEEP[theme]
    light = shallow + (deepest - shallow) * deep
    hue = np.deg2rad(np.where(kept < 0, *KEPT_HUES))
    chroma = TINTED * np.abs(kept) ** 0.7
    lab = np.stack([light, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    return _srgb(lab.reshape(-1, 3) + BREATH)


def kindred(order: np.ndarray, theme: Theme) -> np.ndarray:
    """Return a colour for every domain, (n, 3) uint8: hue follows its place in the order.

    Lightness changes from each to the next, so that neighbours differ for every eye.
    """
    n = max(len(order), 1)
    hue = 2 * np.pi * (np.asarray(order) / n + 0.04)
    light = np.array(LIGHTNESS[theme])[np.asarray(order) % 3]
    lab = np.stack([light, CHROMA * np.cos(hue), CHROMA * np.sin(hue)], axis=1)
    return _srgb(lab)


def hexed(colour: np.ndarray) -> str:
    """Return a colour as CSS writes it.

    >>> hexed(np.array([255, 0, 10]))
    '#ff000a'
    """
    return "#" + "".join(f"{int(part):02x}" for part in colour)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return red, green, blue


def _srgb(lab: np.ndarray) -> np.ndarray:
    """Return Oklab colours (Ottosson 2020) as sRGB bytes, the nearest where none is the same."""
    mixed = np.array([[1, 0.3963377774, 0.2158037573],
                      [1, -0.1055613458, -0.0638541728],
                      [1, -0.0894841775, -1.2914855480]])  # fmt: skip
    cones = (lab @ mixed.T) ** 3
    to_linear = np.array([[4.0767416621, -3.3077115913, 0.2309699292],
                          [-1.2684380046, 2.6097574011, -0.3413193965],
                          [-0.0041960863, -0.7034186147, 1.7076147010]])  # fmt: skip
    linear = (cones @ to_linear.T).clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * curved).astype(np.uint8)
