"""How a pool will be read: its fields, its first records, and what is rejected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

import session
from ila_core.pool.fields import PARTS
from ila_core.pool.reading import Preview
from ila_core.pool.settings import ReadSettings
from parts.record_card import record_text
from parts.texts import count, first_line, plain

AUTO = "as detected"
SHOWN_PARTS = ("instruction", "input", "response", "system", "labels", "source")


def how_to_read(pool: Path) -> ReadSettings:
    """Return how a pool is to be read, as far as its visitor has said."""
    return session.recall("how to read", ReadSettings(), of=pool)  # type: ignore[no-any-return]


def has_responses(pool: Path) -> bool:
    """Return whether a pool must have responses: until its visitor says that it has none."""
    return not session.recall("instructions only", False, of=pool)


def mend(pool: Path, seen: Sequence[str] = ()) -> None:
    """Offer what can make an unreadable pool readable: its fields, as far as any were seen."""
    if seen:
        st.caption("Which of its fields hold the instruction and the response?")
        choosers(pool, seen, {})
    how = how_to_read(pool)
    as_detected, whatever = replace(how, map=""), replace(how, partial=True)
    st.caption("What may help:")
    with st.container(horizontal=True):
        for label, wanted, note, value in (
            ("Fields as detected", how != as_detected, "how to read", as_detected),
            ("Take what can be read", True, "how to read", whatever),
            ("It has instructions only", True, "instructions only", True),
        ):
            if wanted:
                st.button(label, on_click=session.remember, args=(note, value),
                          kwargs={"of": pool})  # fmt: skip


def without_responses(pool: Path) -> None:
    """Say that the pool is read without responses, with the way back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Read as instructions only: no loss and no depth, selection by coverage alone.")
        st.button("It has responses after all", on_click=session.remember,
                  args=("instructions only", False), kwargs={"of": pool})  # fmt: skip


def what_it_is(preview: Preview) -> None:
    """Say what the pool is."""
    read, kept = preview.counts["read"], preview.counts["kept"]
    scope = "all" if preview.complete else "the first"
    containers = ", ".join(preview.containers)
    st.markdown(
        f":material/check_circle: **{plain(preview.format)}** records in {plain(containers)}. "
        f"Of {scope} {count(read)} records {count(kept)} can be used"
        + (f" and {count(read - kept)} are rejected." if read > kept else ".")
    )
    for note, number in preview.counts.get("notes", {}).items():
        st.caption(f"{count(number)} × {plain(note)}")


def fields(pool: Path, preview: Preview) -> None:
    """Say which field plays which part, open to change."""
    with st.expander(f"Fields: {plain(preview.understood.sentence())}", icon=":material/schema:"):
        st.caption("Name another field where the detection is wrong. The preview follows at once.")
        choosers(pool, preview.paths_seen, preview.mapping)


def choosers(pool: Path, seen: Sequence[str], detected: Mapping[str, str]) -> None:
    """Let every part be given to one of the fields seen."""
    mapping = dict(how_to_read(pool).mapping)
    columns = st.columns(3)
    shown = [part for part in PARTS if part in SHOWN_PARTS or part in detected]
    for index, part in enumerate(shown):
        now = mapping.get(part, AUTO)
        choices = list(dict.fromkeys([AUTO, *seen, now]))
        words = f"{detected[part]} (detected)" if part in detected else "none found"
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


def remap(pool: Path, part: str) -> None:
    """Callback: another field plays a part."""
    name = session.widget(f"field_{part}_{pool}")
    how = how_to_read(pool).with_field(part, None if name == AUTO else name)
    session.remember("how to read", how, of=pool)


def first_records(preview: Preview) -> None:
    """Show the first records as they will be read."""
    frame = pd.DataFrame(
        {
            "Instruction": [first_line(record.instruction, 300) for record in preview.records],
            "Response": [first_line(record.response, 300) for record in preview.records],
            "Turns": [len(record.turns) for record in preview.records],
            "Labels": [", ".join(record.labels or ()) for record in preview.records],
            "Source": [record.source or "" for record in preview.records],
        }
    )
    used = [name for name in frame if name in ("Instruction", "Response", "Turns")
            or frame[name].astype(bool).any()]  # fmt: skip
    event = st.dataframe(
        frame[used],
        hide_index=True,
        height=min(38 + 35 * len(frame), 300),
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Instruction": st.column_config.TextColumn(width="large"),
            "Response": st.column_config.TextColumn(width="large"),
            "Turns": st.column_config.NumberColumn(width=60),
        },
        alt="The first records of the pool as they will be read",
    )
    lines = event.selection.rows
    if lines and lines[0] < len(preview.records):
        with st.container(border=True, height=320):
            record_text(preview.records[lines[0]])
    else:
        st.caption("Select a line to read the whole record.")


def rejected(preview: Preview) -> None:
    """List what is rejected and why, with a download."""
    if not preview.rejects:
        return
    reasons = preview.counts.get("reasons", {})
    counted = ", ".join(f"{count(number)} {reason}" for reason, number in reasons.items())
    with st.expander(f"Rejected: {plain(counted)}", icon=":material/rule:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Line": [reject.line for reject in preview.rejects],
                    "Reason": [reject.reason for reject in preview.rejects],
                    "Text": [first_line(reject.text) for reject in preview.rejects],
                }
            ),
            hide_index=True,
            alt="Rejected records with their reasons",
        )
        lines = "".join(
            json.dumps({"file": r.file, "line": r.line, "reason": r.reason, "text": r.text},
                       ensure_ascii=False) + "\n"
            for r in preview.rejects
        )  # fmt: skip
        st.download_button("Download these rejects", lines, "rejects.jsonl",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
        st.caption("The build writes all of them to rejects.jsonl in the landscape's folder.")
