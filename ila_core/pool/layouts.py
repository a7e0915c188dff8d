"""The records of a document that does not list them one after the other.

A file whose only value is one object may hold a whole pool all the same: in columns, as pandas
writes tables, by key, or as a list under a name that else means a conversation. One line of
`LAYOUTS` and one function a layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ila_core.pool.conversations import is_message, is_round, shape_of
from ila_core.pool.fields import MESSAGES, RECORD_FIELDS, canonical

Document = Mapping[str, Any]


class Layout(NamedTuple):
    """How a document may hold records: its name, how it is known, and how they are read.

    of_lines: whether a file of one JSON line is read so too; it may be a record as well.
    """

    name: str
    fits: Callable[[Document], bool]
    records: Callable[[Document], Iterable[Any]]
    of_lines: bool = True


def records_of(document: Any, *, is_line: bool) -> Iterator[Any] | None:
    """The records of a document that is a whole file; None where it is a record itself.

    `is_line` says that the file is JSON lines, of which this is the only one.

    >>> list(records_of({"prompt": {"0": "a", "1": "b"}, "id": {"0": 7, "1": 8}}, is_line=False))
    [{'prompt': 'a', 'id': 7}, {'prompt': 'b', 'id': 8}]
    """
    if not isinstance(document, dict) or not document:
        return None
    for layout in LAYOUTS:
        if (layout.of_lines or not is_line) and layout.fits(document):
            return iter(layout.records(document))
    return None


def _is_record(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(is_message, value))
    return isinstance(value, Mapping) and any(canonical(name) in RECORD_FIELDS for name in value)


# pandas, orient="split": names, and rows of cells


def _is_split(document: Document) -> bool:
    columns, data = document.get("columns"), document.get("data")
    return (
        document.keys() <= {"columns", "index", "data"}
        and isinstance(columns, list)
        and isinstance(data, list)
        and all(isinstance(row, list) and len(row) == len(columns) for row in data)
    )


def _of_split(document: Document) -> Iterator[dict[str, Any]]:
    names = [str(name) for name in document["columns"]]
    for row in document["data"]:
        yield dict(zip(names, row, strict=True))


# pandas, orient="columns": every column an object, its cells by the key of the row


def _is_columns(document: Document) -> bool:
    columns = list(document.values())
    return (
        _is_record(document)
        and all(isinstance(column, Mapping) and column for column in columns)
        and all(column.keys() == columns[0].keys() for column in columns)
        and all(key.isdecimal() for key in columns[0])
    )


def _of_columns(document: Document) -> Iterator[dict[str, Any]]:
    for key in next(iter(document.values())):
        yield {name: column[key] for name, column in document.items()}


# Columns that are lists


def _is_lists(document: Document) -> bool:
    columns = list(document.values())
    return (
        _is_record(document)
        and all(isinstance(column, list) and column for column in columns)
        and len({len(column) for column in columns}) == 1
        and not any(_is_conversation(name, column) for name, column in document.items())
    )


def _is_conversation(name: str, value: Any) -> bool:
    return canonical(name) in MESSAGES and shape_of(value) is not None


def _of_lists(document: Document) -> Iterator[dict[str, Any]]:
    for cells in zip(*document.values(), strict=True):
        yield dict(zip(document, cells, strict=True))


# Records by key: pandas, orient="index", and objects whose keys are ids


def _is_keyed(document: Document) -> bool:
    return not _is_record(document) and all(map(_is_record, document.values()))


def _of_keyed(document: Document) -> Iterable[Any]:
    return document.values()


# A list of records under a name that else means a conversation


def _is_list(document: Document) -> bool:
    value, *more = document.values()
    if more or not isinstance(value, list) or not value:
        return False
    return all(not is_message(one) and (is_round(one) or _is_record(one)) for one in value)


def _of_list(document: Document) -> Iterable[Any]:
    return next(iter(document.values()))


LAYOUTS = (
    Layout("split", _is_split, _of_split),
    Layout("columns", _is_columns, _of_columns),
    Layout("list", _is_list, _of_list, of_lines=False),
    Layout("lists", _is_lists, _of_lists, of_lines=False),
    Layout("keyed", _is_keyed, _of_keyed),
)
"""Every layout of a document, the unmistakable ones first."""
