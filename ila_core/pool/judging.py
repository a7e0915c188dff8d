"""Which items of a file are records, and the counts of all that were looked at.

An item is judged by itself and by what the first records of its file have in common, so a file may
be judged in pieces, anywhere: tallies of its pieces, added up in order, are the tally of the whole.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from ila_core.pool.fields import FIELD_NAMES, Plan, field_of, record_fields
from ila_core.pool.formats import adapt
from ila_core.pool.items import Item
from ila_core.pool.known import KNOWN, Known
from ila_core.pool.plans import NO_HABITS, Habits
from ila_core.pool.record import NotARecord, Record, Reject, instruction_of, response_of

REJECT_CLIP = 10_000
"""Characters of a reject's text that are kept."""
NOT_UTF8 = "line that is not UTF-8; name another encoding with --encoding"
_IDS = ("id", "uid", "uuid")
Fields = Mapping[str, Any]


def _int64s() -> array[int]:
    return array("q")


@dataclass
class Tally:
    """What was counted among the items of a pool, in order of first sight."""

    read: int = 0
    kept: int = 0
    with_response: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    plans: Counter[Plan] = field(default_factory=Counter)
    fields: dict[str, None] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    """Field by part, of the first record."""
    originals: array[int] = field(default_factory=_int64s)
    """A number of every record's original, the same for equal ones."""
    ids: array[int] = field(default_factory=_int64s)

    def add(self, later: Tally) -> None:
        """Count what another tally has, of items behind this one's."""
        self.read += later.read
        self.kept += later.kept
        self.with_response += later.with_response
        for mine, other in (
            (self.reasons, later.reasons), (self.notes, later.notes),
            (self.formats, later.formats), (self.plans, later.plans),
        ):  # fmt: skip
            mine.update(other)  # type: ignore[arg-type]
        self.see(later.fields)
        self.mapping = self.mapping or later.mapping
        self.originals.extend(later.originals)
        self.ids.extend(later.ids)

    def see(self, names: Mapping[str, Any]) -> None:
        """Remember the names of fields, a thousand of them at most."""
        for name in names:
            if name not in self.fields and len(self.fields) < FIELD_NAMES:
                self.fields[name] = None

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON knows; `of_json` makes it again."""
        return {
            "counts": [self.read, self.kept, self.with_response],
            "reasons": dict(self.reasons),
            "notes": dict(self.notes),
            "formats": dict(self.formats),
            "plans": [[*astuple(plan), count] for plan, count in self.plans.items()],
            "fields": list(self.fields),
            "mapping": self.mapping,
            "numbers": [list(self.originals), list(self.ids)],
        }

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Tally:
        """Return the tally that `as_json` told of."""
        read, kept, with_response = told["counts"]
        originals, ids = (array("q", numbers) for numbers in told["numbers"])
        return cls(
            read=read,
            kept=kept,
            with_response=with_response,
            reasons=Counter(told["reasons"]),
            notes=Counter(told["notes"]),
            formats=Counter(told["formats"]),
            plans=Counter({Plan(*parts): count for *parts, count in told["plans"]}),
            fields=dict.fromkeys(told["fields"]),
            mapping=told["mapping"],
            originals=originals,
            ids=ids,
        )

    @property
    def repeated(self) -> dict[str, int]:
        """How many records, and how many ids, repeat an earlier one."""
        return {
            "repeated record": _repeated(self.originals),
            "duplicate id": _repeated(self.ids),
        }


@dataclass(frozen=True)
class Judge:
    """Tells records from what is none, by what is known of the file.

    file: its name. mapping: which field plays which part. left: mapped fields that its first
    records do not have. habits: what these have in common.
    """

    file: str
    mapping: tuple[tuple[str, str], ...] = ()
    left: frozenset[str] = frozenset()
    habits: Habits = NO_HABITS

    def __call__(
        self,
        item: Item,
        tally: Tally,
        *,
        known: Known | None = None,
        heed: Callable[[Fields], None] | None = None,
    ) -> Record | Reject:
        """Return the item as a record, or why it is none, and count it.

        What is `known` is none. `heed` is shown the fields first, and may raise.
        """
        tally.read += 1
        reason = item.reason
        if reason is None:
            try:
                return self._record(item, tally, known, heed)
            except NotARecord as error:
                reason = str(error)
            except RecursionError:
                reason = "nested too deeply"
        tally.reasons[reason] += 1
        if reason == "not UTF-8":
            tally.notes[NOT_UTF8] += 1
        return Reject(self.file, item.line, reason, _clipped(item.text))

    def _record(
        self,
        item: Item,
        tally: Tally,
        known: Known | None,
        heed: Callable[[Fields], None] | None,
    ) -> Record:
        fields = record_fields(item.value)
        tally.see(fields)
        if heed is not None:
            heed(fields)
        adapted = adapt(fields, self._mapping_for(fields), self.habits)
        turns = adapted.turns
        if known is not None and known.row(turns) >= 0:
            raise NotARecord(KNOWN)
        record = Record(item.text, instruction_of(turns), response_of(turns), turns,
                        adapted.labels, adapted.source)  # fmt: skip
        tally.kept += 1
        tally.formats[adapted.format] += 1
        tally.plans[adapted.plan] += 1
        if adapted.notes:
            tally.notes.update(adapted.notes)
        tally.originals.append(_number(record.original))
        for name in _IDS:
            if fields.get(name) is not None:
                tally.ids.append(_number(str(fields[name])))
                break
        if not tally.mapping:
            tally.mapping = adapted.plan.mapping
        if record.response:
            tally.with_response += 1
        else:
            tally.notes["empty response"] += 1
        if "\0" in record.instruction or "\0" in record.response:
            tally.notes["NUL bytes"] += 1
        return record

    def _mapping_for(self, fields: Fields) -> tuple[tuple[str, str], ...]:
        """The mapping of a record: all of it where the file's first records have just lacked it."""
        if not self.left or any(has_field(fields, name) for name in self.left):
            return self.mapping
        return tuple(pair for pair in self.mapping if pair[1] not in self.left)


def has_field(fields: Fields, name: str) -> bool:
    """Whether a record has a field, by its name or by a dotted path."""
    return name in fields or field_of(fields, name) is not None


def _number(text: str) -> int:
    """A number for a text: 64 bits of its hash, the same in every process."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little", signed=True)


def _repeated(numbers: array[int]) -> int:
    """How many repeat an earlier one."""
    values = np.frombuffer(numbers, dtype=np.int64)
    return len(values) - len(np.unique(values))


def _clipped(text: str) -> str:
    return text if len(text) <= REJECT_CLIP else text[: REJECT_CLIP - 1] + "…"
