"""What comes out of a file: one thing after the other that may be a record."""

from __future__ import annotations

from typing import Any, NamedTuple

BLANK = "blank line, no record"
"""The note on lines with nothing in them, which are neither kept nor rejected."""

TOO_LONG = "too long"
"""Why a line is a reject of which the end has not been looked for."""


class Item(NamedTuple):
    """One thing that may be a record, as it stood in its file.

    `text` is a JSONL line without its newline, else the item as compact JSON. Where `reason` is
    set there is no value: the item is a reject.
    """

    line: int
    text: str
    value: Any
    reason: str | None = None


def readable_text(data: bytes) -> str:
    """The bytes as text, those that are not UTF-8 as \\xNN."""
    return data.decode("utf-8", "backslashreplace")


def as_bytes(text: str) -> bytes:
    """The bytes that surrogateescape made this text of."""
    return text.encode("utf-8", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Whether text that was decoded with surrogateescape holds no escaped bytes."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
