"""One pass over the files of a pool: its records, what is none of them and why, and the counts.

Every item read is either kept or rejected with a reason.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.pool.containers import Item, PoolFile
from ila_core.pool.fields import FIELD_NAMES, field_of, listed, plan_of
from ila_core.pool.formats import NotARecord, adapt
from ila_core.pool.inputs import Paths, expand
from ila_core.pool.packing import Damaged
from ila_core.pool.record import Record, Reject, instruction_of, response_of
from ila_core.pool.settings import ReadSettings

REJECT_CLIP = 10_000
"""Characters of a reject's text that are kept."""
_MAP_CHECK = 1000  # records after which a mapped field must have been seen
_IDS = ("id", "uid", "uuid")


class Reading:
    """One pass over the files of a pool: yields records and rejects, and counts as it goes.

    Iterate once. Afterwards `kept + rejected == read`, and `notes` counts what was taken although
    it is unusual. Raises IlaError for files that are not there, are no pools, break off, or hold
    no usable record, and UsageError for a mapped field that no record has.
    """

    def __init__(self, paths: Paths, settings: ReadSettings | None = None) -> None:
        self.settings = settings or ReadSettings()
        self._mapping = self.settings.mapping
        self.paths = expand(paths)
        self.read = self.kept = self.with_response = 0
        self.reasons: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.formats: Counter[str] = Counter()
        self.containers: Counter[str] = Counter()
        self.fields: dict[str, None] = {}
        self.files: list[dict[str, Any]] = []
        self.first_mapping: dict[str, str] = {}
        self._unseen = {name for _, name in self._mapping}
        self._originals, self._ids = array("q"), array("q")
        self._bytes_done = 0
        self._bytes = sum(path.stat().st_size for path in self.paths)
        self._file: PoolFile | None = None

    @property
    def rejected(self) -> int:
        return self.reasons.total()

    @property
    def share(self) -> float:
        """How much of the input has been read, 0 to 1."""
        current = self._file.share * self._file.size if self._file else 0
        return (self._bytes_done + current) / self._bytes if self._bytes else 1.0

    def __iter__(self) -> Iterator[Record | Reject]:
        for path in self.paths:
            yield from self._one_file(path)
        self._check_map()

    def _one_file(self, path: Path) -> Iterator[Record | Reject]:
        try:
            file = self._file = PoolFile(path)
        except IlaError:
            if not self._may_pass_over:
                raise
            self.notes["file passed over"] += 1
            return
        self.containers[file.container] += 1
        before = self.read, self.kept
        formats, first = Counter(self.formats), None
        try:
            for item in file.items():
                outcome = self._judge(file, item)
                if first is None and isinstance(outcome, Reject):
                    first = outcome
                yield outcome
        except Damaged as damage:
            self._cut(file, damage, self.kept - before[1])
        read, kept = self.read - before[0], self.kept - before[1]
        if not kept:
            self._check_map()
            self._no_record(file, first)
        self.notes.update(file.notes)
        self._bytes_done += file.size
        self._file = None
        self.files.append({
            "name": file.name, "container": file.container, "bytes": file.size,
            "read": read, "kept": kept, "formats": dict(self.formats - formats),
        })  # fmt: skip

    def _judge(self, file: PoolFile, item: Item) -> Record | Reject:
        """The item as a record, or why it is none."""
        self.read += 1
        reason = item.reason
        if reason is None:
            try:
                return self._record(item)
            except NotARecord as error:
                reason = str(error)
            except RecursionError:
                reason = "nested too deeply"
        self.reasons[reason] += 1
        return Reject(file.name, item.line, reason, _clipped(item.text))

    def _record(self, item: Item) -> Record:
        fields = item.value
        if not isinstance(fields, dict):
            raise NotARecord("not an object")
        self._remember(fields)
        format, turns, labels, source = adapt(fields, self._mapping)
        record = Record(item.text, instruction_of(turns), response_of(turns), turns, labels, source)
        self.kept += 1
        self.formats[format] += 1
        self._originals.append(hash(record.original))
        name = next((name for name in _IDS if fields.get(name) is not None), None)
        if name:
            self._ids.append(hash(str(fields[name])))
        if not self.first_mapping:
            self.first_mapping = plan_of(fields, self._mapping).mapping
        if record.response:
            self.with_response += 1
        else:
            self.notes["empty response"] += 1
        if "\0" in record.instruction or "\0" in record.response:
            self.notes["NUL bytes"] += 1
        return record

    def _remember(self, fields: Mapping[str, Any]) -> None:
        """Note the field names; complain of mapped ones that the first records do not have."""
        for name in fields:
            if name not in self.fields and len(self.fields) < FIELD_NAMES:
                self.fields[name] = None
        if self._unseen:
            seen = {name for name in self._unseen if _has(fields, name)}
            self._unseen -= seen
            if self.read >= _MAP_CHECK:
                self._check_map()

    def _check_map(self) -> None:
        for part, name in self._mapping:
            if name in self._unseen and self.fields:
                raise UsageError(
                    f"Field {name!r} not found in {self.paths[0]}; fields are "
                    f"{listed(self.fields)}. Name one of them with --map {part}=FIELD."
                )

    @property
    def _may_pass_over(self) -> bool:
        """Whether a file without a usable record may be left out: --partial, and others remain."""
        return self.settings.partial and len(self.paths) > 1

    def _cut(self, file: PoolFile, damage: Damaged, kept: int) -> None:
        if kept and not self.settings.partial:
            raise IlaError(
                f"{file.name} breaks off after {_count(kept, 'usable record')}: {damage}; "
                "take those with --partial, or mend the file or fetch it again."
            ) from damage
        if not kept and not self._may_pass_over:
            raise IlaError(
                f"{file.name} breaks off before its first usable record: {damage}; "
                "mend the file or fetch it again."
            ) from damage
        self.notes["file that breaks off"] += 1

    def _no_record(self, file: PoolFile, first: Reject | None) -> None:
        if self._may_pass_over:
            self.notes["file passed over"] += 1
        elif first is None:
            raise IlaError(f"{file.name} holds no record: it is empty.")
        else:
            hint = ""
            if self.fields and first.reason in ("unknown format", "no instruction"):
                hint = (
                    f"; fields are {listed(self.fields)}: name the right ones with "
                    "--map instruction=FIELD,response=FIELD"
                )
            raise IlaError(
                f"{file.name} holds no usable record: the first, in line {first.line}, is a "
                f"reject, {first.reason} ({_excerpt(first.text)}){hint}."
            )

    def check(self, *, require_response: bool = True) -> None:
        """Raise IlaError where the pool that was read cannot be used.

        One without any response can be where `require_response` is False: no loss is wanted.
        """
        if not self.kept:
            raise IlaError("None of the files holds a usable record.")
        if require_response and not self.with_response:
            raise IlaError(
                f"None of the {_count(self.kept, 'record')} has a response, so there is no loss to "
                "measure; name the field with --map response=FIELD, or use --loss none."
            )

    @property
    def counts(self) -> dict[str, Any]:
        """{"read", "kept", "rejected", "reasons", "notes", "formats"}: how many of each."""
        notes = {
            **(self.notes + self._file.notes if self._file else self.notes),
            "repeated record": _repeated(self._originals),
            "duplicate id": _repeated(self._ids),
        }
        return {
            "read": self.read,
            "kept": self.kept,
            "rejected": self.rejected,
            "reasons": dict(self.reasons.most_common()),
            "notes": {note: count for note, count in notes.items() if count},
            "formats": dict(self.formats.most_common()),
        }


