"""Work that is done by two threads at a time: two cores are what every machine has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def by_two(function: Callable[..., T], *each: Iterable[Any]) -> list[T]:
    """Return what `map` does, as a list, two at a time: for loops that hold no lock.

    >>> by_two(pow, (2, 3), (5, 2))
    [32, 9]
    """
    with ThreadPoolExecutor(2) as two:
        return list(two.map(function, *each))
