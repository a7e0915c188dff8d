"""Regions of a map: what they hold, how they lie in one another, and how domains follow."""

from __future__ import annotations

import numpy as np

from ila_core.space.regions import LEVELS, SMALLEST, Parts, find_regions


def many(n: int = 6_000, domains: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Places of records and their domains, each domain a small cloud."""
    rng = np.random.default_rng(0)
    domain = rng.integers(0, domains, n)
    centre = rng.normal(size=(domains, 2)) * 10
    return (centre[domain] + rng.normal(size=(n, 2))).astype(np.float32), domain


def test_each_level_holds_every_record_once_the_largest_region_first() -> None:
    xy, domain = many()
    found = find_regions(xy, domain, [f"d{k}" for k in range(200)])
    for level, most in enumerate(LEVELS):
        counts = [region.count for region in found.at(level)]
        assert len(counts) == most and sum(counts) == len(xy)
        assert counts == sorted(counts, reverse=True)


def test_a_region_lies_in_one_of_the_broader_level() -> None:
    xy, domain = many()
    found = find_regions(xy, domain, [f"d{k}" for k in range(200)])
    for place, region in enumerate(found.regions):
        inside = [one.count for one in found.regions if one.parent == place]
        assert sum(inside) == region.count or region.level == len(LEVELS) - 1
        assert (region.parent < 0) == (region.level == 0)
        x0, y0, x1, y1 = region.box
        assert x0 <= region.x <= x1 and y0 <= region.y <= y1


def test_names_are_asked_for_by_the_rows_of_each_and_its_largest_domain_stands_in() -> None:
    xy, domain = many(domains=3)
    asked: list[list[np.ndarray]] = []

    def name(parts):
        asked.append(parts.some_rows(len(xy)))
        return [("one", "two") if 0 in rows else () for rows in asked[-1]]

    found = find_regions(xy, domain, ["red", "green", "blue · sky"], name)
    for level, parts in enumerate(asked):
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(xy)))
        assert all(len(set(domain[rows].tolist())) == 1 for rows in parts)
        named = {region.words for region in found.at(level)}
        own = [("red",), ("green",), ("blue", "sky")][domain[0]]
        assert named == {("one", "two"), ("red",), ("green",), ("blue", "sky")} - {own}


def test_neighbouring_domains_stand_together_in_the_row_of_colours() -> None:
    centre = np.array([[0, 0], [50, 0], [1, 0], [51, 0], [0, 1]], dtype=np.float32)
    domain = np.repeat(np.arange(5), 20)
    order = find_regions(centre[domain], domain, list("abcde")).domain_order
    assert sorted(order.tolist()) == [0, 1, 2, 3, 4]
    near = sorted(order[[0, 2, 4]].tolist())
    assert near in ([0, 1, 2], [2, 3, 4])


def test_a_small_pool_and_one_domain_are_one_region() -> None:
    xy = np.zeros((SMALLEST, 2), dtype=np.float32)
    found = find_regions(xy, np.zeros(SMALLEST, int), ["only"])
    assert [region.words for region in found.regions] == [("only",)] * len(LEVELS)


def test_some_rows_of_each_part_are_those_that_are_evenly_taken() -> None:
    rng = np.random.default_rng(1)
    part = np.array([0, 2, 1, 0, 3], dtype=np.int32)
    domain = rng.choice(5, 1_000, p=[0.5, 0.3, 0.15, 0.045, 0.005])
    parts = Parts(domain, part, np.bincount(part[domain], minlength=4))
    each = [np.flatnonzero(part[domain] == k) for k in range(4)]
    assert [len(rows) for rows in each] == parts.counts.tolist()
    for most in (1, 7, 100, 10_000):
        found = parts.some_rows(most)
        assert max(len(rows) for rows in found) <= most
        wanted = [rows[:: max(1, -(-len(rows) // most))] for rows in each]
        assert [rows.tolist() for rows in found] == [rows.tolist() for rows in wanted]
