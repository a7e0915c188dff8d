"""Surfaces of the map against NumPy and SciPy in the obvious lines, and what must hold of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box
from ila_core.landscape.surface import (
    Raster,
    View,
    contour_levels,
    contours,
    density,
    difference,
    largest_domains,
    leading,
    mean_depth,
    representation,
    sample_of_window,
    to_pixels,
    view_of,
    whole,
)

NAN = float("nan")
WINDOW = Box(-0.8, -0.5, 0.7, 0.6)


def pool(n: int = 4000, *, seed: int = 0, domains: int = 7) -> Landscape:
    """Return a landscape of a few humps, of which a tenth has no depth."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(6, 2))
    xy = centre[rng.integers(0, 6, n)] + 0.3 * rng.normal(size=(n, 2))
    depth = rng.random(n).astype(np.float32)
    depth[rng.random(n) < 0.1] = NAN
    return Landscape.from_arrays(
        xy, depth=depth, relative_depth=depth, domain=rng.integers(0, domains, n),
        domain_names=[f"domain {k}" for k in range(domains)],
    )  # fmt: skip


def counted(landscape, box, width, height, rows=slice(None), weights=None):
    """Count with NumPy, far beyond the window: 4 windows on each side of it."""
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    xy = landscape.xy[rows].astype(np.float64)
    span = [[y0 - 4 * tall, y1 + 4 * tall], [x0 - 4 * wide, x1 + 4 * wide]]
    count, *_ = np.histogram2d(
        xy[:, 1], xy[:, 0], bins=(9 * height, 9 * width), range=span, weights=weights
    )
    return count


def smoothed(count, bandwidth, width, height):
    smooth = gaussian_filter(count, bandwidth, mode="constant", truncate=4.0)
    return smooth[4 * height : 5 * height, 4 * width : 5 * width]


# -- against the obvious lines --------------------------------------------------------------------


def test_density_is_the_smoothed_histogram() -> None:
    landscape, rows = pool(), np.arange(0, 4000, 3)
    view = view_of(landscape, WINDOW, width=48, height=32, bandwidth=2.0)
    for chosen in (None, rows, np.isin(np.arange(4000), rows)):
        found = density(landscape, view, chosen)
        some = slice(None) if chosen is None else rows
        expected = smoothed(counted(landscape, WINDOW, 48, 32, some), 2.0, 48, 32)
        np.testing.assert_allclose(found.values, expected, atol=2e-5)
        np.testing.assert_array_equal(found.there, found.values >= np.exp(-2) / (8 * np.pi))


def test_mean_depth_is_the_smoothed_sum_over_the_smoothed_count() -> None:
    landscape = pool()
    view = view_of(landscape, WINDOW, width=48, height=32, bandwidth=2.4)
    known = np.flatnonzero(~np.isnan(landscape.relative_depth))
    depth = landscape.relative_depth[known]
    inside = counted(landscape, WINDOW, 48, 32, known)[4 * 32 : 5 * 32, 4 * 48 : 5 * 48].sum()
    bandwidth = np.clip(np.sqrt(64 * 48 * 32 / (4 * np.pi * inside)), 2.4, 2.4)  # the widest
    total, count = (
        smoothed(counted(landscape, WINDOW, 48, 32, known, weights), bandwidth, 48, 32)
        for weights in (depth, None)
    )
    found = mean_depth(landscape, view)
    assert found.there.mean() > 0.5
    np.testing.assert_allclose(found.values[found.there], (total / count)[found.there], atol=1e-4)
    assert np.isnan(found.values[~found.there]).all()


