"""The Export screen: the selection as a file, and the command that makes it again."""

from __future__ import annotations

import hashlib
import json

import streamlit as st

import cache_files
import hand
import session
from ila_core.errors import IlaError
from ila_core.exports.commands import PARQUET, file_name, select_command
from ila_core.exports.messages import axolotl_snippet, trl_snippet
from ila_core.exports.whole import first_of_whole
from ila_core.exports.write import (
    FORMATS,
    Format,
    content,
    export,
    lines,
    manifest,
    table,
)
from ila_core.report.write import report
from ila_core.selection.selection import Selection
from ila_core.selection.spec import EXCLUSIONS, PINS
from jobs import folders, space
from jobs.uploads import export_folder
from parts import my_selection
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
    "jsonl": "The original records in pick order: of JSON lines the very lines, byte for byte, "
    "which any trainer that read the pool reads; of tables one JSON object a row.",
    "scored": "The original records, each with one more object, `_ila`: its row, loss, tokens, "
    "depth, relative depth, domain, round and order.",
    "parquet": "One row a record with text, x, y and all scores. Embedding Atlas opens it as it "
    "is.",
    "trl": "Each record as a list of messages with role and content, whatever the pool was.",
    "axolotl": "The same, and the part of Axolotl's YAML that reads it.",
    "pool-parquet": "Every record, kept or left, with a column that says which, the pick order, "
    "the map, all scores and the nearest neighbours, for other tools.",
}
SERVER_SIDE = 200_000
"""From this many records on the file is written beside the landscape, not sent to the browser."""
NEIGHBOURS_AT_ONCE = 10_000
"""Records of a pool up to which their neighbours are found in seconds."""
Files = list[tuple[str, Selection]]
"""The names of the files that are written, each with its records."""


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
    my_selection.line()
    my_selection.cut_short(selection)
    if landscape.records is None:
        empty("No records to write", "This landscape was made from arrays.")
        return
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        format = choose_format()
        validation = choose_validation(format)
        try:
            name = file_name(selection, format)
            files = cache_files.files(selection, name, format, validation)
        except IlaError as error:
            trouble(error)
            return
        offer(selection, files, format, validation)
        to_send(selection)
        command(selection, files, format, validation)
        trainers(files, format)
    with right:
        preview(files[0][1], format)


