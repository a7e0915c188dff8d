"""Which curve a student belongs to, and which place on it: the keys of a study's findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from ila_core.landscape.kinds import AUTO
from ila_core.measure.baseline import CHANCE
from ila_core.methods.registry import find, methods
from ila_core.options import changed
from ila_core.selection.spec import STUDIED, Spec

Unit = Literal["records", "tokens"]
"""What methods are compared at equal numbers of."""
Loss = Literal["micro", "macro"]
LOSSES: dict[Loss, str] = {"micro": "over all tokens", "macro": "as the mean over domains"}
"""What a loss is the mean over."""

FIRST: dict[str, Any] = {"patches": "grid", "depth": AUTO, "depth_target": 1.0}
"""The knobs of studies made before they could be turned, when landscapes had one depth."""


@dataclass(frozen=True)
class Variant:
    """A curve of a study: what its selections ask for, whatever their budget and seed.

    Only the method is kept, and those of the knobs that a study turns that the method reads; depth
    is "auto" for the kind that the landscape reads unasked.

    >>> str(Variant(Spec(budget="3%"))), str(Variant(Spec(patches="grid", depth_target=0.5)))
    ('ila', 'ila grid q=0.5')
    """

    spec: Spec

    def __post_init__(self) -> None:
        read = {name: getattr(self.spec, name) for name in _free(self.method)}
        object.__setattr__(self, "spec", Spec(self.method, **read))

    @classmethod
    def of_row(cls, row: Mapping[str, Any], kind: str = AUTO) -> Variant:
        """Return the curve of a row of study.json, of a study that reads this kind unasked.

        Studies whose rows have no patches were made when ILA had a grid.

        >>> Variant.of_row({"method": "ila", "patches": "even", "depth": "loss",
        ...                 "depth_target": 0.75}, "loss") == ILA
        True
        >>> str(Variant.of_row({"method": "ila", "depth_target": 0.5}))
        'ila grid q=0.5'
        """
        first = {} if "patches" in row else FIRST
        knobs = first | {name: row[name] for name in STUDIED if row.get(name) is not None}
        if knobs.get("depth") == kind:
            knobs["depth"] = AUTO
        read = {name: knobs[name] for name in _free(row["method"]) if name in knobs}
        return cls(Spec(row["method"], **read))

    def as_row(self, kind: str = AUTO) -> dict[str, Any]:
        """Return the fields that a row of study.json has of it: None for what it does not read.

        Where it reads the depth unasked, that is of this kind.

        >>> Variant(Spec("random")).as_row()
        {'method': 'random', 'patches': None, 'depth': None, 'depth_target': None}
        >>> Variant(Spec("paper")).as_row("loss-reduction")
        {'method': 'paper', 'patches': 'grid', 'depth': 'loss', 'depth_target': 1.0}
        """
        spec, known = self.spec, find(self.method)
        if spec.depth == AUTO:
            spec = replace(spec, depth=cast(Any, kind))
        read = {name: getattr(spec, name) for name in _free(self.method)} | {**known.fixed}
        return {"method": self.method, **{name: read.get(name) for name in STUDIED}}

    @property
    def method(self) -> str:
        return self.spec.method

    @property
    def turned(self) -> tuple[str, ...]:
        """The knobs that are not at their default."""
        return tuple(option.name for option in changed(self.spec) if option.name in STUDIED)

    @property
    def swept(self) -> float | None:
        """The depth target, where it is the only knob that may differ from its default."""
        return None if {*self.turned} - {"depth_target"} else self.spec.depth_target

    def __str__(self) -> str:
        """Return its name in tables and legends."""
        words = (STUDIED[name].format(getattr(self.spec, name)) for name in self.turned)
        return " ".join([self.method, *words])


def _free(method: str) -> tuple[str, ...]:
    """Return the knobs that a method reads and has not fixed; none for one that is not installed.

    >>> _free("ila"), _free("depth-only"), _free("paper")
    (('patches', 'depth', 'depth_target'), ('depth',), ())
    """
    known = methods().get(method)
    return tuple(name for name in STUDIED if known is not None and name in known.reads)


RANDOM = Variant(Spec(CHANCE))
"""The curve that all others are held against."""
ILA = Variant(Spec())
"""The curve that the verdicts are about: the selection that is made unasked."""
PAPER = Variant(Spec("paper"))
"""The algorithm as it was published first."""


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
