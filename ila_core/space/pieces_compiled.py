"""Sums over the pieces of texts, and small dense layers: loops that numpy cannot say.

Every number is a sum taken in one fixed order, without fused or reordered operations, so that a
text has the same bits whatever stands beside it, on any number of threads. Compiled once and kept
on disk; none holds the interpreter's lock or starts threads. Import this module inside functions:
importing numba takes half a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def spread(words, ends, starts, pieces, most):  # type: ignore
    """Return the pieces of texts given by word, end to end, and where each text ends.

    `words` are numbers of words, of text t those before ends[t]; word w has the pieces from
    starts[w] to starts[w + 1]. A text keeps the first and last `most` // 2 of its pieces.
    """
    n = len(ends)
    totals = np.zeros(n, np.int64)
    first = 0
    for t in range(n):
        for i in range(first, ends[t]):
            totals[t] += starts[words[i] + 1] - starts[words[i]]
        first = ends[t]
    kept = np.minimum(totals, most)
    found = np.empty(kept.sum(), np.int32)
    stops = np.cumsum(kept)
    first, place = 0, 0
    for t in range(n):
        head = most // 2 if totals[t] > most else totals[t]
        tail = totals[t] - (kept[t] - head)
        seen = 0
        for i in range(first, ends[t]):
            for p in range(starts[words[i]], starts[words[i] + 1]):
                if seen < head or seen >= tail:
                    found[place] = pieces[p]
                    place += 1
                seen += 1
        first = ends[t]
    return found, stops


@njit(cache=True, nogil=True)
def sums(pieces, stops, packed, scales, frame, sums):  # type: ignore
    """Write each text's sum of its pieces' rows and `frame`, over the root of how many these are.

    Rows are in 4 bits, `packed` (pieces, d / 2) uint8: of each 16 bytes the low bits hold the
    first 16 of 32 numbers, plus 8, the high bits the others; `scales` (pieces, d / 32) float32.
    """
    blocks = scales.shape[1]
    first = 0
    for t in range(len(stops)):
        total = sums[t]
        total[:] = frame
        for i in range(first, stops[t]):
            row = packed[pieces[i]]
            for b in range(blocks):
                scale = scales[pieces[i], b]
                for j in range(16):
                    both = row[16 * b + j]
                    total[32 * b + j] += scale * np.float32(np.int32(both & 15) - 8)
                    total[32 * b + 16 + j] += scale * np.float32(np.int32(both >> 4) - 8)
        total *= np.float32(1 / np.sqrt(stops[t] - first + 2.0))
        first = stops[t]


@njit(cache=True, nogil=True)
def add_product(x, matrix, total):  # type: ignore
    """Add x (n, k) times matrix (k, d) to total (n, d), float32; k is a multiple of 8.

    Along k one after the other, eight between two looks at the total; each row of the matrix is
    read once for all of x.
    """
    for p in range(0, x.shape[1], 8):
        m0, m1, m2, m3 = matrix[p], matrix[p + 1], matrix[p + 2], matrix[p + 3]
        m4, m5, m6, m7 = matrix[p + 4], matrix[p + 5], matrix[p + 6], matrix[p + 7]
        for i in range(len(x)):
            a0, a1, a2, a3 = x[i, p], x[i, p + 1], x[i, p + 2], x[i, p + 3]
            a4, a5, a6, a7 = x[i, p + 4], x[i, p + 5], x[i, p + 6], x[i, p + 7]
            row = total[i]
            for j in range(len(row)):
                half = (((row[j] + a0 * m0[j]) + a1 * m1[j]) + a2 * m2[j]) + a3 * m3[j]
                row[j] = (((half + a4 * m4[j]) + a5 * m5[j]) + a6 * m6[j]) + a7 * m7[j]


# -- pieces of words ------------------------------------------------------------------------------

SPACE = np.uint32(ord("▁"))


@njit(cache=True, nogil=True, inline="always")
def _slot(keys, node, sign):  # type: ignore
    """Return where the child of a node by a sign lies, or the empty place where it would."""
    key = (np.uint64(node) << np.uint64(21)) | np.uint64(sign)
    mask = np.uint64(len(keys) - 1)
    # Fibonacci hashing: the high bits of the product with 2 ** 64 / golden ratio are well mixed.
    place = ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask
    wanted = key + np.uint64(1)
    while keys[place] != 0 and keys[place] != wanted:
        place = (place + np.uint64(1)) & mask
    return place, wanted


@njit(cache=True, nogil=True)
def grow(signs, ends):  # type: ignore
    """Return the trie of texts as a hash table (keys, children), and each node's text or -1.

    `signs` are the texts' code points end to end, of text t those before ends[t]. Node 0 is the
    root; a key is a node and a sign, plus 1; 0 is an empty place.
    """
    size = 1
    while size <= len(signs):  # nodes are fewer: texts share their beginnings
        size *= 2
    keys, children = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    text = np.full(len(signs) + 1, -1, np.int32)
    nodes, first = 1, 0
    for t in range(len(ends)):
        node = 0
        for i in range(first, ends[t]):
            place, wanted = _slot(keys, node, signs[i])
            if keys[place] == 0:
                keys[place], children[place] = wanted, nodes
                nodes += 1
            node = children[place]
        if node and text[node] < 0:
            text[node] = t
        first = ends[t]
    return keys, children, text[:nodes].copy()


@njit(cache=True, nogil=True)
def best_pieces(signs, ends, keys, children, text, scores, unknown):  # type: ignore
    """Return the likeliest pieces of words, end to end, and how many each word has.

    `signs` are the words' code points end to end, of word w those before ends[w]; a SPACE begins
    anew. `scores` are logarithms; `unknown` stands for signs that no piece spells, a run of them
    once. Viterbi's algorithm: of equal scores the first found, which has the longest last piece.
    """
    found = np.empty(len(signs), np.int32)
    counts = np.zeros(len(ends), np.int64)
    longest = len(signs) + 1
    best = np.empty(longest)
    last = np.empty(longest, np.int32)
    begun = np.empty(longest, np.int64)
    total, first = 0, 0
    for w in range(len(ends)):
        start = first
        while start < ends[w]:
            stop = start + 1
            while stop < ends[w] and signs[stop] != SPACE:
                stop += 1
            best[start + 1 : stop + 1] = -np.inf
            best[start] = 0.0
            for i in range(start, stop):
                node = 0
                single = False
                for j in range(i, stop):
                    place, _ = _slot(keys, node, signs[j])
                    if keys[place] == 0:
                        break
                    node = children[place]
                    piece = text[node]
                    if piece >= 0:
                        single |= j == i
                        score = best[i] + scores[piece]
                        if score > best[j + 1]:
                            best[j + 1], last[j + 1], begun[j + 1] = score, piece, i
                if not single and best[i] + scores[unknown] > best[i + 1]:
                    best[i + 1], last[i + 1], begun[i + 1] = best[i] + scores[unknown], unknown, i
            # From the end to the start, then turned round.
            count, at = 0, stop
            while at > start:
                if last[at] != unknown or count == 0 or found[total + count - 1] != unknown:
                    found[total + count] = last[at]
                    count += 1
                at = begun[at]
            for i in range(count // 2):
                a, b = total + i, total + count - 1 - i
                found[a], found[b] = found[b], found[a]
            counts[w] += count
            total += count
            start = stop
        first = ends[w]
    return found[:total].copy(), counts
