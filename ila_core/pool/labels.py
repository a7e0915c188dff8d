"""What a label is, how labels are counted, and how a column of them is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from ila_core.errors import UsageError

Labels = tuple[str, ...] | None
"""The labels of one record; None where there are none to be had."""

NAME_FIELDS = ("skill", "name", "label", "tag")
"""Where a label that is an object keeps its name, as in {"tag": "sql", "explanation": "..."}."""


def distinct(names: Iterable[object]) -> tuple[str, ...]:
    """The names without blanks and repetitions, in order; letter case makes no difference.

    >>> distinct(["Python", " python ", "", "word   problems"])
    ('Python', 'word problems')
    """
    kept: dict[str, str] = {}
    for name in names:
        tidy = " ".join(str(name).split())
        if tidy:
            kept.setdefault(tidy.casefold(), tidy)
    return tuple(kept.values())


def count_skills(labels: Sequence[Labels], *, unlabelled: float = 1.0) -> np.ndarray:
    """S of every record, (n,) float32: its distinct labels, at least 1.

    A record whose labels are None counts ``unlabelled``: 1 where the user's own column is silent,
    NaN (a missing depth) where a server was asked and failed to answer, since any number there
    would be made up.

    >>> count_skills([("sql", "SQL", "joins"), (), None])
    array([2., 1., 1.], dtype=float32)
    """
    counts = (unlabelled if some is None else max(1, len(distinct(some))) for some in labels)
    return np.fromiter(counts, dtype=np.float32, count=len(labels))


def from_column(values: Iterable[object]) -> list[Labels]:
    """Labels from the values of one column, in row order.

    A value is a list of names (or of objects that have one), a text with commas or semicolons
    between names, a text that holds a JSON list, or one plain value. A null, NaN or blank value
    gives None; an empty list gives (). Any other object is a UsageError that names its row.

    >>> from_column([["sql", "joins"], "python; sorting, Python", '["a, b"]', " ", None])
    [('sql', 'joins'), ('python', 'sorting'), ('a, b',), None, None]
    """
    return [_labels_of(value, row) for row, value in enumerate(values)]


def _labels_of(value: object, row: int) -> Labels:
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return None  # a table reader makes NaN of an empty cell
    if isinstance(value, str):
        return _labels_in(value)
    several = isinstance(value, Iterable) and not isinstance(value, Mapping)
    names = [name_of(item) for item in cast("Iterable[object]", value if several else [value])]
    if None in names:
        raise UsageError(
            f"The labels of row {row} hold an object without a name ({str(value)[:60]}); "
            "a labels column holds lists of names or comma-separated text."
        )
    return distinct(names)


def name_of(item: object) -> str | None:
    """A label's name, also out of an object; None where the object has none."""
    if not isinstance(item, Mapping):
        return str(item)
    return next((str(item[key]) for key in NAME_FIELDS if key in item), None)


def _labels_in(text: str) -> Labels:
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except ValueError:  # "[draft], sql" is a name in brackets, not JSON
            listed = None
        if isinstance(listed, list):
            return distinct(name for item in listed if (name := name_of(item)) is not None)
    return distinct(re.split("[,;]", text)) or None


def record_text(instruction: str, response: str, *, chars: int = 4000) -> str:
    """What a labeller reads of a record, at most ``chars`` long: instruction, start of response.

    The instruction takes up to three quarters of the room, so that some of the response is always
    seen.

    >>> record_text("Add 2 and 2.", "4")
    'Add 2 and 2.\\n\\n4'
    """
    head = instruction[: chars * 3 // 4]
    return f"{head}\n\n{response}"[:chars].rstrip()
