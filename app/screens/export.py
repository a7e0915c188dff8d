"""The Export screen: the selection as a file, and the command that makes it again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import streamlit as st

import cache_files
import session
from ila_core.errors import IlaError
from ila_core.exports.commands import PARQUET, file_name, select_command
from ila_core.exports.messages import axolotl_snippet, trl_snippet
from ila_core.exports.whole import first_of_whole
from ila_core.exports.write import (
    FORMATS,
    Format,
    export,
    lines,
    manifest,
    table,
)
from ila_core.selection.selection import Selection
from ila_core.selection.spec import EXCLUSIONS, PINS
from jobs import folders
from jobs.uploads import export_folder
from parts.notices import empty, trouble
from parts.opening import opened, title_of
from parts.recipe import words
from parts.selecting import chosen, instead
from parts.switch import keep
from parts.texts import count, counted, plain, share, short, size

TITLES = {
    "jsonl": "JSONL, as it came",
    "scored": "JSONL with scores",
    "parquet": "Parquet with the map",
    "trl": "Messages, as TRL reads them",
    "axolotl": "Messages, with Axolotl's YAML",
    "pool-parquet": "The whole pool as Parquet",
}
ABOUT = {
    "jsonl": "The original records, byte for byte, in pick order: any trainer that read the pool "
    "reads this.",
    "scored": "The original records, each with one more object, `_ila`: its row, loss, tokens, "
    "depth, relative depth, domain, round and order.",
    "parquet": "One row a record with text, x, y and all scores. Embedding Atlas opens it as it "
    "is.",
    "trl": "Each record as a list of messages with role and content, whatever the pool was.",
    "axolotl": "The same, and the part of Axolotl's YAML that reads it.",
    "pool-parquet": "Every record, kept or left, with its place, scores and nearest "
    "neighbours, for other tools to show what was left out.",
}
SERVER_SIDE = 200_000
"""From this many records on the file is written beside the landscape, not sent to the browser."""


def page() -> None:
    landscape = opened()
    if landscape is None:
        return
    try:
        selection = chosen(landscape)
    except IlaError:
        selection = None
    if selection is None:
        st.header("Nothing to export yet", anchor=False)
        instead(landscape)
        st.page_link("screens/map.py", label="Change the selection on the map",
                     icon=":material/arrow_forward:")  # fmt: skip
        return
    with st.sidebar:
        st.caption(f"What is exported: {plain(words(selection))}.")
        st.page_link("screens/map.py", label="Change it on the map", icon=":material/map:")
    headline(selection)
    if landscape.records is None:
        empty("No records to write", "This landscape was made from arrays.")
        return
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        format = choose_format()
        offer(selection, format)
        command(selection, format)
        trainers(selection, format)
    with right:
        preview(selection, format)


def headline(selection: Selection) -> None:
    """Say what is about to be written."""
    landscape, spec = selection.landscape, selection.spec
    st.header(f"{counted(len(selection.rows), 'record')} for training", anchor=False)
    locks = len(spec.pinned) + len(spec.excluded)
    by_hand = f", {count(locks)} pinned or excluded by hand" if locks else ""
    part = share(len(selection.rows) / max(len(landscape), 1))
    st.markdown(
        f"{plain(title_of(landscape))}: {part} of its records, {short(selection.tokens)} "
        f"response tokens, chosen for a budget of {plain(spec.budget)}{by_hand} by "
        f"{plain(words(selection))}."
    )


def choose_format() -> Format:
    chosen = st.radio(
        "File",
        FORMATS,
        format_func=TITLES.get,
        captions=[ABOUT[name].replace("`", "") for name in FORMATS],
        key=session.knob("format", session.recall("format", "jsonl")),
        on_change=keep,
        args=("format",),
    )
    return chosen


def offer(selection: Selection, format: Format) -> None:
    """Offer the file and its manifest; a very large one is written on the server's side."""
    name = file_name(selection, format)
    if written(selection, format) > SERVER_SIDE:
        write_here(selection, format, name)
        return
    with st.container(horizontal=True):
        st.download_button(
            f"Download {counted(written(selection, format), 'record')}",
            data=lambda: content(selection, format),
            file_name=name,
            mime="application/octet-stream",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            key="download",
        )
        st.download_button(
            "Manifest",
            data=lambda: about(selection, format),
            file_name=f"{name}.manifest.json",
            mime="application/json",
            icon=":material/description:",
            on_click="ignore",
            help="The rule, the seeds, the locks and the inputs behind this file",
        )  # fmt: skip
    st.caption(f"{name}, about {size(cache_files.export_size(selection, format))}")


