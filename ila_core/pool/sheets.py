"""Tables of cells, CSV, TSV and workbooks: which row names the columns, and the rows after it."""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any, BinaryIO, Literal

from ila_core.errors import IlaError
from ila_core.pool.fields import KNOWN_FIELDS, canonical
from ila_core.pool.items import BLANK, Item, as_bytes, is_utf8, readable_text
from ila_core.pool.json_stream import RECORD_LIMIT
from ila_core.pool.json_text import compact_json
from ila_core.pool.packing import Bound, Damaged

HEADER_WITHIN = 20
"""Rows in which a header may stand below titles."""
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Dialect:
    """How the cells of a text are told apart: `quoting` is the csv module's."""

    delimiter: str
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL


def dialect_of(text: str, *, whole: bool) -> Dialect:
    """The dialect of a table that begins so; `whole` says that this is all of it.

    The delimiter is the one that the first line has most of. Quotes between tabs mean something
    only where they are sound: exports with tabs mostly have none.

    >>> dialect_of('a\\tb\\n"Tally ho" he said\\tc\\n', whole=True).quoting == csv.QUOTE_NONE
    True
    """
    lines = text.lstrip("\r\n \ufeff").splitlines()
    header = next((line for line in lines[:HEADER_WITHIN] if _names_columns(line)), None)
    header = header if header is not None else next(iter(lines), "")
    delimiter = max(DELIMITERS, key=header.count)
    if delimiter != "\t" or _quotes_are_sound(text, whole=whole):
        return Dialect(delimiter)
    return Dialect(delimiter, csv.QUOTE_NONE)


def _names_columns(line: str) -> bool:
    cells = re.split("[" + DELIMITERS + "]", line)
    return len(cells) > 1 and any(canonical(cell.strip('" ')) in KNOWN_FIELDS for cell in cells)


def _quotes_are_sound(text: str, *, whole: bool) -> bool:
    if '"' not in text:
        return True
    rows = csv.reader(io.StringIO(text), delimiter="\t", strict=True)
    try:
        for _ in rows:
            pass
    except csv.Error as error:
        return "unexpected end" in str(error) and not whole
    return True


def csv_rows(
    stream: io.BufferedReader,
    name: str,
    dialect: Dialect,
    columns: Sequence[str],
    notes: Counter[str],
) -> Iterator[Item]:
    """Every row of a CSV text; `notes` counts the blank lines, which are none.

    Raises Damaged, after the last sound one.
    """
    text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="")
    lines = _Lines(text)
    csv.field_size_limit(RECORD_LIMIT)
    reader = csv.reader(lines, delimiter=dialect.delimiter, quoting=dialect.quoting)

    def sound_rows() -> Iterator[list[str]]:
        number = 0
        for row in reader:
            if not row:
                notes[BLANK] += 1
                continue
            if lines.ended:  # the reader went on past the last line to finish this row
                raise Damaged(f"a quoted cell of row {number} is never closed")
            number += 1
            yield row

    try:
        yield from _records(sound_rows(), name, columns, notes, dialect.delimiter)
    except csv.Error as error:
        raise Damaged(f"line {reader.line_num} is not CSV ({error})") from error


def workbook_rows(
    file: BinaryIO,
    name: str,
    sheet: str,
    columns: Sequence[str],
    notes: Counter[str],
) -> Iterator[Item]:
    """Every row of one sheet of a workbook, the first that is not empty unless one is named.

    Raises IlaError for a file that is no workbook, and for a sheet that it does not have.
    """
    sheets = _sheets(file, name)
    filled = {title: rows for title, rows in sheets.items() if rows}
    if sheet and sheet not in sheets:
        raise IlaError(
            f"{name} has no sheet {sheet!r}; its sheets are {', '.join(sheets)}: name one of them "
            "with --split."
        )
    chosen = sheet or next(iter(filled), "")
    for other, rows in filled.items():
        if other != chosen:
            notes[f"row of the sheet {other!r}, left out"] += len(rows)
    cells = ([_cell(cell) for cell in row] for row in filled.get(chosen, ()))
    yield from _records(cells, name, columns, notes, "\t")


