"""Records that should not be chosen: duplicates, those of an evaluation set, those trained on.

Each search runs beside the page; what it found is left out at a click, and let in again at one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

import cache_files
import hand
import session
from ila_core.artifacts import FOUND
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.options import options_of
from ila_core.overlap.decontaminate import DecontaminationSettings
from ila_core.overlap.duplicates import DuplicateSettings
from jobs import cleaning, folders
from jobs.cleaning import Search
from parts import following
from parts.following import CLEAN
from parts.knob_of import sentence
from parts.notices import trouble
from parts.switch import switch
from parts.texts import counted, first_line, plain
from parts.uploading import uploaded

SEARCHES: Mapping[Search, str] = {
    "duplicates": "Duplicates",
    "decontaminate": "Test set",
    "trained": "Trained on",
}
ABOUT: Mapping[Search, str] = {
    "duplicates": "Records whose instruction and response say the same as another one's; one of "
    "each group stays.",
    "decontaminate": "Records that a file to evaluate with holds too, in words or in meaning: "
    "training on them would spoil what it says.",
    "trained": "Records of files that a model was trained on already, told by their content.",
}
SHOWN = 30
"""Groups or matches that are listed."""


def panel(landscape: Landscape) -> None:
    """Draw the three searches, one at a time."""
    if landscape.records is None or landscape.run is None:
        return
    gone = sum(len(hand.left_out(search)) for search in SEARCHES)
    label = f"Clean · {counted(gone, 'record')} left out" if gone else "Clean"
    with st.expander(label, icon=":material/cleaning_services:"):
        search: Search = switch("clean", "What to look for", SEARCHES)  # type: ignore[assignment]
        st.caption(ABOUT[search])
        if went_wrong := session.recall("cleaning trouble"):
            trouble(IlaError(went_wrong))
            session.remember("cleaning trouble", None)
        words = asked(search)
        st.button("Search", key=f"search_{search}", icon=":material/search:",
                  disabled=words is None, on_click=start,
                  args=(landscape, search, words))  # fmt: skip
        folder = session.recall("cleaning", of=(landscape.fingerprint, search))
        if folder is not None:
            outcome(search, Path(folder), landscape)


def asked(search: Search) -> Sequence[str] | None:
    """Draw what a search can be told, and return its words; None while a file is missing."""
    if search == "duplicates":
        return duplicate_words()
    files = uploaded("Files, of any form that a pool may have", search)
    if not files:
        return None
    return [*map(str, files), *(overlap_words() if search == "decontaminate" else [])]


def duplicate_words() -> list[str]:
    known = options_of(DuplicateSettings)
    threshold = st.slider(
        "Alike from, per cent", 50, 100, round(100 * known["threshold"].default), step=5,
        key="duplicates_threshold", help=sentence(known["threshold"].help),
    )  # fmt: skip
    keep = st.radio(
        "Keep of each group", list(known["keep"].choices), horizontal=True, key="duplicates_keep",
        format_func=lambda name: f"the {name}",
    )  # fmt: skip
    return ["--threshold", f"{threshold / 100:g}", "--keep", keep]


def overlap_words() -> list[str]:
    known = options_of(DecontaminationSettings)
    by = st.radio(
        "Compare by", list(known["by"].choices), horizontal=True, key="overlap_by",
        format_func={"both": "both", "words": "words", "meaning": "meaning"}.get,
        help=sentence(known["by"].help),
    )  # fmt: skip
    least = known["words"]
    words = st.number_input("Words in a row", int(least.least or 1), int(least.most or 1000),
                            least.default, key="overlap_words", disabled=by == "meaning",
                            help=sentence(least.help))  # fmt: skip
    cosine = st.slider("Cosine from", 0.8, 1.0, known["cosine"].default, step=0.01,
                       key="overlap_cosine", disabled=by == "words",
                       help=sentence(known["cosine"].help))  # fmt: skip
    return ["--by", by, "--words", str(words), "--cosine", f"{cosine:g}"]


def start(landscape: Landscape, search: Search, words: Sequence[str]) -> None:
    """Callback: start a search, or take up one that was made already."""
    try:
        folder = cleaning.start(folders.runs_folder(), landscape, search, words)
    except (IlaError, OSError) as error:
        session.remember("cleaning trouble", str(error))
        return
    session.remember("cleaning", str(folder), of=(landscape.fingerprint, search))


# -- what came of it ------------------------------------------------------------------------------


def outcome(search: Search, folder: Path, landscape: Landscape) -> None:
    """Show how far a search is, how it ended, or what it found."""
    job = cleaning.look(folder)
    if job is None:
        st.caption("This search is gone; start it again.")
    elif job.state == "running":
        progress_panel(folder)
    elif job.state == "done":
        verdict(search, folder, landscape)
    else:
        following.ended(job, CLEAN)


@st.fragment(run_every=1.0)
def progress_panel(folder: Path) -> None:
    """Show how far a search is; once a second, without touching the rest of the page."""
    job = cleaning.look(folder)
    if job is None:
        st.rerun()
    following.follow(job, CLEAN)
    if job.state == "running":
        following.running(job, CLEAN)


def verdict(search: Search, folder: Path, landscape: Landscape) -> None:
    """Tell what a search found, and let it be left out or in again."""
    try:
        told, rows = cache_files.cleaned(folder / FOUND)
    except (IlaError, OSError) as error:
        trouble(error)
        return
    st.markdown(plain(str(told["sentence"])))
    for note in told.get("notes") or []:
        st.caption(plain(str(note)))
    gone = hand.left_out(search, rows.tolist())
    with st.container(horizontal=True):
        if gone:
            st.button(f"Let {counted(len(gone), 'record')} in again", icon=":material/undo:",
                      key=f"back_{search}", on_click=hand.take_back,
                      args=(gone, search))  # fmt: skip
        elif len(rows):
            st.button(f"Leave {counted(len(rows), 'record')} out", type="primary",
                      icon=":material/block:", key=f"out_{search}",
                      on_click=hand.exclude_rows, args=(rows.tolist(), search))  # fmt: skip
        looks = len(rows) and search != "trained"
        if looks and st.button("Look at them", key=f"look_{search}", icon=":material/visibility:"):
            listed(search, told, landscape)


@st.dialog("What was found", width="large")
def listed(search: Search, told: Mapping[str, Any], landscape: Landscape) -> None:
    """List the largest groups, or the first matches, with what they share."""
    (groups if search == "duplicates" else matches)(told, landscape)


def groups(told: Mapping[str, Any], landscape: Landscape) -> None:
    """Show the largest groups of duplicates: the kept one, and the one least like it."""
    records = landscape.records
    assert records is not None
    for group in told["groups"][:SHOWN]:
        least = min(range(len(group["left"])), key=lambda k: group["likeness"][k])
        other = group["left"][least]
        kept, left = records.take([group["kept"], other])
        st.markdown(f"**{counted(len(group['left']) + 1, 'record')}**, down to "
                    f"{group['likeness'][least]:.0%} alike")  # fmt: skip
        for word, row, one in (("kept", group["kept"], kept), ("left", other, left)):
            st.caption(f"{word}, row {row}")
            st.code(f"{one.instruction}\n\n{one.response}", language=None, wrap_lines=True,
                    height=150)  # fmt: skip
    if (rest := len(told["groups"]) - SHOWN) > 0:
        st.caption(f"And {counted(rest, 'more group')}; ila duplicates --json lists all.")


def matches(told: Mapping[str, Any], landscape: Landscape) -> None:
    """Show the first overlaps: the evaluation record, the pool's, and what both have."""
    records = landscape.records
    assert records is not None
    some = told["matches"][:SHOWN]
    for match, one in zip(some, records.take([m["row"] for m in some]), strict=True):
        name = Path(match["file"]).name
        how = f"cosine {match['cosine']:.2f}" if match["cosine"] else "the same words"
        st.markdown(f"**Row {match['row']}** and record {match['number']} of {plain(name)}: {how}")
        if match["passage"]:
            st.caption(f"Both: {plain(first_line(match['passage'], 300))}")
        for word, text in (("evaluation", match["evaluation"]), ("pool", one.instruction)):
            st.caption(word)
            st.code(text, language=None, wrap_lines=True, height=110)
    if (rest := len(told["matches"]) - SHOWN) > 0:
        st.caption(f"And {counted(rest, 'more match')}; "
                   "ila decontaminate --report FILE lists all.")  # fmt: skip
