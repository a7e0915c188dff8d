"""Numbers and texts as people read them."""

from __future__ import annotations

import csv
import re
from typing import Any

import numpy as np
import pandas as pd

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


_MARKS = "\\`*_{}[]<>#|~$:!&"
"""Marks that Markdown reads; a mark behind a backslash is a letter."""
_LISTS = re.compile(r"([-+])|(\d+)([.)])")
"""What begins a line of a list."""
_TURNED = re.compile(
    r"h(?=ttps?://)|w(?=ww\.)|(?<=[\w.+-])@(?=\w)"  # an address, which becomes a link
    r"|:(?=material/|[\w+-]+:)"  # an icon, Streamlit's own mark, an emoji
    r"|<(?=[-=])|-(?=-*>)|-(?=-+(?!\w))|[>~](?==)",  # an arrow or a sign made of two
    re.IGNORECASE,
)
"""Where Streamlit turns letters, not marks, into something else: a backslash keeps none of them."""


def plain(text: str) -> str:
    """Return text that a Markdown label shows as it is: every mark of the language escaped.

    What Streamlit replaces in the letters themselves (addresses, icons, emoji and arrows) is told
    apart at its first letter, by a directive of colours that gives none.

    >>> plain("a *b* [c](d) $x$ &lt;")
    'a \\\\*b\\\\* \\\\[c\\\\](d) \\\\$x\\\\$ \\\\&lt;'
    >>> plain("www.x.org ->")
    ':color[w]ww.x.org :color[-]\\\\>'
    """
    text = " ".join(text.split())
    turned = {match.start() for match in _TURNED.finditer(text)}
    letters = [f"\\{sign}" if sign in _MARKS else sign for sign in text]
    for place in turned:
        letters[place] = f":color[{letters[place]}]"
    if (start := _LISTS.match(text)) and 0 not in turned:
        letters[start.end() - 1] = f"\\{text[start.end() - 1]}"
    return "".join(letters)


def path(text: str) -> str:
    """Return a path as Markdown with HTML: a line breaks behind its folders, not within a name.

    >>> path("/data/my_pool")
    '/data/<wbr>my\\\\_pool'
    """
    return re.sub(r"(?<=.)(/|\\\\)", r"\1<wbr>", plain(text))


def cell(value: Any) -> Any:
    """Return what a cell of a table for a spreadsheet holds, which calculates what looks like it.

    >>> cell("=1+1"), cell("-x"), cell("fine"), cell(-1.5)
    ("'=1+1", "'-x", 'fine', -1.5)
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULAS):
        return f"'{value}"
    return value


_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet takes for a formula, also as Chinese and Japanese type."""


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV, its names and its texts harmless to a spreadsheet."""
    harmless = frame.rename(columns=cell).map(cell)
    # Every text in quotes: pandas leaves them out around a carriage return, which ends a line.
    return harmless.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC).encode("utf-8")


def first_line(text: str, letters: int = 160) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text[: 4 * letters].split())
    return line if len(line) <= letters else line[: letters - 1].rstrip() + "…"
