"""How much the buffers of an Arrow file unpack to: told before the memory for them is asked for.

Arrow unpacks a batch as a whole, into as many bytes as each of its buffers says that it holds. That
is read here from the heads of the messages (flatbuffers, see format/Message.fbs and File.fbs of
Apache Arrow): no buffer itself is read but for its first eight bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

MAGIC = b"ARROW1"
_GOES_ON = b"\xff\xff\xff\xff"
_DICTIONARY, _BATCH = 2, 3
"""What a message may be, of what has buffers."""


def unpacked_sizes(file: BinaryIO) -> Iterator[int]:
    """Yield the bytes of every packed buffer of an Arrow file, or stream, as it tells them.

    Nothing for what is not packed. Raises ValueError where the file is not whole; the place in it
    is another one afterwards.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    places = _listed(file, size) if file.read(len(MAGIC)) == MAGIC else _in_order(file, size)
    try:
        for place in places:
            yield from _of_message(file, place)
    except struct.error as error:
        raise ValueError(f"a head leads outside the file: {error}") from error


def _in_order(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where each message of a stream begins."""
    place = 0
    while place < size:
        head, body = _message(file, place)
        if not head:
            return
        yield place
        place = body + _Table.root(head).number(3, "<q")


def _listed(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where each message begins that the foot of a file lists, dictionaries first."""
    file.seek(max(size - 10, 0))
    (length,) = struct.unpack_from("<i", file.read(10))
    file.seek(max(size - 10 - max(length, 0), 0))
    foot = file.read(length if length > 0 else 0)
    for blocks in (2, 3):
        start, count = _Table.root(foot).vector(blocks)
        for number in range(count):
            yield _at(foot, start + 24 * number, "<q")


def _message(file: BinaryIO, place: int) -> tuple[bytes, int]:
    """Return a message's head, empty at the end of a stream, and where its body begins."""
    if place < 0:
        raise struct.error("a place before the first")
    file.seek(place)
    start = file.read(4)
    if start == _GOES_ON:  # older files have the length alone
        start = file.read(4)
    (length,) = struct.unpack("<i", start) if start else (0,)
    head = file.read(max(length, 0))
    return head, file.tell()


def _of_message(file: BinaryIO, place: int) -> Iterator[int]:
    head, body = _message(file, place)
    if not head:
        return
    message = _Table.root(head)
    kind = message.number(1, "<B")
    if kind not in (_DICTIONARY, _BATCH):
        return
    batch = message.table(2)
    if kind == _DICTIONARY:
        batch = batch.table(1)
    if batch.slot(3) is None:  # nothing is packed
        return
    start, count = batch.vector(2)
    for number in range(count):
        offset, length = (_at(head, start + 16 * number + part, "<q") for part in (0, 8))
        if length >= 8:
            file.seek(body + max(offset, 0))
            yield max(_at(file.read(8), 0, "<q"), 0)  # -1 says that it is not packed


def _at(data: bytes, place: int, form: str) -> int:
    if place < 0:
        raise struct.error("a place before the first")
    return int(struct.unpack_from(form, data, place)[0])


class _Table:
    """A table of a flatbuffer: fields by number, most of them left out."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place
        self.fields = place - _at(data, place, "<i")

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, _at(data, 0, "<I"))

    def slot(self, number: int) -> int | None:
        """Where a field is; None where it is left out."""
        entry = 4 + 2 * number
        if entry >= _at(self.data, self.fields, "<H"):
            return None
        offset = _at(self.data, self.fields + entry, "<H")
        return self.place + offset if offset else None

    def number(self, number: int, form: str) -> int:
        """A field that is a number; 0 where it is left out."""
        slot = self.slot(number)
        return 0 if slot is None else _at(self.data, slot, form)

    def table(self, number: int) -> _Table:
        slot = self.slot(number)
        if slot is None:
            raise struct.error("a table is missing")
        return _Table(self.data, slot + _at(self.data, slot, "<I"))

    def vector(self, number: int) -> tuple[int, int]:
        """Where the first entry of a vector is, and how many there are."""
        slot = self.slot(number)
        if slot is None:
            return 0, 0
        start = slot + _at(self.data, slot, "<I")
        return start + 4, min(_at(self.data, start, "<I"), len(self.data))
