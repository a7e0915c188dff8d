"""The loops that numpy cannot say, compiled once and kept on disk.

Everything here works on points in *queue order*: deepest first, ties by row number, points
without a depth last. A patch's records then meet a counter in the order in which they are taken.

No kernel holds the interpreter's lock, none starts threads: they are safe in a server.
Only grid.py, landscape.py, selection.py and metrics.py call them, inside functions, because
importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ila_core.landscape.grid import LEVELS

BLOCK = 8192
"""Points located at a time: their patch numbers stay in the processor's first cache."""


@njit(cache=True, nogil=True, inline="always")
def _locate(x, y, x0, y0, width, height, resolution, offset, side, out):  # type: ignore
    """Write each point's patch number: column * side + row. Points outside go to the border."""
    for i in range(len(x)):
        column = np.floor((np.float64(x[i]) - x0) / width * resolution + offset)
        row = np.floor((np.float64(y[i]) - y0) / height * resolution + offset)
        column = min(max(column, 0.0), side - 1.0)
        row = min(max(row, 0.0), side - 1.0)
        out[i] = np.int32(column) * side + np.int32(row)


@njit(cache=True, nogil=True)
def locate(x, y, x0, y0, width, height, resolution, offset, side):  # type: ignore
    """Return each point's patch number, (n,) int32."""
    out = np.empty(len(x), np.int32)
    _locate(x, y, x0, y0, width, height, resolution, offset, side, out)
    return out