def headline(selection: Selection) -> None:
    """Say what is about to be written."""
    landscape, spec = selection.landscape, selection.spec
    st.header(f"{counted(len(selection.rows), 'record')} for training", anchor=False)
    mine = session.mine()
    by_hand = "" if mine.empty else f"; by hand {mine.summary}"
    part = share(len(selection.rows) / max(len(landscape), 1))
    st.markdown(
        f"{plain(title_of(landscape))}: {part} of its records, {short(selection.tokens)} "
        f"response tokens, chosen for a budget of {plain(spec.budget)} by "
        f"{plain(words(selection))}{by_hand}."
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


def choose_validation(format: Format) -> str:
    """Let a part be split off to validate with; empty for none."""
    if format == "pool-parquet":
        return ""
    percent = st.number_input(
        "Split off for validation, per cent",
        min_value=0,
        max_value=50,
        key=session.knob("validation", session.recall("validation", 0)),
        on_change=keep,
        args=("validation",),
        help="A second file with records of every domain and region in proportion. What is equal "
        "or nearly equal stays in one of the two. 0 splits nothing off.",
        width=280,
    )
    return f"{percent}%" if percent else ""


def offer(selection: Selection, files: Files, format: Format, validation: str) -> None:
    """Offer the files and their manifests; very large ones are written on the server's side."""
    pool = len(selection.landscape) if format == "pool-parquet" else 0
    if len(selection) > SERVER_SIDE or pool > NEIGHBOURS_AT_ONCE:
        write_here(selection, files[0][0], format, validation, pool or len(selection))
        return
    for number, (name, part) in enumerate(files):
        with st.container(horizontal=True):
            held = counted(pool or len(part), "record")
            st.download_button(
                f"Download {held}" + (" for validation" if number else ""),
                data=lambda part=part: content(part, format),
                file_name=name,
                mime="application/octet-stream",
                type="secondary" if number else "primary",
                icon=":material/download:",
                on_click="ignore",
                key=f"download_{number}" if number else "download",
            )
            st.download_button(
                "Manifest",
                data=lambda part=part: manifest_of(part, format, validation),
                file_name=f"{name}.manifest.json",
                mime="application/json",
                icon=":material/description:",
                on_click="ignore",
                key=f"manifest_{number}",
                help="The rule, the seeds, the locks, the inputs and the checksum of this file",
            )
        st.caption(f"{name}, {told_size(part, format)}")


def told_size(part: Selection, format: Format) -> str:
    """Return how large a file will be: JSONL as it came to the byte, all else within 5 %."""
    bytes = cache_files.export_size(part, format)
    return size(bytes) if format == "jsonl" else f"about {size(bytes)}"


def manifest_of(part: Selection, format: Format, validation: str) -> str:
    """Return the manifest of a file as it is written beside it."""
    digest = hashlib.sha256(content(part, format)).hexdigest()
    about = manifest(part, format, sha256=digest, validation=validation, mine=hand.now().saved_as)
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


def write_here(selection: Selection, name: str, format: Format, validation: str, held: int) -> None:
    """Write a large file beside its landscape and show where it lies."""
    made_of = selection.landscape.fingerprint, selection.spec.as_dict()
    folder = export_folder(folders.runs_folder(), *made_of)
    if st.button(f"Write {counted(held, 'record')}", type="primary",
                 icon=":material/save:"):  # fmt: skip
        with st.spinner("Writing …", show_time=True):
            try:
                space.check()
                path = export(selection, folder / name, format, validation=validation,
                              mine=hand.now().saved_as)  # fmt: skip
            except (IlaError, OSError) as error:
                trouble(error)
                return
        st.success(f"Written to {plain(str(path))}, with its manifest beside it.")
    st.caption(
        f"{name}, {told_size(selection, format)}. A file this large is written on this machine, "
        f"into {plain(str(folder))}."
    )


def to_send(selection: Selection) -> None:
    """Offer the selection as one page that can be sent to somebody."""
    st.download_button(
        "A report to send",
        data=lambda: report(selection),
        file_name=f"report-{len(selection)}.html",
        mime="text/html",
        icon=":material/outgoing_mail:",
        on_click="ignore",
        key="report",
        help="One HTML file that any browser opens without a network: the map, the numbers beside "
        "random, ten kept records each beside one that is left, and the commands",
    )


def command(selection: Selection, files: Files, format: Format, validation: str) -> None:
    """Show the command line that writes the same files, with the files of locks that it needs."""
    st.markdown(f"**The same {'files' if validation else 'file'} from the command line**")
    line = select_command(selection, format, files[0][0], validation=validation)
    st.code(line, language="bash", wrap_lines=True)
    spec = selection.spec
    with st.container(horizontal=True):
        for name, rows in ((PINS, spec.pinned), (EXCLUSIONS, spec.excluded)):
            if len(rows):
                st.download_button(
                    name, "".join(f"{int(row)}\n" for row in rows), name,
                    icon=":material/download:", on_click="ignore",
                )  # fmt: skip


def trainers(files: Files, format: Format) -> None:
    """Show what a trainer must be told to read the files."""
    (name, selection), *_ = files
    names = [name for name, _ in files]
    if format == "axolotl":
        with st.expander("For Axolotl", expanded=True, icon=":material/integration_instructions:"):
            st.caption(
                "Add this to the YAML that Axolotl is started with; the path counts from where it "
                "is started. An answer that is kept out of the loss stays out of it."
            )
            st.code(axolotl_snippet(*names), language="yaml")
    elif format == "trl":
        with st.expander("For TRL", expanded=True, icon=":material/integration_instructions:"):
            st.caption(
                "For SFTTrainer, which writes messages with the model's chat template. Without "
                "assistant_only_loss it trains on the questions as well; with it, the template "
                "has to mark what the assistant says, as TRL's own for common models do."
            )
            st.code(trl_snippet(*names), language="python", wrap_lines=True)
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
        shown = first_of_whole(selection, records) if whole else table(selection.first(50))
        st.dataframe(
            shown.to_pandas(), hide_index=True, height=520, alt="First rows of the Parquet file"
        )
        return
    with st.container(key="first_records"):  # each as high as its text, up to the style's most
        for line in lines(selection.first(3), format):
            text = json.dumps(json.loads(line), indent=2, ensure_ascii=False)
            st.code(text, language=None, wrap_lines=True)
    st.caption("Indented here to be read; in the file each record is one line.")


page()
