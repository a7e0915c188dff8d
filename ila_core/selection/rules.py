"""Rules: which records are meant, in a line of text that page, link and command line share.

    source=a|b         of one of these sources; likewise domain, label and language
    label=             without a label
    tokens=10..500     from 10 to 500 response tokens, both included; likewise loss, reduction,
    depth=0.5..        depth (the relative one, from 0 to 1) and skills; either end may be open
    field.quality=3..  of any field of the records, field.meta.quality inside: a range of numbers,
    field.topic=a|b    or some of its texts

In a value, and in the name of a field, % | = , ; : control characters and spaces at its ends are
written as % and two hex digits, as in a link: a written rule has no comma and no colon. So are two
dots in a value of a field, where they would be a range. Read is also what is not written so, but
for the | that parts two values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.facets import (
    FIELD,
    KINDS,
    NONE,
    Categories,
    Facet,
    Numbers,
    facet,
    is_facet,
    known_facets,
)
from ila_core.landscape.landscape import Landscape

_FORMS = "give NAME=VALUE|VALUE, such as source=a|b, or NAME=LOW..HIGH, such as tokens=10..500"
_ESCAPED = re.compile(r"[%|=,;:\x00-\x1f\x7f]|^ +| +\Z")
_ESCAPE = re.compile(r"%([0-7][0-9A-Fa-f])")


@dataclass(frozen=True)
class Rule:
    """Records of some categories, or whose number lies in a range.

    >>> Rule.parse("source=b|a"), str(Rule("tokens", low=10))
    (Rule(name='source', values=('a', 'b'), low=-inf, high=inf), 'tokens=10..')
    >>> Rule.parse("tokens=many")
    Traceback (most recent call last):
    ila_core.errors.UsageError: Rule 'tokens=many' has no range; give tokens=LOW..HIGH, such as
    tokens=10..500, of which one end may be left out.
    """

    name: str
    """What records are sorted by: one of `facets.KINDS`, or a field."""
    values: tuple[str, ...] = ()
    """Names of categories, each once, sorted; "" means records that have none."""
    low: float = -math.inf
    high: float = math.inf
    """Both ends are included."""

    def __post_init__(self) -> None:
        if not is_facet(self.name):
            raise UsageError(f"Rule {self._shown()!r} sorts by {self.name!r}; {_known()}.")
        if self._names_values:
            if not self.values or (self.low, self.high) != (-math.inf, math.inf):
                raise UsageError(f"A rule on {self.name} names no {self.name}; {_FORMS}.")
            object.__setattr__(self, "values", tuple(sorted(set(self.values))))
            return
        low, high = (_plain(end) for end in (self.low, self.high))
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        if self.values or not low <= high or low == math.inf or high == -math.inf:
            raise UsageError(
                f"Rule {self._shown()!r} holds no number; give the lower end before the higher."
            )
        if (low, high) == (-math.inf, math.inf):
            raise UsageError(f"Rule {self._shown()!r} has no end; give one, such as {_e(self)}.")

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Return the rule of a text; UsageError says what cannot be meant.

        >>> Rule.parse("label=50%25|a%7Cb").values
        ('50%', 'a|b')
        """
        name, equals, rest = text.partition("=")
        name = name.strip()
        if name.startswith(FIELD):
            name = read(name)
        if not equals or not is_facet(name):
            said = f"sorts by {name!r}; {_known()}" if equals else f"is not understood; {_FORMS}"
            raise UsageError(f"Rule {text!r} {said}.")
        # A field holds numbers or texts; a text's own two dots are written otherwise.
        if ".." not in rest if name.startswith(FIELD) else KINDS[name] == "category":
            return cls(name, tuple(read(part.strip(" ")) for part in rest.split("|")))
        low, dots, high = rest.partition("..")
        if not dots:
            raise UsageError(
                f"Rule {text!r} has no range; give {name}=LOW..HIGH, such as {name}=10..500, of "
                "which one end may be left out."
            )
        return cls(name, (), _end(low, -math.inf, text), _end(high, math.inf, text))

    def __str__(self) -> str:
        return self._shown()

    @property
    def _names_values(self) -> bool:
        return bool(self.values) or KINDS.get(self.name) == "category"

    def _shown(self) -> str:
        of_field = self.name.startswith(FIELD)
        name = written(self.name) if of_field else self.name
        if self._names_values:
            values = [written(value) for value in self.values]
            if of_field:
                values = [value.replace("..", "%2E%2E") for value in values]
            return f"{name}={'|'.join(values)}"
        ends = ["" if math.isinf(end) else _number(end) for end in (self.low, self.high)]
        return f"{name}={ends[0]}..{ends[1]}"

    def mask(self, landscape: Landscape) -> np.ndarray:
        """Return which records it means, (n,) bool.

        UsageError where the landscape has nothing to sort by under this name, or no such category.
        """
        return self.among(facet(landscape, self.name))

    def among(self, sorted_by: Facet) -> np.ndarray:
        """Return which records it means, (n,) bool, given the facet of its name."""
        if isinstance(sorted_by, Categories):
            if not self.values:
                raise UsageError(
                    f"Rule {str(self)!r} is a range, but {self.name} holds texts; name some, as "
                    f"{self.name}={written(sorted_by.names[0])}."
                )
            return sorted_by.among(self.values)
        if self.values:
            return self._equal(sorted_by)
        return sorted_by.within(self.low, self.high)

    def _equal(self, numbers: Numbers) -> np.ndarray:
        """Return which records have one of the numbers that the values spell, (n,) bool."""
        try:
            wanted = [float(value) if value else math.nan for value in self.values]
        except ValueError:
            raise UsageError(
                f"Rule {str(self)!r} names texts, but {self.name} holds numbers; give "
                f"{self.name}=LOW..HIGH."
            ) from None
        found = np.isin(numbers.values, np.array(wanted, np.float32))
        return found | np.isnan(numbers.values) if NONE in self.values else found

    def rows(self, landscape: Landscape) -> np.ndarray:
        """Return the records that it means, (k,) int64 ascending; UsageError as for `mask`.

        >>> pool = Landscape.from_arrays([[0, 0]] * 3, tokens=[5, 20, 90])
        >>> Rule.parse("tokens=10..").rows(pool).tolist()
        [1, 2]
        """
        return np.flatnonzero(self.mask(landscape))

    @classmethod
    def of_bins(cls, numbers: Numbers, first: int, last: int) -> Rule | None:
        """Return the rule of a range of bins; None where it holds them all."""
        low, high = numbers.span(first, last)
        return None if math.isinf(low) and math.isinf(high) else cls(numbers.name, (), low, high)


