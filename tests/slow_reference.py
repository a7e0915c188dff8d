"""METHOD sections 4 to 6 in the obvious lines: slow, and what the fast ways must equal."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np


def patch_of(xy, resolution, *, box=None, shift=0.0):
    """Patch number of each point; with a shift there is one patch more along each axis."""
    xy = np.asarray(xy, np.float32).astype(np.float64)
    low, high = box if box is not None else (xy.min(axis=0), xy.max(axis=0))
    last = resolution if shift else resolution - 1
    numbers = []
    for point in xy:
        index = []
        for axis in (0, 1):
            extent = high[axis] - low[axis]
            at = (point[axis] - low[axis]) / extent * resolution + shift if extent else 0.0
            index.append(min(math.floor(at), last))
        numbers.append(index[0] * (last + 1) + index[1])
    return numbers


def deepest_first(rows, depth):
    """Deepest first, ties by row number, missing ones last by row number."""
    missing = [r for r in rows if math.isnan(depth[r])]
    scored = [r for r in rows if not math.isnan(depth[r])]
    return sorted(scored, key=lambda r: (-depth[r], r)) + sorted(missing)


def taking_order(rows, depth, q):
    """One patch's rows in the order in which they are taken at depth target q."""
    ordered = deepest_first(rows, depth)
    scored = [r for r in ordered if not math.isnan(depth[r])]
    target = (1 - q) * (len(scored) - 1)
    places = sorted(range(len(scored)), key=lambda p: (round(abs(p - target), 9), p))
    return [scored[p] for p in places] + ordered[len(scored) :]


def members(patch, rows):
    found = defaultdict(list)
    for row in rows:
        found[patch[row]].append(row)
    return found


def grid_ila(xy, depth, resolution, budget, q=1.0, pin=(), exclude=()):
    """Rows in pick order, and the round of each."""
    patch = patch_of(xy, resolution)
    rounds = {}
    for rows in members(patch, [r for r in range(len(xy)) if r not in set(exclude)]).values():
        pinned = [r for r in pin if r in rows]
        rest = [r for r in taking_order(rows, depth, q) if r not in pinned]
        rounds |= {row: turn for turn, row in enumerate(pinned + rest, start=1)}
    rest = deepest_first([r for r in rounds if r not in set(pin)], depth)
    picks = list(pin) + sorted(rest, key=lambda r: rounds[r])
    return picks[:budget], [rounds[r] for r in picks[:budget]]


def nested_ila(xy, depth, budget, q=1.0, pin=(), exclude=()):
    """Rows in pick order, and the level of each."""
    left = [r for r in range(len(xy)) if r not in set(exclude)]
    picks, levels = list(pin), [-1] * len(pin)
    for level in range(14):
        patch = patch_of(xy, 2**level)
        held = {patch[r] for r in picks}
        new = [
            taking_order(rows, depth, q)[0]
            for number, rows in members(patch, left).items()
            if number not in held
        ]
        picks += deepest_first(new, depth)
        levels += [level] * len(new)
    rest = deepest_first([r for r in left if r not in set(picks)], depth)
    return (picks + rest)[:budget], (levels + [14] * len(rest))[:budget]


# -- even patches ---------------------------------------------------------------------------------


def hilbert_distance(x, y, steps):
    """The usual recurrence from a cell of a steps x steps square to its place on the curve."""
    distance, s = 0, steps // 2
    while s:
        rx, ry = int(bool(x & s)), int(bool(y & s))
        distance += s * s * ((3 * rx) ^ ry)
        if not ry:
            if rx:
                x, y = steps - 1 - x, steps - 1 - y
            x, y = y, x
        s //= 2
    return distance


def along_the_curve(xy, rows):
    """Rows in the order of the curve over the square at the low corner of the whole pool's box."""
    xy = np.asarray(xy, np.float32).astype(np.float64)
    low, high = xy.min(axis=0), xy.max(axis=0)
    side = max(high - low)

    def place(row):
        cell = [
            min(math.floor((xy[row][axis] - low[axis]) / side * 65536), 65535) if side else 0
            for axis in (0, 1)
        ]
        return hilbert_distance(*cell, 65536), row

    return sorted(rows, key=place)


def even_patch_of(xy, count, outside=(), exclude=()):
    """Patch number by row, of the rows that may be chosen: cut over these and the excluded."""
    rows = along_the_curve(xy, [r for r in range(len(xy)) if r not in set(outside)])
    number = {row: rank * count // len(rows) for rank, row in enumerate(rows)}
    return {row: patch for row, patch in number.items() if row not in set(exclude)}


def first_of(patch, depth, q, pin=()):
    """The record that each patch without a pin gives first."""
    return [
        taking_order(rows, depth, q)[0]
        for rows in members(patch, sorted(patch)).values()
        if not set(rows) & set(pin)
    ]


def even_ila(xy, depth, count, budget, q=1.0, pin=(), exclude=(), outside=()):
    """Rows in pick order, and the round of each, of `count` even patches."""
    patch, rounds = even_patch_of(xy, count, outside, exclude), {}
    for rows in members(patch, sorted(patch)).values():
        pinned = [r for r in pin if r in rows]
        rest = [r for r in taking_order(rows, depth, q) if r not in pinned]
        rounds |= {row: turn for turn, row in enumerate(pinned + rest, start=1)}
    rest = deepest_first([r for r in rounds if r not in set(pin)], depth)
    picks = list(pin) + sorted(rest, key=lambda r: rounds[r])
    return picks[:budget], [rounds[r] for r in picks[:budget]]


def even_nested(xy, depth, budget, q=1.0, pin=(), exclude=(), outside=()):
    """Rows in pick order, and the level of each."""
    n = len(xy) - len(set(outside))
    picks, levels, level = list(pin), [-1] * len(pin), 0
    while n:
        patch = even_patch_of(xy, min(2**level, n), outside, exclude)
        held = {patch[r] for r in picks}
        free = {row: number for row, number in patch.items() if number not in held}
        new = deepest_first(first_of(free, depth, q), depth)
        picks, levels = picks + new, levels + [level] * len(new)
        if 2**level >= n:
            break
        level += 1
    return picks[:budget], levels[:budget]


def finest_by_tokens(tokens_of_first_round, budget, most):
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        if tokens_of_first_round(middle) <= budget:
            low = middle
        else:
            high = middle - 1
    return low


def reach(xy, rows, resolution):
    patch = patch_of(xy, resolution, shift=0.5)
    touched = {patch[r] for r in rows}
    return sum(number in touched for number in patch) / len(patch)


def auto(xy, budget):
    def occupied(resolution):
        return len(set(patch_of(xy, resolution)))

    low = max([2**k for k in range(14) if occupied(2**k) <= budget], default=1)
    high = min(2 * low - 1, 8192)
    while low < high:
        middle = (low + high + 1) // 2
        if occupied(middle) <= budget:
            low = middle
        else:
            high = middle - 1
    return low


def fidelity(xy, depth, rows, resolution):
    patch = patch_of(xy, resolution, shift=0.5)

    def best(chosen):
        return sum(
            max((depth[r] for r in held if not math.isnan(depth[r])), default=0.0)
            for held in members(patch, chosen).values()
        )

    return best(rows) / best(range(len(xy)))


def coverage(xy, rows, resolution):
    patch = patch_of(xy, resolution, shift=0.5)
    return len({patch[r] for r in rows}) / len(set(patch))