def read_pool(paths: Paths, settings: ReadSettings | None = None) -> Iterator[Record | Reject]:
    """Every record of the files and every reject, streaming, in file order.

    Raises what :class:`Reading` raises.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pool.jsonl")
    ...     _ = file.write_text('{"prompt": "Hi", "completion": "Hello"}\\n{"prompt": ""}\\n')
    ...     [getattr(one, "response", None) or one.reason for one in read_pool(file)]
    ['Hello', 'no instruction']
    """
    return iter(Reading(paths, settings))


@dataclass(frozen=True)
class Preview:
    """What the first records of a pool look like.

    formats, containers: how many of the scanned records, files there are of each.
    mapping: field by part, as detected on the first record.
    fields: the names of the fields seen. complete: whether the scan reached the end.
    """

    paths: tuple[str, ...]
    formats: dict[str, int]
    containers: dict[str, int]
    mapping: dict[str, str]
    records: list[Record]
    rejects: list[Reject]
    fields: list[str]
    counts: dict[str, Any]
    complete: bool

    @property
    def format(self) -> str:
        """The formats in words, the most frequent first."""
        return ", ".join(self.formats)


def preview(
    paths: Paths,
    settings: ReadSettings | None = None,
    *,
    require_response: bool = True,
    limit: int = 20,
    scan: int = 2000,
) -> Preview:
    """The first `limit` records and rejects among the first `scan` items of a pool.

    Raises what :class:`Reading` raises, and what ingest would if the scan reaches the end: a pool
    without any response is refused unless `require_response` is False.
    """
    reading = Reading(paths, settings)
    records: list[Record] = []
    rejects: list[Reject] = []
    stream = iter(reading)
    for one in islice(stream, scan):
        target: list[Any] = records if isinstance(one, Record) else rejects
        if len(target) < limit:
            target.append(one)
    seen = Preview(
        paths=tuple(map(str, reading.paths)),
        formats=dict(reading.formats.most_common()),
        containers=dict(reading.containers),
        mapping=reading.first_mapping,
        records=records,
        rejects=rejects,
        fields=list(reading.fields),
        counts=reading.counts,
        complete=False,
    )
    if next(stream, None) is not None:  # one more than was asked for: it is in no count
        return seen
    reading.check(require_response=require_response)
    return replace(seen, complete=True)


def _has(fields: Mapping[str, Any], name: str) -> bool:
    return name in fields or field_of(fields, name) is not None


def _repeated(hashes: array[int]) -> int:
    """How many repeat an earlier one."""
    values = np.frombuffer(hashes, dtype=np.int64)
    return len(values) - len(np.unique(values))


def _clipped(text: str) -> str:
    return text if len(text) <= REJECT_CLIP else text[: REJECT_CLIP - 1] + "…"


def _excerpt(text: str) -> str:
    """The beginning of a text, on one line, for a message."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:59] + "…")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
