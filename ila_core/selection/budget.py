"""How much to choose: a number of records, a share of the pool, or response tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape

_FORMS = 'a count such as 10000, a share such as "5%", or response tokens such as "2M-tokens"'
_BUDGET = re.compile(
    r"(?P<number>\d[\d_,]{0,23}(?:\.\d{1,23})?)\s*(?P<scale>[kKmM]?)[\s-]*(?P<unit>%|tokens?|records?)?",
    re.ASCII,
)
_SCALES = {"": 1, "k": 1_000, "m": 1_000_000}


@dataclass(frozen=True)
class Budget:
    """How much to choose: records, a percentage of the pool, or response tokens.

    >>> Budget.parse("500k-tokens")
    Budget(kind='tokens', value=500000, text='500k-tokens')
    >>> Budget.parse(10_000).records(Landscape.from_arrays([[0, 0], [1, 1]], depth=[1, 2]))
    2
    """

    kind: Literal["records", "percent", "tokens"]
    value: int | Fraction
    text: str
    """As it was given."""

    @classmethod
    def parse(cls, given: object) -> Budget:
        """Return a budget from 10000, "10000", "10k", "5%", "500k-tokens" or "2M-tokens".

        UsageError, naming the value and the accepted forms, for anything else.
        """
        if isinstance(given, Budget):
            return given
        text = str(given).strip()
        whole = isinstance(given, (int, np.integer)) and not isinstance(given, bool)
        match = _BUDGET.fullmatch(text) if whole or isinstance(given, str) else None
        if match is None:
            raise UsageError(f"Budget {given!r} is not understood; give {_FORMS}.")
        number = Fraction(re.sub("[_,]", "", match["number"])) * _SCALES[match["scale"].lower()]
        if number <= 0:
            raise UsageError(f"Budget {given!r} chooses nothing; give {_FORMS}.")
        if match["unit"] == "%":
            if number > 100:
                raise UsageError(f"Budget {given!r} is more than the whole pool; give {_FORMS}.")
            return cls("percent", number, text)
        if number.denominator != 1:
            raise UsageError(f"Budget {given!r} is not a whole number; give {_FORMS}.")
        tokens = (match["unit"] or "").startswith("token")
        return cls("tokens" if tokens else "records", int(number), text)

    def records(self, landscape: Landscape) -> int:
        """Return the number of records it stands for, from 1 to n.

        For tokens that is an estimate, from the pool's mean: it fixes the resolution.
        """
        n = len(landscape)
        if self.kind == "records":
            size = int(self.value)
        elif self.kind == "percent":
            size = int(self.value * n / 100)
        else:
            if not landscape.total_tokens > 0:
                raise UsageError(
                    f"Budget {self.text!r} counts response tokens, but none of the {n:,} records "
                    "has any; give a number of records or a percentage."
                )
            size = int(self.value * n / Fraction(landscape.total_tokens))
        return min(max(size, 1), n)

    def cut(self, landscape: Landscape, rows: np.ndarray) -> int:
        """Return how many of `rows`, in order, fit: all before the first that would exceed it."""
        size = self.records(landscape)
        if self.kind != "tokens":
            return min(size, len(rows))
        spent = np.cumsum(np.nan_to_num(landscape.tokens[rows]), dtype=np.float64)
        return int(np.searchsorted(spent, float(self.value), side="right"))

    def __str__(self) -> str:
        return self.text
