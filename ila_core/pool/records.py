"""Records: a pool read from its files, normalised, and kept on disk in file order.

``ingest`` reads the files once and writes ``records.parquet`` and ``rejects.jsonl``;
``Records`` reads them back. The position of a record, its row, is the key that joins every array
of a landscape. Every record read is either kept or rejected with a reason.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import orjson

from ila_core.errors import IlaError, RunError, UsageError
from ila_core.pool.containers import Damaged, Item, PoolFile, expand
from ila_core.pool.formats import (
    NotARecord,
    Role,
    Turn,
    adapt,
    check_mapping,
    field_of,
    instruction_of,
    plan_of,
    response_of,
)
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Preview", "Reading", "Record", "Records", "RecordsSettings", "Reject", "Role", "Turn",
    "ingest", "preview", "read_pool",
]  # fmt: skip

REJECT_CLIP = 10_000
"""Characters of a reject's text that are kept."""
ROW_GROUP = 2048
_GROUP_CHARACTERS = 1 << 26  # ends a row group early: Arrow's strings hold 2 GB at most
_MAP_CHECK = 1000  # records after which a mapped field must have been seen
_FIELD_NAMES = 1000  # distinct field names that are remembered
_TAKE_WINDOW = 1 << 17  # rows that take_originals holds at once
_VERSION = 1
_METADATA = b"ila.records"
_IDS = ("id", "uid", "uuid")


@dataclass(frozen=True, slots=True)
class Record:
    """One normalised record and the original it came from.

    original: the JSON text as it stood: a JSONL line byte for byte, without its newline; array
        elements, CSV and Parquet rows as compact JSON of all their fields.
    instruction, response: x_i and y_i of METHOD 1: all user turns, all scored turns, joined by a
        blank line.
    turns: in order, blank ones left out, a system prompt and tools as one system turn in front.
    labels: distinct skill labels in the order given, None where the record has none to read.
    """

    original: str
    instruction: str
    response: str
    turns: tuple[Turn, ...]
    labels: tuple[str, ...] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that is not a record: where it stood, why not, and its text (clipped).

    line: counted from 1; the line of a JSONL file, the number of the element or row elsewhere.
    reason: short, from a fixed vocabulary, so that reasons can be counted.
    """

    file: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class RecordsSettings:
    """How to read a pool.

    map: (part, field) pairs, the parts of `formats.PARTS`; overrides what is detected.
    partial: take what can be read of files that are cut, broken or without a usable record.
    require_response: a pool without one response is an error; False where no loss is wanted.
    labels_column, source_column: short for the parts "labels" and "source" of the map.
    """

    map: tuple[tuple[str, str], ...] = ()
    partial: bool = False
    require_response: bool = True
    labels_column: str | None = None
    source_column: str | None = None

    @property
    def mapping(self) -> tuple[tuple[str, str], ...]:
        """The map with the two columns in it; UsageError where it cannot be meant.

        >>> RecordsSettings(map=(("instruction", "ask"),), labels_column="tags").mapping
        (('instruction', 'ask'), ('labels', 'tags'))
        """
        columns = (("labels", self.labels_column), ("source", self.source_column))
        given = {part for part, _ in self.map}
        more = tuple((part, name) for part, name in columns if name and part not in given)
        return check_mapping((*self.map, *more))


class Reading:
    """One pass over the files of a pool: yields records and rejects, and counts as it goes.

    Iterate once. Afterwards `kept + rejected == read`, and `notes` counts what was taken although
    it is unusual. Raises IlaError for files that are not there, are no pools, break off, or hold
    no usable record, and UsageError for a mapped field that no record has.
    """

    def __init__(
        self, paths: Sequence[str | Path] | str | Path, settings: RecordsSettings | None = None
    ) -> None:
        self.settings = settings or RecordsSettings()
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
            if name not in self.fields and len(self.fields) < _FIELD_NAMES:
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
                    f"{_listed(self.fields)}. Name one of them with --map {part}=FIELD."
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
                    f"; fields are {_listed(self.fields)}: name the right ones with "
                    "--map instruction=FIELD,response=FIELD"
                )
            raise IlaError(
                f"{file.name} holds no usable record: the first, in line {first.line}, is a "
                f"reject, {first.reason} ({_excerpt(first.text)}){hint}."
            )

    def check(self) -> None:
        """Raise IlaError where the pool that was read cannot be used."""
        if not self.kept:
            raise IlaError("None of the files holds a usable record.")
        if not self.with_response and self.settings.require_response:
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


def read_pool(
    paths: Sequence[str | Path] | str | Path, settings: RecordsSettings | None = None
) -> Iterator[Record | Reject]:
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
    paths: Sequence[str | Path] | str | Path,
    settings: RecordsSettings | None = None,
    *,
    limit: int = 20,
    scan: int = 2000,
) -> Preview:
    """The first `limit` records and rejects among the first `scan` items of a pool.

    Raises what :class:`Reading` raises, and what ingest would if the scan reaches the end.
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
    reading.check()
    return replace(seen, complete=True)


