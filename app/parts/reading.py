"""How a visitor wants a pool read: its fields, and the options of reading.

What an option may be and what it is called is written where it is made, in pool/settings.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

import cache_files
import session
from ila_core.errors import IlaError, PoolError
from ila_core.options import options_of
from ila_core.pool.encodings import CANDIDATES
from ila_core.pool.fields import PARTS
from ila_core.pool.settings import ReadSettings
from ila_core.pool.sniffing import TABLES, TEXTS, Kind
from jobs.pools import Pool
from parts.knob_of import sentence
from parts.wording import OWNERS

OPTIONS = options_of(ReadSettings)
AUTO = "as detected"
SHOWN_PARTS = ("instruction", "input", "response", "system", "labels", "source")
GOES_WITH: Mapping[str, tuple[Kind, ...]] = {"encoding": TEXTS, "header": TABLES}
"""The containers with which alone an option does anything; `partial` does with any."""
PLACEHOLDERS = {"header": "instruction,response"}


def how_to_read(pool: Pool) -> ReadSettings:
    """Return how a pool is to be read, as far as its visitor has said."""
    return session.recall("how to read", ReadSettings(), of=pool)  # type: ignore[no-any-return]


def change(pool: Pool, **values: Any) -> None:
    """Callback: a pool is read with other options."""
    session.remember("how to read", replace(how_to_read(pool), **values), of=pool)


def has_responses(pool: Pool) -> bool:
    """Return whether a pool must have responses: until its visitor says that it has none."""
    return not session.recall("instructions only", False, of=pool)


def mend(pool: Pool, files: Sequence[Path], error: IlaError) -> None:
    """Offer what can make an unreadable pool readable: what the error names, in that order."""
    told, how = str(error), how_to_read(pool)
    wanted = sorted(
        (name for name, one in OPTIONS.items() if one.flag in told and name not in OWNERS),
        key=lambda name: told.index(OPTIONS[name].flag),
    )
    if "partial" in wanted:
        wanted.remove("partial")
    if not how.partial and helps(pool, files, replace(how, partial=True)):
        wanted.append("partial")  # leaves out the file, or the end of one, that cannot be read
    elif how.partial:
        wanted.append("partial")
    at = wanted.index("map") if "map" in wanted else len(wanted)
    helpers(pool, files, wanted[:at])
    if at < len(wanted) and isinstance(error, PoolError) and error.fields:
        st.caption("Which of its fields hold the instruction and the response?")
        field_choosers(pool, error.fields, {})
    helpers(pool, files, wanted[at + 1 :])
    with st.container(horizontal=True):
        if how.map:
            st.button("Fields as detected", on_click=change, args=(pool,), kwargs={"map": ""})
        if "--loss none" in told:
            bare_button(pool)


def bare_button(pool: Pool) -> None:
    """Let it be said that a pool has no responses."""
    st.button("It has instructions only", on_click=session.remember,
              args=("instructions only", True), kwargs={"of": pool})  # fmt: skip


def helps(pool: Pool, files: Sequence[Path], how: ReadSettings) -> bool:
    """Whether a pool that cannot be read as it is asked for can be read so."""
    try:
        cache_files.preview(tuple(files), how, require_response=has_responses(pool))
    except IlaError:
        return False
    return True


def helpers(pool: Pool, files: Sequence[Path], names: Sequence[str]) -> None:
    if names:
        st.caption("What may help:")
        option_widgets(pool, files, names)


def without_responses(pool: Pool) -> None:
    """Say that the pool is read without responses, with the way back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Read as instructions only: no loss and no depth, selection by coverage alone.")
        st.button("It has responses after all", on_click=session.remember,
                  args=("instructions only", False), kwargs={"of": pool})  # fmt: skip


def editor(pool: Pool) -> dict[str, Any]:
    """Return what keeps the editor of a pool's fields open until its visitor closes it."""
    name = f"fields_{pool}"
    return {
        "key": session.knob(name, session.recall("fields open", False, of=pool)),
        "on_change": editor_turned,
        "args": (pool, name),
    }