def test_representation_is_the_share_kept_over_the_budgets() -> None:
    landscape, kept = pool(), np.arange(0, 4000, 7)
    view = view_of(landscape, WINDOW, width=48, height=32, bandwidth=2.4)
    picks, records = (
        smoothed(counted(landscape, WINDOW, 48, 32, rows), 2.4, 48, 32)
        for rows in (kept, slice(None))
    )
    prior = 1 / (4 * np.pi * 2.4**2)
    expected = np.log2((picks + prior) / (len(kept) / 4000 * records + prior))
    found = representation(landscape, view, kept)
    np.testing.assert_allclose(found.values[found.there], expected[found.there], atol=1e-3)
    np.testing.assert_array_equal(found.there, density(landscape, view).there)


def test_the_leading_domain_has_most_smoothed_records() -> None:
    landscape = pool()
    view = view_of(landscape, WINDOW, width=48, height=32, bandwidth=1.7)
    stack = np.stack(
        [
            smoothed(counted(landscape, WINDOW, 48, 32, landscape.domain == k), 1.7, 48, 32)
            for k in range(7)
        ]
    )
    found = leading(landscape, view)
    there = density(landscape, view).there
    clear = there & (np.diff(np.sort(stack, axis=0)[-2:], axis=0)[0] > 1e-4)
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(found.domain[clear], stack.argmax(axis=0)[clear])
    share = stack.max(axis=0) / stack.sum(axis=0)
    np.testing.assert_allclose(found.share[clear], share[clear], atol=1e-3)
    assert (found.domain[~there] == -1).all() and np.isnan(found.share[~there]).all()


def test_only_the_domains_asked_for_lead_and_shares_are_of_all() -> None:
    landscape = pool()
    view = view_of(landscape, WINDOW, width=48, height=32, bandwidth=2.0)
    found = leading(landscape, view, largest_domains(landscape, WINDOW, 2))
    assert set(np.unique(found.domain)) <= {-1, *largest_domains(landscape, WINDOW, 2)}
    assert np.nanmax(found.share) <= np.nanmax(leading(landscape, view).share)
    one = leading(landscape, view, [3])
    of_all = (
        density(landscape, view, landscape.domain == 3).values / density(landscape, view).values
    )
    np.testing.assert_allclose(one.share[one.domain == 3], of_all[one.domain == 3], atol=1e-4)


def test_many_domains_are_counted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    landscape = pool(domains=40)
    view = view_of(landscape, WINDOW, width=48, height=32)
    at_once = leading(landscape, view)
    monkeypatch.setattr("ila_core.landscape.surface.BLOCK_CELLS", 3 * 60 * 50)
    in_blocks = leading(landscape, view)
    np.testing.assert_array_equal(at_once.domain, in_blocks.domain)
    np.testing.assert_array_equal(at_once.share, in_blocks.share)


def test_largest_domains_are_those_of_the_window() -> None:
    xy = [[0, 0], [0, 0], [0, 0], [5, 5], [5, 5], [5, 4]]
    landscape = Landscape.from_arrays(
        xy, domain=[0, 0, 0, 2, 1, 2], domain_names=["a", "b", "c", "none"]
    )
    assert largest_domains(landscape) == [0, 2, 1]
    assert largest_domains(landscape, Box(4, 4, 6, 6)) == [2, 1]
    assert largest_domains(landscape, Box(8, 8, 9, 9)) == []
    assert largest_domains(landscape, most=1) == [0]


# -- what must hold -------------------------------------------------------------------------------


def test_a_window_shows_what_the_whole_map_shows_there() -> None:
    landscape, kept = pool(), np.arange(0, 4000, 9)
    full = View(Box(-2.0, -2.0, 2.0, 2.0), 80, 80, 2.5)
    part = View(Box(-1.0, -0.5, 1.0, 0.5), 40, 20, 2.5)
    spot = np.s_[30:50, 20:60]
    for surface in (density, mean_depth):
        whole_map, window = surface(landscape, full), surface(landscape, part)
        np.testing.assert_array_equal(whole_map.there[spot], window.there)
    np.testing.assert_allclose(
        density(landscape, full).values[spot], density(landscape, part).values, atol=1e-5
    )
    # A share is smoothed further where a window holds few picks; at the widest both are as smooth.
    sharp = full._replace(bandwidth=4.0), part._replace(bandwidth=4.0)
    whole_map, window = (representation(landscape, view, kept).values for view in sharp)
    np.testing.assert_allclose(whole_map[spot], window, atol=1e-3)
    whole_map, window = (leading(landscape, view).domain for view in (full, part))
    assert (whole_map[spot] == window).mean() > 0.999


