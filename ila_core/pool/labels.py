"""What a label is, and how labels are read out of a value.

This is the only reader of labels: a pool's own labels field and a column that the user names give
the same labels, and so the same depths.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping

from ila_core.errors import UsageError
from ila_core.pool.json_text import whole_characters

Labels = tuple[str, ...] | None
"""The labels of one record; None where there are none to be had."""

NAME_FIELDS = ("skill", "name", "label", "tag")
"""Where a label that is an object keeps its name, as in {"tag": "sql", "explanation": "..."}."""


class NoLabels(ValueError):
    """A value is there, but it is not labels; the message says what it holds."""


def labels_in(value: object) -> Labels:
    """The labels that a field's value spells, distinct, in the order given.

    A value is a list of names (or of objects that have one), a text with commas or semicolons
    between names, a text that holds a JSON list, or one plain value. A null, NaN or blank value
    gives None; an empty list gives (). Raises NoLabels for anything else: objects without a name,
    and lists of numbers, which are a tokenizer's more often than anybody's names of skills.

    >>> labels_in("python; sorting, Python"), labels_in('["a, b"]'), labels_in([{"tag": "sql"}])
    (('python', 'sorting'), ('a, b',), ('sql',))
    >>> labels_in([]), labels_in(" "), labels_in(float("nan"))
    ((), None, None)
    """
    if _is_missing(value):
        return None
    if isinstance(value, str):
        listed = _list_in(value)
        if listed is None:
            return distinct(re.split("[,;]", value)) or None
        value = listed
    if isinstance(value, list | tuple):
        return distinct([_name(item) for item in value if not _is_missing(item)])
    return distinct([_name(value) if isinstance(value, Mapping) else str(value)])


def _is_missing(value: object) -> bool:
    """Whether there is nothing: a table reader makes NaN of an empty cell."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _list_in(text: str) -> list[object] | None:
    """The list that a text holds as JSON; None for "[draft], sql", which is names."""
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _name(item: object) -> str:
    name = name_of(item)
    if name is None:
        what = "an object without a name" if isinstance(item, Mapping) else "what is no name"
        raise NoLabels(f"{what} ({str(item)[:60]})")
    return name


def name_of(item: object) -> str | None:
    """A label's name, also out of an object; None where it is not text."""
    if isinstance(item, Mapping):
        item = next((item[key] for key in NAME_FIELDS if key in item), None)
    return item if isinstance(item, str) else None


def from_column(values: Iterable[object]) -> list[Labels]:
    """Labels from the values of a column, in row order; UsageError names a row that has none.

    >>> from_column([["sql", "joins"], "python", None])
    [('sql', 'joins'), ('python',), None]
    """
    labels = []
    for row, value in enumerate(values):
        try:
            labels.append(labels_in(value))
        except NoLabels as error:
            raise UsageError(
                f"The labels of row {row} hold {error}; a labels column holds lists of names or "
                "text with commas between them."
            ) from error
    return labels


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names without blanks and repetitions, in order; letter case makes no difference.

    >>> distinct(["Python", " python ", "", "word   problems"])
    ('Python', 'word problems')
    """
    kept: dict[str, str] = {}
    for name in names:
        tidy = " ".join(whole_characters(name).split())
        if tidy:
            kept.setdefault(tidy.casefold(), tidy)
    return tuple(kept.values())


def record_text(instruction: str, response: str, *, chars: int = 4000) -> str:
    """What a labeller reads of a record, at most ``chars`` long: instruction, start of response.

    The instruction takes up to three quarters of the room, so that some of the response is always
    seen.

    >>> record_text("Add 2 and 2.", "4")
    'Add 2 and 2.\\n\\n4'
    """
    head = instruction[: chars * 3 // 4]
    return f"{head}\n\n{response}"[:chars].rstrip()
