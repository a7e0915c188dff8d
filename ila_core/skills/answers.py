"""What is read out of a language model's answer: a list of labels, wherever it stands."""

from __future__ import annotations

import json
import re

from ila_core.pool.labels import distinct, name_of

_LONGEST_LABEL = 60  # longer "labels" are sentences of a rambling model
_LONGEST_ANSWER = 20_000  # characters that are searched for a list


def parse_answer(text: str, *, max_labels: int = 8) -> tuple[str, ...] | None:
    """The labels in a model's answer, lower-case and distinct; None where it holds no list.

    Takes a JSON list or an object with one, bare, in a fenced block, or with prose around it;
    items may be objects with a name. What a reasoning model thinks aloud is skipped.

    >>> parse_answer('Sure! ```json\\n{"skills": ["SQL", "joins", "sql"]}\\n``` Anything else?')
    ('sql', 'joins')
    >>> parse_answer("I would say SQL.") is None
    True
    """
    text = text.rsplit("</think>", 1)[-1][:_LONGEST_ANSWER]
    decoder = json.JSONDecoder()
    for start in re.finditer(r"[\[{]", text):
        try:
            value, _ = decoder.raw_decode(text, start.start())
        except RecursionError:  # thousands of brackets: nothing worth reading comes after them
            return None
        except ValueError:
            continue
        if (names := _names_in(value)) is not None:
            short = (name.lower() for name in names if len(name) <= _LONGEST_LABEL)
            return distinct(short)[:max_labels]
    return None


def _names_in(value: object) -> list[str] | None:
    """The texts of a list, or of the list in an object; None where there is no such list."""
    if isinstance(value, dict):
        lists = [value[key] for key in ("skills", "labels", "tags") if key in value]
        lists = lists or [inner for inner in value.values() if isinstance(inner, list)]
        value = lists[0] if len(lists) == 1 else None
    if not isinstance(value, list):
        return None
    names = [name_of(item) for item in value]
    return None if None in names else [name for name in names if name is not None]