def test_the_order_of_records_does_not_matter() -> None:
    landscape = pool()
    order = np.random.default_rng(1).permutation(len(landscape))
    other = landscape.subset(order)
    view = view_of(landscape, WINDOW, width=48, height=32)
    assert view_of(other, WINDOW, width=48, height=32) == view
    kept = np.arange(0, 4000, 8)
    moved = np.argsort(order)[kept]
    np.testing.assert_array_equal(density(landscape, view).values, density(other, view).values)
    np.testing.assert_array_equal(leading(landscape, view).domain, leading(other, view).domain)
    np.testing.assert_array_equal(
        representation(landscape, view, kept).values, representation(other, view, moved).values
    )
    np.testing.assert_allclose(
        mean_depth(landscape, view).values, mean_depth(other, view).values, atol=1e-5
    )


def test_every_place_that_keeps_its_share_is_at_zero() -> None:
    places = np.random.default_rng(0).normal(size=(600, 2))
    landscape = Landscape.from_arrays(np.repeat(places, 10, axis=0))
    found = representation(landscape, view_of(landscape), np.arange(0, 6000, 10))
    assert found.there.any()
    np.testing.assert_allclose(found.values[found.there], 0, atol=1e-4)


def test_representation_agrees_with_the_share_kept() -> None:
    landscape, rng = pool(), np.random.default_rng(3)
    kept = np.sort(rng.choice(np.flatnonzero(landscape.xy[:, 0] > 0), 400, replace=False))
    view = view_of(landscape, Box(-4, -4, 4, 4), width=120, height=120, bandwidth=6.0)
    found = representation(landscape, view, kept)
    weight = 0.1 * density(landscape, view).values + 1 / (4 * np.pi * 36)
    mean = np.average(2 ** found.values[found.there], weights=weight[found.there])
    assert mean == pytest.approx(1, abs=0.02)
    assert (found.values[:, 80:][found.there[:, 80:]] > 0).mean() > 0.9
    assert (found.values[:, :40][found.there[:, :40]] < 0).all()


def test_a_single_record_is_neither_infinitely_over_nor_under() -> None:
    landscape = Landscape.from_arrays([[0, 0], [9, 9], [9, 9], [9, 9]])
    found = representation(landscape, view_of(landscape), np.array([0]))
    seen = found.values[found.there]
    assert np.isfinite(seen).all() and np.abs(seen).max() < 2
    assert found.values[0:40, 0:40][found.there[0:40, 0:40]].min() > 0


def test_shares_are_of_the_records_that_may_be_chosen() -> None:
    landscape = pool()
    candidates = landscape.xy[:, 0] > 0
    kept = np.flatnonzero(candidates)
    found = representation(landscape, view_of(landscape), kept, among=candidates)
    np.testing.assert_allclose(found.values[found.there], 0, atol=1e-4)
    assert found.there.sum() < representation(landscape, view_of(landscape), kept).there.sum()


def test_keeping_nothing_keeps_its_share_everywhere() -> None:
    found = representation(pool(), view_of(pool()), np.zeros(0, np.int64))
    assert found.there.any() and (found.values[found.there] == 0).all()


