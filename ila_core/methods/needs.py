"""What a method needs of a landscape, and how to come by it where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape.memory import remembered

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


class Need(NamedTuple):
    """Something to choose by: what it is, how to get it, whether a landscape has any of it."""

    what: str
    remedy: str
    there: Callable[[Landscape], bool]


_LOSS = "build it with a loss (--loss ngram, lm or column:NAME)"

NEEDS = {
    "loss": Need("the loss of the responses", _LOSS, lambda pool: _any(pool.loss)),
    "tokens": Need("the responses' token counts", _LOSS, lambda pool: _any(pool.tokens)),
    "depth": Need("depths", _LOSS, lambda pool: _any(pool.relative_depth)),
    "score": Need(
        "depths, or both columns quality and complexity",
        _LOSS,
        lambda pool: _any(pool.depth) or {"quality", "complexity"} <= set(pool.scores),
    ),
    "unconditional_loss": Need(
        "the loss of the responses without their instruction",
        "build it with --loss lm --lm ID_OR_PATH --unconditional",
        lambda pool: _any(pool.scores.get("unconditional_loss", np.zeros(0))),
    ),
    "vectors": Need(
        "embeddings",
        "build it from records, or give them with --embeddings FILE.npy",
        lambda pool: pool.vectors is not None,
    ),
}


def check_needs(method: str, needs: Iterable[str], landscape: Landscape) -> None:
    """Do nothing if the landscape has all that is needed; else IlaError says what is missing.

    >>> from ila_core import Landscape
    >>> check_needs("longest", ["tokens"], Landscape.from_arrays([[0, 0]]))
    Traceback (most recent call last):
    ila_core.errors.IlaError: Method longest needs the responses' token counts, and this landscape
    has none; build it with a loss (--loss ngram, lm or column:NAME).
    """
    if missing := lacking(needs, landscape):
        what, remedy, _ = missing
        raise IlaError(f"Method {method} needs {what}, and this landscape has none; {remedy}.")


def lacking(needs: Iterable[str], landscape: Landscape) -> Need | None:
    """Return the first of the needs that a landscape has not, None where it has all."""
    return next((NEEDS[name] for name in needs if not _there(landscape, name)), None)


@remembered(most=len(NEEDS))
def _there(landscape: Landscape, name: str) -> bool:
    """Whether a landscape has what one of NEEDS names: a page asks for every method it lists."""
    return NEEDS[name].there(landscape)


def _any(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).any())
