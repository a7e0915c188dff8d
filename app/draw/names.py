"""Names on the map: which fit, and where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from unicodedata import bidirectional, category, east_asian_width

import numpy as np

from ila_core.landscape.cells import Cells
from ila_core.landscape.landscape import Landscape


@dataclass(frozen=True)
class Place:
    """A name on the map, at a position in units of cells."""

    text: str
    x: float
    y: float
    count: int


def places(
    landscape: Landscape, cells: Cells, *, width: int = 760, height: int = 560, most: int = 16
) -> tuple[Place, ...]:
    """Return the names of the domains with most records in the frame, none over another.

    A name stands on the densest cell of its domain. `width` and `height` are the drawn size in
    pixels: they tell which names would collide. Fewer fit when zoomed out, more when zoomed in.
    """
    if not len(cells) or not len(landscape.domain_names):
        return ()
    inside = (cells.member >= 0) & (landscape.domain >= 0)
    domain, member = landscape.domain[inside], cells.member[inside]
    counts = np.bincount(domain, minlength=len(landscape.domain_names))
    placed: list[Place] = []
    taken: list[tuple[float, float, float, float]] = []
    across = cells.frame.columns[1] - cells.frame.columns[0]
    up = cells.frame.rows[1] - cells.frame.rows[0]
    candidates = np.argsort(-counts, kind="stable")[: 6 * most]
    for index, densest in zip(candidates, _densest(candidates, domain, member), strict=True):
        text = short_name(landscape.domain_names[index])
        if counts[index] == 0 or not text or len(placed) == most:
            break
        x, y = float(cells.column[densest]), float(cells.row[densest])
        half = (columns(text) * 3.7 + 8) / width * across
        tall = 13 / height * up
        low, high = cells.frame.columns[0] - 0.5 + half, cells.frame.columns[1] - 0.5 - half
        x = min(max(x, low), high) if low < high else (low + high) / 2
        y = min(max(y, cells.frame.rows[0] + tall), cells.frame.rows[1] - 1 - tall)
        box = (x - half, y - tall, x + half, y + tall)
        if any(_overlap(box, other) for other in taken):
            continue
        taken.append(box)
        placed.append(Place(text, x, y, int(counts[index])))
    return tuple(placed)


def _densest(candidates: np.ndarray, domain: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Return, for each candidate domain, the cell that holds most of its records."""
    slot = np.full(int(domain.max(initial=0)) + 1, -1)
    slot[candidates[candidates < len(slot)]] = np.flatnonzero(candidates < len(slot))
    of = slot[domain]
    size = int(member.max(initial=0)) + 1
    joint = np.bincount(of[of >= 0] * size + member[of >= 0], minlength=len(candidates) * size)
    return joint.reshape(len(candidates), size).argmax(axis=1)


def short_name(name: str, *, words: int = 2, letters: int = 26) -> str:
    """Return the first words of a domain's name, short enough for the map: so many columns wide.

    >>> short_name("python · function · list")
    'python · function'
    """
    parts = [part.strip() for part in name.split("·") if part.strip()]
    text = " · ".join(parts[:words])
    if columns(text) > letters and len(parts) > 1:
        text = parts[0]
    if columns(text) <= letters:
        return text
    kept = sum(upto < letters for upto in accumulate(map(_columns_of, text)))
    return text[:kept].rstrip() + "…"


def told_apart(names: Sequence[str], *, letters: int) -> list[str]:
    """Return short names of so many columns; where two would be alike, with more of their words.

    >>> told_apart(["film · actor · star", "film · actor · plot", "sky · sea · sun"], letters=26)
    ['film · actor · star', 'film · actor · plot', 'sky · sea']
    """
    short = [short_name(name, letters=letters) for name in names]
    for words in (3, 4):
        times = Counter(short)
        short = [
            short_name(name, words=words, letters=2 * letters) if times[known] > 1 else known
            for name, known in zip(names, short, strict=True)
        ]
    return short


def columns(text: str) -> int:
    """Return how wide a text is in Latin letters: Chinese signs are two, marks on letters none.

    >>> columns("poem"), columns("诗歌"), columns("กี่")
    (4, 4, 1)
    """
    return sum(map(_columns_of, text))


def _columns_of(sign: str) -> int:
    if category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(sign) in "WF" else 1


def isolated(name: str) -> str:
    """Return a name as it goes into a line: Arabic or Hebrew leaves what is beside it in its place.

    >>> isolated("poem"), isolated("قصيدة") == "\u2068قصيدة\u2069"
    ('poem', True)
    """
    leftwards = any(bidirectional(sign) in ("R", "AL") for sign in name)
    return f"\u2068{name}\u2069" if leftwards else name


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
