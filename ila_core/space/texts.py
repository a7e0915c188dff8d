"""What every encoder does to a text before it reads it."""

from __future__ import annotations

CHARACTERS = 3072
"""How much of a text the shipped encoders read: 512 word pieces of six characters."""


def head_and_tail(text: str, characters: int = CHARACTERS) -> str:
    """Return the first and last half of so many characters; a shorter text whole.

    A question stands before its document or behind it: of a pool that puts the document first, the
    heads alone would all be alike.

    >>> head_and_tail("a long document. Who wrote it?", 16)
    'a long d rote it?'
    """
    if len(text) <= characters:
        return text
    half = characters // 2
    # A space, or the words at the cut would make one that is in neither part.
    return f"{text[:half]} {text[-half:]}" if half else ""


def without_surrogates(text: str) -> str:
    """Return the text with half surrogates, which no tokenizer takes, as replacement signs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
