"""What follows from a landscape and a few arguments, computed once and kept with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")
Memory = dict[Callable[..., Any], dict[Hashable, Any]]
"""The latest results of every remembered function, by its arguments: futures, for some are on their
way."""


def remembered(
    most: int, *, of_map: bool = False
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator for functions (landscape, *hashable arguments) without side effects.

    The `most` latest results stay with the landscape and go with it. What follows `of_map` alone,
    whatever the kind of depth that is read, is kept once for all kinds. Where another thread is
    computing what is asked for, its result is waited for; an error is not kept, and who waited
    computes it too. A function must not ask for what it is computing itself.

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
            mine: Future[T] = Future()
            while (begun := kept.setdefault(arguments, mine)) is not mine:
                with suppress(CancelledError):
                    return begun.result()
            try:
                result = function(landscape, *arguments)
            except BaseException:
                kept.pop(arguments, None)
                mine.cancel()
                raise
            mine.set_result(result)
            if len(kept) > most:
                others = [key for key, one in kept.copy().items() if one is not mine and one.done()]
                for oldest in others[: max(0, len(others) + 1 - most)]:
                    kept.pop(oldest, None)
            return result

        return recall

    return decorate