def test_a_difference_turns_its_sign_and_is_zero_of_equals() -> None:
    landscape = pool()
    view = view_of(landscape, width=64, height=48)
    left, right = (np.flatnonzero(side) for side in (landscape.xy[:, 0] < 0,
                                                     landscape.xy[:, 0] >= 0))  # fmt: skip
    one, other = difference(landscape, view, left, right), difference(landscape, view, right, left)
    np.testing.assert_allclose(one.values, -other.values, atol=1e-6)
    assert np.nanmax(one.values) > 0.8 and np.nanmin(one.values) < -0.8
    assert np.nanmax(np.abs(one.values)) < 1
    same = difference(landscape, view, left, left).values
    assert (same[~np.isnan(same)] == 0).all() and (~np.isnan(same)).any()


def test_records_without_a_depth_count_for_no_mean() -> None:
    xy = [[0, 0], [0, 0], [0, 0], [9, 9]]
    landscape = Landscape.from_arrays(xy, relative_depth=[0.2, 0.4, NAN, NAN], depth=[1, 2, 0, 0])
    found = mean_depth(landscape, view_of(landscape))
    assert np.nanmin(found.values) == pytest.approx(0.3) == pytest.approx(np.nanmax(found.values))
    assert found.there[:120, :160].any() and not found.there[120:, 160:].any()
    assert density(landscape, view_of(landscape)).there[120:, 160:].any()


def test_more_records_and_a_closer_look_are_less_smooth_on_the_map() -> None:
    few, many = (view_of(pool(n)) for n in (500, 20_000))
    assert few.bandwidth > many.bandwidth >= 1.2
    landscape = pool()
    near = view_of(landscape, WINDOW)
    far = view_of(landscape)
    assert near.bandwidth > far.bandwidth
    assert near.bandwidth * (near.box.x1 - near.box.x0) < far.bandwidth * (far.box.x1 - far.box.x0)


# -- pools that are hardly any --------------------------------------------------------------------


@pytest.mark.parametrize(
    "xy", [[[3, 4]], [[0, 0], [1, 2]], [[5, 5]] * 40, [[1, 7], [2, 7], [9, 7]], [[7, 1], [7, 2]]]
)
def test_tiny_and_flat_pools_have_surfaces(xy: list[list[float]]) -> None:
    landscape = Landscape.from_arrays(xy)
    view, first = view_of(landscape), np.array([0])
    full = density(landscape, view)
    assert full.there.any() and not full.there.all()
    assert full.values.max() > 0 and 0.5 < full.values.sum() / len(xy) < 1.01
    assert not mean_depth(landscape, view).there.any()  # none has a depth
    assert np.isnan(mean_depth(landscape, view).values).all()
    assert np.isfinite(representation(landscape, view, first).values[full.there]).all()
    lead = leading(landscape, view)
    assert (lead.domain[full.there] == 0).all() and lead.share[full.there] == pytest.approx(1)
    assert np.isfinite(difference(landscape, view, first, first).values).any()
    assert sample_of_window(landscape, view.box).tolist() == list(range(len(xy)))
    lines = contours(full, contour_levels(full))
    assert len(lines) == 5 and lines[0].lines
    bytes_ = to_pixels(full).bytes
    assert ((bytes_ > 0) == full.there).all() and bytes_.max() == 255


def test_a_window_where_nothing_lies_is_empty() -> None:
    landscape, far = pool(), Box(50, 50, 60, 60)
    view = view_of(landscape, far)
    full = density(landscape, view)
    assert not full.there.any() and contour_levels(full) == []
    assert not to_pixels(full).bytes.any()
    assert not representation(landscape, view, np.arange(10)).there.any()
    assert (leading(landscape, view).domain == -1).all()
    assert len(sample_of_window(landscape, far)) == 0


def test_a_raster_needs_pixels() -> None:
    with pytest.raises(UsageError, match="0 x 240 pixels"):
        view_of(pool(), width=0)


# -- bytes, lines and samples ---------------------------------------------------------------------


def raster_of(values: list[list[float]], bandwidth: float = 1.2) -> Raster:
    array = np.array(values, np.float32)
    tall, wide = array.shape
    view = View(Box(0, 0, wide, tall), wide, tall, bandwidth)
    return Raster(view, array, ~np.isnan(array))


