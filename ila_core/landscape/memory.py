"""What follows from a landscape and a few arguments, computed once and kept with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")
Memory = dict[Callable[..., Any], dict[Hashable, Any]]
"""The latest results of every remembered function, by its arguments."""


def remembered(
    most: int, *, of_map: bool = False
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator for functions (landscape, *hashable arguments) without side effects.

    The `most` latest results stay with the landscape and go with it. What follows `of_map` alone,
    whatever the kind of depth that is read, is kept once for all kinds. Two threads may compute the
    same result at once; one of the two is kept.

    >>> from ila_core import Landscape
    >>> calls = []
    >>> @remembered(most=2)
    ... def records(landscape, factor):
    ...     calls.append(factor)
    ...     return factor * len(landscape)
    >>> pool = Landscape.from_arrays([[0, 0], [1, 1]])
    >>> records(pool, 3), records(pool, 3), calls
    (6, 6, [3])
    """

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        @wraps(function)
        def recall(landscape: Any, *arguments: Hashable) -> T:
            landscape = landscape.base if of_map else landscape
            kept = landscape.memory.setdefault(function, {})
            try:  # not "if arguments in kept": another thread may drop it in between
                return kept[arguments]
            except KeyError:
                result = function(landscape, *arguments)
            for oldest in list(kept)[: max(0, len(kept) + 1 - most)]:
                kept.pop(oldest, None)
            kept[arguments] = result
            return result

        return recall

    return decorate
