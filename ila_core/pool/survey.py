"""What the first records of a file have in common, and none of them tells by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import mean
from typing import Any

from ila_core.pool.fields import LABELS, RESPONSES, SOURCES, canonical
from ila_core.pool.plans import NO_HABITS, Habits
from ila_core.pool.values import is_nothing

SURVEYED = 200
"""Records that are looked at."""
LABEL_WORDS = 6
"""Words that the name of a label or a source has at most; two signs of Chinese are a word."""
LISTED_WORDS = 3
"""Words that several names in one text have on average: clauses of a sentence have more."""
PROSE_SHARE = 0.2
"""The share of long texts above which a field does not hold names."""
FEW = 3
"""Records that have to say the same before a field is found to say nothing."""

_SENTENCE = re.compile(r"[.!?](?:\s|$)|[。！？\n]")
_BETWEEN = re.compile(r"[,;，；、|]")
_SIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


def habits_of(records: Iterable[Mapping[str, Any]]) -> Habits:
    """The habits of these records.

    >>> sorted(habits_of([{"tags": "sql, joins", "knowledge": "The mill ground rye."}]).prose)
    ['knowledge']
    """
    filled: Counter[str] = Counter()
    long: Counter[str] = Counter()
    lists: Counter[str] = Counter()
    answers: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items():
            known = canonical(name)
            if known in _NAMES and not is_nothing(value):
                filled[name] += 1
                long[name] += is_prose(value)
                lists[name] += not isinstance(value, str)
            elif known in RESPONSES and isinstance(value, str) and value:
                filled[name] += 1
                answers.setdefault(name, set()).add(value)
    prose = frozenset(name for name in long if long[name] > PROSE_SHARE * filled[name])
    constant = frozenset(name for name, said in answers.items()
                         if len(said) == 1 and filled[name] >= FEW)  # fmt: skip
    varied = constant if constant != answers.keys() else frozenset()
    if not prose and not varied:
        return NO_HABITS
    return Habits(prose=prose, lists=frozenset(n for n in prose if lists[n]), constant=varied)


_NAMES = frozenset((*LABELS, *SOURCES))


def is_prose(value: Any) -> bool:
    """Whether a value is text too long for names, or a list of such.

    >>> is_prose("python; window functions"), is_prose("It ground rye, oats and barley.")
    (False, True)
    """
    if isinstance(value, list):
        return any(is_prose(item) for item in value)
    if not isinstance(value, str) or value.lstrip().startswith("["):
        return False
    if _SENTENCE.search(value.strip()):
        return True
    words = [count for piece in _BETWEEN.split(value) if (count := _words(piece))]
    if not words:
        return False
    return max(words) > LABEL_WORDS or (len(words) > 1 and mean(words) > LISTED_WORDS)


def _words(text: str) -> float:
    signs = len(_SIGN.findall(text))
    return len(_SIGN.sub(" ", text).split()) + signs / 2
