"""What can go wrong and is told to the user in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NO_LETTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Signs that end a line or that a terminal obeys; a pool's names may hold any of them."""


class IlaError(Exception):
    """A failure the user can act on: its message is one sentence, its exit code is 1.

    What it quotes may hold line ends, or signs that a terminal obeys; they are told as a space.

    >>> str(IlaError("Column 'a\\n\\x1b[2Jb' was not found."))
    "Column 'a [2Jb' was not found."
    """

    exit_code = 1

    def __str__(self) -> str:
        return _NO_LETTERS.sub(" ", super().__str__())


class UsageError(IlaError):
    """An option or argument has a value that cannot be meant: exit code 2."""

    exit_code = 2


class PoolError(IlaError):
    """A pool, or a file of it, holds no record or no response that can be used.

    fields: the names of those seen, dotted paths too: one of them may be what was looked for.
    """

    def __init__(self, message: str, fields: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class RunError(IlaError):
    """A run folder is half there, damaged, from a newer version, or holds another pool."""


class DamagedError(RunError):
    """A file of a run folder is not what a build writes there."""


def first_line(error: BaseException) -> str:
    """Return the first line of what a library raised, to put into a sentence of ours.

    The kind of it where it says nothing.

    >>> first_line(ValueError("Half a file.\\nOf weights.")), first_line(MemoryError())
    ('Half a file', 'MemoryError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
