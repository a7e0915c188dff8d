"""Numbers and texts as people read them."""

from __future__ import annotations

import numpy as np

DASH = "—"


def count(number: float) -> str:
    """Return a whole number with thousands marked.

    >>> count(12345)
    '12,345'
    """
    return f"{int(number):,}"


def counted(number: float, noun: str) -> str:
    """Return how many there are of something.

    >>> counted(1, "record"), counted(12345, "record")
    ('1 record', '12,345 records')
    """
    ending = "es" if noun.endswith("ch") else "s"
    return f"{count(number)} {noun}{ending * (int(number) != 1)}"


def short(number: float) -> str:
    """Return a large number with three digits.

    >>> short(950), short(12345), short(2_500_000)
    ('950', '12.3k', '2.5M')
    """
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"


def share(value: float | None, digits: int = 1) -> str:
    """Return a share of one in per cent, and a dash where it is missing.

    >>> share(0.6321), share(float("nan"))
    ('63.2%', '—')
    """
    return DASH if value is None or np.isnan(value) else f"{value:.{digits}%}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Return a number with fixed digits, and a dash where it is missing."""
    return DASH if value is None or np.isnan(value) else f"{value:.{digits}f}"


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, signed.

    >>> points(0.123), points(-0.004)
    ('+12.3 pts', '-0.4 pts')
    """
    return f"{100 * difference:+.1f} pts"


def gain(ratio: float) -> str:
    """Return by how much a number is larger than another, signed; what rounds to 0 has no sign.

    >>> gain(0.124), gain(-0.004)
    ('+12%', '0%')
    """
    text = f"{ratio:+.0%}"
    return text if text.strip("+-") != "0%" else "0%"


def size(number: float) -> str:
    """Return a number of bytes as people say it.

    >>> size(900), size(1_234_000)
    ('900 B', '1.2 MB')
    """
    for unit, letter in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:.1f} {letter}"
    return f"{number:.0f} B"


def plain(text: str) -> str:
    """Return text that a Markdown label shows as it is: every mark of the language escaped.

    >>> plain("a *b* [c](d) $x$ :smile:")
    'a \\\\*b\\\\* \\\\[c\\\\](d) \\\\$x\\\\$ \\\\:smile\\\\:'
    """
    escaped = "".join(f"\\{mark}" if mark in "\\`*_{}[]<>#|~$:!" else mark for mark in text)
    return " ".join(escaped.split())


def first_line(text: str, letters: int = 160) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text[: 4 * letters].split())
    return line if len(line) <= letters else line[: letters - 1].rstrip() + "…"
