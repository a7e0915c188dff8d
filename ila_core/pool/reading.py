"""One pass over the files of a pool: its records, what is none of them and why, and the counts.

Every item read is either kept or rejected with a reason.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ila_core.blocks import Spread
from ila_core.errors import IlaError, UsageError
from ila_core.pool.containers import PoolFile
from ila_core.pool.conversations import is_message
from ila_core.pool.fields import BESIDE, FIELD_NAMES, listed, record_fields
from ila_core.pool.inputs import Paths, expand
from ila_core.pool.items import TOO_LONG, Item
from ila_core.pool.judging import Judge, Tally, has_field
from ila_core.pool.known import KNOWN, Known
from ila_core.pool.packing import Damaged, Late
from ila_core.pool.pieces import Judged, Judging, Piece, keeping
from ila_core.pool.plans import talk_in
from ila_core.pool.record import NotARecord, Record, Reject
from ila_core.pool.refusals import count, no_record, no_response
from ila_core.pool.settings import ReadSettings
from ila_core.pool.sniffing import Kind
from ila_core.pool.survey import SURVEYED, habits_of
from ila_core.pool.understood import Understood, paths_in, understood

_MAP_CHECK = 1000  # records after which a mapped field must have been seen


class Reading:
    """One pass over the files of a pool: yields records and rejects, and counts as it goes.

    A record that says what a record of `known` does is a reject, "known already". Of several files
    each is read by those parts of the mapping whose fields its first records have, and else by
    what is found: files of different shapes can stand in one pool.

    Iterate once. Afterwards `tally` has the counts: what was read was kept or rejected, and notes
    are on what was taken although it is unusual. Raises IlaError for files that are not there, are
    no pools, break off, or hold no usable record, UsageError for a mapped field that no record has,
    and Late where there is more to read at `until`, a moment of the monotonic clock.
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
        self.tally = Tally()
        self.containers: Counter[str] = Counter()
        self.kinds: dict[Kind, None] = {}
        self.files: list[dict[str, Any]] = []
        self._judge = Judge("")
        self._messages = False  # whether each record of the file is a message alone
        self._talk: str | None = None  # the field of the file that holds messages
        self._paths_seen: dict[str, None] = {}
        self._paths_here: dict[str, None] = {}
        self._unseen = {name for _, name in self._mapping}
        self._later: list[Path] = []
        self._bytes_done = 0
        self._bytes = sum(path.stat().st_size for path in self.paths)
        self._file: PoolFile | None = None
        self._work: Path | None = None
        self._share: float | None = None  # of a file whose pieces were read ahead

    @property
    def rejected(self) -> int:
        return self.tally.reasons.total()

    @property
    def share(self) -> float:
        """How much of the input has been read, 0 to 1."""
        if self._file is None:
            current = 0.0
        else:
            share = self._file.share if self._share is None else self._share
            current = share * self._file.size
        return (self._bytes_done + current) / self._bytes if self._bytes else 1.0

    def __iter__(self) -> Iterator[Record | Reject]:
        for one in self.parts(None):
            assert not isinstance(one, Judged)
            yield one

    def parts(
        self, spread: Spread | None, work: Path | None = None
    ) -> Iterator[Record | Reject | Judged]:
        """Yield the same with much of it in pieces that a Spread has judged, in the same order.

        The first records of a file are judged here: they tell how the others are to be read. Pieces
        that are judged are kept in the folder `work`, for the next time that these very files are
        read in this very way.
        """
        self._work = work
        for number, path in enumerate(self.paths, start=1):
            self._later = self.paths[number:]
            yield from self._one_file(path, spread)
        self._check_map()

    def _one_file(self, path: Path, spread: Spread | None) -> Iterator[Record | Reject | Judged]:
        try:
            file = self._file = self._opened(path)
        except IlaError:
            if not self._may_pass_over:
                raise
            self.tally.notes["file passed over"] += 1
            self._bytes_done += path.stat().st_size
            return
        self.containers[file.container] += 1
        self.kinds[file.kind] = None
        before = self.tally.read, self.tally.kept, self.tally.reasons[KNOWN]
        formats, first = Counter(self.tally.formats), None
        try:
            for outcome in self._judged(file, spread):
                if first is None and not isinstance(outcome, Record):
                    first = outcome if isinstance(outcome, Reject) else outcome.first_reject
                yield outcome
        except Damaged as damage:
            self._cut(file, damage, self.tally.kept - before[1])
        read, kept = self.tally.read - before[0], self.tally.kept - before[1]
        if not kept and self.tally.reasons[KNOWN] == before[2]:
            self._check_map()
            if not self._may_pass_over:
                raise no_record(
                    file, first, list(self._paths_here), among=len(self.paths) > 1,
                    mapped=[name for _, name in self._mapping],
                )  # fmt: skip
            self.tally.notes["file passed over"] += 1
        self.tally.notes.update(file.notes)
        self._bytes_done += file.size
        self._file = self._share = None
        self.files.append({
            "name": file.name, "container": file.container, "bytes": file.size,
            "read": read, "kept": kept, "formats": dict(self.tally.formats - formats),
        })  # fmt: skip

    def _judged(self, file: PoolFile, spread: Spread | None) -> Iterator[Record | Reject | Judged]:
        """What the items of a file are, one by one until the rest of them can go in pieces."""
        source = file.items()
        for number, item in enumerate(self._surveyed(file, source), start=1):
            yield self._judge(item, self.tally, known=self._known, heed=self._heed)
            told = self.tally.read >= _MAP_CHECK and not self._unseen and self._known is None
            if spread is not None and told and number >= SURVEYED and item.reason != TOO_LONG:
                yield from self._in_pieces(file, file.pieces(source, behind=item), spread)
                return

    def _in_pieces(
        self, file: PoolFile, pieces: Iterator[Piece], spread: Spread
    ) -> Iterator[Judged]:
        """What a Spread makes of pieces of a file; what ends them early is told in its turn."""
        ended: list[Exception] = []
        shares: deque[float] = deque()

        def handed() -> Iterator[Piece]:
            try:
                for piece in pieces:
                    shares.append(file.share)
                    yield piece
            except Exception as error:
                ended.append(error)

        kept = keeping(spread, self._work, f"file-{len(self.files):05d}")
        for packed in kept(Judging(self._judge, self.settings.rejects), handed()):
            judged = Judged.unpacked(packed)
            self._share = shares.popleft()
            self.tally.add(judged.tally)
            file.notes.update(judged.notes)
            yield judged
        if ended:
            raise ended[0]

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

    def _surveyed(self, file: PoolFile, items: Iterator[Item]) -> Iterator[Item]:
        """The items as they come, once the first of them have been looked at together."""
        first: list[Item] = []
        ended: Damaged | Late | None = None
        try:
            first.extend(islice(items, SURVEYED))
        except (Damaged, Late) as error:
            ended = error
        records = [fields for item in first if (fields := _fields_in(item)) is not None]
        self._messages = bool(records) and all(map(is_message, records))
        self._talk = next(filter(None, map(talk_in, records)), None)
        left = frozenset(self._mapped_by_none(records))
        self._judge = Judge(file.name, self._mapping, left, habits_of(records))
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
                if part not in BESIDE and not any(has_field(record, name) for record in records):
                    yield name

    def _heed(self, fields: Mapping[str, Any]) -> None:
        """Complain of mapped fields that the first records do not have."""
        if self._unseen:
            self._unseen -= {name for name in self._unseen if has_field(fields, name)}
            if self.tally.read >= _MAP_CHECK and self._unseen:
                self._look_ahead()
                self._check_map()

    def mapped_in(self, path: Path) -> set[str]:
        """The mapped fields that the first records of a file have, which is not read further."""
        found: set[str] = set()
        with suppress(Damaged, Late):  # told when the file is read
            for item in islice(self._opened(path).items(), SURVEYED):
                fields = _fields_in(item) or {}
                found |= {name for _, name in self._mapping if has_field(fields, name)}
        return found

    def _look_ahead(self) -> None:
        """Look for mapped fields that are still unseen in the first records of the next files."""
        for path in self._later:
            with suppress(IlaError):  # told when it is that file's turn
                self._unseen -= self.mapped_in(path)
        self._later = []

    def _check_map(self) -> None:
        for part, name in self._mapping:
            if name in self._unseen and self.tally.fields:
                where = f"{self.paths[0]}" if len(self.paths) == 1 else "any of the files"
                raise UsageError(
                    f"Field {name!r} not found in {where}; fields are {listed(self.tally.fields)}. "
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
        self.tally.notes["file that breaks off"] += 1

    def check(self, *, require_response: bool = True) -> None:
        """Raise IlaError where the pool that was read cannot be used.

        One without any response can be where `require_response` is False: no loss is wanted. One
        of which all is known already can be too, and holds no record.
        """
        if not self.tally.kept and not self.tally.reasons[KNOWN]:
            raise IlaError("None of the files holds a usable record.")
        if self.tally.kept and require_response and not self.tally.with_response:
            raise no_response(
                self.tally.kept, self.paths_seen, self.tally.notes, messages=self._messages
            )

    @property
    def paths_seen(self) -> list[str]:
        """The fields of the first records, in objects and lists by their dotted paths."""
        return list(self._paths_seen)

    @property
    def understood(self) -> Understood:
        """Which fields were read as what, so far."""
        return understood(self.tally.plans, self.tally.fields)

    @property
    def counts(self) -> dict[str, Any]:
        """{"read", "kept", "rejected", "reasons", "notes", "formats"}: how many of each."""
        notes = {
            **(self.tally.notes + self._file.notes if self._file else self.tally.notes),
            **self.tally.repeated,
        }
        return {
            "read": self.tally.read,
            "kept": self.tally.kept,
            "rejected": self.rejected,
            "reasons": dict(self.tally.reasons.most_common()),
            "notes": {note: count for note, count in notes.items() if count},
            "formats": dict(self.tally.formats.most_common()),
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
                f"Within {seconds:g} seconds {count(reading.tally.read, 'item')} of "
                f"{reading.paths[0]} were read, and no record was among them; ila build reads all "
                "of it, however long that takes."
            ) from None
        return _seen(reading, records, rejects)
    reading.check(require_response=require_response)
    return replace(seen, complete=True)


def _seen(reading: Reading, records: list[Record], rejects: list[Reject]) -> Preview:
    """What a reading has come across so far."""
    return Preview(
        paths=tuple(map(str, reading.paths)),
        formats=dict(reading.tally.formats.most_common()),
        containers=dict(reading.containers),
        mapping=reading.tally.mapping,
        records=records,
        rejects=rejects,
        fields=list(reading.tally.fields),
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
