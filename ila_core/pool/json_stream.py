"""The records of a JSON text that comes in pieces, one at a time: the text is never held whole.

An array's elements, the one list of objects in an object, objects one after the other, or one
object are records; so is an array of messages. What else stands there is handed on as it is, to be
rejected.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

from ila_core.errors import IlaError
from ila_core.pool.conversations import is_message
from ila_core.pool.fields import KNOWN_FIELDS, RECORD_FIELDS, canonical
from ila_core.pool.folders import TRAIN, split_of
from ila_core.pool.packing import CHUNK, Damaged

RECORD_LIMIT = 1 << 28
"""The longest record that is read: bytes of a line, characters of JSON."""

_SPACE = re.compile(r"[ \t\n\r]*")
_BEGINNINGS = ("", *'"{[-0123456789tfnNI')
"""How a value begins, or a text ends: what else stands where one should is not cut, but broken."""
_EXCERPT = 20
"""Characters that are shown of what is no JSON."""


class Value(NamedTuple):
    """One value of a JSON text; `odd` where its text tells more of it than the value does."""

    text: str
    value: Any
    odd: bool


def decoded(stream: io.BufferedReader) -> Iterator[str]:
    """The text of a stream in pieces; bytes that are not UTF-8 come as surrogates."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while data := stream.read1(CHUNK):
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

    def value(self) -> Value:
        """The next value. Raises Damaged where the text ends inside it or is not JSON."""
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
                begins = self._buffer[error.pos : error.pos + 1] in _BEGINNINGS
                stray = not begins and "escape" not in error.msg
                if cut and len(self._buffer) - self._at < RECORD_LIMIT and self._more(grow=True):
                    continue
                if cut and self._ended and not stray:
                    raise self.damage or Damaged("its JSON ends early") from error
                found = self._buffer[error.pos : error.pos + _EXCERPT]
                raise Damaged(f"its JSON is broken ({error.msg} at {found!r})") from error
            length = end - self._at  # asking for more moves the buffer
            if end > len(self._buffer) - 3 and self._more():
                continue  # a number may go on: 1, 1. and 1e+ are all read as 1
            text = self._buffer[self._at : self._at + length]
            self._at += length
            return Value(text, value, self._odd)

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


def records_in(
    pieces: Iterable[str], name: str, *, split: str = "", notes: Counter[str] | None = None
) -> Iterator[Value]:
    """What may be a record in the JSON text that comes in these pieces, in order.

    An array whose elements are messages is one conversation. Of an object with several lists of
    records the one named `split` is read, or the first where it is `train` and the others are
    splits too; `notes` counts the records of those. Raises Damaged, after the last sound one, and
    IlaError where it is not clear which list is the pool; `name` is the text's name in that.

    >>> [one.value for one in records_in(['{"data": [{"a"', ': 1}, {"a": 2}]}'], "pool.json")]
    [{'a': 1}, {'a': 2}]
    """
    scanner = _Scanner(pieces)
    lists = _Lists(name, split, Counter() if notes is None else notes)
    while first := scanner.peek():
        if first == "[":
            elements = _elements(scanner)
            value = next(elements, None)
            if value is not None and is_message(value.value):
                yield _gathered(value, elements)
            elif value is not None:
                yield value
                yield from elements
        elif first == "{":
            yield from _members(scanner, lists)
        else:
            yield scanner.value()
    if scanner.damage:
        raise scanner.damage


def _elements(scanner: _Scanner) -> Iterator[Value]:
    scanner.skip()
    while scanner.peek() != "]":  # also after a comma: some programs leave one at the end
        yield scanner.value()
        _expect(scanner, ",]")
        if scanner.peek() == ",":
            scanner.skip()
    scanner.skip()


def _gathered(first: Value, rest: Iterable[Value]) -> Value:
    """The elements of an array as one value."""
    values = [first, *rest]
    text = "[" + ",".join(value.text for value in values) + "]"
    return Value(text, [value.value for value in values], any(value.odd for value in values))


