"""The files a pool comes in: JSONL, JSON, CSV, Parquet, Arrow or a workbook, plain or packed.

A :class:`PoolFile` finds out by looking, not only by the name, what a file is, and yields its
items one at a time: the original text, the parsed value, or the reason why there is none.
Nothing is read whole but workbooks and JSON whose records do not stand one after the other, so
memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import io
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from ila_core.files import reading_errors, writing_errors
from ila_core.options import options_of
from ila_core.pool.columnar import arrow_rows, parquet_rows
from ila_core.pool.encodings import check_encoding, encoding_of
from ila_core.pool.inputs import shown
from ila_core.pool.items import Item, as_bytes, is_utf8, readable_text
from ila_core.pool.json_lines import line_pieces, lines_of, whole_item
from ila_core.pool.json_stream import Value, decoded, lists_in, records_in
from ila_core.pool.json_text import compact_json, squeeze
from ila_core.pool.layouts import records_of
from ila_core.pool.packing import (
    CHUNK,
    HEAD,
    Bound,
    Damaged,
    Late,
    compression_of,
    in_time,
    recoded,
    unpacked,
)
from ila_core.pool.pieces import PIECE, Lines, Piece, item_pieces
from ila_core.pool.settings import FileSettings
from ila_core.pool.sheets import csv_rows, dialect_of, filled_sheets, within, workbook_rows
from ila_core.pool.sniffing import TEXTS, WORDS, Kind, kind_of, suffix_of

GUESSED = "file read as {}, a guess that --encoding overrules"
LOOK = 1 << 24
"""How far the end of the first line is looked for, to tell JSON from JSON lines."""


class PoolFile:
    """One file of a pool: what it is, and its items.

    `kind` is the container, `compression` gzip, zstd or None, `encoding` that of its text, found
    out unless it is given; `notes` counts what was taken although it is unusual. `split` names the
    list or the sheet that is read of a file with several, `header` the columns of a table that does
    not tell them. A packed file that unpacks to more than `unpack_ratio` times its size breaks off;
    one that is not read by `until`, a moment of the monotonic clock, is Late. Raises IlaError where
    the file cannot be read or is something else than a pool.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str = "",
        split: str = "",
        header: Sequence[str] = (),
        unpack_ratio: int = options_of(FileSettings)["unpack_ratio"].default,
        until: float = math.inf,
    ) -> None:
        self.path = path
        self._ratio, self._until = unpack_ratio, until
        self.name = shown(path)
        self.notes: Counter[str] = Counter()
        self._split, self._header = split, header
        self._share = 0.0
        self._raw: BinaryIO | None = None
        self._text: io.BufferedReader | None = None
        suffix = suffix_of(path)
        with reading_errors(self.name):
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.compression = compression_of(file.read(4))
            head = self._head(HEAD)
            if suffix == ".json" and head.count(b"\n") < 2:
                head = self._head(LOOK, lines=2)
        self.encoding = check_encoding(encoding) if encoding else encoding_of(head[:HEAD])
        self._guessed = not encoding and not self.encoding.startswith("utf")
        text = head.decode(self.encoding, "replace").lstrip("\ufeff")
        self.kind: Kind = kind_of(self.name, suffix, head, text)
        self._dialect = dialect_of(text, whole=len(head) < HEAD)

    @property
    def share(self) -> float:
        """How much of the file has been read, 0 to 1."""
        if self._raw is not None and not self._raw.closed and self.size:
            self._share = self._raw.tell() / self.size
        return self._share

    @property
    def container(self) -> str:
        """The container in words, for people."""
        text = self.kind in TEXTS and self.encoding != "utf-8"
        details = [self.compression, self.encoding if text else None]
        return ", ".join([WORDS[self.kind], *(detail for detail in details if detail)])

    def items(self) -> Iterator[Item]:
        """Every item of the file, in order. Raises Damaged, after the last sound item."""
        readers = {
            "jsonl": self._lines, "json": self._values, "csv": self._rows, "parquet": self._table,
            "arrow": self._arrow, "sheet": self._workbook,
        }  # fmt: skip
        try:
            with reading_errors(self.name):
                yield from readers[self.kind]()
            self._share = 1.0
        finally:
            self._close()

    def pieces(self, items: Iterator[Item], *, behind: Item) -> Iterator[Piece]:
        """What `items` would give behind the last item that it gave, in pieces to be sent away.

        Lines go as they stand, to be parsed where they get to. Raises as `items` does.
        """
        if self.kind != "jsonl" or self._text is None:
            yield from item_pieces(items)
            return
        try:
            with reading_errors(self.name):
                for before, text in line_pieces(self._text, behind.line, PIECE):
                    yield Lines(before, text)
            self._share = 1.0
        finally:
            self._close()

    def splits(self) -> tuple[list[str], str]:
        """The names of the lists or sheets that it holds, and the one read unless another is named.

        The latter is "" where one has to be named; of a file that has no such, both are empty. The
        whole of a JSON text or a workbook is looked through.
        """
        try:
            with reading_errors(self.name):
                if self.kind == "json":
                    return lists_in(decoded(self._utf8()))
                if self.kind == "sheet":
                    with self._seekable() as file:
                        within(file, self._ratio)
                        sheets = filled_sheets(file, self.name)
                    return sheets, next(iter(sheets), "")
            return [], ""
        finally:
            self._close()

    def _close(self) -> None:
        if self._raw is not None:
            self._raw.close()

    # What is it?

    def _head(self, size: int, *, lines: int | None = None) -> bytes:
        """The first decompressed bytes, as many as damage leaves, or the first lines of them."""
        head = bytearray()
        try:
            with self._binary() as stream:
                while len(head) < size and (piece := stream.read1(HEAD)):
                    head += piece
                    if lines is not None and head.count(b"\n") >= lines:
                        break
        except Damaged:
            pass  # told when the items are read
        finally:
            self._close()
        return bytes(head)

    # Opening

    def _binary(self) -> io.BufferedReader:
        """The decompressed bytes."""
        self._raw = self.path.open("rb")
        stream = unpacked(self._raw, self.compression, Bound(self._ratio))
        return stream if math.isinf(self._until) else in_time(stream, self._until)

    def _utf8(self) -> io.BufferedReader:
        """The bytes as UTF-8 without a byte-order mark."""
        stream = self._binary()
        if self.encoding != "utf-8":
            name = self.encoding.upper()
            self.notes[GUESSED.format(name) if self._guessed else name] += 1
            stream = recoded(stream, self.encoding)
        if stream.peek(3)[:3] == codecs.BOM_UTF8:
            stream.read(3)
            self.notes["byte-order mark"] += 1
        return stream

    # The containers

    def _lines(self) -> Iterator[Item]:
        self._text = self._utf8()
        yield from _unfolded(lines_of(self._text, self.notes), is_line=True)

    def _values(self) -> Iterator[Item]:
        pieces = decoded(self._utf8())
        values = records_in(pieces, self.name, split=self._split, notes=self.notes)
        items = (self._element(number, value) for number, value in enumerate(values, start=1))
        yield from _unfolded(items, is_line=False)

    def _element(self, number: int, element: Value) -> Item:
        text, value, odd = element
        if not is_utf8(text):
            return Item(number, readable_text(as_bytes(text)), None, "not UTF-8")
        if not odd:
            try:
                return Item(number, orjson.dumps(value).decode(), value)
            except TypeError:
                pass  # unpaired surrogates or deep nesting: the text itself tells it all
        return whole_item(number, squeeze(text), value, self.notes)

    def _rows(self) -> Iterator[Item]:
        yield from csv_rows(self._utf8(), self.name, self._dialect, self._header, self.notes)

    def _table(self) -> Iterator[Item]:
        with self._seekable() as file:
            for share, item in parquet_rows(file, self._ratio):
                self._share = share
                self._look_at_the_clock()
                yield item

    def _arrow(self) -> Iterator[Item]:
        with self._seekable() as file:
            self._raw = file if self.compression is None else self._raw
            for item in arrow_rows(file, self._ratio):
                self._look_at_the_clock()
                yield item

    def _look_at_the_clock(self) -> None:
        if time.monotonic() > self._until:
            raise Late

    def _workbook(self) -> Iterator[Item]:
        with self._seekable() as file:
            within(file, self._ratio)
            yield from workbook_rows(file, self.name, self._split, self._header, self.notes)

    @contextmanager
    def _seekable(self) -> Iterator[Any]:
        """The decompressed file on disk, which some containers need: their index is at the end."""
        if self.compression is None:
            with self.path.open("rb") as file:
                yield file
            return
        from tempfile import TemporaryFile, gettempdir

        room = "set TMPDIR to a folder with more room"
        with TemporaryFile() as copy, self._binary() as stream:
            while piece := stream.read1(CHUNK):
                with writing_errors(gettempdir(), room):
                    copy.write(piece)
            with writing_errors(gettempdir(), room):
                copy.seek(0)
            yield copy


def _unfolded(items: Iterator[Item], *, is_line: bool) -> Iterator[Item]:
    """The items, or the records of an only one that holds a whole pool in columns or by key."""
    first = next(items, None)
    if first is None:
        return
    try:
        second = next(items, None)
    except (Damaged, Late):
        yield first
        raise
    records = None if second is not None else records_of(first.value, is_line=is_line)
    if records is None:
        yield first
        if second is not None:
            yield second
            yield from items
        return
    for number, record in enumerate(records, start=1):
        yield Item(number, compact_json(record), record)