def ingest(
    paths: Sequence[str | Path] | str | Path,
    *,
    out: str | Path,
    settings: RecordsSettings | None = None,
    progress: Progress = no_progress,
) -> Records:
    """Read a pool into the folder `out`: records.parquet and rejects.jsonl, both or none.

    `progress` gets records read and an estimate of their number. Raises IlaError for a pool that
    cannot be used, a folder that cannot be written to, a full disk; nothing half-written stays.
    """
    reading = Reading(paths, settings)
    out = Path(out)
    with (
        _folder(out),
        _replacing(out / "records.parquet") as records_part,
        _replacing(out / "rejects.jsonl") as rejects_part,
        open(rejects_part, "wb") as rejects,
        open(records_part, "wb") as sink,  # our own handle, so that a full disk is an OSError
        _Writer(sink) as writer,
    ):
        for one in reading:
            if isinstance(one, Reject):
                rejects.write(_reject_line(one))
            elif writer.add(one):
                total = int(reading.read / max(reading.share, 1e-9))
                progress(reading.read, max(reading.read, total))
        reading.check()
        writer.flush()
        writer.close(_metadata(reading, writer))
    progress(reading.read, reading.read)
    return Records.open(out / "records.parquet")


def _metadata(reading: Reading, writer: _Writer) -> dict[str, Any]:
    hashes = {str(path): _sha256(path) for path in reading.paths}
    return {
        "version": _VERSION,
        "fingerprint": writer.fingerprint,
        "counts": reading.counts,
        "fields": list(reading.fields),
        "files": [{**file, "sha256": hashes[file["name"]]} for file in reading.files],
        "mapping": reading.first_mapping,
        "has_labels": writer.has_labels,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Writer:
    """Writes records.parquet row group by row group, fingerprinting the originals."""

    def __init__(self, sink: BinaryIO) -> None:
        import pyarrow.parquet as pq

        self._sink = sink
        self._writer = pq.ParquetWriter(
            sink, _schema(), compression="zstd", compression_level=1,
            use_dictionary=["source", "turns.list.element.role", "labels.list.element"],
            write_statistics=False,
        )  # fmt: skip
        self._records: list[Record] = []
        self._characters = self._rows = 0
        self._digest = hashlib.sha256()
        self.has_labels = False

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer.is_open:  # given up: the footer of a file that goes away may fail
            with suppress(Exception):
                self._writer.close()
            self._writer.is_open = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the originals as JSON lines: that of the whole pool's export."""
        return self._digest.hexdigest()

    def add(self, record: Record) -> bool:
        """Take a record; True when that filled a row group and it was written."""
        self._records.append(record)
        self._characters += len(record.original)
        if len(self._records) < ROW_GROUP and self._characters < _GROUP_CHARACTERS:
            return False
        self.flush()
        return True

    def close(self, metadata: Mapping[str, Any]) -> None:
        """Finish the file; the metadata tells of all that was flushed."""
        self._writer.add_key_value_metadata({_METADATA: orjson.dumps(metadata)})
        self._writer.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())

    def flush(self) -> None:
        """Write what was added as a row group."""
        if self._records:
            self._writer.write_batch(_batch(self._records, self._rows), row_group_size=ROW_GROUP)
            for record in self._records:
                self._digest.update(record.original.encode())
                self._digest.update(b"\n")
                self.has_labels = self.has_labels or record.labels is not None
            self._rows += len(self._records)
            self._records, self._characters = [], 0


