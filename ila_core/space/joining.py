"""Parts of words that a dictionary lacks, put together again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ila_core.space.function_words import is_function_word
from ila_core.space.words import BREAK

TOGETHER = 0.7
"""Two parts of which each so seldom stands without the other are one word."""
LEAST = 3
"""Times that they must stand together: once or twice may be chance."""
ROUNDS = 2
"""A word comes in four parts at most; whole phrases of a template would be no words."""


def joined(texts: Sequence[list[str]]) -> list[list[str]]:
    """Return texts, each as the parts of its words, with those parts as one that belong together.

    >>> joined([["เปีย", "โน"], ["เพลง", "เปีย", "โน"], ["เปีย", "โน", "เพลง"]])
    [['เปียโน'], ['เพลง', 'เปียโน'], ['เปียโน', 'เพลง']]
    """
    found = list(texts)
    for _ in range(ROUNDS):
        pairs = _pairs(found)
        if not pairs:
            break
        found = [_join(parts, pairs) for parts in found]
    return found


def _pairs(texts: Sequence[list[str]]) -> set[tuple[str, str]]:
    times: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for parts in texts:
        times.update(parts)
        together.update(pairwise(parts))
    return {
        (one, other)
        for (one, other), count in together.items()
        if count >= max(LEAST, TOGETHER * times[one], TOGETHER * times[other])
        and not any(_stands_alone(part) for part in (one, other))
    }


def _stands_alone(part: str) -> bool:
    """Whether a part is grammar, which what stands beside it does not need to be a word."""
    return part == BREAK or any(is_function_word(part, one) for one in ("zh", "ja", "th"))


def _join(parts: Sequence[str], pairs: set[tuple[str, str]]) -> list[str]:
    whole: list[str] = []
    at = 0
    while at < len(parts):
        two = at + 1 < len(parts) and (parts[at], parts[at + 1]) in pairs
        whole.append(parts[at] + parts[at + 1] if two else parts[at])
        at += 2 if two else 1
    return whole