@njit(cache=True, nogil=True)
def count_occupied(  # type: ignore
    x, y, x0, y0, width, height, resolution, offset, side, limit
):
    """Return how many patches hold a point, or limit + 1 as soon as there are more than limit."""
    seen = np.zeros((side * side + 63) // 64, np.uint64)
    patch = np.empty(BLOCK, np.int32)
    occupied = 0
    for start in range(0, len(x), BLOCK):
        end = min(start + BLOCK, len(x))
        _locate(x[start:end], y[start:end], x0, y0, width, height, resolution, offset, side, patch)
        for i in range(end - start):
            word, bit = patch[i] >> 6, np.uint64(1) << np.uint64(patch[i] & 63)
            if not seen[word] & bit:
                seen[word] |= bit
                occupied += 1
                if occupied > limit:
                    return occupied
    return occupied


@njit(cache=True, nogil=True, inline="always")
def _ones(word):  # type: ignore
    """Return how many bits of a 64-bit word are set, by adding neighbours in parallel."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int32((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def compact(patch, size):  # type: ignore
    """Number the occupied patches 0, 1, 2 ... in ascending order of their patch number.

    Returns each point's number among the occupied, (n,) int32, and the occupied patch numbers,
    (m,) int32. A bitmap with running counts does it: 12 bytes for 64 patches, so that even
    8192 x 8192 patches fit in 13 MB where an array of counters would take 268 MB.
    """
    seen = np.zeros((size + 63) // 64, np.uint64)
    for i in range(len(patch)):
        seen[patch[i] >> 6] |= np.uint64(1) << np.uint64(patch[i] & 63)
    before = np.empty(len(seen), np.int32)
    occupied = np.int32(0)
    for word in range(len(seen)):
        before[word] = occupied
        occupied += _ones(seen[word])
    member = np.empty(len(patch), np.int32)
    number = np.empty(occupied, np.int32)
    for i in range(len(patch)):
        word = patch[i] >> 6
        lower = (np.uint64(1) << np.uint64(patch[i] & 63)) - np.uint64(1)
        member[i] = before[word] + _ones(seen[word] & lower)
        number[member[i]] = patch[i]
    return member, number


@njit(cache=True, nogil=True)
def turns(member, patches):  # type: ignore
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


@njit(cache=True, nogil=True)
def rounds(member, patches, scored, share, pinned):  # type: ignore
    """Return the round of every queued point, (n,) int32; 0 for the pinned.

    `scored` points from the start of the queue have a depth. `share` = 1 - depth target.
    `pinned` (n,) bool, or empty where nothing is: pinned points use up their patch's first rounds.
    """
    used = np.zeros(patches, np.int32)
    for i in range(len(pinned)):
        if pinned[i]:
            used[member[i]] += 1
    found = np.zeros(len(member), np.int32)
    if share == 0.0:
        for i in range(len(member)):
            if len(pinned) == 0 or not pinned[i]:
                used[member[i]] += 1
                found[i] = used[member[i]]
        return found

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
        target = share * (size - 1)
        deeper = np.int64(np.floor(target))
        shallower = deeper + 1
        for _ in range(size):
            if shallower >= size or (
                deeper >= 0 and _away(deeper, target) <= _away(shallower, target)
            ):
                i = point[first + deeper]
                deeper -= 1
            else:
                i = point[first + shallower]
                shallower += 1
            if len(pinned) == 0 or not pinned[i]:
                used[patch] += 1
                found[i] = used[patch]
        first = end[patch]
    for i in range(scored, len(member)):
        if len(pinned) == 0 or not pinned[i]:
            used[member[i]] += 1
            found[i] = used[member[i]]
    return found


@njit(cache=True, nogil=True)
def by_round(found, limit):  # type: ignore
    """Return the first `limit` queue positions by (round, position), without those of round 0."""
    top = 0
    for i in range(len(found)):
        top = max(top, found[i])
    start = np.zeros(top + 2, np.int64)
    for i in range(len(found)):
        start[found[i] + 1] += 1
    total = len(found) - start[1]
    start[1] = 0
    for turn in range(1, top + 2):
        start[turn] += start[turn - 1]
    size = min(limit, total)
    position = np.empty(size, np.int64)
    for i in range(len(found)):
        turn = found[i]
        if turn > 0:
            if start[turn] < size:
                position[start[turn]] = i
            start[turn] += 1
    return position


@njit(cache=True, nogil=True)
def levels(x, y, x0, y0, width, height, offset, scored, share, pinned):  # type: ignore
    """Return the quadtree level at which every queued point is chosen, (n,) int8.

    0 to 13, 14 for the rest, -1 for the pinned. At each level a patch that holds no chosen point
    chooses one: of its m scored points the one nearest to position share * (m - 1), or its first
    point where none has a depth.
    """
    n = len(x)
    chosen = np.full(n, LEVELS, np.int8)
    for i in range(len(pinned)):
        if pinned[i]:
            chosen[i] = -1
    for level in range(LEVELS):
        resolution = 1 << level
        side = resolution + (1 if offset > 0 else 0)
        patch = locate(x, y, x0, y0, width, height, resolution, offset, side)
        member, number = compact(patch, side * side)
        wait = _first_positions(member, len(number), scored, share)
        for i in range(n):
            if chosen[i] < level:
                wait[member[i]] = -1
        for i in range(n):
            if wait[member[i]] == 0:
                chosen[i] = level
            if wait[member[i]] >= 0:
                wait[member[i]] -= 1
    return chosen


@njit(cache=True, nogil=True)
def _first_positions(member, patches, scored, share):  # type: ignore
    """Return how many points of each patch to pass over before the one it chooses first."""
    wait = np.zeros(patches, np.int32)
    if share == 0.0:
        return wait
    for i in range(scored):
        wait[member[i]] += 1
    for patch in range(patches):
        target = share * max(wait[patch] - 1, 0)
        deeper = np.int32(np.floor(target))
        nearer = deeper + 1 < wait[patch] and _away(deeper + 1, target) < _away(deeper, target)
        wait[patch] = deeper + nearer
    return wait


@njit(cache=True, nogil=True)
def summarise(member, patches, value):  # type: ignore
    """Return count, largest and mean value of every patch; NaN values are left out, NaN if all."""
    count = np.zeros(patches, np.int32)
    known = np.zeros(patches, np.int32)
    best = np.full(patches, np.nan, np.float32)
    total = np.zeros(patches, np.float64)
    for i in range(len(member)):
        patch = member[i]
        count[patch] += 1
        if not np.isnan(value[i]):
            known[patch] += 1
            total[patch] += value[i]
            if not best[patch] >= value[i]:
                best[patch] = value[i]
    mean = np.full(patches, np.nan, np.float32)
    for patch in range(patches):
        if known[patch]:
            mean[patch] = total[patch] / known[patch]
    return count, best, mean


@njit(cache=True, nogil=True)
def best_of_each(member, patches, value):  # type: ignore
    """Return how many patches the points reach and each patch's largest value, 0 without one."""
    best = np.zeros(patches, np.float64)
    reached = np.zeros(patches, np.bool_)
    count = 0
    for i in range(len(member)):
        patch = member[i]
        if not reached[patch]:
            reached[patch] = True
            count += 1
        if value[i] > best[patch]:
            best[patch] = value[i]
    return count, best


@njit(cache=True, nogil=True)
def growth(member, patches, value):  # type: ignore
    """Return, after each point, the patches reached so far and the sum of their largest values."""
    best = np.zeros(patches, np.float64)
    reached = np.zeros(patches, np.bool_)
    covered = np.empty(len(member), np.int64)
    gained = np.empty(len(member), np.float64)
    count, total = 0, 0.0
    for i in range(len(member)):
        patch = member[i]
        if not reached[patch]:
            reached[patch] = True
            count += 1
        if value[i] > best[patch]:
            total += value[i] - best[patch]
            best[patch] = value[i]
        covered[i] = count
        gained[i] = total
    return covered, gained