def within(file: BinaryIO, ratio: int) -> None:
    """Raise Damaged where the parts of a workbook unpack to more than `ratio` times its size."""
    try:
        with zipfile.ZipFile(file) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        unpacked = 0  # of an old program, which packs nothing, or no workbook, which is told later
    Bound(ratio).add(unpacked, file.seek(0, os.SEEK_END))
    file.seek(0)


def filled_sheets(file: BinaryIO, name: str) -> list[str]:
    """The names of the sheets that are not empty. Raises IlaError for a file that is no workbook.

    The first is the one that is read unless another is named.
    """
    return [title for title, rows in _sheets(file, name).items() if rows]


def _sheets(file: BinaryIO, name: str) -> dict[str, list[list[Any]]]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(file)
        return {one: book.get_sheet_by_name(one).to_python() for one in book.sheet_names}
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise IlaError(f"{name} is not a workbook that can be read ({error}).") from error


def _cell(value: Any) -> Any:
    """A cell as JSON has it: whole numbers without a point, dates and times as text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else str(value)


def _records(
    rows: Iterable[list[Any]],
    name: str,
    columns: Sequence[str],
    notes: Counter[str],
    delimiter: str,
) -> Iterator[Item]:
    names = list(columns)
    if not columns:
        names, rows = _header(iter(rows), notes)
    if any(not is_utf8(column) for column in names):
        shown = readable_text(as_bytes(delimiter.join(names)))
        raise IlaError(
            f"The names of the columns of {name} are not UTF-8 ({shown[:60]}); name the encoding "
            "with --encoding, as in --encoding cp1252, or all columns with --header."
        )
    if twice := [column for column, count in Counter(names).items() if count > 1]:
        raise IlaError(
            f"{name} has more than one column named {twice[0]!r}; rename one of them, or name all "
            "columns with --header."
        )
    for number, row in enumerate(rows, start=1):
        while len(row) > len(names) and row[-1] == "":
            row.pop()
        if _is_empty(row):
            reason = "empty row"
        elif len(row) != len(names):
            reason = "wrong number of columns"
        elif any(isinstance(cell, str) and not is_utf8(cell) for cell in row):
            reason = "not UTF-8"
        else:
            record = dict(zip(names, row, strict=True))
            yield Item(number, compact_json(record), record)
            continue
        cells = readable_text(as_bytes(delimiter.join(map(str, row))))
        yield Item(number, cells, None, reason)


def _header(
    rows: Iterator[list[Any]], notes: Counter[str]
) -> tuple[list[str], Iterator[list[Any]]]:
    """The names of the columns, and the rows below: titles above the names are left out."""
    above: list[list[Any]] = []
    for row in rows:
        if not above and _is_empty(row):
            notes[BLANK] += 1
            continue
        above.append(row)
        if "" not in row or _known(row) or len(above) > HEADER_WITHIN:
            break
    at = len(above) - 1 if above and _are_titles(above[:-1], above[-1]) else 0
    if at:
        notes["row above the names of the columns, left out"] += at
    names = [str(cell).strip().lstrip("\ufeff") for cell in above[at]] if above else []
    while names and names[-1] == "":
        names.pop()
    if names.count("") > 1:
        names = [name or f"column {number}" for number, name in enumerate(names, start=1)]
    return names, chain(above[at + 1 :], rows)


def _is_empty(row: Iterable[Any]) -> bool:
    return all(cell == "" for cell in row)


def _known(row: list[Any]) -> int:
    """How many cells are names that some format knows."""
    return sum(isinstance(cell, str) and canonical(cell) in KNOWN_FIELDS for cell in row)


def _are_titles(above: list[list[Any]], row: list[Any]) -> bool:
    """Whether rows stand above the names: a single known word below a full row may be a cell."""
    full = any(2 * cells.count("") < len(cells) for cells in above)
    return _known(row) > (1 if full else 0)


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
