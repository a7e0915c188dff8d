"""Why a pool cannot be used, in one sentence: what is there, and the option that helps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ila_core.errors import PoolError
from ila_core.pool.containers import PoolFile
from ila_core.pool.conversations import is_message
from ila_core.pool.fields import KNOWN_FIELDS, canonical, listed
from ila_core.pool.json_text import loads
from ila_core.pool.record import Reject
from ila_core.pool.sniffing import TABLES

SINGLE_MESSAGES = (
    "each line is one message, but a record is a whole conversation, so put the messages of each "
    "into one list"
)
_MAPS = "--map instruction=FIELD,response=FIELD or, for a list of messages, --map messages=FIELD"


def no_record(
    file: PoolFile,
    first: Reject | None,
    fields: Sequence[str],
    *,
    among: bool = False,
    mapped: Sequence[str] = (),
) -> PoolError:
    """The error for a file without a usable record; `first` is its first reject, if any.

    `fields` are those seen in it, dotted paths too, as `--map` names them, and `mapped` those that
    it names now; `among` says that the pool has other files.
    """
    if first is None:
        return PoolError(f"{file.name} holds no record: it is empty.")
    return PoolError(
        f"{file.name} holds no usable record: the first, in line {first.line}, is a reject, "
        f"{first.reason} ({_excerpt(first.text)})"
        f"{_help(file, first, fields, among=among, mapped=mapped)}.",
        fields,
    )


def _help(
    file: PoolFile, first: Reject, fields: Sequence[str], *, among: bool, mapped: Sequence[str]
) -> str:
    """What may help, by the reason; "" where nothing but mending the file does."""
    if first.reason == "not UTF-8":
        return "; name its encoding with --encoding, as in --encoding gb18030 or cp1252"
    if first.reason == "invalid JSON":
        return _broken_at(first.text)
    if first.reason == "wrong number of columns":
        return "; is its first line not the names of the columns, name them with --header A,B,C"
    if not fields:
        return ""
    if _is_single_message(first):
        return f"; fields are {listed(fields)}: {SINGLE_MESSAGES}"
    if among and mapped and not set(mapped) & set(fields):
        return (
            f"; its fields are {listed(fields)}, and --map names none of them but "
            f"{listed(mapped)}, which other files have: build those without this one, then add it "
            f"with its own map, ila add RUN {file.name} {_MAPS}"
        )
    unknown = not any(canonical(name) in KNOWN_FIELDS for name in fields)
    if file.kind in TABLES and unknown:
        return (
            f"; none of its columns, {listed(fields)}, has a known name: is its first line a "
            "record, name the columns with --header instruction,response, else say which is which "
            "with --map instruction=FIELD,response=FIELD"
        )
    others = "; files without those fields are read as they are now" if among else ""
    return f"; fields are {listed(fields)}: name the right ones with {_MAPS}{others}"


def _broken_at(text: str) -> str:
    """Where a line is no JSON, and why; "" where that is not to be seen."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"; its JSON is broken at character {error.pos + 1} ({error.msg})"
    except (ValueError, RecursionError):
        pass
    return ""


def _is_single_message(first: Reject) -> bool:
    try:
        return is_message(loads(first.text))
    except (ValueError, RecursionError):
        return False


def no_response(
    kept: int, fields: Sequence[str], notes: Mapping[str, int], *, messages: bool
) -> PoolError:
    """The error for a pool of which no record has a response; `messages`: they are messages."""
    if messages:
        return PoolError(
            f"None of the {count(kept, 'record')} has a response; fields are {listed(fields)}: "
            f"{SINGLE_MESSAGES}.",
            fields,
        )
    asked = any("list of questions" in note for note in notes)
    also = (
        ", --map messages=FIELD if the answers stand between the questions of a list"
        if asked
        else ""
    )
    return PoolError(
        f"None of the {count(kept, 'record')} has a response, so there is no loss to measure; "
        f"fields are {listed(fields)}: name the right one with --map response=FIELD{also}, or use "
        "--loss none.",
        fields,
    )


def _excerpt(text: str) -> str:
    """The beginning of a text, on one line, for a message."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:59] + "…")


def count(number: int, noun: str) -> str:
    """A number of things in words.

    >>> count(1, "record"), count(2000, "record")
    ('1 record', '2,000 records')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
