"""Which curve a student belongs to, and which place on it: the keys of a study's findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from ila_core.landscape.kinds import AUTO
from ila_core.measure.baseline import CHANCE
from ila_core.methods.registry import find, methods
from ila_core.options import options_of
from ila_core.selection.spec import Spec

Unit = Literal["records", "tokens"]
"""What methods are compared at equal numbers of."""
Loss = Literal["micro", "macro"]
LOSSES: dict[Loss, str] = {"micro": "over all tokens", "macro": "as the mean over domains"}
"""What a loss is the mean over."""

KNOBS = ("patches", "depth", "depth_target")
"""What of a selection a study turns beside the method, as Spec, study.json and the advice name it.
"""
FIRST = {"patches": "grid", "depth": AUTO, "depth_target": 1.0}
"""Their values in studies made before they could be turned, when landscapes had one depth."""
_DEFAULTS = {name: options_of(Spec)[name].default for name in KNOBS}


@dataclass(frozen=True)
class Variant:
    """A curve of a study: a method, and the knobs of a selection that the study turns beside it.

    A knob has Spec's name, meaning and default; depth is "auto" for the kind that the landscape
    reads unasked. A knob that the method does not read stays at its default.

    >>> str(Variant("ila")), str(Variant("ila", 0.5)), str(Variant("ila", patches="grid"))
    ('ila', 'ila q=0.5', 'ila grid')
    """

    method: str
    depth_target: float = _DEFAULTS["depth_target"]
    patches: str = _DEFAULTS["patches"]
    depth: str = _DEFAULTS["depth"]

    @classmethod
    def of(cls, spec: Spec) -> Variant:
        """Return the curve that a selection belongs to."""
        return cls._read(spec.method, {name: getattr(spec, name) for name in KNOBS})

    @classmethod
    def of_row(cls, row: Mapping[str, Any], kind: str = AUTO) -> Variant:
        """Return the curve of a row of study.json, of a study that reads this kind unasked.

        Studies that tell of no patches were made when ILA had a grid.

        >>> Variant.of_row({"method": "ila", "patches": "even", "depth": "loss",
        ...                 "depth_target": 0.75}, "loss")
        Variant(method='ila', depth_target=0.75, patches='even', depth='auto')
        >>> str(Variant.of_row({"method": "ila", "depth_target": 0.5}))
        'ila grid q=0.5'
        """
        told = {name: row[name] for name in KNOBS if row.get(name) is not None}
        if "patches" not in row:
            told = FIRST | told
        if told.get("depth") == kind:
            told["depth"] = AUTO
        return cls._read(row["method"], told)

    @classmethod
    def _read(cls, method: str, told: Mapping[str, Any]) -> Variant:
        """Return the variant with those knobs that the method reads."""
        return cls(method, **{name: told[name] for name in _free(method) if name in told})

    @property
    def spec(self) -> dict[str, Any]:
        """The fields of Spec that ask for it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def as_row(self, kind: str = AUTO) -> dict[str, Any]:
        """Return the fields that a row of study.json has of it: None for what it does not read.

        Where it reads the depth unasked, that is of this kind.

        >>> Variant("random").as_row()
        {'method': 'random', 'patches': None, 'depth': None, 'depth_target': None}
        >>> Variant("paper").as_row("loss-reduction")
        {'method': 'paper', 'patches': 'grid', 'depth': 'loss', 'depth_target': 1.0}
        """
        read = {name: getattr(self, name) for name in _free(self.method)}
        if read.get("depth") == AUTO:
            read["depth"] = kind
        fixed = find(self.method).fixed
        return {"method": self.method, **{name: fixed.get(name, read.get(name)) for name in KNOBS}}

    @property
    def turned(self) -> tuple[str, ...]:
        """The knobs that are not at their default."""
        return tuple(name for name in KNOBS if getattr(self, name) != _DEFAULTS[name])

    def __str__(self) -> str:
        """Return its name in tables and legends."""
        words = {"patches": self.patches, "depth": self.depth, "depth_target": ""}
        words["depth_target"] = f"q={self.depth_target:g}"
        return " ".join([self.method, *(words[name] for name in self.turned)])


def _free(method: str) -> tuple[str, ...]:
    """Return the knobs that a method reads and has not fixed; none for one that is not installed.

    >>> _free("ila"), _free("depth-only"), _free("paper")
    (('patches', 'depth', 'depth_target'), ('depth',), ())
    """
    known = methods().get(method)
    if known is None:
        return ()
    reads = {
        "patches": known.reads_patches,
        "depth": known.reads_depth,
        "depth_target": known.reads_depth_target,
    }
    return tuple(name for name in KNOBS if reads[name] and name not in known.fixed)


RANDOM = Variant(CHANCE)
"""The curve that all others are held against."""
ILA = Variant(options_of(Spec)["method"].default)
"""The curve that the verdicts are about: the selection that is made unasked."""
PAPER = Variant("paper")
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
