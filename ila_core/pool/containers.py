"""The files a pool comes in: JSONL, JSON, CSV or Parquet, plain, gzip or zstd.

A :class:`PoolFile` finds out by looking, not only by the name, what a file is, and yields its
items one at a time: the original text, the parsed value, or the reason why there is none.
Nothing is ever read whole, so memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import csv
import glob
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast

import orjson

from ila_core.errors import IlaError
from ila_core.pool.formats import INSTRUCTIONS, KNOWN_FIELDS, MESSAGES, RESPONSES, compact_json

Kind = Literal["jsonl", "json", "csv", "parquet"]

RECORD_LIMIT = 1 << 28
"""The longest record that is read, in bytes; a longer line is a reject."""
_CHUNK = 1 << 20
_HEAD = 1 << 16

_SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_ACCEPTED = "a pool is .jsonl, .ndjson, .json, .csv or .parquet, plain, .gz or .zst"
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (b"{\0", "utf-16-le"), (b"[\0", "utf-16-le"), (b"\0{", "utf-16-be"), (b"\0[", "utf-16-be"),
)  # fmt: skip
_STRANGERS = (
    (b"\x89PNG", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"), (b"PK\x03\x04", "a ZIP archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xfd7zXZ", "an xz file"), (b"BZh", "a bzip2 file"), (b"ARROW1", "an Arrow file"),
    (b"SQLite format", "an SQLite database"), (b"\x7fELF", "a program"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it points to"),
    (b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"),
)  # fmt: skip
_RECORD_FIELDS = frozenset((*INSTRUCTIONS, *RESPONSES, *MESSAGES))
_SPACE = re.compile(r"[ \t\n\r]*")
_CONTROL = re.compile(r"[\x00-\x1f]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOKENS = re.compile(r'("(?:[^"\\]++|\\.)*+")|[ \t\n\r]+', re.DOTALL)


class Item(NamedTuple):
    """One thing that may be a record, as it stood in its file.

    `text` is a JSONL line without its newline, else the item as compact JSON. Where `reason` is
    set there is no value: the item is a reject.
    """

    line: int
    text: str
    value: Any
    reason: str | None = None


class Damaged(Exception):
    """The file ends or breaks off before its end; what was read up to there is sound."""


def expand(paths: Sequence[str | Path] | str | Path) -> list[Path]:
    """The files that paths and globs name, in the order given, matches of a glob sorted.

    A file named twice is read once. Raises IlaError for a path that is not there, a glob without
    a match, and a folder.
    """
    found: dict[Path, Path] = {}
    for given in [paths] if isinstance(paths, str | Path) else paths:
        for path in _matches(str(given)):
            found.setdefault(path.resolve(), path)
    if not found:
        raise IlaError("No file was named; name the files of the pool.")
    return list(found.values())


def _matches(given: str) -> list[Path]:
    path = Path(given).expanduser()
    if path.is_dir():
        raise IlaError(f"{given} is a folder; name its files, for example {path}/*.jsonl.")
    if path.exists():
        return [path]
    if not glob.has_magic(given):
        raise IlaError(f"{given} was not found; check the path.")
    matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    files = [match for match in matches if not match.is_dir()]
    if not files:
        raise IlaError(f"{given} matches no file; check the pattern.")
    return files


class PoolFile:
    """One file of a pool: what it is, and its items.

    `kind` is the container, `compression` gzip, zstd or None, `encoding` that of its text;
    `notes` counts what was taken although it is unusual. Raises IlaError where the file cannot
    be read or is something else than a pool.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.notes: Counter[str] = Counter()
        self._share = 0.0
        self._raw: BinaryIO | None = None
        with self._readable():
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.compression = _compression(file.read(4))
            head = self._head()
        self.encoding = next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")
        text = head.decode(self.encoding, "replace").lstrip("\ufeff")
        self.kind: Kind = self._kind(head, text)
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
            with self._readable():
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
                while len(head) < _HEAD and (piece := stream.read1(_HEAD)):
                    head += piece
        except Damaged:
            pass  # told when the items are read
        finally:
            self._close()
        return head

    def _kind(self, head: bytes, text: str) -> Kind:
        start = text.lstrip("\ufeff\0 \t\r\n")
        lowered = head.lstrip()[:64].lower()
        for mark, stranger in _STRANGERS:
            if lowered.startswith(mark.lower()):
                raise IlaError(f"{self.name} is {stranger}; {_ACCEPTED}.")
        known = _SUFFIXES.get(self._suffix)
        if head.startswith(b"PAR1"):
            return "parquet"
        if known == "parquet" and head:
            raise IlaError(f"{self.name} is not Parquet, whatever its name says; {_ACCEPTED}.")
        if known in ("csv", "parquet"):
            return known
        if start.startswith("[") and start[1:].lstrip().startswith(("{", "]")):
            return "json"
        if known == "json" and (start.startswith("[") or not _has_json_line(start)):
            return "json"
        if known or start.startswith("{") or not start:
            return "jsonl"
        raise IlaError(f"{self.name} does not begin with JSON; {_ACCEPTED}.")

    # Opening

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise IlaError(f"{self.name} was not found; check the path.") from error
        except OSError as error:
            why = error.strerror or str(error)
            raise IlaError(f"{self.name} cannot be read: {why}.") from error

    def _binary(self) -> io.BufferedReader:
        """The decompressed bytes; a cut or broken compression is Damaged."""
        self._raw = self.path.open("rb")
        if self.compression == "gzip":
            return io.BufferedReader(_Pipe(_gunzip(self._raw)), _CHUNK)
        if self.compression == "zstd":
            return io.BufferedReader(_Pipe(_unzstd(self._raw)), _CHUNK)
        return cast(io.BufferedReader, self._raw)

    def _utf8(self) -> io.BufferedReader:
        """The bytes as UTF-8 without a byte-order mark."""
        stream = self._binary()
        if self.encoding != "utf-8":
            self.notes[self.encoding.upper()] += 1
            stream = io.BufferedReader(_Pipe(_recoded(stream, self.encoding)), _CHUNK)
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
                yield Item(number, _readable_text(line[:_HEAD]), None, "too long")
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
        """The item with U+FFFD for unpaired surrogates, which JSON can spell and UTF-8 cannot."""
        if not _SURROGATE.search(text):
            return Item(number, text, value)
        try:
            whole = _with_whole_characters(value)
        except RecursionError:
            return Item(number, text, None, "nested too deeply")
        self.notes["unpaired surrogate"] += whole != value
        return Item(number, text, whole)

    def _values(self) -> Iterator[Item]:
        scanner = _Scanner(_decoded(self._utf8()))
        spans = _top_level_records(scanner, self.name)
        for number, (span, value, odd) in enumerate(spans, start=1):
            yield self._element(number, span, value, odd)

    def _element(self, number: int, span: str, value: Any, odd: bool) -> Item:
        if not span.isascii() and _not_utf8(span):
            return Item(number, _readable_text(_as_bytes(span)), None, "not UTF-8")
        if not odd:
            try:
                return Item(number, orjson.dumps(value).decode(), value)
            except TypeError:
                pass  # unpaired surrogates or deep nesting: the text itself tells it all
        return self._whole(number, squeeze(span), value)

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
            yield self.name
            return
        from shutil import copyfileobj
        from tempfile import TemporaryFile

        with TemporaryFile() as file, self._binary() as stream:
            copyfileobj(stream, file, _CHUNK)
            file.seek(0)
            yield file


