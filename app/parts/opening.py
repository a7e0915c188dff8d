"""The landscape that a link names: opened, or why it cannot be; and its name."""

from __future__ import annotations

import streamlit as st

import cache
import hand
import session
from ila_core import paths
from ila_core.errors import IlaError
from ila_core.landscape.kept import LARGE
from ila_core.landscape.landscape import Landscape
from jobs import folders
from parts.notices import trouble
from parts.texts import plain
from view import SAMPLE


def opened() -> Landscape | None:
    """Return the landscape of the view; where it cannot be opened say why, and return None."""
    view = session.view()
    try:
        landscape = cache.landscape(folders.run_of(view.landscape))
    except (IlaError, OSError) as error:
        st.header("This landscape cannot be opened", anchor=False)
        trouble(error)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Open the sample instead", on_click=session.change,
                      kwargs={"landscape": SAMPLE}, type="primary")  # fmt: skip
            st.page_link("screens/data.py", label="Open or build another",
                         icon=":material/database:", width="content")  # fmt: skip
        return None
    if len(landscape) >= LARGE:
        cache.ahead(landscape, view.spec.seed)
    hand.take_up(landscape)
    return landscape


def landscape_now() -> None:
    """Name the landscape at the head of the sidebar, with the way to another one."""
    try:
        title = title_of(cache.landscape(folders.run_of(session.view().landscape)))
    except (IlaError, OSError):
        title = "Open a landscape"
    with st.sidebar.container(key="landscape_now"):
        st.page_link("screens/data.py", label=plain(title), icon=":material/database:",
                     help="Open or build another")  # fmt: skip


def title_of(landscape: Landscape) -> str:
    """Return a landscape's name as people know it: its pool's files, or its folder."""
    if landscape.run == paths.SAMPLE / "landscape":
        return "The sample pool"
    inputs = landscape.manifest.get("inputs") or []
    files = [str(entry["name"]) for entry in inputs]
    if not files:
        return landscape.run.name if landscape.run else "landscape"
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