def editor_turned(pool: Pool, name: str) -> None:
    """Callback: the editor was opened or closed."""
    session.remember("fields open", session.turned(name), of=pool)


def field_choosers(pool: Pool, seen: Sequence[str], detected: Mapping[str, str]) -> None:
    """Let every part be given to one of the fields seen."""
    mapping = dict(how_to_read(pool).mapping)
    columns = st.columns(3)
    shown = [part for part in PARTS if part in SHOWN_PARTS or part in detected]
    for index, part in enumerate(shown):
        now = mapping.get(part, AUTO)
        choices = list(dict.fromkeys([AUTO, *seen, now]))
        words = f"{detected[part]} (detected)" if part in detected else "none found"
        words = AUTO if part in mapping else words  # what is read is what was chosen
        with columns[index % 3]:
            st.selectbox(
                part.capitalize(),
                choices,
                index=choices.index(now),
                format_func=lambda name, words=words: words if name == AUTO else name,
                key=f"field_{part}_{pool}",
                on_change=remap,
                args=(pool, part),
            )


def remap(pool: Pool, part: str) -> None:
    """Callback: another field plays a part. There may be more to choose: the editor is open."""
    session.remember("fields open", True, of=pool)
    name = session.widget(f"field_{part}_{pool}")
    how = how_to_read(pool).with_field(part, None if name == AUTO else name)
    session.remember("how to read", how, of=pool)


def options_for(kinds: Iterable[Kind]) -> list[str]:
    """Return the options that do something for files of these kinds, fields and splits aside.

    >>> options_for(["csv"]), options_for(["parquet"])
    (['partial', 'encoding', 'header'], ['partial'])
    """
    return [
        name
        for name in OPTIONS
        if name not in ("map", "split", *OWNERS)
        and (name not in GOES_WITH or not set(kinds).isdisjoint(GOES_WITH[name]))
    ]


def option_widgets(pool: Pool, files: Sequence[Path], names: Iterable[str]) -> None:
    """Draw options of reading; what is read follows at once."""
    how = how_to_read(pool)
    texts = [name for name in names if OPTIONS[name].kind is not bool]
    columns = st.columns(3)
    for index, name in enumerate(texts):
        with columns[index % 3]:
            text_option(pool, files, name, getattr(how, name))
    for name in names:
        if OPTIONS[name].kind is bool:
            st.checkbox(OPTIONS[name].title, **knob(pool, name, getattr(how, name)))


def text_option(pool: Pool, files: Sequence[Path], name: str, now: str) -> None:
    """Draw an option that is a text: of the known encodings, those of this file stand first."""
    option = OPTIONS[name]
    if name != "encoding":
        st.text_input(option.title, placeholder=PLACEHOLDERS.get(name), **knob(pool, name, now))
        return
    likely = cache_files.encodings(files[0])
    st.selectbox(
        option.title,
        list(dict.fromkeys(["", *likely, *CANDIDATES, "utf-8", "utf-16", now])),
        format_func=lambda code: f"{code} · {CANDIDATES[code]}" if code in CANDIDATES else
        code or AUTO,
        accept_new_options=True,
        **knob(pool, name, now),
    )  # fmt: skip


def knob(pool: Pool, name: str, now: Any) -> dict[str, Any]:
    """Return what ties a widget to an option of a pool's reading."""
    return {
        "key": session.knob(f"{name}_{pool}", now),
        "help": sentence(OPTIONS[name].help),
        "on_change": option_set,
        "args": (pool, name),
    }


def option_set(pool: Pool, name: str) -> None:
    """Callback: an option of reading takes the value of its widget."""
    value = session.turned(f"{name}_{pool}")
    change(pool, **{name: value.strip() if isinstance(value, str) else bool(value)})
