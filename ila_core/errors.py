"""What can go wrong and is told to the user in one sentence."""

from __future__ import annotations


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