@dataclass
class _Lists:
    """Which list of an object is the pool."""

    name: str
    split: str
    notes: Counter[str]

    def choose(self, key: str, chosen: str | None) -> bool:
        """Whether the list under this key is read; `chosen` is the one that was before it."""
        if self.split:
            return key == self.split
        if chosen is None:
            return True
        if split_of(PurePath(chosen)) == TRAIN and split_of(PurePath(key)) is not None:
            return False
        raise IlaError(
            f"{self.name} holds two lists, {chosen!r} and {key!r}; which one is the pool is not "
            f"clear, choose one with --split {chosen} or --split {key}."
        )

    def missing(self, keys: Iterable[str]) -> IlaError:
        return IlaError(
            f"{self.name} has no list {self.split!r}; it has {', '.join(keys)}: name one of them "
            "with --split."
        )


class _Named(_Lists):
    """Takes none of the lists, and keeps the names of all."""

    def __init__(self) -> None:
        super().__init__("", "", Counter())
        self.names: list[str] = []

    def choose(self, key: str, chosen: str | None) -> bool:
        self.names.append(key)
        return False


def lists_in(pieces: Iterable[str]) -> tuple[list[str], str]:
    """The names of the lists in an object, and of the one that is read unless another is named.

    The latter is "" where it is not clear. Of a text that breaks off, those up to there.

    >>> lists_in(['{"train": [{"a": 1}], "test": [{"a": 2}]}']), lists_in(['[{"a": 1}]'])
    ((['train', 'test'], 'train'), ([], ''))
    """
    scanner, lists = _Scanner(pieces), _Named()
    with suppress(Damaged, IlaError):  # the latter where there is nothing but lists
        if scanner.peek() == "{":
            for _ in _members(scanner, lists):
                pass
    names = lists.names
    first_alone = [split_of(PurePath(name)) for name in names[:1]] == [TRAIN]
    clear = first_alone and all(split_of(PurePath(name)) for name in names)
    return names, names[0] if clear or len(names) == 1 else ""


def _members(scanner: _Scanner, lists: _Lists) -> Iterator[Value]:
    """An object is one record, unless a field that no format knows holds a list of objects."""
    scanner.skip()
    record: dict[str, Any] = {}
    spans: list[str] = []
    odd = False
    chosen: str | None = None
    keys: list[str] = []
    while scanner.peek() != "}":
        _expect(scanner, '"')
        key_span, key, _ = scanner.value()
        _expect(scanner, ":")
        scanner.skip()
        value: Value | None = None
        if _may_be_the_pool(scanner, key, record):
            elements = _elements(scanner)
            first = next(elements)
            if is_message(first.value):
                value = _gathered(first, elements)
            elif lists.choose(key, chosen):
                chosen = key
                yield first
                yield from elements
            else:
                lists.notes[f"record of {key!r}, left out"] += 1 + sum(1 for _ in elements)
            keys.append(key)
        else:
            value = scanner.value()
        if value is not None:
            record[key] = value.value
            spans.append(f"{key_span}:{value.text}")
            odd = odd or value.odd
        _expect(scanner, ",}")
        if scanner.peek() == ",":
            scanner.skip()
    scanner.skip()
    if keys and chosen is None and len(keys) > len(record):
        raise lists.missing(keys)
    if chosen is None:
        yield Value("{" + ",".join(spans) + "}", record, odd)


def _may_be_the_pool(scanner: _Scanner, key: str, record: Mapping[str, Any]) -> bool:
    return (
        scanner.peek() == "["
        and scanner.second() == "{"
        and canonical(key) not in KNOWN_FIELDS
        and RECORD_FIELDS.isdisjoint(map(canonical, record))
    )


def _expect(scanner: _Scanner, characters: str) -> None:
    character = scanner.peek()
    if not character:
        raise scanner.damage or Damaged("its JSON ends early")
    if character not in characters:
        wanted = " or ".join(characters)
        raise Damaged(f"its JSON is broken ({character!r} stands where {wanted} should)")
