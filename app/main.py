"""The page: its look, its screens, and which one opens first."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import state
import widgets

HERE = Path(__file__).parent

st.set_page_config(
    page_title="ILA · instruction landscape",
    page_icon=str(HERE / "mark.svg"),  # an icon by name would be fetched from the network
    layout="wide",
    initial_sidebar_state=320,
)
st.html(widgets.STYLE)
st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "logo.svg"))

given = state.opened_with()
pool_given = given is not None and not state.is_run(given) and "landscape" not in st.query_params
screens = [
    st.Page("data_view.py", title="Data", icon=":material/database:", default=pool_given),
    st.Page("map_view.py", title="Map", icon=":material/map:", default=not pool_given),
    st.Page("compare_view.py", title="Compare", icon=":material/compare:"),
    st.Page("study_view.py", title="Study", icon=":material/science:"),
    st.Page("export_view.py", title="Export", icon=":material/download:"),
]
screen = st.navigation(screens, position="top")
state.arrive(screen.title)
screen.run()
state.write_url()
