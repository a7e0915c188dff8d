"""Which patch a point lies in, and what each patch holds: compiled loops over points.

Compiled once and kept on disk. No loop holds the interpreter's lock and none starts threads: they
are safe in a server. Import this module inside functions: importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit

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
def locate_inside(x, y, scale, box, block):  # type: ignore
    """Return each point's patch number, (n,) int32, and side * side for those outside.

    `scale` is a grid's seven numbers, `box` (x0, y0, x1, y1) and `block` the first and one past
    the last column and row: a point counts where it lies in both.
    """
    x0, y0, width, height, resolution, offset, side = scale
    left, bottom, right, top = box
    first_column, end_column, first_row, end_row = block
    out = np.empty(len(x), np.int32)
    for i in range(len(x)):
        column = np.floor((np.float64(x[i]) - x0) / width * resolution + offset)
        row = np.floor((np.float64(y[i]) - y0) / height * resolution + offset)
        column = min(max(column, 0.0), side - 1.0)
        row = min(max(row, 0.0), side - 1.0)
        inside = left <= x[i] and x[i] <= right and bottom <= y[i] and y[i] <= top
        inside &= first_column <= column and column < end_column
        inside &= first_row <= row and row < end_row
        out[i] = np.int32(column) * side + np.int32(row) if inside else side * side
    return out


@njit(cache=True, nogil=True)
def mark_occupied(  # type: ignore
    x, y, x0, y0, width, height, resolution, offset, side, limit, seen
):
    """Set the bit of every patch that holds a point; stop as soon as more than `limit` are set.

    Return how many were set here. `seen` (words,) uint64 has a bit for each of the side * side
    patches, by number.
    """
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


@njit(cache=True, nogil=True)
def count_either(one, other):  # type: ignore
    """Return how many bits are set in one of two arrays of words, (words,) uint64 each."""
    count = 0
    for word in range(len(one)):
        count += _ones(one[word] | other[word])
    return count


@njit(cache=True, nogil=True)
def count_dyadic(x, y, x0, y0, width, height, levels):  # type: ignore
    """Return how many of 1, 4, 16 ... patches hold a point, (levels,) int64, in one pass.

    Of 2, 4, 8 ... patches a side each is a quarter of one of the level before: a bitmap of the
    finest level has them all, and halves along both axes from level to level.
    """
    side = 1 << (levels - 1)
    words = (side + 63) // 64  # of a column, a bit for each of its rows
    seen = np.zeros((side, words), np.uint64)
    patch = np.empty(BLOCK, np.int32)
    for start in range(0, len(x), BLOCK):
        end = min(start + BLOCK, len(x))
        _locate(x[start:end], y[start:end], x0, y0, width, height, side, 0.0, side, patch)
        for i in range(end - start):
            column, row = patch[i] // side, patch[i] % side
            seen[column, row >> 6] |= np.uint64(1) << np.uint64(row & 63)
    occupied = np.zeros(levels, np.int64)
    for level in range(levels - 1, -1, -1):
        for column in range(1 << level):
            for word in range(words):
                occupied[level] += _ones(seen[column, word])
        half = (words + 1) // 2
        for column in range((1 << level) // 2):
            for word in range(half):
                low = _halved(seen[2 * column, 2 * word] | seen[2 * column + 1, 2 * word])
                if 2 * word + 1 < words:
                    above = seen[2 * column, 2 * word + 1] | seen[2 * column + 1, 2 * word + 1]
                    low |= _halved(above) << np.uint64(32)
                seen[column, word] = low
        words = half
    return occupied


@njit(cache=True, nogil=True, inline="always")
def _halved(word):  # type: ignore
    """Return 32 bits, each set where either of two neighbours of a 64-bit word is."""
    word = (word | (word >> np.uint64(1))) & np.uint64(0x5555555555555555)
    word = (word | (word >> np.uint64(1))) & np.uint64(0x3333333333333333)
    word = (word | (word >> np.uint64(2))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    word = (word | (word >> np.uint64(4))) & np.uint64(0x00FF00FF00FF00FF)
    word = (word | (word >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (word | (word >> np.uint64(16))) & np.uint64(0x00000000FFFFFFFF)


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
def most_frequent(member, patches, kind, kinds):  # type: ignore
    """Return the most frequent kind of every patch, ties to the smaller, and how often it occurs.

    `member` (n,) is each point's patch, -1 for none; `kind` (n,) is 0 to kinds - 1. Patches
    without a point have kind -1.
    """
    end = np.zeros(patches + 1, np.int64)
    for i in range(len(member)):
        if member[i] >= 0:
            end[member[i] + 1] += 1
    for patch in range(patches):
        end[patch + 1] += end[patch]
    place = end[:-1].copy()
    point = np.empty(end[patches], np.int32)
    for i in range(len(member)):
        if member[i] >= 0:
            point[place[member[i]]] = kind[i]
            place[member[i]] += 1
    count = np.zeros(kinds, np.int32)
    best = np.full(patches, -1, np.int32)
    times = np.zeros(patches, np.int32)
    for patch in range(patches):
        for i in range(end[patch], end[patch + 1]):
            count[point[i]] += 1
        for i in range(end[patch], end[patch + 1]):
            seen = count[point[i]]
            if seen > times[patch] or (seen == times[patch] and point[i] < best[patch]):
                best[patch], times[patch] = point[i], seen
        for i in range(end[patch], end[patch + 1]):
            count[point[i]] = 0
    return best, times


@njit(cache=True, nogil=True)
def hilbert(x, y, x0, y0, side, bits):  # type: ignore
    """Return each point's distance along a Hilbert curve over a square, (n,) uint32.

    The square's low corner is (x0, y0); it has 2 ** bits steps along each axis. Bit by bit from
    the largest: which quarter, then the quarter turned so that the curve enters it as the whole.
    """
    steps = 1 << bits
    distance = np.empty(len(x), np.uint32)
    for i in range(len(x)):
        a = min(np.int64(np.floor((np.float64(x[i]) - x0) / side * steps)), steps - 1)
        b = min(np.int64(np.floor((np.float64(y[i]) - y0) / side * steps)), steps - 1)
        d = np.int64(0)
        s = steps >> 1
        while s > 0:
            right, upper = (a & s) > 0, (b & s) > 0
            d += s * s * ((3 * right) ^ upper)
            if not upper:
                if right:
                    a, b = steps - 1 - a, steps - 1 - b
                a, b = b, a
            s >>= 1
        distance[i] = d
    return distance


@njit(cache=True, nogil=True)
def even_patches(rank, count, n, shift):  # type: ignore
    """Return floor((rank * count + shift) / n) for every rank, (m,) int32; -1 stays -1.

    A quotient in float64 may be one off, which its remainder shows: several times faster than a
    division of whole numbers.
    """
    patch = np.empty(len(rank), np.int32)
    part = 1.0 / n
    for i in range(len(rank)):
        if rank[i] < 0:
            patch[i] = -1
            continue
        whole = rank[i] * count + shift
        number = np.int64(whole * part)
        rest = whole - number * n
        patch[i] = number - (rest < 0) + (rest >= n)
    return patch


@njit(cache=True, nogil=True)
def sum_known(values, rows):  # type: ignore
    """Return the sum, in float64, of the rows' values that are not NaN, and how many these are."""
    total, count = 0.0, 0
    for row in rows:
        value = values[row]
        if value == value:
            total += value
            count += 1
    return total, count


