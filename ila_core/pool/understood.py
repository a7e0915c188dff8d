"""Which fields of a pool were read as what, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ila_core.pool.fields import Plan, listed

_ORDER = (
    "messages", "instruction", "input", "history", "reasoning", "response", "system", "tools",
    "labels", "source",
)  # fmt: skip
_WORDS = {"messages": "turns"}
_NESTED_DEEP = 6
"""Names and numbers in a path: as deep as response.body.choices.0.message.content lies."""


@dataclass(frozen=True)
class Understood:
    """How the fields of a pool were read.

    parts: of every part that some record has, the fields that played it and in how many records.
    unused: the fields that played none, in order of first sight.
    """

    parts: Mapping[str, Mapping[str, int]]
    unused: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The same in words; "" where nothing was read.

        >>> Understood({"instruction": {"text": 3}, "input": {"input": 2}}, ("id",)).sentence()
        'instruction from text + input; not used: id'
        """
        parts = {part: self.parts[part] for part in _ORDER if self.parts.get(part)}
        told = []
        for part, fields in parts.items():
            joins = len(parts.get("instruction", ())) == len(parts.get("input", ())) == 1
            if part == "input" and joins:
                continue
            joined = parts["input"] if part == "instruction" and joins else {}
            names = " + ".join([_fields(fields), *joined])
            told.append(f"{_WORDS.get(part, part)} from {names}")
        rest = f"; not used: {listed(self.unused)}" if self.unused else ""
        return ", ".join(told) + rest if told else ""


def _fields(fields: Mapping[str, int]) -> str:
    if len(fields) == 1:
        return next(iter(fields))
    most = sorted(fields.items(), key=lambda item: -item[1])
    return " or ".join(f"{name} ({count:,})" for name, count in most)


def understood(plans: Mapping[Plan, int], seen: Iterable[str]) -> Understood:
    """What these plans, each of so many records, read of the fields seen."""
    parts: dict[str, dict[str, int]] = {}
    for plan, count in plans.items():
        for part, field in plan.mapping.items():
            fields = parts.setdefault(part, {})
            fields[field] = fields.get(field, 0) + count
    used = {field for fields in parts.values() for field in fields}
    used |= {field.partition(".")[0] for field in used}
    return Understood(parts, tuple(name for name in seen if name and name not in used))


def paths_in(record: Mapping[str, Any]) -> list[str]:
    """The fields of a record as `--map` names them: of objects and lists the dotted paths inside.

    Of a list the first element stands for all.

    >>> paths_in({"id": 1, "instances": [{"output": "a"}], "meta": {"ask": "b"}})
    ['id', 'instances.0.output', 'meta.ask']
    """
    return [path for name, value in record.items() for path in _paths(str(name), value, 1)]


def _paths(path: str, value: Any, depth: int) -> Iterable[str]:
    inner: Any = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list) and value and isinstance(value[0], Mapping | list):
        inner = [(0, value[0])]
    if not inner or depth == _NESTED_DEEP:
        return [path]
    return [deeper for name, one in inner for deeper in _paths(f"{path}.{name}", one, depth + 1)]