def _schema() -> pa.Schema:
    import pyarrow as pa

    turn = pa.struct([("role", pa.string()), ("text", pa.string()), ("scored", pa.bool_())])
    return pa.schema([
        ("row", pa.int64()),
        ("record", pa.string()),
        ("instruction", pa.string()),
        ("response", pa.string()),
        ("turns", pa.list_(turn)),
        ("labels", pa.list_(pa.string())),
        ("source", pa.string()),
    ])  # fmt: skip


def _batch(records: Sequence[Record], start: int) -> pa.RecordBatch:
    """The records as one Arrow batch whose rows are counted from `start`."""
    import pyarrow as pa

    schema = _schema()
    turns = [turn for record in records for turn in record.turns]
    offsets = np.cumsum([0, *(len(record.turns) for record in records)], dtype=np.int32)
    texts = pa.array([turn.text for turn in turns], pa.string())
    roles = pa.array([turn.role for turn in turns], pa.string())
    scored = pa.array([turn.scored for turn in turns], pa.bool_())
    element = schema.field("turns").type.value_type
    structs = pa.StructArray.from_arrays([roles, texts, scored], fields=list(element))
    columns = [
        np.arange(start, start + len(records), dtype=np.int64),
        [record.original for record in records],
        [record.instruction for record in records],
        [record.response for record in records],
        pa.ListArray.from_arrays(offsets, structs),
        [record.labels for record in records],
        [record.source for record in records],
    ]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, type=field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _records_of(batch: pa.RecordBatch | pa.Table) -> list[Record]:
    """The inverse of `_batch`."""
    columns = ("record", "instruction", "response", "labels", "source")
    values = {name: batch.column(name).to_pylist() for name in columns}
    return [
        Record(original, instruction, response, turns, _labels_of(labels), source)
        for original, instruction, response, turns, labels, source in zip(
            values["record"], values["instruction"], values["response"],
            _turns_of(batch.column("turns")), values["labels"], values["source"], strict=True,
        )
    ]  # fmt: skip


