"""Which curve a student belongs to, and which place on it: the keys of a study's findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ila_core.measure.baseline import CHANCE
from ila_core.selection.spec import Spec

Unit = Literal["records", "tokens"]
"""What methods are compared at equal numbers of."""
Loss = Literal["micro", "macro"]
"""Over all tokens, or as the mean over domains."""


@dataclass(frozen=True)
class Variant:
    """A curve of a study: a method, and the knobs of a selection that the study turns beside it.

    Another knob that studies turn is another field here, of the name that it has in Spec.

    >>> str(Variant("ila")), str(Variant("ila", 0.5))
    ('ila', 'ila q=0.5')
    """

    method: str
    depth_target: float = 1.0

    @classmethod
    def of(cls, spec: Spec) -> Variant:
        """Return the curve that a selection belongs to."""
        return cls(**{field.name: getattr(spec, field.name) for field in fields(cls)})

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Variant:
        """Return the curve of a row of study.json; a knob that it does not tell of was not turned.

        >>> Variant.of_row({"method": "ila", "depth_target": 0.5, "budget": "1%"})
        Variant(method='ila', depth_target=0.5)
        """
        return cls(**{field.name: row[field.name] for field in fields(cls) if field.name in row})

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that a row of study.json has of it."""
        return asdict(self)

    def __str__(self) -> str:
        """Return its name in tables and legends."""
        return self.method if self.depth_target == 1 else f"{self.method} q={self.depth_target:g}"


RANDOM = Variant(CHANCE)
"""The curve that all others are held against."""


@dataclass(frozen=True)
class Place:
    """Where curves can be compared: at a budget, and at as many records or as many tokens."""

    unit: Unit
    budget: str
    """As it was given."""

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Place:
        """Return the place of a row of study.json."""
        return cls(row["unit"], row["budget"])
