"""Scales that every kind of eye can read."""

from __future__ import annotations

import numpy as np
import pytest

from draw import palettes
from draw.layers import Theme
from draw.scales import Ramp, ramp


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("layer", ["density", "depth", "coverage"])
def test_lightness_runs_one_way_along_every_scale(layer: Ramp, theme: Theme) -> None:
    stops = [colour for _, colour in ramp(layer, theme)]
    parts = [[int(part) for part in colour[4:-1].split(",")] for colour in stops]
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in parts]
    steps = np.diff(lightness)
    assert (steps < 0).all() if theme == "light" else (steps > 0).all()


# Linear RGB as people without one kind of cone see it (Machado, Oliveira and Fernandes 2009).
SEEN = {
    "all cones": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def oklab(linear: np.ndarray) -> np.ndarray:
    """Colours in a space where distance is how different they look (Ottosson's Oklab)."""
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                      [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    mixed = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                      [1.9779984951, -2.4285922050, 0.4505937099],
                      [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    return np.cbrt(linear.clip(0, 1) @ cones.T) @ mixed.T


def linear_of(colours: np.ndarray) -> np.ndarray:
    """Bytes of sRGB as linear light, 0 to 1."""
    share = colours / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eye", SEEN)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_domains_beside_each_other_are_told_apart_by_every_eye(theme: Theme, eye: str) -> None:
    order = np.random.default_rng(0).permutation(90)
    linear = linear_of(palettes.kindred(order, theme)[np.argsort(order)])
    seen = oklab(linear @ SEEN[eye].T)
    assert np.linalg.norm(np.diff(seen, axis=0), axis=1).min() > 0.08


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_kin_have_kindred_hues(theme: Theme) -> None:
    lab = oklab(linear_of(palettes.kindred(np.arange(90), theme)))
    hue = np.arctan2(lab[:, 2], lab[:, 1])
    step = np.abs(np.angle(np.exp(1j * np.diff(hue))))
    assert np.median(step) < 0.15 and step.max() < 0.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_table_of_colours_runs_from_end_to_end_of_its_ramp(theme: Theme) -> None:
    table = palettes.along("depth", theme)
    stops = [colour for _, colour in ramp("depth", theme)]
    for level, colour in ((1, stops[0]), (255, stops[-1])):
        assert f"rgb({','.join(map(str, table[level].tolist()))})" == colour
    assert table.shape == (256, 3) and table[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_two_way_scale_tells_what_is_kept_by_hue_and_depth_by_lightness(theme: Theme) -> None:
    square = palettes.two_way(5, theme).reshape(5, 5, 3).astype(int)
    red, blue = square[..., 0], square[..., 2]
    assert (red[:2] > blue[:2]).all() and (blue[3:] > red[3:]).all()
    assert np.ptp(square[2], axis=-1).max() < 16 < np.ptp(square[[0, 4]], axis=-1).min()
    lightness = square @ [0.2126, 0.7152, 0.0722]
    away = lightness if theme == "dark" else -lightness
    assert (np.diff(away, axis=1) > 0).all()
    coarse = palettes.two_way(3, theme).reshape(3, 3, 3)
    assert (coarse == square[::2, ::2]).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_difference_scale_runs_one_way_to_either_side(theme: Theme) -> None:
    stops = [colour for _, colour in ramp("difference", theme)]
    parts = [[int(part) for part in colour[4:-1].split(",")] for colour in stops]
    lightness = np.array([0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in parts])
    away = lightness if theme == "dark" else -lightness
    middle = len(stops) // 2
    assert (np.diff(away[: middle + 1]) < 0).all() and (np.diff(away[middle:]) > 0).all()
