"""A study put together and started here."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import cache
import session
from ila_core import paths
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods import registry as methods
from ila_core.methods.inputs import lacking
from ila_core.studies import StudySettings
from jobs import process, studies
from parts.notices import trouble
from parts.texts import plain


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
                   "by its folder:")  # fmt: skip
        st.code(f"ila study {out} --student lm --lm ID_OR_PATH --out DIR", language="bash")


def make_up(landscape: Landscape) -> StudySettings | None:
    """Let the study be put together; None while something in it is not understood."""
    known = methods.methods()
    able = [name for name in known if lacking(known[name].needs, landscape) is None]
    usual = StudySettings()
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        chosen = st.multiselect(
            "Methods", able, default=[name for name in usual.methods if name in able],
            key="study_methods",
            help="Random should be among them: without it there is nothing to beat.",
        )  # fmt: skip
        budgets = st.text_input(
            "Budgets", ", ".join(usual.budgets), key="study_budgets",
            help="Shares such as 10%, counts, or tokens such as 2M-tokens.",
        )  # fmt: skip
    with right:
        seeds = st.number_input(
            "Seeds", 1, 20, usual.seeds, key="study_seeds",
            help="Splits of the pool: without several a difference may be chance.",
        )  # fmt: skip
        scored = landscape.scored > 0
        subsets = st.number_input(
            "Subsets of the regression", 0, 1000, usual.subsets if scored else 0, step=10,
            key="study_subsets", disabled=not scored,
            help="Drawn without any method; at least 10, 0 leaves the regression out.",
        )  # fmt: skip
        targets = st.multiselect(
            "Depth targets beside 1", [0.9, 0.75, 0.5, 0.25], default=list(usual.depth_targets),
            key="study_targets", help="ILA is also tried with these.",
        )  # fmt: skip
    try:
        return StudySettings.of(
            methods=chosen,
            budgets=[part.strip() for part in budgets.split(",") if part.strip()],
            seeds=int(seeds),
            subsets=int(subsets),
            depth_targets=targets,
        )
    except IlaError as error:
        trouble(error)
        return None


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
