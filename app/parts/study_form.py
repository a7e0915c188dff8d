"""A study put together and started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

import cache_files
import session
from ila_core import paths
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.lm.packaged import SMOLLM2
from ila_core.methods.needs import lacking
from ila_core.methods.registry import methods
from ila_core.options import Option, options_of
from ila_core.studies.settings import StudySettings
from jobs import process, studies
from parts.depth_knobs import KINDS
from parts.knob_of import model_at, sentence, whole_number
from parts.notices import trouble
from parts.patch_knobs import PATCHES
from parts.switch import switch
from parts.texts import plain

STUDENTS = {"ngram": "n-gram model", "lm": "A language model"}
TRAINING = {
    "epochs": "Passes over a budget",
    "steps": "Steps, in place of passes",
    "batch_tokens": "Tokens of a step",
    "max_length": "Tokens of a record",
    "lr": "Learning rate",
    "full": "All weights, not an adapter",
}
"""How a language model is trained, as the form calls it."""
TARGETS = (1.0, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.25)
"""Depth targets that a study may try."""


def run_here(runs: Path, landscape: Landscape, *, open: bool) -> None:
    """Offer a study: its student and make-up, its plan and cost, and the start."""
    with st.expander("Run a study here", icon=":material/science:", expanded=open):
        settings = make_up(landscape)
        if settings is None:
            return
        try:
            with st.spinner("Planning …"):
                plan = cache_files.forecast(landscape, settings)
        except IlaError as error:
            trouble(error)
            return
        st.markdown(f":material/schedule: {plain(plan[:1].upper() + plan[1:])}.")
        if settings.student == "lm":
            st.caption(lm_words(settings))
        shipped = landscape.run is None or landscape.run == paths.SAMPLE / "landscape"
        wished = "sample" if shipped else str(landscape.run)
        suggested = process.free_name(studies.home(runs), wished)
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        name = left.text_input("Name of the study", value=suggested, key=f"name_{suggested}")
        right.button("Start the study", type="primary", width="stretch", key="start_study",
                     on_click=start, args=(runs, name, landscape, settings))  # fmt: skip
        st.caption("The same from the command line:")
        out = studies.home(runs) / name
        st.code(settings.command(landscape.run or "RUN", out), language="bash", wrap_lines=True)


def make_up(landscape: Landscape) -> StudySettings | None:
    """Let the study be put together; None while something in it is not understood."""
    able = [name for name, one in methods().items() if lacking(one.needs, landscape) is None]
    known = options_of(StudySettings)
    try:
        student = choose_student()
    except IlaError as error:
        trouble(error)
        return None
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        chosen = st.multiselect(
            "Methods", able, default=[name for name in known["methods"].default if name in able],
            key="study_methods", wrap=True,
            help="Random should be among them: without it there is nothing to beat.",
        )  # fmt: skip
        budgets = st.text_input(
            "Budgets", ", ".join(known["budgets"].default), key="study_budgets",
            help=sentence(known["budgets"].help),
        )  # fmt: skip
    with right:
        seeds = whole_number("Seeds", known["seeds"], key="study_seeds")
        scored = landscape.scored > 0
        subsets = whole_number(
            "Subsets of the regression", known["subsets"], key="study_subsets", step=10,
            start=None if scored else 0, disabled=not scored,
        )  # fmt: skip
    parts = parts_taken_back(landscape)
    try:
        return StudySettings.of(
            methods=chosen,
            budgets=[part.strip() for part in budgets.split(",")],
            seeds=seeds,
            subsets=subsets,
            **student,
            **parts,
        )
    except IlaError as error:
        trouble(error)
        return None


def choose_student() -> dict[str, Any]:
    """Let it be chosen who is trained, and how a language model is; UsageError for no model."""
    known = options_of(StudySettings)
    word = switch("student", "Student", STUDENTS, label_visibility="visible")
    st.caption(sentence(known["student"].choices[word]))
    if word != "lm":
        return {}
    text = st.text_input(known["lm"].title, SMOLLM2.name, key="study_lm",
                         help=sentence(known["lm"].help))  # fmt: skip
    values: dict[str, Any] = {"student": word, "lm": model_at(text) or SMOLLM2.name}
    with st.expander("How it is trained", icon=":material/tune:"):
        slots = st.columns(3)
        for index, name in enumerate(TRAINING):
            with slots[index % 3]:
                values[name] = training_widget(known[name])
    given = {name: value for name, value in values.items() if value is not None}
    if given.get("steps"):
        given.pop("epochs")  # both say how long
    return given


def training_widget(option: Option) -> Any:
    """Draw an option of a language model's training; None where it is left empty."""
    key, help = f"study_{option.name}", sentence(option.help)
    if option.kind is bool:
        return st.checkbox(TRAINING[option.name], key=key, help=help)
    if option.item is int or option.name == "steps":
        return whole_number(TRAINING[option.name], option, key=key)
    above = 1e-6 if option.above is not None else float(option.least or 0)
    most = None if option.most is None else float(option.most)
    return st.number_input(TRAINING[option.name], above, most, option.default, key=key,
                           format="%g", help=help, placeholder="automatic")  # fmt: skip


def lm_words(settings: StudySettings) -> str:
    """Say what is to be known of the cost of a language model before it is paid."""
    where = ""
    if settings.lm == SMOLLM2.name and not SMOLLM2.fetched:
        where = (
            f" The model is not on this machine yet: `ila model {SMOLLM2.name}` fetches it once."
        )
    return (
        "Every student is fine-tuned afresh, with the seeds and budgets above. On a processor "
        "without a GPU that is a matter of hours: try one budget and no subsets first. What is "
        f"trained is kept when it is stopped.{where}"
    )


def parts_taken_back(landscape: Landscape) -> dict[str, list[Any]]:
    """Let it be chosen what ILA is tried with beside its defaults, one knob at a time."""
    offered: dict[str, tuple[str, Sequence[Any], Mapping[Any, str]]] = {
        "patches": ("ILA also with patches", list(PATCHES), PATCHES),
        "depths": ("ILA also with depth", landscape.kinds, KINDS),
        "depth_targets": ("ILA also with depth target", TARGETS, {t: f"{t:.0%}" for t in TARGETS}),
    }
    known, chosen = options_of(StudySettings), {}
    for slot, (name, (label, values, names)) in zip(st.columns(3), offered.items(), strict=True):
        chosen[name] = slot.multiselect(
            label,
            values,
            default=[value for value in known[name].default if value in values],
            format_func=names.get,
            key=f"study_{name}",
            help=sentence(known[name].help),
            wrap=True,
        )
    return chosen


def start(runs: Path, name: str, landscape: Landscape, settings: StudySettings) -> None:
    """Callback: start the study and show how far it is."""
    try:
        if landscape.run is None:
            raise IlaError("A study needs a landscape that lies in a folder; build one first.")
        studies.start(runs, name.strip(), landscape.run, settings)
    except (IlaError, OSError) as error:
        session.remember("study trouble", str(error))
        return
    session.change(study=str(studies.home(runs) / name.strip()))
