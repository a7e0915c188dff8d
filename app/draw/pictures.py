"""The layers of the map: a raster in bytes, what its colours are, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from draw import palettes
from draw.encoding import encoded
from draw.facets import title_of
from draw.ground import Ground
from draw.layers import Layer, Theme
from draw.names import isolated, short_name, told_apart
from draw.scales import usual_range
from draw.ticks import decades, labels
from ila_core.landscape import facets, surface
from ila_core.landscape.facets import Categories, Numbers
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.naming import named_regions
from ila_core.landscape.region import rows_in
from ila_core.landscape.surface import Raster
from ila_core.selection.selection import Selection

FOURFOLD = 2.0
"""Ends of the scale of representation: a quarter and four times the budget's share, as log2."""
FOURFOLD_TICKS = (0, "¼ or less"), (0.25, "½"), (0.5, "its share"), (0.75, "twice"), (1, "4 times")
"""Places on that scale, and what they stand for."""
TWOFOLD = 1.0
"""Ends of its scale beside the depth: half and twice the share; so smoothed, few go beyond."""
CALMED = 5.0
"""Pixels of the smallest bandwidth of the two-way picture: with the 2.4 of the density every pick
is a speck of its own, of two numbers at once, and a large pool is nothing but specks."""
SHADES = 15
"""Colours along each side of the two-way scale as it is drawn: 225 of the 255 that a byte has."""
TERRITORY = 7.2
"""Pixels of the smallest bandwidth by which a domain leads: 1.3 % of the picture's side. With the
2.4 of the density 75,000 records of 194 domains fall into patches of five pixels and many colours;
with three times as many a territory is large enough to be pointed at. Zooming in tells the rest."""
NAMED = 8
"""Domains of the window that the legend names."""
MOST_CATEGORIES = 255
"""Categories that can lead: as many as a byte tells apart."""
OUTER = 3, 97
"""Percentiles of a picture's numbers that are the ends of its scale."""
LEAST_OF_LOG = 0.5
"""What stands for 0 where a mean is geometric, of numbers that are counts."""
SPOKEN = {"tokens": "response tokens", "loss": "loss, nats per token",
          "reduction": "loss reduction, nats per token", "depth": "relative depth",
          "skills": "labels of a record"}  # fmt: skip
"""What the legend calls the numbers of a facet."""
UNITS = {"tokens": "response tokens", "loss": "nats per token",
         "reduction": "nats per token less", "depth": "of 1", "skills": "labels"}  # fmt: skip
"""What follows such a number in the tooltip."""
SPARSEST = 0.99
"""Share of the records that lie above the low end of the scale of density."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A layer of a window."""

    level: np.ndarray
    """(height, width) uint8, row 0 the lowest; 0 where nothing lies."""
    colours: np.ndarray
    """(256, 3) uint8, of every level."""
    value: Mapping[str, Any]
    """What the levels stand for, as the tooltip tells it."""
    legend: Mapping[str, Any]

    def as_data(self) -> dict[str, Any]:
        """Return the picture as the map's component takes it."""
        tall, wide = self.level.shape
        return {
            "wide": wide,
            "tall": tall,
            "bytes": encoded(self.level, "u1"),
            "lut": encoded(self.colours, "u1"),
            "value": dict(self.value),
        }


def draw(
    layer: Layer,
    ground: Ground,
    selection: Selection,
    theme: Theme,
    other: Selection | None,
    colour: str = "domain",
) -> Picture:
    """Return a layer of the map; that of the difference needs the `other` selection.

    `colour` is the facet that the layer of facets shows.
    """
    landscape = selection.landscape
    if layer == "density":
        return density(ground, theme)
    if layer == "depth":
        return depth(landscape, ground, theme)
    if layer == "representation":
        return representation(ground, selection, theme)
    if layer == "both":
        return both(ground, selection, theme)
    if layer == "domain":
        return facet(landscape, ground, colour, theme)
    if layer != "difference" or other is None:
        raise ValueError(f"The layer {layer} is no raster, or needs another selection.")
    return difference(ground, selection, other, theme)


def density(ground: Ground, theme: Theme) -> Picture:
    """Return how many records lie where, on a log scale."""
    raster, (unit, place) = ground.density, ground.unit
    low, high = _usual_density(raster)
    pixels = surface.to_pixels(raster, low=low, high=high, scale="log")
    colours = palettes.along("density", theme)
    ends = np.log([low * unit, high * unit])
    ticks = decades(low * unit, high * unit)
    at = [(float(np.log(t)) - ends[0]) / (ends[1] - ends[0]) for t in ticks]
    legend = _ramp(f"records in {place} (log)", colours,
                   zip(at, labels(ticks), strict=True))  # fmt: skip
    value = {"form": "log", "low": low * unit, "high": high * unit,
             "before": "about ", "after": f" records in {place}"}  # fmt: skip
    return Picture(pixels.bytes, colours, value, legend)


