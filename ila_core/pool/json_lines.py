"""JSON lines: one thing a line, each kept as it stands."""

from __future__ import annotations

import codecs
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from ila_core.pool.items import BLANK, TOO_LONG, Item, readable_text
from ila_core.pool.json_stream import RECORD_LIMIT
from ila_core.pool.json_text import (
    compact_json,
    may_hold_surrogates,
    python_value,
    whole_characters,
)
from ila_core.pool.packing import HEAD, Damaged


def lines_of(stream: BinaryIO, notes: Counter[str], before: int = 0) -> Iterator[Item]:
    """Every line that is not blank; `notes` counts what was taken although it is unusual.

    `before` lines stand in front of the stream.
    """
    number = before
    while line := stream.readline(RECORD_LIMIT):
        number += 1
        if line.endswith(b"\n"):
            line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
        elif len(line) == RECORD_LIMIT:
            yield Item(number, readable_text(line[:HEAD]), None, TOO_LONG)
            while line and not line.endswith(b"\n"):
                line = stream.readline(RECORD_LIMIT)
            continue
        if not line or line.isspace():
            notes[BLANK] += 1
            continue
        try:
            yield Item(number, line.decode(), orjson.loads(line))
        except ValueError:
            yield _odd_line(number, line, notes)


def line_pieces(stream: io.BufferedReader, before: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The rest of a stream in runs of whole lines, of about `size` bytes or one line that is more.

    Each with how many lines stand in front of it, which are `before` in front of the first. Of a
    line that is too long only as much as tells that. Damage is told behind the last whole line.
    """
    held = bytearray()
    whole = False  # whether the last line in `held` has been cut short, up to its end
    try:
        while data := stream.read1(size):
            if whole:
                rest = data.partition(b"\n")
                if not rest[1]:
                    continue
                data, whole = rest[1] + rest[2], False
            held += data
            end = held.rfind(b"\n") + 1
            if len(held) >= size and end:
                yield before, bytes(held[:end])
                before += held.count(b"\n", 0, end)
                del held[:end]
            if len(held) >= RECORD_LIMIT:
                del held[RECORD_LIMIT:]
                whole = True
    except Damaged:
        if end := held.rfind(b"\n") + 1:
            yield before, bytes(held[:end])
        raise
    if held:
        yield before, bytes(held)


def _odd_line(number: int, line: bytes, notes: Counter[str]) -> Item:
    """A line that the fast parser refuses: sound after all, or a reject with its reason."""
    bare = line.strip(b"\0").removeprefix(codecs.BOM_UTF8)
    try:
        text = bare.decode()
    except UnicodeDecodeError:
        return Item(number, readable_text(line), None, "not UTF-8")
    try:
        value = json.loads(text)
    except RecursionError:
        return Item(number, text, None, "nested too deeply")
    except ValueError:
        return _no_json(number, line, text, notes)
    if bare != line:  # padding that is not JSON, so that leaving it out changes no record
        notes["NUL bytes" if b"\0" in line else "byte-order mark"] += 1
    return whole_item(number, text, value, notes)


def _no_json(number: int, line: bytes, text: str, notes: Counter[str]) -> Item:
    """A line as Python prints an object is that object, written as JSON; one out of an array has a
    comma behind it; all else is a reject.
    """
    if (element := text.rstrip().removesuffix(",")) != text.rstrip():
        try:
            value = json.loads(element)
        except (ValueError, RecursionError):
            pass
        else:
            notes["comma behind a line"] += 1
            return whole_item(number, element, value, notes)
    try:
        value = python_value(text)
    except ValueError:
        reason = "NUL bytes" if b"\0" in line else "invalid JSON"
        return Item(number, readable_text(line), None, reason)
    notes["Python's spelling of an object, read as JSON"] += 1
    return Item(number, compact_json(value), value)


def whole_item(number: int, text: str, value: Any, notes: Counter[str]) -> Item:
    """The item, with U+FFFD for the unpaired surrogates in its value."""
    if not may_hold_surrogates(text):
        return Item(number, text, value)
    try:
        whole = whole_characters(value)
    except RecursionError:
        return Item(number, text, None, "nested too deeply")
    notes["unpaired surrogate"] += whole != value
    return Item(number, text, whole)
