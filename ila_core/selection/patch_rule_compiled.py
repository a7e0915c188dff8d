"""Which record a patch gives first and which next: the rule of the depth target, compiled.

`_deeper_is_next` says it once, for rounds, levels and the search for a resolution.

All works on points in *queue order*: deepest first, ties by row number, points without a depth
last. A patch's records then meet a counter in the order in which they are taken. Compiled once and
kept on disk; none holds the interpreter's lock or starts threads. Import this module inside
functions: importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def places_in_patch(member, patches):  # type: ignore
    """Return for each point the how-manieth of its patch it is: 1, 2, ... in the order given."""
    count = np.zeros(patches, np.int32)
    turn = np.empty(len(member), np.int32)
    for i in range(len(member)):
        count[member[i]] += 1
        turn[i] = count[member[i]]
    return turn


@njit(cache=True, nogil=True, inline="always")
def _away(position, target):  # type: ignore
    """Return the distance of a position from the depth target, so rounded that ties are ties."""
    return np.rint(abs(position - target) * 1e9)


@njit(cache=True, nogil=True, inline="always")
def _deeper_is_next(deeper, shallower, size, target):  # type: ignore
    """Whether, walking outwards from the depth target, the deeper of two positions is taken next.

    The one place of the rule: the nearer to the target, the deeper where both are as near. Below
    0 and from `size` on there is no position.
    """
    if deeper < 0:
        return False
    return shallower >= size or _away(deeper, target) <= _away(shallower, target)


@njit(cache=True, nogil=True)
def rounds(member, patches, scored, passed_over, pinned):  # type: ignore
    """Return the round of every queued point, (n,) int32; 0 for the pinned.

    `scored` points from the start of the queue have a depth. `passed_over` is the share of a
    patch's candidates that are deeper than its depth target: 1 - depth target.
    `pinned` (n,) bool, or empty where nothing is: pinned points use up their patch's first rounds.
    """
    used = np.zeros(patches, np.int32)
    for i in range(len(pinned)):
        if pinned[i]:
            used[member[i]] += 1
    turn = np.zeros(len(member), np.int32)
    if passed_over == 0.0:
        for i in range(len(member)):
            if len(pinned) == 0 or not pinned[i]:
                used[member[i]] += 1
                turn[i] = used[member[i]]
        return turn

    # The scored points of each patch, patch after patch, deepest first within each.
    end = np.zeros(patches, np.int64)
    for i in range(scored):
        end[member[i]] += 1
    total = 0
    for patch in range(patches):
        total += end[patch]
        end[patch] = total - end[patch]
    point = np.empty(scored, np.int32)
    for i in range(scored):
        point[end[member[i]]] = i
        end[member[i]] += 1

    # In each patch, walk outwards from the target; the deeper side first where both are as far.
    first = 0
    for patch in range(patches):
        size = end[patch] - first
        target = passed_over * (size - 1)
        deeper = np.int64(np.floor(target))
        shallower = deeper + 1
        for _ in range(size):
            if _deeper_is_next(deeper, shallower, size, target):
                i = point[first + deeper]
                deeper -= 1
            else:
                i = point[first + shallower]
                shallower += 1
            if len(pinned) == 0 or not pinned[i]:
                used[patch] += 1
                turn[i] = used[patch]
        first = end[patch]
    for i in range(scored, len(member)):
        if len(pinned) == 0 or not pinned[i]:
            used[member[i]] += 1
            turn[i] = used[member[i]]
    return turn


@njit(cache=True, nogil=True)
def walks(scored, rounds, passed_over):  # type: ignore
    """Return which places of each patch its first rounds take: from, up to, and the round of each.

    `scored` (p,) are the patches' points with a depth; a place is a point's number among
    them, deepest first. The rounds stand patch after patch, by place, (taken,) int64.
    """
    low = np.zeros(len(scored), np.int64)
    high = np.zeros(len(scored), np.int64)
    total = 0
    for patch in range(len(scored)):
        total += min(scored[patch], rounds)
    turn = np.empty(total, np.int64)
    walk = np.empty(total, np.int64)
    first = 0
    for patch in range(len(scored)):
        size = scored[patch]
        target = passed_over * (size - 1)
        deeper = np.int64(np.floor(target))
        shallower = deeper + 1
        taken = min(size, rounds)
        for number in range(taken):
            if _deeper_is_next(deeper, shallower, size, target):
                walk[number] = deeper
                deeper -= 1
            else:
                walk[number] = shallower
                shallower += 1
        if taken:
            low[patch], high[patch] = deeper + 1, shallower
        for number in range(taken):
            turn[first + walk[number] - low[patch]] = number + 1
        first += taken
    return low, high, turn


@njit(cache=True, nogil=True)
def first_rounds(member, patches, scored, passed_over, limit):  # type: ignore
    """Return the first `limit` points by (round, position) and their rounds, (k,) int32 each.

    The same as `rounds` gives where nothing is pinned, in two passes over the points: one tells how
    many each patch has, hence how many rounds make up the limit and which places of each patch they
    take; the other finds the points at those places.
    """
    known = np.zeros(patches, np.int32)
    for i in range(scored):
        known[member[i]] += 1
    size = known.copy()
    for i in range(scored, len(member)):
        size[member[i]] += 1
    most = _rounds_for(size, limit)
    low, high, walk = walks(known, most, passed_over)
    place = (-low).astype(np.int32)  # of a patch's next point, counted from the first it gives
    gives = (high - low).astype(np.int32)
    start = np.cumsum(gives) - gives
    point, turn = np.empty((2, _sum_up_to(size, most)), np.int32)
    count = 0
    for i in range(scored):
        patch = member[i]
        if 0 <= place[patch] < gives[patch]:
            point[count], turn[count] = i, walk[start[patch] + place[patch]]
            count += 1
        place[patch] += 1
    for i in range(scored, len(member)):
        known[member[i]] += 1
        if known[member[i]] <= most:
            point[count], turn[count] = i, known[member[i]]
            count += 1
    order = by_round(turn[:count], limit)
    return point[order], turn[order]


@njit(cache=True, nogil=True)
def _rounds_for(size, limit):  # type: ignore
    """Return how many rounds give at least `limit` points, or all there are."""
    top, total = 0, 0
    for patch in range(len(size)):
        top = max(top, size[patch])
        total += size[patch]
    low, high = 0, top
    while low < high:
        middle = (low + high) // 2
        if _sum_up_to(size, middle) >= min(limit, total):
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True, nogil=True)
def _sum_up_to(size, most):  # type: ignore
    """Return the sum of sizes, each counted up to `most`."""
    total = 0
    for patch in range(len(size)):
        total += min(size[patch], most)
    return total


@njit(cache=True, nogil=True)
def by_round(turn, limit):  # type: ignore
    """Return the first `limit` queue positions by (round, position), without those of round 0."""
    top = 0
    for i in range(len(turn)):
        top = max(top, turn[i])
    start = np.zeros(top + 2, np.int64)
    for i in range(len(turn)):
        start[turn[i] + 1] += 1
    total = len(turn) - start[1]
    start[1] = 0
    for number in range(1, top + 2):
        start[number] += start[number - 1]
    size = min(limit, total)
    position = np.empty(size, np.int64)
    for i in range(len(turn)):
        number = turn[i]
        if number > 0:
            if start[number] < size:
                position[start[number]] = i
            start[number] += 1
    return position


@njit(cache=True, nogil=True)
def take_level(chosen, level, member, patches, scored, passed_over):  # type: ignore
    """Let every patch without a chosen point choose one: `chosen` gets the level there, in place.

    `chosen` (n,) int8 is the level of what was chosen before, 127 for the rest. A patch chooses,
    of its m scored points, the one nearest to position passed_over * (m - 1), or its first point
    where none has a depth.
    """
    wait = _first_positions(member, patches, scored, passed_over)
    for i in range(len(member)):
        if chosen[i] < level:
            wait[member[i]] = -1
    for i in range(len(member)):
        if wait[member[i]] == 0:
            chosen[i] = level
        if wait[member[i]] >= 0:
            wait[member[i]] -= 1


@njit(cache=True, nogil=True)
def first_round_sum(member, patches, scored, passed_over, pinned, value):  # type: ignore
    """Return the sum of a value over the points that their patches give first, pins included."""
    wait = _first_positions(member, patches, scored, passed_over)
    total = 0.0
    for i in range(len(pinned)):
        if pinned[i]:
            wait[member[i]] = -1
            total += value[i]
    for i in range(len(member)):
        if wait[member[i]] == 0:
            total += value[i]
        if wait[member[i]] >= 0:
            wait[member[i]] -= 1
    return total


@njit(cache=True, nogil=True)
def even_firsts(queued, count, shift, scored, passed_over):  # type: ignore
    """Return the queue position that each even patch gives first, (patches,) int32, -1 for none.

    `queued` (n,) int32 is the queue position of every rank along the curve, -1 for what may not be
    chosen. A patch is a run of ranks, so this reads the pool once from end to end, where `rounds`
    goes back and forth: it is what a budget needs of which every patch gives one record.
    """
    n = len(queued)
    patches = count + (shift > 0)
    first = np.full(patches, -1, np.int32)
    here = np.empty(n // count + 2, np.int32)
    start = 0
    for patch in range(patches):
        end = min(n, ((patch + 1) * n - shift + count - 1) // count)
        size = 0
        for rank in range(start, end):
            position = queued[rank]
            if 0 <= position < scored:
                here[size] = position
                size += 1
            elif position >= scored and (first[patch] < 0 or position < first[patch]):
                first[patch] = position
        if size:
            first[patch] = _kth(here, size, _first_place(size, passed_over))
        start = end
    return first


@njit(cache=True, nogil=True)
def _kth(values, size, k):  # type: ignore
    """Return the k-th smallest of the first `size` values, from 0, which are put in some order."""
    low, high = 0, size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if k <= right:
            high = right
        elif k >= left:
            low = left
        else:
            break
    return values[k]


@njit(cache=True, nogil=True)
def _first_place(size, passed_over):  # type: ignore
    """Return how many of a patch's scored points are passed over before the one it gives first."""
    target = passed_over * (size - 1)
    deeper = np.int64(np.floor(target))
    return deeper + (not _deeper_is_next(deeper, deeper + 1, size, target))


@njit(cache=True, nogil=True)
def _first_positions(member, patches, scored, passed_over):  # type: ignore
    """Return how many points of each patch to pass over before the one it chooses first."""
    wait = np.zeros(patches, np.int32)
    if passed_over == 0.0:
        return wait
    for i in range(scored):
        wait[member[i]] += 1
    for patch in range(patches):
        if wait[patch] > 0:
            wait[patch] = _first_place(wait[patch], passed_over)
    return wait
