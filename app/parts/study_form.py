"""A study put together and started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

import cache
import session
from ila_core import paths
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.needs import lacking
from ila_core.methods.registry import methods
from ila_core.options import options_of
from ila_core.studies.settings import StudySettings
from jobs import process, studies
from parts.depth_knobs import KINDS
from parts.knob_of import sentence, whole_number
from parts.notices import trouble
from parts.patch_knobs import PATCHES
from parts.texts import plain

TARGETS = (1.0, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.25)
"""Depth targets that a study may try."""


def run_here(runs: Path, landscape: Landscape, *, open: bool) -> None:
    """Offer a study with the n-gram student: its make-up, its plan and cost, and the start."""
    with st.expander("Run a study here", icon=":material/science:", expanded=open):
        settings = make_up(landscape)
        if settings is None:
            return
        try:
            with st.spinner("Planning …"):
                plan = cache.forecast(landscape, settings)
        except IlaError as error:
            trouble(error)
            return
        st.markdown(f":material/schedule: {plain(plan[:1].upper() + plan[1:])}.")
        shipped = landscape.run is None or landscape.run == paths.SAMPLE / "landscape"
        wished = "sample" if shipped else str(landscape.run)
        suggested = process.free_name(studies.home(runs), wished)
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        name = left.text_input("Name of the study", value=suggested, key=f"name_{suggested}")
        right.button("Start the study", type="primary", width="stretch", key="start_study",
                     on_click=start, args=(runs, name, landscape, settings))  # fmt: skip
        out = landscape.run or "RUN"
        st.caption("A language model as the student is run from the command line, and opened here "
                   "by its folder. Unless --lm names another, it is the packaged one:")  # fmt: skip
        st.code(f"ila study {out} --student lm --out DIR", language="bash")


def make_up(landscape: Landscape) -> StudySettings | None:
    """Let the study be put together; None while something in it is not understood."""
    able = [name for name, one in methods().items() if lacking(one.needs, landscape) is None]
    known = options_of(StudySettings)
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        chosen = st.multiselect(
            "Methods", able, default=[name for name in known["methods"].default if name in able],
            key="study_methods",
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
            **parts,
        )
    except IlaError as error:
        trouble(error)
        return None


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
