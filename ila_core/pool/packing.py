"""The bytes of a pool's file: unpacked from gzip or zstd, and recoded as UTF-8.

Whatever stands before damage comes out first; the damage itself is told as :class:`Damaged`.
"""

from __future__ import annotations

import codecs
import io
import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

CHUNK = 1 << 20
HEAD = 1 << 16
"""How much of a file is looked at to find out what it is."""


_ZSTD_PIECE = 1 << 11


def first_sentence(error: Exception) -> str:
    """What another library says, short enough for a message of ours."""
    return re.split(r"\.?\s*\n|\. |\.$", str(error))[0] or type(error).__name__


class Damaged(Exception):
    """The file ends or breaks off before its end; what was read up to there is sound."""


class Late(Exception):
    """The time for looking into a file is up."""


UNPACKED_FREELY = 1 << 24
"""Bytes that any packed file may unpack to: no machine minds them."""


@dataclass
class Bound:
    """How much may come out of a packed file: so many bytes for each byte of it that was read.

    What people write packs three to ten times, the same text again and again a hundred times; a
    file that was made to fill memory or a disk packs a thousand times and more.
    """

    ratio: int
    unpacked: int = 0

    def room(self, read: int) -> int:
        """How many more bytes may come out of `read` bytes."""
        return max(UNPACKED_FREELY, self.ratio * read) - self.unpacked

    def add(self, size: int, read: int) -> None:
        """Count bytes that came out of `read` bytes; Damaged where they are too many."""
        room = self.room(read)
        self.unpacked += size
        if size > room:
            raise Damaged(
                f"it unpacks to more than {self.ratio:,} times its size; if that is meant, allow "
                "more with --unpack-ratio"
            )


def compression_of(magic: bytes) -> str | None:
    """What a file is packed with, from its first four bytes: gzip, zstd, or nothing."""
    if magic.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if magic.startswith(b"\x28\xb5\x2f\xfd") else None


def unpacked(raw: BinaryIO, compression: str | None, bound: Bound) -> io.BufferedReader:
    """The bytes without their compression.

    Reading is Damaged where that is cut or broken, or where more comes out than the bound allows.
    """
    if compression is None:
        assert isinstance(raw, io.BufferedReader)
        return raw
    pieces = _gunzip(raw) if compression == "gzip" else _unzstd(raw)
    return io.BufferedReader(_Pipe(_within(pieces, raw, bound)), CHUNK)


def in_time(stream: io.BufferedReader, until: float) -> io.BufferedReader:
    """The same bytes; reading is Late after a moment of the monotonic clock."""
    return io.BufferedReader(_Pipe(_until(stream, until)), CHUNK)


def _until(stream: io.BufferedReader, until: float) -> Iterator[bytes]:
    while data := stream.read1(HEAD):
        if time.monotonic() > until:
            raise Late
        yield data


def _within(pieces: Iterator[bytes], raw: BinaryIO, bound: Bound) -> Iterator[bytes]:
    for piece in pieces:
        room = bound.room(raw.tell())
        if len(piece) > room:
            yield piece[:room]
        bound.add(len(piece), raw.tell())
        yield piece


def recoded(stream: io.BufferedReader, encoding: str) -> io.BufferedReader:
    """The text of another encoding as UTF-8.

    A byte that is none of its text stays as it is, and is no UTF-8 either; where UTF-16 or UTF-32
    is broken, reading is Damaged.
    """
    return io.BufferedReader(_Pipe(_as_utf8(stream, encoding)), CHUNK)


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


def _gunzip(raw: BinaryIO) -> Iterator[bytes]:
    """Every member of a gzip file, whatever stands before damage first."""
    data = raw.read(HEAD)
    while data:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            if not data:
                raise Damaged("its gzip data ends early")
            try:
                yield member.decompress(data, CHUNK)
            except zlib.error as error:
                raise Damaged(f"its gzip data is broken ({error})") from error
            data = member.unconsumed_tail or (b"" if member.eof else raw.read(HEAD))
        data = (member.unused_data or raw.read(HEAD)).lstrip(b"\0")  # tape padding is allowed


def _unzstd(raw: BinaryIO) -> Iterator[bytes]:
    """Every frame of a zstd file, whatever stands before damage first."""
    import zstandard

    # One piece comes out whole: 2 kB hold at most some 500 blocks of 128 kB each. The window admits
    # `zstd --long=31`.
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    data = raw.read(_ZSTD_PIECE)
    while data:
        frame = decompressor.decompressobj()
        while not frame.eof:
            if not data:
                raise Damaged("its zstd data ends early")
            try:
                yield frame.decompress(data)
            except zstandard.ZstdError as error:
                raise Damaged(f"its zstd data is broken ({error})") from error
            data = b"" if frame.eof else raw.read(_ZSTD_PIECE)
        data = frame.unused_data or raw.read(_ZSTD_PIECE)


def _as_utf8(stream: io.BufferedReader, encoding: str) -> Iterator[bytes]:
    errors = "strict" if encoding.startswith("utf") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    final = False
    while not final:
        data = stream.read1(CHUNK)
        final = not data
        try:
            yield decoder.decode(data, final).encode("utf-8", errors)
        except UnicodeError as error:  # without a reason where UTF-16 has no mark
            reason = getattr(error, "reason", error)
            raise Damaged(f"its {encoding.upper()} text is broken ({reason})") from error
