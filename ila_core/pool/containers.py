"""The files a pool comes in: JSONL, JSON, CSV or Parquet, plain, gzip or zstd.

A :class:`PoolFile` finds out by looking, not only by the name, what a file is, and yields its
items one at a time: the original text, the parsed value, or the reason why there is none.
Nothing is ever read whole, so memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import orjson

from ila_core.errors import IlaError
from ila_core.files import reading_errors
from ila_core.pool.inputs import shown
from ila_core.pool.json_stream import RECORD_LIMIT, Value, decoded, records_in
from ila_core.pool.json_text import compact_json, may_hold_surrogates, squeeze, whole_characters
from ila_core.pool.packing import (
    CHUNK,
    HEAD,
    Damaged,
    compression_of,
    encoding_of,
    recoded,
    unpacked,
)

Kind = Literal["jsonl", "json", "csv", "parquet"]

_SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_ACCEPTED = "a pool is .jsonl, .ndjson, .json, .csv or .parquet, plain, .gz or .zst"
_STRANGERS = (
    (b"\x89PNG", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"), (b"PK\x03\x04", "a ZIP archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xfd7zXZ", "an xz file"), (b"BZh", "a bzip2 file"), (b"ARROW1", "an Arrow file"),
    (b"SQLite format", "an SQLite database"), (b"\x7fELF", "a program"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it points to"),
    (b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"),
)  # fmt: skip


class Item(NamedTuple):
    """One thing that may be a record, as it stood in its file.

    `text` is a JSONL line without its newline, else the item as compact JSON. Where `reason` is
    set there is no value: the item is a reject.
    """

    line: int
    text: str
    value: Any
    reason: str | None = None


class PoolFile:
    """One file of a pool: what it is, and its items.

    `kind` is the container, `compression` gzip, zstd or None, `encoding` that of its text;
    `notes` counts what was taken although it is unusual. Raises IlaError where the file cannot
    be read or is something else than a pool.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = shown(path)
        self.notes: Counter[str] = Counter()
        self._share = 0.0
        self._raw: BinaryIO | None = None
        with reading_errors(self.name):
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.compression = compression_of(file.read(4))
            head = self._head()
        self.encoding = encoding_of(head)
        text = head.decode(self.encoding, "replace").lstrip("\ufeff")
        self.kind: Kind = _kind_of(self.name, self._suffix, head, text)
        self._delimiter = _delimiter(text, self._suffix)

    @property
    def share(self) -> float:
        """How much of the file has been read, 0 to 1."""
        if self._raw is not None and not self._raw.closed and self.size:
            self._share = self._raw.tell() / self.size
        return self._share

    @property
    def container(self) -> str:
        """The container in words, for people."""
        names = {"jsonl": "JSON lines", "json": "JSON", "csv": "CSV", "parquet": "Parquet"}
        details = [self.compression, self.encoding if self.encoding != "utf-8" else None]
        return ", ".join([names[self.kind], *(detail for detail in details if detail)])

    def items(self) -> Iterator[Item]:
        """Every item of the file, in order. Raises Damaged, after the last sound item."""
        readers = {
            "jsonl": self._lines, "json": self._values, "csv": self._rows, "parquet": self._table,
        }  # fmt: skip
        try:
            with reading_errors(self.name):
                yield from readers[self.kind]()
            self._share = 1.0
        finally:
            self._close()

    def _close(self) -> None:
        if self._raw is not None:
            self._raw.close()

    # What is it?

    @property
    def _suffix(self) -> str:
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        return next((s for s in reversed(suffixes) if s not in (".gz", ".zst", ".zstd")), "")

    def _head(self) -> bytes:
        """The first decompressed bytes, as many as damage leaves."""
        head = b""
        try:
            with self._binary() as stream:
                while len(head) < HEAD and (piece := stream.read1(HEAD)):
                    head += piece
        except Damaged:
            pass  # told when the items are read
        finally:
            self._close()
        return head

    # Opening

    def _binary(self) -> io.BufferedReader:
        """The decompressed bytes."""
        self._raw = self.path.open("rb")
        return unpacked(self._raw, self.compression)

    def _utf8(self) -> io.BufferedReader:
        """The bytes as UTF-8 without a byte-order mark."""
        stream = self._binary()
        if self.encoding != "utf-8":
            self.notes[self.encoding.upper()] += 1
            stream = recoded(stream, self.encoding)
        if stream.peek(3)[:3] == codecs.BOM_UTF8:
            stream.read(3)
            self.notes["byte-order mark"] += 1
        return stream

    # The four containers

    def _lines(self) -> Iterator[Item]:
        stream = self._utf8()
        number = 0
        while line := stream.readline(RECORD_LIMIT):
            number += 1
            if line.endswith(b"\n"):
                line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
            elif len(line) == RECORD_LIMIT:
                yield Item(number, _readable_text(line[:HEAD]), None, "too long")
                while line and not line.endswith(b"\n"):
                    line = stream.readline(RECORD_LIMIT)
                continue
            if not line or line.isspace():
                continue
            try:
                yield Item(number, line.decode(), orjson.loads(line))
            except ValueError:
                yield self._odd_line(number, line)

    def _odd_line(self, number: int, line: bytes) -> Item:
        """A line that the fast parser refuses: sound after all, or a reject with its reason."""
        bare = line.strip(b"\0").removeprefix(codecs.BOM_UTF8)
        try:
            text = bare.decode()
        except UnicodeDecodeError:
            return Item(number, _readable_text(line), None, "not UTF-8")
        try:
            value = json.loads(text)
        except RecursionError:
            return Item(number, text, None, "nested too deeply")
        except ValueError:
            reason = "NUL bytes" if b"\0" in line else "invalid JSON"
            return Item(number, _readable_text(line), None, reason)
        if bare != line:  # padding that is not JSON, so that leaving it out changes no record
            self.notes["NUL bytes" if b"\0" in line else "byte-order mark"] += 1
        return self._whole(number, text, value)

    def _whole(self, number: int, text: str, value: Any) -> Item:
        """The item, with U+FFFD for the unpaired surrogates in its value."""
        if not may_hold_surrogates(text):
            return Item(number, text, value)
        try:
            whole = whole_characters(value)
        except RecursionError:
            return Item(number, text, None, "nested too deeply")
        self.notes["unpaired surrogate"] += whole != value
        return Item(number, text, whole)

    def _values(self) -> Iterator[Item]:
        values = records_in(decoded(self._utf8()), self.name)
        for number, value in enumerate(values, start=1):
            yield self._element(number, value)

    def _element(self, number: int, element: Value) -> Item:
        text, value, odd = element
        if not text.isascii() and _not_utf8(text):
            return Item(number, _readable_text(_as_bytes(text)), None, "not UTF-8")
        if not odd:
            try:
                return Item(number, orjson.dumps(value).decode(), value)
            except TypeError:
                pass  # unpaired surrogates or deep nesting: the text itself tells it all
        return self._whole(number, squeeze(text), value)

    def _rows(self) -> Iterator[Item]:
        text = io.TextIOWrapper(self._utf8(), "utf-8", "surrogateescape", newline="")
        lines = _Lines(text)
        csv.field_size_limit(RECORD_LIMIT)
        reader = csv.reader(lines, delimiter=self._delimiter)
        try:
            header = next(reader, [])
            names = [name.strip() for name in header]
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise IlaError(f"{self.name} has more than one column named {twice[0]!r}.")
            rows = (row for row in reader if row)
            for number, row in enumerate(rows, start=1):
                if lines.ended:  # the reader went on past the last line to finish this row
                    raise Damaged(f"a quoted cell of row {number} is never closed")
                if len(row) != len(names):
                    reason = "wrong number of columns"
                elif any(not cell.isascii() and _not_utf8(cell) for cell in row):
                    reason = "not UTF-8"
                else:
                    record = dict(zip(names, row, strict=True))
                    yield Item(number, compact_json(record), record)
                    continue
                cells = _readable_text(_as_bytes(self._delimiter.join(row)))
                yield Item(number, cells, None, reason)
        except csv.Error as error:
            raise Damaged(f"line {reader.line_num} is not CSV ({error})") from error

    def _table(self) -> Iterator[Item]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self._seekable() as file:
            try:
                table = pq.ParquetFile(file)
                total, number = table.metadata.num_rows, 0
                for batch in table.iter_batches(batch_size=1024):
                    for record in batch.to_pylist():
                        number += 1
                        self._share = number / total
                        yield Item(number, compact_json(record), record)
            except (pa.ArrowException, OSError) as error:
                raise Damaged(f"it is not whole Parquet ({_first_sentence(error)})") from error

    @contextmanager
    def _seekable(self) -> Iterator[Any]:
        """The decompressed file on disk, which Parquet needs: its index is at the end."""
        if self.compression is None:
            with self.path.open("rb") as file:
                yield file
            return
        from shutil import copyfileobj
        from tempfile import TemporaryFile

        with TemporaryFile() as copy, self._binary() as stream:
            copyfileobj(stream, copy, CHUNK)
            copy.seek(0)
            yield copy