def _usual_density(raster: Raster) -> tuple[float, float]:
    """Return between which densities nearly all records lie, at least a factor of 10 apart."""
    lowest = surface.contour_levels(raster, (SPARSEST,))
    high = float(raster.values.max()) if lowest else 1.0
    return min(lowest[0] if lowest else 1.0, high / 10), high


def depth(landscape: Landscape, ground: Ground, theme: Theme) -> Picture:
    """Return the mean relative depth of every place."""
    raster = surface.mean_depth(landscape, ground.view)
    low, high = _depths(raster)
    pixels = surface.to_pixels(raster, low=low, high=high)
    colours = palettes.along("depth", theme)
    ticks = np.linspace(0, 1, 3)
    labels = [f"{low + t * (high - low):.0%}" for t in ticks]
    legend = _ramp("mean relative depth", colours, zip(ticks.tolist(), labels, strict=True))
    value = {"form": "percent", "low": low, "high": high, "before": "mean relative depth ",
             "after": ""}  # fmt: skip
    return Picture(pixels.bytes, colours, value, legend)


def _depths(raster: Raster) -> tuple[float, float]:
    return usual_range(raster.values[raster.there])


def representation(ground: Ground, selection: Selection, theme: Theme) -> Picture:
    """Return which share of every place is kept, over the share that the budget is."""
    raster = surface.representation(selection.landscape, ground.view, selection.ascending)
    pixels = surface.to_pixels(raster, low=-FOURFOLD, high=FOURFOLD)
    colours = palettes.along("difference", theme)
    title = "kept, beside the budget's share: ← too little · too much →"
    legend = _ramp(title, colours, FOURFOLD_TICKS)
    value = {"form": "times", "low": -FOURFOLD, "high": FOURFOLD}
    return Picture(pixels.bytes, colours, value, legend)


def both(ground: Ground, selection: Selection, theme: Theme) -> Picture:
    """Return depth and representation of every place at once."""
    landscape = selection.landscape
    calm = ground.view._replace(bandwidth=max(ground.view.bandwidth, CALMED))
    deep = surface.mean_depth(landscape, calm)
    kept = surface.representation(landscape, calm, selection.ascending)
    low, high = _depths(deep)
    across = _binned((deep.values - low) / (high - low))
    up = _binned((kept.values + TWOFOLD) / (2 * TWOFOLD))
    there = deep.there & kept.there & ground.density.there
    level = np.where(there, 1 + up * SHADES + across, 0).astype(np.uint8)
    colours = np.zeros((256, 3), np.uint8)
    colours[1 : 1 + SHADES**2] = palettes.two_way(SHADES, theme)
    side = 5
    legend = {
        "kind": "two",
        "side": side,
        "colours": [palettes.hexed(colour) for colour in palettes.two_way(side, theme)],
        "up": "↑ kept, beside the budget's share: ½ or less to twice or more",
        "across": f"→ mean relative depth, {low:.0%} to {high:.0%}",
    }
    return Picture(level, colours, {"form": "none"}, legend)


def _binned(share: np.ndarray) -> np.ndarray:
    bins = np.floor(np.nan_to_num(share) * SHADES)
    return bins.clip(0, SHADES - 1).astype(np.int64)


def facet(landscape: Landscape, ground: Ground, name: str, theme: Theme) -> Picture:
    """Return which kind leads around every place, or the mean of a number there."""
    if name == "domain":
        return domain(landscape, ground, named_regions(landscape).domain_order, theme)
    found = facets.facet(landscape, name)
    if isinstance(found, Numbers):
        return number(landscape, ground, found, theme)
    return category(landscape, ground, found, theme)


def number(landscape: Landscape, ground: Ground, found: Numbers, theme: Theme) -> Picture:
    """Return the mean of a number of the records around every place.

    Of a number that goes over powers of ten it is the geometric mean: one long response among
    hundreds of short ones says nothing of them.
    """
    given = np.log(np.maximum(found.values, LEAST_OF_LOG)) if found.log else found.values
    raster = surface.mean_of(landscape, ground.view, given)
    there = raster.values[raster.there]
    low, high = np.percentile(there, OUTER) if len(there) else (0.0, 1.0)
    high = max(high, low + 1e-6 * max(1.0, abs(low)))
    pixels = surface.to_pixels(raster, low=float(low), high=float(high))
    at = np.linspace(0, 1, 3)
    ends = low + at * (high - low)
    shown = np.exp(ends) if found.log else ends
    title = f"{'geometric mean' if found.log else 'mean'} of {spoken(found.name)}"
    colours = palettes.along("depth", theme)
    legend = _ramp(title, colours, zip(at.tolist(), map(_digits, shown), strict=True))
    value = {
        "form": "log" if found.log else "number",
        "low": float(shown[0]),
        "high": float(shown[-1]),
        "before": "about ",
        "after": f" {UNITS.get(found.name, title_of(found.name))}",
    }
    return Picture(pixels.bytes, colours, value, legend)


