"""The Data screen: choose a pool, see how it will be read, and build its landscape."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

import builds
import cache
import options
import state
import widgets
from builds import Build
from ila_core.errors import IlaError
from ila_core.pool.formats import PARTS
from ila_core.pool.records import Preview
from ila_core.progress import duration
from widgets import count, plain

POOL_TYPES = ["jsonl", "json", "csv", "tsv", "parquet", "gz", "zst", "txt"]
WAYS = {"upload": "Upload", "path": "A path on this machine"}
AUTO = "as detected"
LINE = [2.1, 0.9, 0.35]
MOST_LISTED = 12


def page() -> None:
    st.header("Data", anchor=False)
    runs = state.runs_folder()
    st.markdown(
        "A pool is a file of instructions with their responses. Open one, see how it will be "
        "read, and build its landscape."
    )
    left, right = st.columns([1.6, 1], gap="large")
    with right:
        landscapes(runs)
    with left:
        followed = state.recall("following")
        if followed and builds.look(runs, followed) is not None:
            follow_build(runs, followed)
            return
        pool = choose_pool(runs)
        if pool is not None:
            read_and_build(runs, pool)


# -- the landscapes that are there ----------------------------------------------------------------


def landscapes(runs: Path) -> None:
    """List the sample and the landscapes built here; say where they lie and how to delete them."""
    st.subheader("Landscapes", anchor=False)
    if told := state.recall("trouble"):
        widgets.trouble(IlaError(told))
        state.remember("trouble", None)
    with st.container(border=True, gap="small"):
        line, button, _ = st.columns(LINE, vertical_alignment="center", gap="small")
        line.markdown("**Sample**  \n:small[:gray[ships with the program]]")
        if button.button("Open", key="open_sample", width="stretch"):
            show(state.SAMPLE)
        known = builds.every(runs)
        for build in known[:MOST_LISTED]:
            landscape_line(runs, build)
        if len(known) > MOST_LISTED:
            st.caption(f"The latest {MOST_LISTED} of {count(len(known))}; a path opens any other.")
    st.caption(
        f"Uploads and landscapes are stored in {plain(str(runs))}. The bin deletes a landscape; "
        "delete the folder to be rid of everything. Nothing leaves this machine, unless you name "
        "a model to download or a server to ask."
    )


def landscape_line(runs: Path, build: Build) -> None:
    """Draw one landscape: its name, how it stands, and what can be done with it."""
    words = {
        "running": "being built …",
        "done": time.strftime("%d %b %Y, %H:%M", time.localtime(build.changed)),
        "failed": "failed",
        "stopped": "stopped",
    }
    line, button, bin = st.columns(LINE, vertical_alignment="center", gap="small")
    line.markdown(f"**{plain(build.name)}**  \n:small[:gray[{words[build.state]}]]")
    if build.state == "done" and build.finished:
        if button.button("Open", key=f"open_{build.name}", width="stretch"):
            show(str(build.folder))
    else:
        button.button("Follow", key=f"follow_{build.name}", width="stretch",
                      on_click=state.remember, args=("following", build.name))  # fmt: skip
    bin.button("", icon=":material/delete:", key=f"delete_{build.name}", type="tertiary",
               help=f"Delete this landscape ({widgets.size(builds.bytes_of(build.folder))})",
               on_click=confirm_delete, args=(build.name,),
               disabled=build.state == "running")  # fmt: skip
    if state.recall("deleting") == build.name:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Delete it for good?")
            st.button("Delete", key="delete_yes", on_click=delete, args=(runs, build.name))
            st.button("Keep", key="delete_no", on_click=state.remember, args=("deleting", None))


def confirm_delete(name: str) -> None:
    state.remember("deleting", name)


def delete(runs: Path, name: str) -> None:
    """Callback: delete a landscape; a view of it goes back to the sample."""
    state.remember("deleting", None)
    try:
        builds.delete(runs, name)
    except IlaError as error:
        state.remember("trouble", str(error))
        return
    if state.view().landscape == str(runs / name):
        state.change(landscape=state.SAMPLE)


def show(landscape: str) -> None:
    """Open a landscape on the map."""
    state.change(landscape=landscape)
    state.remember("following", None)
    st.switch_page("map_view.py")


# -- choosing a pool ------------------------------------------------------------------------------


def choose_pool(runs: Path) -> Path | None:
    """Let a pool be uploaded or named; None until there is one."""
    st.subheader("Open a pool", anchor=False)
    given = state.opened_with()
    start = "path" if given is not None and not state.is_run(given) else "upload"
    way = state.recall("way", start)
    st.segmented_control(
        "From",
        list(WAYS),
        format_func=WAYS.get,
        key=state.knob("way", way),
        on_change=lambda: state.remember("way", state.turned("way") or way),
        label_visibility="collapsed",
    )
    return uploaded(runs) if way == "upload" else named(given if start == "path" else None)


def uploaded(runs: Path) -> Path | None:
    file = st.file_uploader(
        "JSONL, JSON, CSV or Parquet, also compressed (.gz, .zst)",
        type=POOL_TYPES,
        key="upload",
    )
    if file is None:
        st.caption("For more than a few hundred megabytes a path is quicker: nothing is copied.")
        return None
    stored = state.recall("uploaded")
    if stored is None or stored[0] != file.file_id or not stored[1].exists():
        try:
            with st.spinner("Storing the file …"):
                path = builds.store_upload(runs, file.name, file)
        except IlaError as error:
            widgets.trouble(error)
            return None
        stored = file.file_id, path
        state.remember("uploaded", stored)
    return stored[1]


def named(given: Path | None) -> Path | None:
    text = st.text_input(
        "Path",
        value=state.recall("path", str(given) if given else ""),
        placeholder=str(Path.home() / "pool.jsonl"),
        key="path",
        help="One file. It must lie under a folder this page was started with: "
        + ", ".join(str(root) for root in state.roots()),
    )
    state.remember("path", text)
    if not text.strip():
        return None
    try:
        path = state.allowed(text)
    except IlaError as error:
        widgets.trouble(error)
        return None
    if state.is_run(path):
        st.info("This folder is a finished landscape.", icon=":material/map:")
        if st.button("Open it on the map", type="primary"):
            show(str(path))
        return None
    if path.is_dir():
        widgets.trouble(IlaError(f"{path} is a folder, but no landscape; name a pool's file."))
        return None
    return path


# -- how it will be read --------------------------------------------------------------------------


def read_and_build(runs: Path, pool: Path) -> None:
    """Show how a pool will be read, offer the options, and start the build."""
    mapping = state.recall(f"map:{pool}", {})
    partial = state.recall(f"partial:{pool}", False)
    instructions_only = state.recall(f"bare:{pool}", False)
    try:
        with st.spinner("Reading the first records …"):
            seen = cache.preview(pool, tuple(sorted(mapping.items())), partial, instructions_only)
    except IlaError as error:
        widgets.trouble(error)
        mend(pool, mapping)
        return
    found(seen)
    fields(pool, seen, mapping)
    first_records(seen)
    rejected(seen)
    chosen = options.choose(pool, seen, bare=instructions_only)
    if chosen is None:
        return
    asked = mapping_option(mapping) | ({"partial": ""} if partial else {}) | chosen
    options.estimate(pool, asked)
    begin(runs, pool, asked)


def mend(pool: Path, mapping: Mapping[str, str]) -> None:
    """Offer what can make an unreadable pool readable."""
    st.caption("What may help:")
    with st.container(horizontal=True):
        if mapping:
            st.button("Fields as detected", on_click=state.remember, args=(f"map:{pool}", {}))
        st.button("Take what can be read", on_click=state.remember, args=(f"partial:{pool}", True))
        st.button("It has instructions only", on_click=state.remember,
                  args=(f"bare:{pool}", True))  # fmt: skip


def found(seen: Preview) -> None:
    """Say what the pool is."""
    read, kept = seen.counts["read"], seen.counts["kept"]
    scope = "all" if seen.complete else "the first"
    containers = ", ".join(seen.containers)
    st.markdown(
        f":material/check_circle: **{plain(seen.format)}** records in {plain(containers)}. "
        f"Of {scope} {count(read)} records {count(kept)} can be used"
        + (f" and {count(read - kept)} are rejected." if read > kept else ".")
    )
    for note, number in seen.counts.get("notes", {}).items():
        st.caption(f"{count(number)} × {plain(note)}")


def fields(pool: Path, seen: Preview, mapping: Mapping[str, str]) -> None:
    """Show which field plays which part, open to change."""
    told = ", ".join(f"{part} from {field}" for part, field in seen.mapping.items())
    with st.expander(f"Fields: {plain(told)}", icon=":material/schema:"):
        st.caption("Name another field where the detection is wrong. The preview follows at once.")
        columns = st.columns(3)
        shown = [part for part in PARTS if part in SHOWN_PARTS or part in seen.mapping]
        for index, part in enumerate(shown):
            choices = [AUTO, *seen.fields]
            now = mapping.get(part, AUTO)
            with columns[index % 3]:
                st.selectbox(
                    part.capitalize(),
                    choices,
                    index=choices.index(now) if now in choices else 0,
                    format_func=lambda name, part=part: (
                        f"{seen.mapping[part]} (detected)"
                        if name == AUTO and part in seen.mapping
                        else "none found"
                        if name == AUTO
                        else name
                    ),
                    key=f"field_{part}_{pool}",
                    on_change=remap,
                    args=(pool, part),
                )


SHOWN_PARTS = ("instruction", "input", "response", "system", "labels", "source")


def remap(pool: Path, part: str) -> None:
    """Callback: another field plays a part."""
    name = state.widget(f"field_{part}_{pool}")
    mapping = {k: v for k, v in state.recall(f"map:{pool}", {}).items() if k != part}
    state.remember(f"map:{pool}", mapping if name == AUTO else {**mapping, part: name})


def mapping_option(mapping: Mapping[str, str]) -> dict[str, str]:
    if not mapping:
        return {}
    return {"map": ",".join(f"{part}={field}" for part, field in mapping.items())}


def first_records(seen: Preview) -> None:
    """Show the first records as they will be read."""
    frame = pd.DataFrame(
        {
            "Instruction": [widgets.first_line(record.instruction, 300) for record in seen.records],
            "Response": [widgets.first_line(record.response, 300) for record in seen.records],
            "Turns": [len(record.turns) for record in seen.records],
            "Labels": [", ".join(record.labels or ()) for record in seen.records],
            "Source": [record.source or "" for record in seen.records],
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
    if lines and lines[0] < len(seen.records):
        with st.container(border=True, height=320):
            widgets.record_text(seen.records[lines[0]])
    else:
        st.caption("Select a line to read the whole record.")


def rejected(seen: Preview) -> None:
    """List what is rejected and why, with a download."""
    if not seen.rejects:
        return
    reasons = seen.counts.get("reasons", {})
    told = ", ".join(f"{count(number)} {reason}" for reason, number in reasons.items())
    with st.expander(f"Rejected: {plain(told)}", icon=":material/rule:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Line": [reject.line for reject in seen.rejects],
                    "Reason": [reject.reason for reject in seen.rejects],
                    "Text": [widgets.first_line(reject.text) for reject in seen.rejects],
                }
            ),
            hide_index=True,
            alt="Rejected records with their reasons",
        )
        lines = "".join(
            json.dumps({"file": r.file, "line": r.line, "reason": r.reason, "text": r.text},
                       ensure_ascii=False) + "\n"
            for r in seen.rejects
        )  # fmt: skip
        st.download_button("Download these rejects", lines, "rejects.jsonl",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
        st.caption("The build writes all of them to rejects.jsonl in the landscape's folder.")


# -- building -------------------------------------------------------------------------------------


def begin(runs: Path, pool: Path, asked: options.Options) -> None:
    """Name the landscape and start."""
    suggested = state.recall(f"name:{pool}")
    if suggested is None:
        suggested = builds.free_name(runs, pool.name)
        state.remember(f"name:{pool}", suggested)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    name = left.text_input("Name of the landscape", value=suggested, key=f"naming_{pool}")
    if right.button("Build the landscape", type="primary", width="stretch", key="build"):
        try:
            builds.start(runs, name, [str(pool)], asked)
        except (IlaError, OSError) as error:
            widgets.trouble(error)
            return
        state.remember("following", name)
        state.remember(f"name:{pool}", None)
        st.rerun()


# -- a build under way ----------------------------------------------------------------------------


def follow_build(runs: Path, name: str) -> None:
    """Follow a build until it ends, then open what it made."""
    st.subheader(plain(name), anchor=False)
    progress_panel(runs, name)
    st.button("Open another pool", icon=":material/arrow_back:", type="tertiary",
              on_click=state.remember, args=("following", None))  # fmt: skip


@st.fragment(run_every=1.0)
def progress_panel(runs: Path, name: str) -> None:
    """Show stage, rate and time left; once a second, without touching the rest of the page."""
    build = builds.look(runs, name)
    if build is None:
        widgets.empty("This landscape is gone", "Open a pool to build another.")
        return
    seen = (name, build.state)
    if state.recall("followed", seen) != seen:
        state.remember("followed", seen)
        st.rerun()  # the list beside it tells the same
    state.remember("followed", seen)
    if build.state == "running":
        running(runs, build)
    elif build.state == "done":
        st.success("The landscape is ready.", icon=":material/check_circle:")
        for note in cache.landscape(build.folder).manifest.get("notes", []):
            st.caption(plain(note))
        if st.button("Open it on the map", type="primary", key="open_built"):
            show(str(build.folder))
    else:
        ended(runs, build)


def running(runs: Path, build: Build) -> None:
    told = build.progress
    stages = told.get("stages") or []
    with st.container(border=True):
        for stage in stages or [{"stage": "starting", "state": "running"}]:
            widgets.stage_line(stage)
        for notice in told.get("notices") or []:
            st.caption(plain(str(notice)))
    passed = time.time() - float(told.get("started") or build.changed)
    st.caption(
        f"{duration(passed)} so far. You may close this tab: the build goes on, and this page "
        "finds it again."
    )
    st.button("Stop", icon=":material/stop_circle:", key="stop_build", on_click=builds.stop,
              args=(runs, build.name), help="What is finished is kept")  # fmt: skip


def ended(runs: Path, build: Build) -> None:
    """Say why a build ended before it was done, and offer to go on."""
    if build.state == "failed":
        st.error(plain(build.message or "The build failed."), icon=":material/error:")
    else:
        st.warning(plain(build.message or "Stopped. What is finished is kept."),
                   icon=":material/pause_circle:")  # fmt: skip
    st.button("Go on" if build.state == "stopped" else "Try again", type="primary",
              key="resume_build", on_click=go_on, args=(runs, build.name))  # fmt: skip


def go_on(runs: Path, name: str) -> None:
    """Callback: start the same command again."""
    try:
        builds.resume(runs, name)
    except (IlaError, OSError) as error:
        state.remember("trouble", str(error))


page()