def _kind_of(name: str, suffix: str, head: bytes, text: str) -> Kind:
    """The container of a file that begins so; IlaError where it is none."""
    start = text.lstrip("\ufeff\0 \t\r\n")
    lowered = head.lstrip()[:64].lower()
    for mark, stranger in _STRANGERS:
        if lowered.startswith(mark.lower()):
            raise IlaError(f"{name} is {stranger}; {_ACCEPTED}.")
    known = _SUFFIXES.get(suffix)
    if head.startswith(b"PAR1"):
        return "parquet"
    if known == "parquet" and head:
        raise IlaError(f"{name} is not Parquet, whatever its name says; {_ACCEPTED}.")
    if known in ("csv", "parquet"):
        return known
    if start.startswith("[") and start[1:].lstrip().startswith(("{", "]")):
        return "json"
    if known == "json" and (start.startswith("[") or not _has_json_line(start)):
        return "json"
    if known or start.startswith("{") or not start:
        return "jsonl"
    raise IlaError(f"{name} does not begin with JSON; {_ACCEPTED}.")


class _Lines:
    """The lines of a text, and whether someone has asked for one after the last."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            return line
        self.ended = True
        raise StopIteration


def _readable_text(data: bytes) -> str:
    """The bytes as text, those that are not UTF-8 as \\xNN."""
    return data.decode("utf-8", "backslashreplace")


def _as_bytes(text: str) -> bytes:
    """The bytes that surrogateescape made this text of."""
    return text.encode("utf-8", "surrogateescape")


def _not_utf8(text: str) -> bool:
    """Whether text that was decoded with surrogateescape holds escaped bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _first_sentence(error: Exception) -> str:
    """What another library says, short enough for a message of ours."""
    return re.split(r"\.?\s*\n|\. |\.$", str(error))[0] or type(error).__name__


def _delimiter(text: str, suffix: str) -> str:
    """The separator of a table's header line."""
    header = text.lstrip().partition("\n")[0]
    return "\t" if suffix == ".tsv" else max(",;\t", key=header.count)


def _has_json_line(start: str) -> bool:
    """Whether one of the first lines is an object by itself: JSON lines in a .json file.

    A single line that is the whole head and nothing but a document is none.
    """
    lines = start.splitlines()
    if len(lines) < 2:
        return False
    for line in lines[:5]:
        try:
            if isinstance(orjson.loads(line), dict):
                return True
        except ValueError:
            continue
    return False