def written(selection: Selection, format: Format) -> int:
    """Return how many records a file holds."""
    return len(selection.landscape if format == "pool-parquet" else selection)


def about(selection: Selection, format: Format) -> str:
    """Return the manifest of the file as it is downloaded, with its sha256."""
    digest = hashlib.sha256(content(selection, format)).hexdigest()
    return json.dumps(manifest(selection, format, sha256=digest), indent=1, ensure_ascii=False)


def write_here(selection: Selection, format: Format, name: str) -> None:
    """Write a large file beside its landscape and show where it lies."""
    made_of = selection.landscape.fingerprint, selection.spec.as_dict()
    folder = export_folder(folders.runs_folder(), *made_of)
    if st.button(f"Write {counted(written(selection, format), 'record')}", type="primary",
                 icon=":material/save:"):  # fmt: skip
        with st.spinner("Writing …", show_time=True):
            try:
                path = export(selection, folder / name, format)
            except (IlaError, OSError) as error:
                trouble(error)
                return
        st.success(f"Written to {plain(str(path))}, with its manifest beside it.")
    st.caption(f"A file this large is written on this machine, into {plain(str(folder))}.")


def content(selection: Selection, format: Format) -> bytes:
    """Return the file's bytes, the same as `ila select --out` writes."""
    if format not in PARQUET:
        return b"".join(lines(selection, format))
    with tempfile.TemporaryDirectory() as folder:
        return export(selection, Path(folder) / "selection.parquet", format).read_bytes()


def command(selection: Selection, format: Format) -> None:
    """Show the command line that writes the same file, with the files of locks that it needs."""
    st.markdown("**The same file from the command line**")
    st.code(select_command(selection, format), language="bash", wrap_lines=True)
    spec = selection.spec
    with st.container(horizontal=True):
        for name, rows in ((PINS, spec.pinned), (EXCLUSIONS, spec.excluded)):
            if len(rows):
                st.download_button(
                    name, "".join(f"{int(row)}\n" for row in rows), name,
                    icon=":material/download:", on_click="ignore",
                )  # fmt: skip


def trainers(selection: Selection, format: Format) -> None:
    """Show what a trainer must be told to read the file."""
    name = file_name(selection, format)
    if format == "axolotl":
        with st.expander("For Axolotl", expanded=True, icon=":material/integration_instructions:"):
            st.caption(
                "Add this to the YAML that Axolotl is started with; the path counts from where it "
                "is started. An answer that is kept out of the loss stays out of it."
            )
            st.code(axolotl_snippet(name), language="yaml")
    elif format == "trl":
        with st.expander("For TRL", expanded=True, icon=":material/integration_instructions:"):
            st.caption(
                "For SFTTrainer, which writes messages with the model's chat template. Without "
                "assistant_only_loss it trains on the questions as well; with it, the template "
                "has to mark what the assistant says, as TRL's own for common models do."
            )
            st.code(trl_snippet(name), language="python", wrap_lines=True)
            if kept_out := cache_files.with_context(selection):
                st.caption(
                    "TRL trains on every answer, also on those that are kept out of the loss in "
                    f"{count(kept_out)} of these records."
                )
    if format not in PARQUET:
        register(selection, name, format)


def register(selection: Selection, name: str, format: Format) -> None:
    """Show the entry that LLaMA-Factory needs to find the file."""
    with st.expander("For LLaMA-Factory", icon=":material/integration_instructions:"):
        try:
            entry, remarks = cache_files.registered(selection, name, format)
        except IlaError as error:
            st.caption(plain(str(error)))
            return
        st.caption("Add this to dataset_info.json; on the command line --dataset-info does it.")
        text = json.dumps({"selection": entry}, indent=2, ensure_ascii=False)
        st.code(text, language=None, wrap_lines=True)
        for remark in remarks:
            st.caption(plain(remark))


def preview(selection: Selection, format: Format) -> None:
    """Show the first records as they will stand in the file."""
    st.markdown("**The first records of the file**")
    if format in PARQUET:
        whole, records = format == "pool-parquet", selection.landscape.records
        first = first_of_whole(selection, records) if whole else table(selection.first(50))
        rows = first.to_pandas()
        st.dataframe(rows, hide_index=True, height=520, alt="First rows of the Parquet file")
        return
    for line in lines(selection.first(3), format):
        text = json.dumps(json.loads(line), indent=2, ensure_ascii=False)
        st.code(text, language=None, wrap_lines=True, height=min(420, 56 + 20 * text.count("\n")))
    st.caption("Indented here to be read; in the file each record is one line.")


page()
