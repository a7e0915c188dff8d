"""The page: its look, its screens, and which one opens first."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

import session
from jobs import folders
from outside import door_left_open
from parts.notices import senseless
from parts.opening import landscape_now
from parts.style import AHEAD, style

HERE = Path(__file__).parent
SCREENS = {
    "data": ("Data", ":material/database:"),
    "map": ("Map", ":material/map:"),
    "compare": ("Compare", ":material/compare:"),
    "study": ("Study", ":material/science:"),
    "export": ("Export", ":material/download:"),
}

st.set_page_config(
    page_title="ILA · instruction landscape",
    page_icon=str(HERE / "mark.svg"),  # an icon by name would be fetched from the network
    layout="wide",
    initial_sidebar_state=320,
)
arrives = session.recall("first screen") is None
st.html(style(session.theme()))
if arrives and st.context.headers:  # a browser's, which has to load what the style is drawn by
    time.sleep(AHEAD)
st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "logo.svg"))

if warning := door_left_open():
    st.error(warning)
    st.stop()

if folders.tells_visitors() and not session.visitor():
    st.error(
        "This page keeps what its visitors open apart by a cookie, and this browser sent none; "
        "allow cookies for it and load it again."
    )
    st.stop()

if arrives:  # the same for as long as the page is open: the first one has the address / alone
    given = folders.opened_with()
    of_pool = given is not None and not folders.is_run(given)
    session.remember("first screen", "data" if of_pool else "map")
first = session.recall("first screen")
pages = [
    st.Page(
        f"screens/{name}.py",
        title=title,
        icon=icon,
        url_path=name if name == first else f"{name}_view",  # as links have it that were sent
        default=name == first,
    )
    for name, (title, icon) in SCREENS.items()
]
elsewhere = st.Page(  # the first screen's address where another one is the first
    lambda: None, title=SCREENS[first][0], url_path=f"{first}_view", visibility="hidden"
)
screen = st.navigation([*pages, elsewhere], position="top")
if screen.url_path == elsewhere.url_path:
    st.switch_page(f"screens/{first}.py", query_params=st.query_params.to_dict())
if arrives and "landscape" in st.query_params and screen.title == "Data" and not screen.url_path:
    st.switch_page("screens/map.py", query_params=st.query_params.to_dict())
session.arrive(screen.title)
session.view()  # reads the link
senseless(session.taken("senseless", ()))
landscape_now()  # first: the sidebar is there on every screen, and nothing is moved by it
screen.run()
session.write_url()
