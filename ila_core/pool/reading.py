"""One pass over the files of a pool: its records, what is none of them and why, and the counts.

Every item read is either kept or rejected with a reason.
"""

from __future__ import annotations

import math
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.pool.containers import PoolFile
from ila_core.pool.conversations import is_message
from ila_core.pool.fields import BESIDE, FIELD_NAMES, Plan, field_of, listed, record_fields
from ila_core.pool.formats import adapt
from ila_core.pool.inputs import Paths, expand
from ila_core.pool.items import Item
from ila_core.pool.known import KNOWN, Known
from ila_core.pool.packing import Damaged, Late
from ila_core.pool.plans import NO_HABITS, talk_in
from ila_core.pool.record import NotARecord, Record, Reject, instruction_of, response_of
from ila_core.pool.refusals import count, no_record, no_response
from ila_core.pool.settings import ReadSettings
from ila_core.pool.sniffing import Kind
from ila_core.pool.survey import SURVEYED, habits_of
from ila_core.pool.understood import Understood, paths_in, understood

REJECT_CLIP = 10_000
"""Characters of a reject's text that are kept."""
NOT_UTF8 = "line that is not UTF-8; name another encoding with --encoding"
_MAP_CHECK = 1000  # records after which a mapped field must have been seen
_IDS = ("id", "uid", "uuid")