def spoken(name: str) -> str:
    """Return what a sentence calls the number of a facet."""
    return SPOKEN.get(name, title_of(name))


def _digits(number: float) -> str:
    """Return a number with three digits.

    >>> [_digits(number) for number in (0.12345, 2.5, 1234.0)]
    ['0.123', '2.5', '1,234']
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def category(landscape: Landscape, ground: Ground, found: Categories, theme: Theme) -> Picture:
    """Return the category that leads around every place, of those that most records are of."""
    calm = ground.view._replace(bandwidth=max(ground.view.bandwidth, TERRITORY))
    among = range(min(found.size, MOST_CATEGORIES))
    leads = surface.leading_of(landscape, calm, found.code, found.row, among).domain
    rows = None if ground.box is None else rows_in(landscape, ground.box)
    largest = np.argsort(-found.counts(rows), kind="stable").tolist()
    names = [name or f"no {title_of(found.name).lower()}" for name in found.names]
    return _territories(ground, leads, names, np.arange(found.size), largest, theme)


def domain(landscape: Landscape, ground: Ground, order: np.ndarray, theme: Theme) -> Picture:
    """Return the domain that leads around every place.

    `order` (domains,) is each domain's place in a row in which kin stand together: kin have kindred
    colours.
    """
    calm = ground.view._replace(bandwidth=max(ground.view.bandwidth, TERRITORY))
    leads = surface.leading(landscape, calm).domain
    largest = surface.largest_domains(landscape, ground.box)
    return _territories(ground, leads, landscape.domain_names, order, largest, theme)


def _territories(
    ground: Ground,
    leads: np.ndarray,
    names: Sequence[str],
    order: np.ndarray,
    largest: Sequence[int],
    theme: Theme,
) -> Picture:
    """Return the picture of what leads where, whose kinds stand in an order of kin."""
    leads = np.where(ground.density.there, leads, -1)
    seen = np.unique(leads[leads >= 0])
    number = np.zeros(len(names) + 1, np.uint8)  # the last is that of -1: nothing
    # a byte tells 255 apart; where more lead, neighbours in the order share a number
    place = np.argsort(np.argsort(order[seen])) if len(seen) else seen
    number[seen] = 1 + place * min(255, len(seen)) // max(len(seen), 1)
    of_domain = palettes.kindred(order, theme)
    colours = np.zeros((256, 3), np.uint8)
    spoken = [""] * 255
    for one in seen[::-1].tolist():
        colours[number[one]] = of_domain[one]
        spoken[number[one] - 1] = isolated(short_name(names[one], words=4, letters=60))
    named = [k for k in largest if k in set(seen.tolist())][:NAMED]
    others = len(seen) - len(named)
    short = told_apart([names[k] for k in named], letters=34)
    hues = [palettes.hexed(of_domain[k]) for k in named]
    legend = {
        "kind": "names",
        "entries": [list(one) for one in zip(hues, short, strict=True)],
        "more": f"and {others:,} more; neighbours have like colours" if others > 0 else "",
    }
    value = {"form": "name", "names": spoken[: int(number.max(initial=0))]}
    return Picture(number[leads], colours, value, legend)


def difference(ground: Ground, selection: Selection, other: Selection, theme: Theme) -> Picture:
    """Return where a selection keeps more than another, and where less."""
    one, two = selection.spec.method, other.spec.method
    raster = surface.difference(
        selection.landscape, ground.view, selection.ascending, other.ascending
    )
    pixels = surface.to_pixels(raster, low=-1, high=1)
    colours = palettes.along("difference", theme)
    labels = [f"only {two}", "3 : 1", "as many", "3 : 1", f"only {one}"]
    ticks = zip([0, 0.25, 0.5, 0.75, 1], labels, strict=True)
    legend = _ramp(f"← {two} keeps more · {one} keeps more →", colours, ticks)
    value = {"form": "ratio", "low": -1, "high": 1, "names": [one, two]}
    return Picture(pixels.bytes, colours, value, legend)


def _ramp(title: str, colours: np.ndarray, ticks: Any) -> dict[str, Any]:
    shown: Sequence[int] = range(1, 256, 254 // 8)
    return {
        "kind": "ramp",
        "title": title,
        "colours": [palettes.hexed(colours[k]) for k in shown],
        "ticks": [[round(float(at), 4), label] for at, label in ticks],
    }