@njit(cache=True, nogil=True)
def count_codes(codes, most, rows):  # type: ignore
    """Return how many of the rows have each code from 0 to most - 1, (most,) int64."""
    count = np.zeros(most, np.int64)
    for row in rows:
        count[codes[row]] += 1
    return count


@njit(cache=True, nogil=True)
def radix_order(keys):  # type: ignore
    """Return the rows of keys (n,) uint32 in ascending order, ties by row, (n,) int32.

    Three passes over 11 bits each, the lowest first; one in which all keys agree is left out.
    """
    n = len(keys)
    count = np.zeros((3, 2048), np.int64)
    for i in range(n):
        for part in range(3):
            count[part, (keys[i] >> np.uint32(11 * part)) & np.uint32(2047)] += 1
    order, other = np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(n):
        order[i] = i
    for part in range(3):
        shift = np.uint32(11 * part)
        if n and count[part, (keys[0] >> shift) & np.uint32(2047)] == n:
            continue
        start = 0
        for digit in range(2048):
            held = count[part, digit]
            count[part, digit] = start
            start += held
        for i in range(n):
            row = order[i]
            digit = (keys[row] >> shift) & np.uint32(2047)
            other[count[part, digit]] = row
            count[part, digit] += 1
        order, other = other, order
    return order


@njit(cache=True, nogil=True)
def mid_ranks(values, starts):  # type: ignore
    """Return mid-ranks as shares, (n,) float32, for groups that begin at `starts`.

    The values of each group are ascending: a run of equal ones shares the middle of its ranks.
    """
    n = len(values)
    share = np.empty(n, np.float32)
    for group in range(len(starts)):
        first = starts[group]
        end = starts[group + 1] if group + 1 < len(starts) else n
        run = first
        for i in range(first, end):
            if i + 1 == end or values[i + 1] != values[i]:
                share[run : i + 1] = ((run + i + 1) / 2 - first) / (end - first)
                run = i + 1
    return share


@njit(cache=True, nogil=True)
def ascending(rows, n):  # type: ignore
    """Return distinct rows of n by number, (k,) int32: in one pass over n, without a sort."""
    there = np.zeros(n, np.uint8)
    for row in rows:
        there[row] = 1
    found = np.empty(len(rows) + 1, np.int32)
    count = 0
    for row in range(n):
        found[count] = row  # stays where the row is there, else the next one takes its place
        count += there[row]
    return found[: len(rows)]


@njit(cache=True, nogil=True)
def first_wrong(rows, n):  # type: ignore
    """Return the place of the first row outside 0 to n - 1 or met before; len(rows) for none."""
    seen = np.zeros((n + 63) // 64, np.uint64)
    for i in range(len(rows)):
        row = rows[i]
        if row < 0 or row >= n:
            return i
        bit = np.uint64(1) << np.uint64(row & 63)
        if seen[row >> 6] & bit:
            return i
        seen[row >> 6] |= bit
    return len(rows)


@njit(cache=True, nogil=True)
def first_of_all(first, order, marked, most):  # type: ignore
    """Return the marked rows of `first` in its order, then the others of `order`, (most,) int32.

    `marked` (n,) bool is used up; `most` is how many are marked.
    """
    found = np.empty(most, np.int32)
    count = 0
    for row in first:
        if marked[row]:
            marked[row] = False
            found[count] = row
            count += 1
    for row in order:
        if marked[row]:
            found[count] = row
            count += 1
    return found
