"""A conversation as the scorers read it, whatever holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol


class Turn(Protocol):
    """One turn of a conversation: who speaks, what, and whether its loss counts."""

    @property
    def role(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def scored(self) -> bool: ...


Conversation = Sequence[Turn]
Conversations = Callable[[], Iterable[Conversation]]
"""Called for a fresh pass over a pool, in row order."""
