"""Packing n-grams, and what is copied from before: the n-gram scorer's compiled loops over tokens.

Imported only by the functions that need it, because compiled code brings numba with it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LONGEST_MATCH = 8
_PLACES = 64  # looked at per token, latest first: keeps a 5 MB record linear, costs 0.0002 nats


@njit(cache=True, nogil=True)
def pack(
    ids: np.ndarray,
    begin: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    order: int,
    bits: int,
    end: int,
) -> np.ndarray:  # pragma: no cover  (compiled)
    """The n-gram that ends at each token of the stretches, role markers left out, as uint64.

    begin, start, stop: (m,) int64, where the record and where the stretch begins and stops. The
    newest token has the lowest `bits` bits; a place before the record holds the number end + 5.
    """
    total = 0
    for s in range(len(start)):
        total += stop[s] - start[s]
    keys = np.empty(total, dtype=np.uint64)
    width = np.uint64(bits)
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - bits * order)
    blank = np.uint64(0)
    for _ in range(order):
        blank = (blank << width) | np.uint64(end + 5)
    n = 0
    for s in range(len(start)):
        key = blank
        for t in range(max(begin[s], start[s] - order + 1), stop[s]):
            key = ((key << width) | np.uint64(ids[t])) & mask
            if t >= start[s] and ids[t] <= end:
                keys[n] = key
                n += 1
    return keys[:n]


@njit(cache=True, nogil=True)
def repetition(
    ids: np.ndarray, begin: int, t: int, earlier: np.ndarray, place: int, end: int
) -> tuple[int, int, int]:  # pragma: no cover  (compiled)
    """Length of the longest repetition of what precedes token t of a record that begins there.

    Also how many of its occurrences are followed by a token, and by the token at t. earlier: the
    occurrence before each; place: the latest one of the token before t, -1 where there is none.
    """
    longest, followers, agreeing, looked = 0, 0, 0, 0
    while place >= 0 and looked < _PLACES:
        follower = ids[place + 1]
        if follower <= end:
            length = 1
            while (
                length < LONGEST_MATCH
                and place - length >= begin
                and ids[place - length] == ids[t - 1 - length]
            ):
                length += 1
            if length > longest:
                longest, followers, agreeing = length, 0, 0
            if length == longest:
                followers += 1
                agreeing += follower == ids[t]
        place = earlier[place - begin]
        looked += 1
    return longest, followers, agreeing


@njit(cache=True, nogil=True)
def copying(
    ids: np.ndarray,
    offsets: np.ndarray,
    spans: np.ndarray,
    span_offsets: np.ndarray,
    rows: np.ndarray,
    end: int,
    out: np.ndarray,
    match: np.ndarray,
) -> None:  # pragma: no cover  (compiled)
    """Fill in, for every scored token of the rows, how well its own record foretells it.

    out: (tokens, 2): the share of this token among those that follow the longest repetition of
    the tokens just before it, and its share among all tokens of the record so far. Where there
    is no repetition the first is the second; where there is no token so far both are -1.
    match: (tokens,) int64, the length of that repetition, 0 to LONGEST_MATCH.
    """
    latest = np.full(end + 6, -1, dtype=np.int64)  # place of a token's latest occurrence
    seen = np.zeros(end + 6, dtype=np.int64)
    i = 0
    for row in rows:
        begin = offsets[row]
        earlier = np.empty(offsets[row + 1] - begin, dtype=np.int64)  # the occurrence before it
        n_seen = 0
        at = begin
        for s in range(span_offsets[row], span_offsets[row + 1]):
            for t in range(at, spans[s, 1]):
                token = ids[t]
                if t >= spans[s, 0]:
                    latest_before = earlier[t - 1 - begin] if t > begin else -1
                    longest, followers, agreeing = repetition(
                        ids, begin, t, earlier, latest_before, end
                    )
                    out[i, 1] = seen[token] / n_seen if n_seen > 0 else -1.0
                    out[i, 0] = agreeing / followers if longest > 0 else out[i, 1]
                    match[i] = longest
                    i += 1
                earlier[t - begin] = latest[token]
                latest[token] = t
                if token <= end:
                    seen[token] += 1
                    n_seen += 1
            at = spans[s, 1]
        for t in range(begin, at):
            latest[ids[t]] = -1
            seen[ids[t]] = 0
