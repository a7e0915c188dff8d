"""What can go wrong and is told to the user in one sentence."""

from __future__ import annotations

import warnings


class IlaError(Exception):
    """A failure the user can act on: its message is one sentence, its exit code is 1."""

    exit_code = 1


class UsageError(IlaError):
    """An option or argument has a value that cannot be meant: exit code 2."""

    exit_code = 2


class RunError(IlaError):
    """A run folder is half there, damaged, from a newer version, or holds another pool."""


class DamagedError(RunError):
    """A file of a run folder is not what a build writes there."""


class IlaWarning(UserWarning):
    """Something was handled, not refused, and the user should know of it once."""


def warn_once(message: str) -> None:
    """Warn with a message that names its count; callers say it once, after the loop."""
    warnings.warn(message, IlaWarning, stacklevel=3)
