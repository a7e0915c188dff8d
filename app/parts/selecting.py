"""The selection of the view: at once where it is quick, beside the page where it takes long."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import cache
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.beside import PICKS
from ila_core.methods.needs import lacking
from ila_core.methods.registry import find
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec
from jobs import folders, picks
from parts import following
from parts.following import PICK
from parts.knob_of import sentence
from parts.notices import trouble
from parts.recipe import DEFAULT
from parts.texts import counted, plain
from view import USUAL

PATIENT = 5_000
"""From this many records on a method that holds records against each other takes a while."""
TAKES = {"moments": "under a second", "seconds": "some seconds", "minutes": "up to some minutes"}
"""How long a method may take on a large pool, in words."""


def chosen(landscape: Landscape) -> Selection | None:
    """Return the selection that the view asks for; None where it has to be asked for first.

    IlaError says why there can be none.
    """
    spec = session.spec()
    if not waits(landscape, spec):
        return cache.selection(landscape, spec)
    file = picks.folder_of(folders.runs_folder(), landscape, spec) / PICKS
    return cache.picked(file, landscape, spec) if file.is_file() else None


def waits(landscape: Landscape, spec: Spec) -> bool:
    """Whether a method is made beside the page: it is slow here, and has all that it needs."""
    about = find(spec.method)
    slow = about.speed != "moments" and len(landscape) >= PATIENT
    return slow and lacking(about.needs, landscape) is None


def instead(landscape: Landscape) -> None:
    """Draw what stands in the place of a selection that is not there: why, and the way on."""
    try:
        spec = session.spec()
        if chosen(landscape) is None:
            waiting(landscape, spec)
            return
    except IlaError as error:
        trouble(error)
    way_back()


def waiting(landscape: Landscape, spec: Spec) -> None:
    """Offer to run a method that takes long, or show how far it is."""
    folder = picks.folder_of(folders.runs_folder(), landscape, spec)
    job = picks.look(folder)
    if job is not None and job.state == "running":
        progress_panel(folder)
        return
    about = find(spec.method)
    with st.container(border=True):
        st.markdown(f"**{plain(spec.method)} has not run for this budget**")
        st.markdown(
            f"{plain(sentence(about.rule))} It takes {TAKES[about.speed]} on a large pool, and "
            f"this one has {counted(len(landscape), 'record')}. It runs beside the page, which "
            "goes on working; what it finds is kept."
        )
        if about.prefix:
            st.caption("Every smaller budget is a part of what it finds and then costs nothing.")
        if job is not None and job.state == "failed":
            trouble(IlaError(job.message or "It failed."))
        if told := session.recall("picks trouble"):
            trouble(IlaError(told))
            session.remember("picks trouble", None)
        with st.container(horizontal=True):
            st.button("Run it", key="run_method", type="primary", icon=":material/play_arrow:",
                      on_click=start, args=(landscape, spec))  # fmt: skip
            st.button("Back to ILA", on_click=session.change, kwargs={"method": USUAL.method})


def start(landscape: Landscape, spec: Spec) -> None:
    """Callback: start the method beside the page."""
    try:
        picks.start(folders.runs_folder(), landscape, spec)
    except (IlaError, OSError) as error:
        session.remember("picks trouble", str(error))


@st.fragment(run_every=1.0)
def progress_panel(folder: Path) -> None:
    """Show how far a method is; once a second, without touching the rest of the page."""
    job = picks.look(folder)
    if job is None:
        st.rerun()
    following.follow(job, PICK)
    following.running(job, PICK)


def way_back() -> None:
    """Offer what is most likely to mend a selection that cannot be made."""
    spec = session.view().spec
    recipe = {name: getattr(spec, name) for name in DEFAULT}
    with st.container(horizontal=True):
        if spec.method != USUAL.method:
            st.button("Back to ILA", on_click=session.change, kwargs={"method": USUAL.method})
        elif recipe != DEFAULT:
            st.button("Back to the default", on_click=session.change, kwargs=DEFAULT)
        if spec.budget != USUAL.budget:
            st.button("Back to 10 per cent", on_click=session.change,
                      kwargs={"budget": USUAL.budget})  # fmt: skip
