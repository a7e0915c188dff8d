"""The pages of a Parquet file, by their headers alone: what reading them would take.

A reader allocates what a page's header says before it unpacks a byte of it, so a small file can ask
for all of a machine's memory. The headers are read here first, and no more of them than their
sizes. They are structs of Thrift's compact protocol:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md, their fields:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ila_core.pool.packing import Bound, Damaged

BATCH_BYTES = 1 << 28
"""What the rows that are taken at once may hold, however often a value repeats in them."""
BATCH_ROWS = 1024
_HEADER, _LONGEST_HEADER = 1 << 12, 1 << 24
"""Bytes that a header is first looked for in, and that it may have: it can hold two values."""
_DICTIONARY, _PREFIXES = 2, 7
"""The kind of a page of values that others name, and the encoding that names beginnings."""
_UNPACKED, _PACKED = 2, 3
"""Fields of a header: the bytes of its page, unpacked and as they stand."""
_COUNTED = (5, 7, 8)
"""Fields of a header, structs of which the first field tells how many values a page has."""
_DEEPEST = 12


@dataclass(frozen=True)
class Page:
    """What a header says of its page."""

    kind: int
    unpacked: int
    packed: int
    values: int


@dataclass(frozen=True)
class Column:
    """Where the pages of a column of a row group lie, and whether its values share prefixes."""

    start: int
    length: int
    prefixes: bool


def row_groups(file: BinaryIO) -> list[list[Column]]:
    """Return the columns of every row group, from the foot of the file; Damaged for none.

    Read by ourselves: asked for a column that is not as it should be, pyarrow ends the process.
    """
    size = file.seek(0, os.SEEK_END)
    try:
        file.seek(size - 8)
        length = int.from_bytes(file.read(4), "little")
        file.seek(size - 8 - length)
        foot = _Compact(file.read(length)).struct()
        return [[_column(chunk[3]) for chunk in group[1]] for group in foot.get(4) or ()]
    except (OSError, LookupError, TypeError, ValueError):
        raise Damaged("it is not whole Parquet (its foot lists no sound columns)") from None


def _column(about: dict[int, Any]) -> Column:
    start, length = int(about[9]), int(about[7])
    if about.get(11):  # the place of a dictionary
        start = min(start, int(about[11]))
    return Column(start, length, _PREFIXES in about[2])


def rows_at_once(file: BinaryIO, group: Iterable[Column], bound: Bound, size: int) -> int:
    """Return how many rows of a row group may be taken at once, from its pages.

    `size` is the bytes of the file. Damaged where the pages unpack to more than the bound allows,
    or are none.
    """
    repeated = 0
    for column in group:
        pages = list(_pages(file, column.start, column.start + column.length))
        bound.add(sum(page.unpacked + page.values for page in pages), size)
        if column.prefixes:
            repeated += max((page.unpacked for page in pages), default=0)
        repeated += sum(page.unpacked for page in pages if page.kind == _DICTIONARY)
    return rows_within(repeated)


def rows_within(repeated: int) -> int:
    """Return how many rows may be taken at once where each may hold so many bytes again.

    >>> rows_within(1000), rows_within(1 << 26)
    (1024, 4)
    """
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(repeated, 1)))


def _pages(file: BinaryIO, start: int, end: int) -> Iterator[Page]:
    while start < end:
        page, length = _page_at(file, start)
        yield page
        start += length + page.packed


def _page_at(file: BinaryIO, start: int) -> tuple[Page, int]:
    """The page whose header begins at a place in the file, and the length of the header."""
    size = _HEADER
    while True:
        file.seek(start)
        reader = _Compact(file.read(size))
        try:
            fields = reader.struct()
            kind, unpacked, packed = (int(fields[field]) for field in (1, _UNPACKED, _PACKED))
            page = Page(kind, unpacked, packed, _values(fields))
            break
        except IndexError:
            size *= 8
            if len(reader.data) < size // 8 or size > _LONGEST_HEADER:
                raise Damaged("it is not whole Parquet (a page of it ends early)") from None
        except (KeyError, TypeError, ValueError):
            raise Damaged("it is not whole Parquet (a page of it has no sound header)") from None
    if min(page.unpacked, page.packed, page.values) < 0:
        raise Damaged("it is not whole Parquet (a page of it has a size below nothing)")
    return page, reader.at


def _values(fields: dict[int, Any]) -> int:
    return sum(int(fields[field][1]) for field in _COUNTED if field in fields)


class _Compact:
    """A reader of Thrift's compact protocol; IndexError where the bytes end, ValueError for none.

    >>> _Compact(bytes([0x15, 0x04, 0x19, 0x25, 0x02, 0x04, 0x00])).struct()
    {1: 2, 2: [1, 2]}
    """

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The fields of a struct by number: whole numbers, structs and lists, None for all else."""
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._whole()
            fields[number] = self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):  # true and false stand in the head itself
            return None
        if kind in (4, 5, 6):
            return self._whole()
        if kind == 12:
            return self.struct(depth + 1)
        if kind in (3, 7):
            self._skip(1 if kind == 3 else 8)
        elif kind == 8:
            self._skip(self._varint())
        elif kind in (9, 10):
            head = self._byte()
            size = head >> 4 if head >> 4 != 15 else self._varint()
            return [self._element(head & 15, depth) for _ in range(size)]
        else:
            raise ValueError(f"no kind of a page's header: {kind}")
        return None

    def _element(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):  # in a list they take a byte each
            self._skip(1)
            return None
        return self._value(kind, depth + 1)

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self.data):
            raise IndexError("the bytes end")

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number too long")

    def _whole(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