def matching(landscape: Landscape, rules: Iterable[Rule | str]) -> np.ndarray:
    """Return which records all rules mean, (n,) bool: all of them where there is no rule."""
    mask = np.ones(len(landscape), dtype=bool)
    for rule in rules:
        mask &= (Rule.parse(rule) if isinstance(rule, str) else rule).mask(landscape)
    return mask


def checked(rules: Iterable[str]) -> tuple[str, ...]:
    """Return rules as they are kept: each parsed and written again, each once, in order.

    >>> checked(["source = b | a", "tokens=10.0..", "tokens=10.."])
    ('source=a|b', 'tokens=10..')
    """
    return tuple(dict.fromkeys(str(Rule.parse(rule)) for rule in rules))


def joined(rules: Sequence[Rule | str]) -> str:
    """Return several rules as one text; no rule holds a comma of its own."""
    return ",".join(str(rule) for rule in rules)


def split(text: str) -> tuple[Rule, ...]:
    """Return the rules of a text that `joined` wrote; UsageError for what is none.

    >>> [str(rule) for rule in split("source=a,tokens=10..")]
    ['source=a', 'tokens=10..']
    """
    return tuple(Rule.parse(part) for part in text.split(",") if part.strip())


def _known() -> str:
    return f"choose {known_facets()}"


def _e(rule: Rule) -> str:
    return f"{rule.name}=0.5.. or {rule.name}=..0.5" if rule.name == "depth" else (
        f"{rule.name}=10.. or {rule.name}=..500"
    )  # fmt: skip


def written(name: str) -> str:
    """Return a text as it stands in a rule: without what parts one from another."""
    return _ESCAPED.sub(lambda found: "".join(f"%{ord(sign):02X}" for sign in found[0]), name)


def read(text: str) -> str:
    """Return a text as it was before `written`."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if text else NONE


def _number(end: float) -> str:
    """Return the shortest text that is read as the same number.

    >>> _number(10.0), _number(0.1), _number(1e300)
    ('10', '0.1', '1e+300')
    """
    return str(int(end)) if end == int(end) and abs(end) < 1e15 else repr(end)


def _end(text: str, none: float, whole: str) -> float:
    text = text.strip()
    if not text:
        return none
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"Rule {whole!r}: {text!r} is no number; {_FORMS}.")
    return number


def _plain(end: float) -> float:
    """Return a bound as a float; -0.0 is 0, which is written without the sign."""
    return float(end) + 0.0
