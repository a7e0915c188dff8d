"""What a selection is asked for: all of its knobs, in the one place that spells them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from ila_core.errors import UsageError
from ila_core.landscape.grid import check_resolution
from ila_core.options import MAX_SEED, command, option, options_of, words
from ila_core.selection.budget import Budget
from ila_core.selection.quota import Quota
from ila_core.selection.rules import Rule

PINS, EXCLUSIONS = "pinned.txt", "excluded.txt"
"""Files of row numbers that a printed command names."""

MOST_PATCHES = 2**31 - 1
"""Of even patches: the loops number them in 32 bits."""

STUDIED = {"patches": "{}", "depth": "{}", "depth_target": "q={:g}"}
"""The knobs that a study turns and gives advice on, and how the name of a curve says each."""

_READERS: Mapping[str, Callable[[str], Rule | Quota]] = {"only": Rule.parse, "quotas": Quota.parse}
"""What a text among several has to be, and is kept as that writes itself."""

Parameters = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Spec:
    """A request for a selection; equal requests of one landscape give equal selections.

    The command line parses one, a link carries one, caches are keyed by one, and a manifest
    stores one. Values are checked when it is made: UsageError says what cannot be meant.

    >>> Spec(budget="5%", depth_target=0.5).command("RUN")
    'ila select RUN --budget 5% --depth-target 0.5'
    >>> Spec(depth_target=1.5)
    Traceback (most recent call last):
    ila_core.errors.UsageError: --depth-target is 1.5; give a number from 0 to 1.
    """

    method: str = option("ila", "the rule that chooses: ila, nested, random, ...", metavar="NAME")
    budget: str = option("10%", "a count, 10%, or 2M-tokens of responses", metavar="B")
    patches: Literal["even", "grid"] = option(
        "even", "how the map is cut: into patches of equally many records, or of equal size",
        metavar="HOW", choices={
            "even": "as many records in each patch: the picks keep the pool's own density",
            "grid": "squares of one size: the thin outskirts get as many picks as the dense middle",
        },
    )  # fmt: skip
    resolution: int | str = option(
        "auto", "auto (as many patches as picks), a number of even patches, or patches a side of "
        "a grid", metavar="N",
    )  # fmt: skip
    depth: Literal["auto", "loss-reduction", "loss", "column"] = option(
        "auto", "what makes a record deep", metavar="KIND", choices={
            "auto": "the loss reduction where the landscape has it, else the loss",
            "loss-reduction": "what can be learned from the rest of the pool",
            "loss": "what the model did not expect: often an answer that nobody could guess",
            "column": "what the depth column says that came with the pool",
        },
    )  # fmt: skip
    depth_target: float = option(
        0.75, "1 takes the deepest record of a patch first, 0.5 the median one", metavar="Q",
        least=0, most=1,
    )  # fmt: skip
    seed: int = option(0, "seed of what the method draws", metavar="N", least=0, most=MAX_SEED)
    only: tuple[str, ...] = option(
        (), "choose only among records that fit this, such as source=a|b, tokens=10..500 or "
        "field.quality=3.. of any field of the records; of several rules a record fits all. A "
        "pinned record is chosen even so", metavar="RULE", repeated=True,
    )  # fmt: skip
    quotas: tuple[str, ...] = option(
        (), "least and most picks of one sort, as counts or shares of the picks: "
        "language:zh=10%..30%, source:a=100.. or label:code=..5%",
        metavar="FACET:VALUE=LEAST..MOST", word="quota", repeated=True,
    )  # fmt: skip
    pinned: tuple[int, ...] = ()
    """Rows that are chosen first, in this order."""
    excluded: tuple[int, ...] = ()
    """Rows that are never chosen."""
    parameters: Parameters = ()
    """The method's own, by name."""

    def __post_init__(self) -> None:
        for name, known in options_of(Spec).items():
            value = getattr(self, name)
            if name == "resolution":
                value = "auto" if value == "auto" else _resolution(value, self.patches)
            elif name == "budget":
                value = Budget.parse(value).text
            else:
                value = known.check(value)
            if name in _READERS:
                value = tuple(dict.fromkeys(str(_READERS[name](text)) for text in value))
            object.__setattr__(self, name, value)
        for name in ("pinned", "excluded"):
            object.__setattr__(self, name, _rows(getattr(self, name)))
        given = dict(self.parameters)
        object.__setattr__(self, "parameters", tuple(sorted(given.items())))

    @property
    def asked(self) -> Budget:
        """The budget, parsed."""
        return Budget.parse(self.budget)

    @property
    def even(self) -> bool:
        """Whether the map is cut into even patches."""
        return self.patches == "even"

    @property
    def passed_over(self) -> float:
        """Share of a patch's records that are deeper than the one that it gives first."""
        return 1.0 - self.depth_target

    @property
    def deepest_first(self) -> Spec:
        """The same, but of every patch the deepest record comes first."""
        return replace(self, depth_target=1.0)

    @property
    def studied(self) -> dict[str, Any]:
        """The knobs that a study turns, by name."""
        return {name: getattr(self, name) for name in STUDIED}

    def numbered(self, kind: str, *, patches: bool, target: bool) -> dict[str, Any]:
        """Return those knobs as the numbers of a selection list them: None for what had no part.

        `kind` is the depth that was read; `patches` and `target` say whether they had a part.
        """
        return {
            "patches": self.patches if patches else None,
            "depth": kind,
            "depth_target": self.depth_target if target else None,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        lists = {name: list(values[name]) for name in ("only", "quotas", "pinned", "excluded")}
        return values | lists | {"parameters": dict(self.parameters)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Spec:
        """Return what `as_dict` wrote; entries of other names are passed over.

        >>> Spec.from_dict(Spec(seed=3, parameters={"eps": 0.1}).as_dict()).parameters
        (('eps', 0.1),)
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def words(self, *, without: Container[str] = ()) -> list[str]:
        """Return the words of the command line that ask for it; locks are read from files."""
        line = words(self, without=without)
        for name, value in self.parameters:
            line += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        if self.pinned:
            line += ["--pin", PINS]
        if self.excluded:
            line += ["--exclude", EXCLUSIONS]
        return line

    def command(self, run: object, *more: str) -> str:
        """Return the `ila select` line that makes the selection again; `more` words end it."""
        asked = self.words(without=("budget",))
        return command("select", run, "--budget", self.budget, *asked, *more)


def parameter(text: str) -> tuple[str, Any]:
    """Return a method's parameter from NAME=VALUE; UsageError where there is no name or value.

    >>> parameter("eps=0.1"), parameter("start=random")
    (('eps', 0.1), ('start', 'random'))
    """
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise UsageError(f"--set is {text!r}; give NAME=VALUE, such as eps=0.1.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value.strip()


def _resolution(value: object, patches: str) -> int:
    """Return a resolution from a number or its digits; a grid's has a most, even patches' not."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit()):
            raise UsageError(f"Resolution {value!r} is not auto or a whole number.")
        value = int(value) if len(value) < 18 else value
    if patches == "grid":
        return check_resolution(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 1 <= int(value) <= MOST_PATCHES:  # type: ignore[call-overload]
        raise UsageError(f"Resolution {value!r} is not a whole number from 1 to {MOST_PATCHES:,}.")
    return int(value)  # type: ignore[call-overload]


def _rows(rows: Any) -> tuple[int, ...]:
    """Return row numbers as they are kept; whether they exist is for the landscape to say."""
    if isinstance(rows, tuple):
        return rows
    return tuple(rows.tolist()) if hasattr(rows, "tolist") else tuple(rows)