# Bytes


class _Pipe(io.RawIOBase):
    """A readable stream over an iterator of byte strings."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


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


def _compression(magic: bytes) -> str | None:
    if magic.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if magic.startswith(b"\x28\xb5\x2f\xfd") else None


def _gunzip(raw: BinaryIO) -> Iterator[bytes]:
    """Every member of a gzip file, whatever stands before damage first."""
    data = raw.read(_HEAD)
    while data:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            if not data:
                raise Damaged("its gzip data ends early")
            try:
                yield member.decompress(data, _CHUNK)
            except zlib.error as error:
                raise Damaged(f"its gzip data is broken ({error})") from error
            data = member.unconsumed_tail or (b"" if member.eof else raw.read(_HEAD))
        data = (member.unused_data or raw.read(_HEAD)).lstrip(b"\0")  # tape padding is allowed


def _unzstd(raw: BinaryIO) -> Iterator[bytes]:
    """Every frame of a zstd file, whatever stands before damage first."""
    import zstandard

    # Small pieces bound what one of them can expand to; the window admits `zstd --long=31`.
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    data = raw.read(_HEAD >> 2)
    while data:
        frame = decompressor.decompressobj()
        while not frame.eof:
            if not data:
                raise Damaged("its zstd data ends early")
            try:
                yield frame.decompress(data)
            except zstandard.ZstdError as error:
                raise Damaged(f"its zstd data is broken ({error})") from error
            data = b"" if frame.eof else raw.read(_HEAD >> 2)
        data = frame.unused_data or raw.read(_HEAD >> 2)


def _recoded(stream: io.BufferedReader, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    final = False
    while not final:
        data = stream.read1(_CHUNK)
        final = not data
        try:
            yield decoder.decode(data, final).encode()
        except UnicodeDecodeError as error:
            raise Damaged(f"its {encoding.upper()} text is broken ({error.reason})") from error


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


def _with_whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_with_whole_characters(item) for item in value]
    if isinstance(value, dict):
        items = value.items()
        return {_with_whole_characters(key): _with_whole_characters(item) for key, item in items}
    return value


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


# JSON that is not lines


def squeeze(text: str) -> str:
    r"""JSON text on one line, without the spaces between its tokens; the tokens stay as spelled.

    Control characters inside strings, which JSON does not allow, are escaped.

    >>> squeeze('{"a b": [1.50,\n  1e3]}')
    '{"a b":[1.50,1e3]}'
    """
    return _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], _TOKENS.sub(r"\1", text))


def _decoded(stream: io.BufferedReader) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while data := stream.read1(_CHUNK):
        yield decoder.decode(data)
    yield decoder.decode(b"", True)


class _Scanner:
    """JSON values out of a text that comes in pieces, one value at a time.

    The standard library's decoder does the work, from a position in a buffer that holds about
    one piece; a value that runs out of the buffer is tried again with more of it.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._buffer = ""
        self._at = 0
        self._ended = False
        self._odd = False
        self.damage: Damaged | None = None
        self._decoder = json.JSONDecoder(
            parse_float=self._float, parse_int=self._int, parse_constant=self._constant,
            strict=False,  # control characters inside strings do no harm: they are escaped again
        )  # fmt: skip

    def peek(self) -> str:
        """The next character that is not space, "" at the end of the text."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def skip(self) -> str:
        """Step over the character that `peek` sees, and return it."""
        character = self.peek()
        self._at += len(character)
        return character

    def second(self) -> str:
        """The character after the one that `peek` sees, spaces left out."""
        first = self.peek()
        while first:
            match = _SPACE.match(self._buffer, self._at + 1)
            if match and match.end() < len(self._buffer):
                return self._buffer[match.end()]
            if not self._more():
                break
        return ""

    def value(self) -> tuple[str, Any, bool]:
        """The next value: its text, the parsed value, and whether only the text tells it all.

        Raises Damaged where the text ends inside it or is not JSON.
        """
        self.peek()
        while True:
            self._odd = False
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise Damaged("it is nested too deeply") from error
            except json.JSONDecodeError as error:
                # The end of the buffer may cut a token: \uXXXX is the longest that is cut late.
                cut = error.pos >= len(self._buffer) - 16 or error.msg.startswith("Unterminated")
                stray = self._buffer[error.pos : error.pos + 1] in tuple(",:]}")  # begins no token
                if cut and len(self._buffer) - self._at < RECORD_LIMIT and self._more(grow=True):
                    continue
                if cut and self._ended and not stray:
                    raise self.damage or Damaged("its JSON ends early") from error
                raise Damaged(f"its JSON is broken ({error.msg})") from error
            length = end - self._at  # asking for more moves the buffer
            if end > len(self._buffer) - 3 and self._more():
                continue  # a number may go on: 1, 1. and 1e+ are all read as 1
            text = self._buffer[self._at : self._at + length]
            self._at += length
            return text, value, self._odd

    def _more(self, *, grow: bool = False) -> bool:
        """Add a piece to the buffer, with `grow` as much as is there, dropping what was read."""
        rest = self._buffer[self._at :]
        wanted = max(len(rest), 1) if grow else 1
        pieces, length = [rest], 0
        while length < wanted and not self._ended:
            try:
                piece = next(self._pieces, None)
            except Damaged as damage:
                self.damage, piece = damage, None
            if piece is None:
                self._ended = True
            else:
                pieces.append(piece)
                length += len(piece)
        self._buffer, self._at = "".join(pieces), 0
        return length > 0

    def _float(self, text: str) -> float:
        value = float(text)
        self._odd = self._odd or repr(value) != text
        return value

    def _int(self, text: str) -> float | int:
        self._odd = self._odd or len(text) > 18 or text == "-0"
        return int(text) if len(text) < 4000 else float(text)

    def _constant(self, text: str) -> float:
        self._odd = True
        return float(text)


def _top_level_records(scanner: _Scanner, name: str) -> Iterator[tuple[str, Any, bool]]:
    """The records of a JSON text: an array's elements, an object's one list, or objects."""
    while first := scanner.peek():
        if first == "[":
            yield from _elements(scanner)
        elif first == "{":
            yield from _members(scanner, name)
        else:
            yield scanner.value()
    if scanner.damage:
        raise scanner.damage


def _elements(scanner: _Scanner) -> Iterator[tuple[str, Any, bool]]:
    scanner.skip()
    if scanner.peek() == "]":
        scanner.skip()
        return
    while True:
        yield scanner.value()
        _expect(scanner, ",]")
        if scanner.skip() == "]":
            return


def _members(scanner: _Scanner, name: str) -> Iterator[tuple[str, Any, bool]]:
    """An object is one record, unless a field that no format knows holds a list of objects."""
    scanner.skip()
    record: dict[str, Any] = {}
    spans: list[str] = []
    odd = False
    list_name: str | None = None
    while scanner.peek() != "}":
        _expect(scanner, '"')
        key_span, key, _ = scanner.value()
        _expect(scanner, ":")
        scanner.skip()
        is_list = (
            scanner.peek() == "["
            and scanner.second() == "{"
            and key not in KNOWN_FIELDS
            and _RECORD_FIELDS.isdisjoint(record)
        )
        if is_list and list_name is not None:
            raise IlaError(
                f"{name} holds two lists, {list_name!r} and {key!r}; "
                "which one is the pool is not clear, write it to a file of its own."
            )
        if is_list:
            list_name = key
            yield from _elements(scanner)
        else:
            span, record[key], value_odd = scanner.value()
            spans.append(f"{key_span}:{span}")
            odd = odd or value_odd
        _expect(scanner, ",}")
        if scanner.peek() == ",":
            scanner.skip()
    scanner.skip()
    if list_name is None:
        yield "{" + ",".join(spans) + "}", record, odd


def _expect(scanner: _Scanner, characters: str) -> None:
    found = scanner.peek()
    if not found:
        raise scanner.damage or Damaged("its JSON ends early")
    if found not in characters:
        wanted = " or ".join(characters)
        raise Damaged(f"its JSON is broken ({found!r} stands where {wanted} should)")
