"""The permutation that numpy draws, in a third of its time where there are millions.

numpy's loop waits for memory once a swap, because it draws the next place only then. Here places
are drawn ahead, without a branch that a processor would have to guess, and many swaps wait at once.
Compiled once and kept on disk; import this module inside functions: importing numba takes half a
second.
"""

from __future__ import annotations

import numpy as np
from numba import njit

WORDS = 1 << 15
"""Random words drawn at a time: the places that they give stay in the processor's second cache."""


def permutation(chance: np.random.Generator, n: int) -> np.ndarray:
    """Return the numbers from 0 to n - 1 shuffled, (n,) int32: what `chance.permutation(n)` gives.

    `chance` is a fresh generator, of which nothing was drawn, and is used up by this: it has drawn
    more than numpy's would have.

    >>> from ila_core.chance import stream
    >>> permutation(stream(7, "random"), 5).tolist()
    [3, 0, 2, 4, 1]
    """
    order = np.arange(n, dtype=np.int32)
    places = np.empty(2 * WORDS + 1, np.int32)
    last = n - 1
    while last > 0:
        known = _places(chance.bit_generator.random_raw(WORDS), last, places)
        _swap(order, last, places[:known])
        last -= known
    return order


@njit(cache=True, nogil=True)
def _places(words, last, places):  # type: ignore
    """Write places for `last`, `last` - 1, ... 1, each drawn from 0 to it; return how many.

    A word of 64 bits gives two draws, its lower half first. A draw has as many bits as `last`, and
    one that is larger is passed over.
    """
    mask = 1
    while mask < last:
        mask = 2 * mask + 1
    count, half, end = 0, 0, 2 * len(words)
    while last > 0 and half < end:
        if last <= mask >> 1:
            mask >>= 1
        drawn = np.int64(words[half >> 1] >> np.uint64(32 * (half & 1))) & mask
        half += 1
        places[count] = drawn  # is written over where it is too large
        fits = drawn <= last
        count += fits
        last -= fits
    return count


@njit(cache=True, nogil=True)
def _swap(order, last, places):  # type: ignore
    """Swap the entries of `last`, `last` - 1, ... with those of their places, one after another."""
    for place in places:
        order[last], order[place] = order[place], order[last]
        last -= 1
