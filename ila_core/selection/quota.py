"""How many of the picks may and must be of one sort: a quota, and its text.

    language:zh=10%..30%    of the picks 10 to 30 per cent are Chinese; counts may stand there too
    source:a|b=100..        at least 100 come from a or b
    tokens:500..=..5%       at most one in twenty has 500 response tokens or more

Before the last = stands a rule as `rules` has it, with : in place of its own =.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import UsageError
from ila_core.selection.rules import Rule

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

_FORM = "give FACET:VALUE=LEAST..MOST, such as language:zh=10%..30%, source:a=100.. or label:b=..5%"
_END = re.compile(r"(?P<number>\d{1,12}(?:\.\d{1,12})?)(?P<share>%?)", re.ASCII)


@dataclass(frozen=True)
class End:
    """One end of a quota: a count of picks, or a share of all of them."""

    number: Fraction
    is_share: bool
    """Whether it is a part of one of the picks, not a count."""

    @classmethod
    def parse(cls, text: str) -> End:
        """Return an end from its text; ValueError for one that cannot be meant.

        >>> End.parse("12.5%")
        End(number=Fraction(1, 8), is_share=True)
        """
        match = _END.fullmatch(text.strip())
        if match is None:
            raise ValueError(text)
        number, is_share = Fraction(match["number"]), bool(match["share"])
        if is_share and number <= 100:
            return cls(number / 100, True)
        if is_share or number.denominator != 1:
            raise ValueError(text)
        return cls(number, False)

    def of(self, picks: int) -> Fraction:
        """Return the count that it stands for among so many picks, which need not be whole."""
        return self.number * picks if self.is_share else self.number

    def __str__(self) -> str:
        if not self.is_share:
            return str(self.number)
        percent = self.number * 100
        digits = f"{float(percent):.12f}".rstrip("0").rstrip(".")
        return f"{digits}%"


@dataclass(frozen=True)
class Quota:
    """Least and most picks that a rule means.

    >>> quota = Quota.parse("language:zh=10%..30%")
    >>> str(quota), quota.bounds(25)
    ('language:zh=10%..30%', (3, 7))
    """

    rule: Rule
    """Which picks are counted."""
    least: End | None = None
    most: End | None = None

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Return a quota from its text; UsageError says what is wrong with it."""
        head, equals, ends = text.strip(" ").rpartition("=")
        facet, colon, value = head.partition(":")
        low, dots, high = ends.partition("..")
        if not (equals and colon and dots):
            raise UsageError(f"--quota is {text!r}; {_FORM}.")
        rule = Rule.parse(f"{facet}={value}")
        try:
            least, most = (End.parse(end) if end.strip() else None for end in (low, high))
        except ValueError as error:
            raise UsageError(
                f"--quota {text!r} ends at {str(error)!r}, which is no count and no share up to "
                f"100%; {_FORM}."
            ) from None
        if least is None and most is None:
            raise UsageError(f"--quota {text!r} asks for nothing; {_FORM}.")
        if least and most and least.is_share == most.is_share and least.number > most.number:
            raise UsageError(f"--quota {text!r} has a least above its most; {_FORM}.")
        return cls(rule, least, most)

    def __str__(self) -> str:
        facet, _, value = str(self.rule).partition("=")
        return f"{facet}:{value}={self.least or ''}..{self.most or ''}"

    def bounds(self, picks: int) -> tuple[int, int]:
        """Return the fewest and the most of so many picks that may be of its sort.

        The fewest may be more than the most, where a share of few picks is no whole number.
        """
        least = math.ceil(self.least.of(picks)) if self.least else 0
        return least, math.floor(self.most.of(picks)) if self.most else picks

    def members(self, landscape: Landscape) -> np.ndarray:
        """Return which records count towards it, (n,) bool; UsageError as of `Rule.mask`."""
        return self.rule.mask(landscape)
