"""Widgets of options: what they say, may be and start at is written where the option is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ila_core.options import Option


def sentence(option: Option) -> str:
    """Return an option's help as a sentence.

    >>> sentence(Option("seed", 0, int, int, "seed of everything"))
    'Seed of everything.'
    """
    return f"{option.help[:1].upper()}{option.help[1:]}."


def whole_number(
    label: str, option: Option, *, key: str, start: int | None = None, **look: Any
) -> int:
    """Draw a whole number within an option's bounds; it starts at the default unless told."""
    return int(
        st.number_input(
            label,
            min_value=None if option.least is None else int(option.least),
            max_value=None if option.most is None else int(option.most),
            value=option.default if start is None else start,
            key=key,
            help=sentence(option),
            **look,
        )
    )
