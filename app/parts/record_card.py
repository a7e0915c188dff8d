"""One record: why it was kept or left, what it is, its numbers, and its turns as they are."""

from __future__ import annotations

import numpy as np
import streamlit as st

from draw.names import isolated
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.languages import known, languages
from ila_core.pool.record import Record
from parts.languages import language_name
from parts.texts import counted, decimal, plain, share


def record_card(landscape: Landscape, row: int, record: Record, why: str) -> None:
    """Show one record: why it was kept or left, what it is, its numbers and its text."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{plain(why)}**")
        if found := chips(landscape, row, record):
            st.markdown(found)
        st.caption(plain(numbers(landscape, row)))
        record_text(record)


def chips(landscape: Landscape, row: int, record: Record) -> str:
    """Return source, language, domain and labels of a record as Markdown badges.

    The language only where the landscape's are known already: to tell them takes a while.
    """
    found = kinds(landscape, row, record)
    return " ".join(f":{COLOURS[kind]}-badge[{plain(isolated(text))}]" for kind, text in found)


COLOURS = {"source": "blue", "language": "green", "domain": "violet", "label": "gray"}


def kinds(landscape: Landscape, row: int, record: Record) -> list[tuple[str, str]]:
    """Return what kind of record it is, each with what it is a kind of."""
    found = [("source", record.source or "")]
    if landscape.records is not None and known(landscape):
        told = languages(landscape)
        found.append(("language", language_name(told.names[told.code[row]])))
    if landscape.domain_names:
        found.append(("domain", landscape.domain_names[landscape.domain[row]]))
    found += [("label", label) for label in landscape.labels_of([row])[0]]
    return [(kind, text) for kind, text in found if text]


def facts(landscape: Landscape, row: int, record: Record) -> str:
    """Return a record's numbers and labels in one line."""
    found = kinds(landscape, row, record)
    labels = ", ".join(isolated(text) for kind, text in found if kind == "label")
    parts = [
        numbers(landscape, row),
        *(isolated(text) for kind, text in found if kind == "domain"),
        f"labels {labels}" if labels else "",
        *(f"from {isolated(text)}" for kind, text in found if kind == "source"),
    ]
    return " · ".join(part for part in parts if part)


def numbers(landscape: Landscape, row: int) -> str:
    """Return a record's numbers in one line."""
    depth, loss = float(landscape.relative_depth[row]), float(landscape.loss[row])
    tokens = landscape.tokens[row]
    parts = [
        f"row {row}",
        "no depth" if np.isnan(depth) else f"relative depth {share(depth)}",
        "" if np.isnan(loss) else f"loss {decimal(loss)} nats per token",
        reduction(landscape, row),
        "" if np.isnan(tokens) else counted(tokens, "response token"),
    ]
    return " · ".join(part for part in parts if part)


def reduction(landscape: Landscape, row: int) -> str:
    """Return what learning from the pool takes off a record's loss; empty where it is not known."""
    nats = float(landscape.loss_reduction[row])
    return "" if np.isnan(nats) else f"loss reduction {decimal(nats)}"


def record_text(record: Record) -> None:
    """Show a record's turns as plain text, line breaks and code as they are."""
    for turn in record.turns:
        bare = turn.role == "assistant" and not turn.scored
        st.caption("assistant, not scored" if bare else plain(turn.role))
        text = turn.text or " "
        st.code(f"\n{text}\n", language=None, wrap_lines=True)  # one break at each end goes