def test_bytes_tell_nothing_low_and_high() -> None:
    raster = raster_of([[NAN, -5, 0, 1, 2, 9]])
    pixels = to_pixels(raster, low=0, high=2)
    assert pixels.bytes.tolist() == [[0, 1, 1, 128, 255, 255]]
    assert (pixels.low, pixels.high) == (0, 2)
    own = to_pixels(raster)
    assert (own.low, own.high) == (-5, 9) and own.bytes[0, 1] == 1 and own.bytes[0, 5] == 255
    assert to_pixels(raster_of([[1, 4, 16]]), scale="log").bytes.tolist() == [[1, 128, 255]]
    assert to_pixels(raster_of([[0, 4, 16]]), scale="sqrt").bytes.tolist() == [[1, 128, 255]]
    assert to_pixels(raster_of([[3, 3, NAN]])).bytes.tolist() == [[128, 128, 0]]
    with pytest.raises(UsageError, match="cannot begin at 0"):
        to_pixels(raster, low=0, scale="log")


def test_above_a_level_lies_the_share_of_records_asked_for() -> None:
    full = density(pool(), view_of(pool()))
    levels = contour_levels(full, (0.2, 0.9, 0.5))
    assert levels == sorted(levels)
    for level, share in zip(levels, (0.9, 0.5, 0.2), strict=True):
        above = full.values[full.values >= level].sum() / full.values[full.there].sum()
        assert above == pytest.approx(share, abs=0.01)


def test_contours_go_round_a_hump_at_their_level() -> None:
    landscape = Landscape.from_arrays([[2, 3]])
    view = View(Box(0, 0, 8, 6), 320, 240, 20.0)
    full = density(landscape, view)
    level = float(full.values.max()) * float(np.exp(-0.5))  # one bandwidth, half a unit, away
    [found] = contours(full, [level])
    [ring] = found.lines
    assert found.level == level and ring.dtype == np.float32
    np.testing.assert_array_equal(ring[0], ring[-1])
    radius = np.linalg.norm(ring - [2.0125, 3.0125], axis=1)  # the middle of its pixel
    np.testing.assert_allclose(radius, 0.5, atol=0.02)
    assert len(ring) < 80


def test_contours_of_a_thin_raster_are_none() -> None:
    assert contours(raster_of([[1, 2, 3]]), [2])[0].lines == ()


def test_samples_are_of_the_window_and_keep_when_it_moves() -> None:
    landscape = pool(20_000)
    near, beside = Box(-1, -1, 1, 1), Box(-0.9, -1, 1.1, 1)
    here = sample_of_window(landscape, near, most=300)
    assert len(here) == 300 and (np.diff(here) > 0).all()
    assert (np.abs(landscape.xy[here]) <= 1).all()
    np.testing.assert_array_equal(here, sample_of_window(landscape, near, most=300))
    assert len(np.setdiff1d(here, sample_of_window(landscape, near, most=600))) == 0
    moved = sample_of_window(landscape, beside, most=300)
    assert len(np.intersect1d(here, moved)) > 200
    other = sample_of_window(landscape, near, most=300, seed=1)
    assert len(np.intersect1d(here, other)) < 60
    half = landscape.xy[here, 0] < np.median(
        landscape.xy[sample_of_window(landscape, near, most=10**9), 0]
    )
    assert 0.4 < half.mean() < 0.6


def test_the_whole_map_has_air_around_it() -> None:
    landscape = pool()
    box, (low, high) = whole(landscape), landscape.bounds
    assert box.x0 < low[0] and box.y0 < low[1] and box.x1 > high[0] and box.y1 > high[1]
    assert view_of(landscape).box == box
    assert density(landscape, view_of(landscape)).values.sum() == pytest.approx(4000, rel=0.01)
