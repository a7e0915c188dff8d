"""How a pool will be read: its fields, its first records, and what is rejected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from ila_core.pool.reading import Preview
from jobs.pools import Pool
from parts import reading
from parts.record_card import record_text
from parts.texts import count, counted, first_line, plain
from parts.wording import on_page


def what_it_is(preview: Preview) -> None:
    """Say what the pool is."""
    read, kept = preview.counts["read"], preview.counts["kept"]
    scope = "all" if preview.complete else "the first"
    containers = ", ".join(preview.containers)
    st.markdown(
        f":material/check_circle: **{plain(preview.format)}** records in {plain(containers)}. "
        f"Of {scope} {counted(read, 'record')} {count(kept)} can be used"
        + (f" and {count(read - kept)} rejected." if read > kept else ".")
    )
    for note, number in preview.counts.get("notes", {}).items():
        st.caption(f"{count(number)} × {plain(on_page(note))}")


def fields(pool: Pool, files: Sequence[Path], preview: Preview) -> None:
    """Say which field plays which part, and how the files are read, open to change.

    Its title stays the same whatever is chosen in it: under another one it would be another editor,
    and closed.
    """
    st.caption(f"Read: {plain(preview.understood.sentence())}.")
    with st.expander("Fields", icon=":material/schema:", **reading.editor(pool)):
        st.caption("Name another field where the detection is wrong. The preview follows at once.")
        reading.field_choosers(pool, preview.paths_seen, preview.mapping)
        reading.option_widgets(pool, files, reading.options_for(preview.kinds))


def unanswered(pool: Pool, preview: Preview) -> bool:
    """Say where no record seen has a response; return whether none can have one.

    Of a pool that was read to its end the reading itself says so.
    """
    read = preview.counts
    if not read["kept"] or read.get("notes", {}).get("empty response", 0) < read["kept"]:
        return False
    never = preview.understood.parts.keys().isdisjoint(("response", "messages"))
    st.warning(
        f"None of the first {counted(read['read'], 'record')} has a response"
        + (": no field is read as one, so there is no loss and no depth, and nothing can be built. "
           if never else "; if no other has one, nothing can be built. ")
        + "Choose the field of the response under Fields, or say that there are instructions only.",
        icon=":material/speaker_notes_off:",
    )  # fmt: skip
    reading.bare_button(pool)
    return never


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