def _turns_of(column: pa.Array | pa.ChunkedArray) -> list[tuple[Turn, ...]]:
    """A turns column as Python values, several times faster than to_pylist."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return [turns for chunk in column.chunks for turns in _turns_of(chunk)]
    flat = column.flatten()
    parts = [flat.field(name).to_pylist() for name in Turn._fields]
    turns = list(map(Turn, *parts))
    ends = column.offsets.to_numpy() - column.offsets[0].as_py()
    return [tuple(turns[a:b]) for a, b in pairwise(ends.tolist())]


def _labels_of(labels: list[str] | None) -> tuple[str, ...] | None:
    return None if labels is None else tuple(labels)


@dataclass(frozen=True)
class Records:
    """A pool as it lies in records.parquet: nothing is held in memory but its footer.

    Rows are positions in file order, counted from 0. Iterators read one batch after the other.
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Records:
        """The records in a records.parquet or in the run folder that holds one.

        Raises RunError where there is none, or none that this version can read.
        """
        path = Path(path)
        records = cls(path / "records.parquet" if path.is_dir() else path)
        if not records.path.exists():
            raise RunError(f"{records.path} was not found; build the landscape first.")
        if (version := records._info.get("version", 0)) > _VERSION:
            raise RunError(
                f"{records.path} has version {version}, this program reads {_VERSION}; update it."
            )
        return records

    def __len__(self) -> int:
        return self._footer.num_rows

    @cached_property
    def _footer(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.read_metadata(self.path)
        except (pa.ArrowException, OSError) as error:
            raise RunError(
                f"{self.path} is damaged, it is not whole Parquet; run ila build again on the same "
                "pool and folder."
            ) from error

    @cached_property
    def _info(self) -> dict[str, Any]:
        try:
            return orjson.loads(self._footer.metadata[_METADATA])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path} was not written by ila; build it again.") from error

    @cached_property
    def _starts(self) -> np.ndarray:
        """(groups + 1,) int64, the first row of every row group and the end."""
        footer = self._footer
        sizes = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the originals as JSON lines, in order."""
        return self._info["fingerprint"]

    @property
    def counts(self) -> dict[str, Any]:
        """{"read", "kept", "rejected", "reasons", "notes", "formats"}: how many of each."""
        return self._info["counts"]

    @property
    def files(self) -> list[dict[str, Any]]:
        """Of every input file: name, container, bytes, sha256, read, kept, formats."""
        return self._info["files"]

    @property
    def mapping(self) -> dict[str, str]:
        """Field by part, as detected on the first record or given."""
        return self._info["mapping"]

    @property
    def has_labels(self) -> bool:
        """Whether any record has a labels field that could be read."""
        return self._info["has_labels"]

    def batches(self, columns: Sequence[str], size: int = ROW_GROUP) -> Iterator[pa.RecordBatch]:
        """Batches of at most `size` rows with the columns asked for, in file order."""
        with self._sound():
            yield from self._parquet().iter_batches(batch_size=size, columns=list(columns))

    def instructions(self) -> Iterator[str]:
        """x_i, in file order."""
        return self._texts("instruction")

    def responses(self) -> Iterator[str]:
        """y_i, in file order; "" where there is none."""
        return self._texts("response")

    def originals(self) -> Iterator[str]:
        """The records as they were loaded, in file order."""
        return self._texts("record")

    def conversations(self) -> Iterator[tuple[Turn, ...]]:
        """The turns of every record, in file order."""
        for batch in self.batches(["turns"]):
            yield from _turns_of(batch.column(0))

    def labels(self) -> list[tuple[str, ...] | None]:
        """The labels of every record, None where it has none."""
        return [_labels_of(labels) for labels in self._values("labels")]

    def sources(self) -> list[str | None]:
        """The source of every record, None where it has none."""
        return list(self._values("source"))

    def take(self, rows: Iterable[int]) -> list[Record]:
        """The records of these rows, in the order asked. Raises IndexError for other rows."""
        return self._gather(rows, None, _records_of)

    def take_originals(self, rows: Iterable[int]) -> Iterator[str]:
        """The originals of these rows, in the order asked. Raises IndexError for other rows."""
        rows = _row_array(rows)
        for start in range(0, len(rows), _TAKE_WINDOW):
            window = rows[start : start + _TAKE_WINDOW]
            yield from self._gather(window, ["record"], lambda table: table.column(0).to_pylist())

    def fields(self) -> list[str]:
        """The names of the original records' fields, in order of first sight."""
        return list(self._info["fields"])

    def field(self, name: str) -> list[Any]:
        """A field of every original record, None where it is missing; dots go into objects.

        Raises UsageError, naming the fields there are, where no record has it.
        """
        values = [field_of(_loads(original), name) for original in self.originals()]
        if name not in self.fields() and all(value is None for value in values):
            raise UsageError(
                f"Field {name!r} not found in the pool; fields are {_listed(self.fields())}."
            )
        return values

    def require(self, name: str, option: str) -> None:
        """Raise UsageError, naming the fields there are, where no record can have this field."""
        fields = self.fields()
        if not {name, name.partition(".")[0]} & set(fields) and len(fields) < _FIELD_NAMES:
            raise UsageError(
                f"Field {name!r} of {option} not found in the pool; fields are {_listed(fields)}."
            )

    def numbers(self, name: str) -> tuple[np.ndarray, int]:
        """A field as (n,) float32, and how many are missing: NaN, not finite, or no number.

        Text that spells a number counts as one. Raises UsageError as `field` does.
        """
        values = np.fromiter(map(_number, self.field(name)), dtype=np.float32, count=len(self))
        return values, int(np.isnan(values).sum())

    def search(self, words: str, limit: int | None = 100) -> list[int]:
        """The first rows whose instruction or response hold the words, all of them, in any case.

        No word matches every row; limit None gives every match.
        """
        import pyarrow.compute as pc

        found: list[int] = []
        start = 0
        for batch in self.batches(["instruction", "response"]):
            hit = np.ones(len(batch), dtype=bool)
            for word in words.split():
                parts = [pc.match_substring(c, word, ignore_case=True) for c in batch.columns]
                hit &= pc.or_(*parts).to_numpy(zero_copy_only=False)
            found += (np.flatnonzero(hit) + start).tolist()
            start += len(batch)
            if limit is not None and len(found) >= limit:
                break
        return found[:limit]

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Tell of damage inside the file, which its footer does not show."""
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise RunError(
                f"{self.path} is damaged ({_first_line(error)}); delete the folder it is in and "
                "build it again."
            ) from error

    def _parquet(self) -> Any:
        """A handle of its own for every reader: they may run in several threads."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self.path, metadata=self._footer)
        except (pa.ArrowException, OSError) as error:
            raise RunError(f"{self.path} cannot be read ({error}); build it again.") from error

    def _values(self, column: str) -> Iterator[Any]:
        for batch in self.batches([column]):
            yield from batch.column(0).to_pylist()

    _texts = _values

    def _gather(self, rows: Iterable[int], columns: list[str] | None, convert: Any) -> list[Any]:
        """`convert` of the rows' table, in the order asked, one row group read at a time."""
        rows = _row_array(rows)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows go from 0 to {len(self) - 1}, got {rows.min()}, {rows.max()}")
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        file = self._parquet()
        gathered: list[Any] = [None] * len(rows)
        for group in np.unique(groups):
            places = np.flatnonzero(groups == group)
            with self._sound():
                table = file.read_row_group(int(group), columns=columns)
            found = convert(table.take(_indices(rows[places] - self._starts[group])))
            for place, value in zip(places.tolist(), found, strict=True):
                gathered[place] = value
        return gathered


# Small helpers


def _row_array(rows: Iterable[int]) -> np.ndarray:
    return np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), dtype=np.int64)


def _indices(rows: np.ndarray) -> pa.Array:
    """Row numbers as Arrow takes them; `pa.array` would load pandas, half a second a start."""
    import pyarrow as pa

    rows = np.ascontiguousarray(rows, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(rows)])


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return number if abs(number) <= _LARGEST else math.nan


_LARGEST = float(np.finfo(np.float32).max)


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


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _listed(names: Iterable[str]) -> str:
    """The first twenty names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more


def _reject_line(reject: Reject) -> bytes:
    fields = {"file": reject.file, "line": reject.line, "reason": reject.reason}
    return orjson.dumps({**fields, "text": reject.text}, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """A folder to write into; failures of the disk are told in one sentence."""
    existed = out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            message = f"The disk is full: {out} could not be written; free some space and repeat."
        else:
            message = f"{out} cannot be written to: {error.strerror or error}; name another folder."
        raise IlaError(message) from error
    finally:
        if not existed and out.is_dir() and not any(out.iterdir()):
            out.rmdir()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside its place, moved there when all went well and removed otherwise."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
