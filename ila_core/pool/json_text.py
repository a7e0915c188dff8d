"""JSON as text: one record, one line, spelled as it came.

JSON can spell half a character, an unpaired surrogate such as \\ud800, which UTF-8 cannot. A record
keeps the spelling; what is read out of it has U+FFFD in its place, so that nothing that is counted,
shown or written later breaks on it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

_CONTROL = re.compile(r"[\x00-\x1f]")
_BETWEEN = re.compile(r"\}\s*\n\s*\{")
_PRINTED = re.compile(r"\s*(?:\{\s*'|\[\s*(?:\{\s*)?['\"])")
_PRINTED_LIMIT = 1 << 24
"""The longest text that is tried: Python's parser takes a hundred times its memory."""
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOKENS = re.compile(r'("(?:[^"\\]++|\\.)*+")|[ \t\n\r]+', re.DOTALL)


def loads(text: str) -> Any:
    r"""The value of a JSON text, with U+FFFD for unpaired surrogates.

    >>> loads('{"a": "x\\ud800", "n": NaN}')
    {'a': 'x�', 'n': nan}
    """
    try:
        return orjson.loads(text)
    except ValueError:
        value = json.loads(text)
    return whole_characters(value) if may_hold_surrogates(text) else value


def python_value(text: str) -> Any:
    """The list or object that Python, or numpy, has printed as this text, as JSON has it.

    Raises ValueError where it is none: text that begins neither with a brace nor with a bracket
    and a brace or a quote is not even tried.

    >>> python_value("[{'role': 'user', 'content': None}]")
    [{'role': 'user', 'content': None}]
    """
    if not _PRINTED.match(text) or len(text) > _PRINTED_LIMIT:
        raise ValueError("not printed by Python")
    for spelling in (text, _BETWEEN.sub("}, {", text)):  # numpy leaves out the commas
        try:
            value = loads(as_utf8(compact_json(ast.literal_eval(spelling))).decode())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if isinstance(value, list | dict):
            return value
    raise ValueError("not printed by Python")


def may_hold_surrogates(text: str) -> bool:
    """Whether a JSON text spells surrogates, paired or not."""
    return _SURROGATE.search(text) is not None


def whole_characters(value: Any) -> Any:
    """The value with U+FFFD for every unpaired surrogate in it."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {whole_characters(key): whole_characters(item) for key, item in value.items()}
    return value


def compact_json(value: Any) -> str:
    """The value as one line of JSON without spaces, every character as itself.

    Bytes are written in base64, dates in ISO form, NaN as null.

    >>> compact_json({"a": [1, "é"]})
    '{"a":[1,"é"]}'
    """
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError:  # integers above 64 bits, unpaired surrogates, more than 254 levels
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode()
    return str(value)


def as_utf8(text: str) -> bytes:
    r"""JSON text as UTF-8, which stays JSON of the same value: half a character becomes \udXXX.

    >>> as_utf8('{"a":"é\ud800"}')
    b'{"a":"\xc3\xa9\\ud800"}'
    """
    return text.encode("utf-8", "backslashreplace")


def squeeze(text: str) -> str:
    r"""JSON text on one line, without the spaces between its tokens; the tokens stay as spelled.

    Control characters inside strings, which JSON does not allow, are escaped.

    >>> squeeze('{"a b": [1.50,\n  1e3]}')
    '{"a b":[1.50,1e3]}'
    """
    return _CONTROL.sub(lambda control: json.dumps(control[0])[1:-1], _TOKENS.sub(r"\1", text))


def without_field(text: str, name: str) -> str:
    """The JSON text of an object without its fields of that name, the others as they stood.

    >>> without_field('{"a": 1.50, "b": {"a": 2}, "c": 1e3}', "a")
    '{"b": {"a": 2}, "c": 1e3}'
    >>> without_field('{"a": 1.50, "b": 2}', "b")
    '{"a": 1.50}'
    """
    fields = list(_fields(text))
    kept = [i for i, (field, _, _) in enumerate(fields) if field != name]
    if len(kept) == len(fields):
        return text
    parts = [text[: fields[0][1]]]
    for i in kept:
        _, start, end = fields[i]
        parts.append(text[fields[i - 1][2] if i and i != kept[0] else start : end])
    return "".join([*parts, text[fields[-1][2] :]])


def _fields(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of every field of an object that is sound JSON."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)  # only places matter

    def past(at: int, character: str = "") -> int:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        return past(at + 1) if character and text[at] == character else at

    at = past(past(0), "{")
    while text[at] != "}":
        start = at
        name, at = decoder.raw_decode(text, start)
        _, end = decoder.raw_decode(text, past(at, ":"))
        yield name, start, end
        at = past(end, ",")