class Reading:
    """One pass over the files of a pool: yields records and rejects, and counts as it goes.

    A record that says what a record of `known` does is a reject, "known already". Of several files
    each is read by those parts of the mapping whose fields its first records have, and else by
    what is found: files of different shapes can stand in one pool.

    Iterate once. Afterwards `kept + rejected == read`, and `notes` counts what was taken although
    it is unusual. Raises IlaError for files that are not there, are no pools, break off, or hold
    no usable record, UsageError for a mapped field that no record has, and Late where there is more
    to read at `until`, a moment of the monotonic clock.
    """

    def __init__(
        self,
        paths: Paths,
        settings: ReadSettings | None = None,
        known: Known | None = None,
        *,
        until: float = math.inf,
    ) -> None:
        self.settings = settings or ReadSettings()
        self._known, self._until = known, until
        self._mapping = self.settings.mapping
        self.paths = expand(paths, self.settings.split)
        self.read = self.kept = self.with_response = 0
        self.reasons: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.formats: Counter[str] = Counter()
        self.containers: Counter[str] = Counter()
        self.kinds: dict[Kind, None] = {}
        self.fields: dict[str, None] = {}
        self.files: list[dict[str, Any]] = []
        self.first_mapping: dict[str, str] = {}
        self.plans: Counter[Plan] = Counter()
        self._habits = NO_HABITS
        self._messages = False  # whether each record of the file is a message alone
        self._talk: str | None = None  # the field of the file that holds messages
        self._left: frozenset[str] = frozenset()  # mapped fields that the file does not have
        self._paths_seen: dict[str, None] = {}
        self._paths_here: dict[str, None] = {}
        self._unseen = {name for _, name in self._mapping}
        self._later: list[Path] = []
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
        for number, path in enumerate(self.paths, start=1):
            self._later = self.paths[number:]
            yield from self._one_file(path)
        self._check_map()

    def _one_file(self, path: Path) -> Iterator[Record | Reject]:
        try:
            file = self._file = self._opened(path)
        except IlaError:
            if not self._may_pass_over:
                raise
            self.notes["file passed over"] += 1
            self._bytes_done += path.stat().st_size
            return
        self.containers[file.container] += 1
        self.kinds[file.kind] = None
        before = self.read, self.kept, self.reasons[KNOWN]
        formats, first = Counter(self.formats), None
        try:
            for item in self._surveyed(file.items()):
                outcome = self._judge(file, item)
                if first is None and isinstance(outcome, Reject):
                    first = outcome
                yield outcome
        except Damaged as damage:
            self._cut(file, damage, self.kept - before[1])
        read, kept = self.read - before[0], self.kept - before[1]
        if not kept and self.reasons[KNOWN] == before[2]:
            self._check_map()
            if not self._may_pass_over:
                raise no_record(
                    file, first, list(self._paths_here), among=len(self.paths) > 1,
                    mapped=[name for _, name in self._mapping],
                )  # fmt: skip
            self.notes["file passed over"] += 1
        self.notes.update(file.notes)
        self._bytes_done += file.size
        self._file = None
        self.files.append({
            "name": file.name, "container": file.container, "bytes": file.size,
            "read": read, "kept": kept, "formats": dict(self.formats - formats),
        })  # fmt: skip

    def _opened(self, path: Path) -> PoolFile:
        how = self.settings
        return PoolFile(
            path,
            encoding=how.encoding,
            split=how.split,
            header=how.header_names,
            unpack_ratio=how.unpack_ratio,
            until=self._until,
        )

    def _surveyed(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items as they come, once the first of them have been looked at together."""
        first: list[Item] = []
        ended: Damaged | Late | None = None
        try:
            first.extend(islice(items, SURVEYED))
        except (Damaged, Late) as error:
            ended = error
        records = [fields for item in first if (fields := _fields_in(item)) is not None]
        self._habits = habits_of(records)
        self._messages = bool(records) and all(map(is_message, records))
        self._talk = next(filter(None, map(talk_in, records)), None)
        self._left = frozenset(self._mapped_by_none(records))
        self._paths_here = {}
        for path in (path for record in records for path in paths_in(record)):
            for paths in (self._paths_seen, self._paths_here):
                if len(paths) < FIELD_NAMES:
                    paths[path] = None
        yield from first
        if ended is not None:
            raise ended
        yield from items

    def _mapped_by_none(self, records: list[Mapping[str, Any]]) -> Iterator[str]:
        """The fields mapped to a part of the conversation that none of a file's records has.

        Of an only file none: there all that is asked for must be found.
        """
        if len(self.paths) > 1 and records:
            for part, name in self._mapping:
                if part not in BESIDE and not any(_has(record, name) for record in records):
                    yield name

    def _mapping_for(self, fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """The mapping of a record: all of it where the file's first records have just lacked it."""
        if not self._left or any(_has(fields, name) for name in self._left):
            return self._mapping
        return tuple(pair for pair in self._mapping if pair[1] not in self._left)

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
        if reason == "not UTF-8":
            self.notes[NOT_UTF8] += 1
        return Reject(file.name, item.line, reason, _clipped(item.text))

    def _record(self, item: Item) -> Record:
        fields = record_fields(item.value)
        self._remember(fields)
        adapted = adapt(fields, self._mapping_for(fields), self._habits)
        turns = adapted.turns
        if self._known is not None and self._known.row(turns) >= 0:
            raise NotARecord(KNOWN)
        record = Record(item.text, instruction_of(turns), response_of(turns), turns,
                        adapted.labels, adapted.source)  # fmt: skip
        self.kept += 1
        self.formats[adapted.format] += 1
        self.plans[adapted.plan] += 1
        if adapted.notes:
            self.notes.update(adapted.notes)
        self._originals.append(hash(record.original))
        for name in _IDS:
            if fields.get(name) is not None:
                self._ids.append(hash(str(fields[name])))
                break
        if not self.first_mapping:
            self.first_mapping = adapted.plan.mapping
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
            self._unseen -= {name for name in self._unseen if _has(fields, name)}
            if self.read >= _MAP_CHECK and self._unseen:
                self._look_ahead()
                self._check_map()

    def mapped_in(self, path: Path) -> set[str]:
        """The mapped fields that the first records of a file have, which is not read further."""
        found: set[str] = set()
        with suppress(Damaged, Late):  # told when the file is read
            for item in islice(self._opened(path).items(), SURVEYED):
                fields = _fields_in(item) or {}
                found |= {name for _, name in self._mapping if _has(fields, name)}
        return found

    def _look_ahead(self) -> None:
        """Look for mapped fields that are still unseen in the first records of the next files."""
        for path in self._later:
            with suppress(IlaError):  # told when it is that file's turn
                self._unseen -= self.mapped_in(path)
        self._later = []

    def _check_map(self) -> None:
        for part, name in self._mapping:
            if name in self._unseen and self.fields:
                where = f"{self.paths[0]}" if len(self.paths) == 1 else "any of the files"
                raise UsageError(
                    f"Field {name!r} not found in {where}; fields are {listed(self.fields)}. "
                    + self._rather(part)
                )

    def _rather(self, part: str) -> str:
        """What to map to a part whose field is not there."""
        named = f"Name one of them with --map {part}=FIELD"
        if self._talk is None or part in BESIDE:
            return f"{named}."
        return f"{named}, or the conversations that {self._talk} holds with messages={self._talk}."

    @property
    def _may_pass_over(self) -> bool:
        """Whether a file without a usable record may be left out: --partial, and others remain."""
        return self.settings.partial and len(self.paths) > 1

    def _cut(self, file: PoolFile, damage: Damaged, kept: int) -> None:
        if kept and not self.settings.partial:
            raise IlaError(
                f"{file.name} breaks off after {count(kept, 'usable record')}: {damage}; "
                "take those with --partial, or mend the file or fetch it again."
            ) from damage
        if not kept and not self._may_pass_over:
            raise IlaError(
                f"{file.name} breaks off before its first usable record: {damage}; "
                "mend the file or fetch it again."
            ) from damage
        self.notes["file that breaks off"] += 1

    def check(self, *, require_response: bool = True) -> None:
        """Raise IlaError where the pool that was read cannot be used.

        One without any response can be where `require_response` is False: no loss is wanted. One
        of which all is known already can be too, and holds no record.
        """
        if not self.kept and not self.reasons[KNOWN]:
            raise IlaError("None of the files holds a usable record.")
        if self.kept and require_response and not self.with_response:
            raise no_response(self.kept, self.paths_seen, self.notes, messages=self._messages)

    @property
    def paths_seen(self) -> list[str]:
        """The fields of the first records, in objects and lists by their dotted paths."""
        return list(self._paths_seen)

    @property
    def understood(self) -> Understood:
        """Which fields were read as what, so far."""
        return understood(self.plans, self.fields)

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


def names_a_field(paths: Paths, settings: ReadSettings) -> bool:
    """Whether the first records of some file have a field that the mapping of the settings names.

    Raises IlaError for files that are not there or no pools.
    """
    reading = Reading(paths, settings)
    return any(reading.mapped_in(path) for path in reading.paths)


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
    paths_seen: the same with the dotted paths inside objects and lists, as a map names them.
    understood: which fields were read as what. kinds: the containers, as the options know them.
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
    paths_seen: list[str]
    understood: Understood
    kinds: tuple[Kind, ...]

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
    seconds: float = math.inf,
) -> Preview:
    """The first `limit` records and rejects among the first `scan` items of a pool.

    Where these hold no record, the scan goes on until there is one. After some seconds it stops
    with what it has seen; IlaError where that is no record.

    Raises what :class:`Reading` raises, and what ingest would if the scan reaches the end: a pool
    without any response is refused unless `require_response` is False.
    """
    reading = Reading(paths, settings, until=time.monotonic() + seconds)
    records: list[Record] = []
    rejects: list[Reject] = []
    stream = iter(reading)
    try:
        for number, one in enumerate(stream, start=1):
            target: list[Any] = records if isinstance(one, Record) else rejects
            if len(target) < limit:
                target.append(one)
            if number >= scan and records:  # rejects alone say nothing: is there no record at all?
                break
        seen = _seen(reading, records, rejects)
        if next(stream, None) is not None:  # one more than was asked for: it is in no count
            return seen
    except Late:
        if not records:
            raise IlaError(
                f"Within {seconds:g} seconds {count(reading.read, 'item')} of {reading.paths[0]} "
                "were read, and no record was among them; ila build reads all of it, however long "
                "that takes."
            ) from None
        return _seen(reading, records, rejects)
    reading.check(require_response=require_response)
    return replace(seen, complete=True)


def _seen(reading: Reading, records: list[Record], rejects: list[Reject]) -> Preview:
    """What a reading has come across so far."""
    return Preview(
        paths=tuple(map(str, reading.paths)),
        formats=dict(reading.formats.most_common()),
        containers=dict(reading.containers),
        mapping=reading.first_mapping,
        records=records,
        rejects=rejects,
        fields=list(reading.fields),
        counts=reading.counts,
        complete=False,
        paths_seen=reading.paths_seen,
        understood=reading.understood,
        kinds=tuple(reading.kinds),
    )


def _fields_in(item: Item) -> Mapping[str, Any] | None:
    """The fields of an item; None where it has none."""
    try:
        return record_fields(item.value)
    except (NotARecord, RecursionError):
        return None


def _has(fields: Mapping[str, Any], name: str) -> bool:
    return name in fields or field_of(fields, name) is not None


def _repeated(hashes: array[int]) -> int:
    """How many repeat an earlier one."""
    values = np.frombuffer(hashes, dtype=np.int64)
    return len(values) - len(np.unique(values))


def _clipped(text: str) -> str:
    return text if len(text) <= REJECT_CLIP else text[: REJECT_CLIP - 1] + "…"
