"""What a file is: told by its first bytes, and by its name where those leave it open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import orjson

from ila_core.errors import IlaError
from ila_core.pool.conversations import is_message

Kind = Literal["jsonl", "json", "csv", "parquet", "arrow", "sheet"]

SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow",
    ".xlsx": "sheet", ".xlsm": "sheet", ".xlsb": "sheet", ".xls": "sheet", ".ods": "sheet",
}  # fmt: skip
PACKED = (".gz", ".zst", ".zstd")
"""Suffixes that say how a file is packed, behind the one that says what it is."""
ACCEPTED = (
    "a pool is .jsonl, .ndjson, .json, .csv, .tsv, .parquet, .arrow or .xlsx, plain, .gz or .zst, "
    "or a folder of them"
)
_STRANGERS = (
    (b"\x89PNG", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"), (b"PK\x03\x04", "a ZIP archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xfd7zXZ", "an xz file"), (b"BZh", "a bzip2 file"), (b"\xd0\xcf\x11\xe0", "a document of an "
    "old Office program"), (b"SQLite format", "an SQLite database"), (b"\x7fELF", "a program"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it points to"),
    (b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<?xml", "an XML document"),
)  # fmt: skip
_TAR = slice(257, 262)
"""Where a tar archive says `ustar`."""
_ARROW = (b"ARROW1", b"\xff\xff\xff\xff")
"""How an Arrow file begins, and an Arrow stream, which is what `datasets` writes."""
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
WORDS: dict[Kind, str] = {
    "jsonl": "JSON lines", "json": "JSON", "csv": "CSV", "parquet": "Parquet", "arrow": "Arrow",
    "sheet": "a workbook",
}  # fmt: skip
"""What a container is called."""
TEXTS: tuple[Kind, ...] = ("jsonl", "json", "csv")
"""Containers that are text, in some encoding."""
TABLES: tuple[Kind, ...] = ("csv", "sheet")
"""Containers of rows, of which one names the columns."""


def suffix_of(path: Path) -> str:
    """The suffix that says what a file is, in lower case; "" where none does.

    >>> suffix_of(Path("train.JSONL.gz"))
    '.jsonl'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), "")


def kind_of(name: str, suffix: str, head: bytes, text: str) -> Kind:
    """The container of a file that begins so; `text` is the head decoded, its mark left out.

    Raises IlaError, naming the file, where it is none.
    """
    known = SUFFIXES.get(suffix)
    if known == "sheet" and head.startswith(_WORKBOOKS):
        return "sheet"
    lowered = head.lstrip()[:64].lower()
    for mark, stranger in _STRANGERS:
        if lowered.startswith(mark.lower()):
            raise IlaError(f"{name} is {stranger}; {ACCEPTED}.")
    if head[_TAR] == b"ustar":
        raise IlaError(f"{name} is a tar archive; {ACCEPTED}.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_ARROW):
        return "arrow"
    for kind, word in (("parquet", "Parquet"), ("arrow", "Arrow"), ("sheet", "a workbook")):
        if known == kind and head:
            raise IlaError(f"{name} is not {word}, whatever its name says; {ACCEPTED}.")
    if known in ("csv", "parquet", "arrow", "sheet"):
        return known
    start = text.lstrip("\0 \t\r\n")
    if start.startswith("[") and (array := _array_kind(known, start)):
        return array
    if known == "json" and not has_json_line(start):
        return "json"
    if start.startswith("{") and not _are_lines(start):
        return "json"
    if known or start.startswith("{") or not start:
        return "jsonl"
    raise IlaError(f"{name} does not begin with JSON; {ACCEPTED}.")


def _array_kind(known: Kind | None, start: str) -> Kind | None:
    """Lines that are conversations each, or an array of records; None where that is open."""
    line = _value(start.partition("\n")[0])
    if known != "json" and isinstance(line, list) and line and is_message(line[0]):
        return "jsonl"
    return "json" if known == "json" or start[1:].lstrip().startswith(("{", "]")) else None


def _are_lines(start: str) -> bool:
    """Whether the first object and its line end together; JSON lines else, whatever the name."""
    line, newline, _ = start.partition("\n")
    if isinstance(_value(line), dict):
        return True
    if newline and line.strip() == "{":
        return False
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(start)
    except (ValueError, RecursionError):
        return True
    return end <= len(line) and not line[end:].lstrip().startswith("{")


def has_json_line(start: str) -> bool:
    """Whether one of the first lines is an object by itself: JSON lines in a .json file.

    A single line that is the whole head and nothing but a document is none.
    """
    lines = start.rstrip().split("\n")  # a line ends at a newline, not at U+2028
    return len(lines) > 1 and any(isinstance(_value(line), dict) for line in lines[:5])


def _value(line: str) -> Any:
    try:
        return orjson.loads(line)
    except ValueError:
        return None
