"""Widgets of options: what they say, may be and start at is written where the option is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ila_core.errors import UsageError
from ila_core.lm.gguf import is_gguf
from ila_core.options import Option
from jobs import folders


def sentence(text: str) -> str:
    """Return an option's help as a sentence.

    >>> sentence("seed of everything")
    'Seed of everything.'
    """
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def whole_number(
    label: str, option: Option, *, key: str, start: int | None = None, **look: Any
) -> Any:
    """Draw a whole number within an option's bounds; it starts at `start`, else at the default.

    None where it is left empty, which only one that has no default can be.
    """
    number = st.number_input(
        label,
        min_value=None if option.least is None else int(option.least),
        max_value=None if option.most is None else int(option.most),
        value=option.default if start is None else start,
        key=key,
        help=sentence(option.help),
        **{"step": max(1, (option.default or 0) // 16), **look},
    )
    return None if number is None else int(number)


class Form:
    """Options that are being put together: their values so far, and what is still missing."""

    def __init__(self, columns: Sequence[str], starts: Mapping[str, str]) -> None:
        self.columns = columns
        """Fields of the records, for options that name one."""
        self.starts = starts
        """Choices to start at, where that is not the default."""
        self.values: dict[str, Any] = {}
        self.missing: list[str] = []

    def choice(self, option: Option, meanings: Mapping[str, str], names: Mapping[str, str]) -> str:
        """Draw a choice with a line under it on what it means; a word is taken as the value."""
        words = list(meanings)
        start = self.starts.get(option.name, option.default)
        word = st.selectbox(
            option.title,
            words,
            index=words.index(start) if start in words else 0,
            format_func=lambda word: names.get(word, COLUMN if word in COLUMNS else word),
            help=sentence(option.help),
            key=f"option_{option.name}_{start}_{len(words)}",
        )
        st.caption(sentence(meanings[word]))
        if word in option.choices:
            self.values[option.name] = word
        return word

    def pattern(self, option: Option, pattern: str) -> None:
        """Draw what a form such as column:NAME is filled with."""
        kind, colon, names = pattern.partition(":")
        if not colon:
            text = st.text_input(MODEL, key=f"name_{option.name}")
            self._take(option, model_at(text), needed=True)
            return
        fields = [
            str(st.selectbox(label, self.columns, index=self._likely(option.name, number),
                             key=f"column_{option.name}_{number}"))
            for number, label in enumerate(labels_of(option.name, names.split(",")))
        ]  # fmt: skip
        self.values[option.name] = f"{kind}:{','.join(fields)}"

    def plain(self, option: Option, *, needed: bool) -> None:
        """Draw an option without choices; a text is missing where it is needed and not given."""
        key = f"option_{option.name}"
        if option.kind is bool:
            self.values[option.name] = st.checkbox(
                option.title, key=key, help=sentence(option.help)
            )
        elif option.kind is int:
            self.values[option.name] = whole_number(option.title, option, key=key)
        else:
            text = st.text_input(option.title, value=option.default or "", key=key,
                                 help=sentence(option.help))  # fmt: skip
            self._take(option, READERS.get(option.metavar, str.strip)(text), needed=needed)

    def field(self, option: Option) -> None:
        """Draw an option that is a field of the records, or none."""
        name = st.selectbox(
            option.title,
            ["", *self.columns],
            format_func=lambda name: name or "none",
            key=f"option_{option.name}",
            help=sentence(option.help),
        )
        if name:
            self.values[option.name] = name

    def _take(self, option: Option, value: str, *, needed: bool) -> None:
        if value:
            self.values[option.name] = value
        elif needed:
            self.missing.append(option.missing)

    def _likely(self, name: str, number: int) -> int:
        """Return the place of the field that is called as the option is."""
        likely = [place for place, column in enumerate(self.columns) if column == name]
        return likely[0] if likely else min(number, len(self.columns) - 1)


MODEL = "Id or folder of the model"
COLUMN = "a column"
COLUMNS = ("column:NAME",)
ID = re.compile(r"(\w[\w.-]*/)?\w[\w.-]*", re.ASCII)
"""A name that the Hugging Face Hub may know; no folder above is among them."""


def labels_of(name: str, parts: Sequence[str]) -> list[str]:
    """Return what the choices of fields are called.

    >>> labels_of("loss", ["NAME"]), labels_of("projection", ["X", "Y"])
    (['Loss column'], ['Column of X', 'Column of Y'])
    """
    if len(parts) == 1:
        return [f"{name.capitalize()} column"]
    return [f"Column of {part}" for part in parts]


def model_at(text: str) -> str:
    """Return a model's id as it stands, or its whole path; UsageError for one out of bounds.

    What is not plainly the id of a hub's model is a path.
    """
    text = text.strip()
    is_id = ID.fullmatch(text) and not is_gguf(text) and not Path(text).exists()
    if not text or is_id:
        return text
    path = folders.allowed(text)
    if not path.is_dir() and not (is_gguf(path) and path.is_file()):
        raise UsageError(f"{path} is no model; name its id, its folder or its GGUF file.")
    return str(path)


def file_at(text: str) -> str:
    """Return a file's whole path, empty where none is named; UsageError if out of bounds."""
    return str(folders.allowed(text)) if text.strip() else ""


READERS = {"FILE": file_at, "ID_OR_PATH": model_at}
"""How a text is read, by what an option says it is."""
