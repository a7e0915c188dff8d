"""The page's memory of one visitor: the only file that spells keys of the session.

The view lives here and is written to the address bar after every run; widgets are set from it
before they are drawn and write back into it when they are used. What a screen keeps for itself is
a note. Widgets that mirror the view or a note are knobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Literal, get_args

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from door import VISITOR, is_token
from draw.layers import Theme
from ila_core.measure.baseline import CHANCE
from ila_core.methods.registry import find
from ila_core.mine.mine import Mine
from ila_core.selection.spec import Spec
from jobs import folders
from view import KNOBS, USUAL, View, from_query, to_query

_VIEW = "view"
EMPTY = View()
OF_LANDSCAPE = ("box", "region", "record", "filters", "kept", "q", "like", "study", "mine")
"""Fields of a view that belong to one landscape: another starts without them."""
_WRITTEN, _TOUCHED = "written", "touched"
"""What was put into the address bar last, and whether a widget has been used since."""

Note = Literal[
    "first screen",  # that opens where the address names none
    "screen",  # that was open last
    "clean",  # which search for records that should not be chosen is shown
    "senseless",  # what made no sense in the link, until it is told
    "picked",  # of a chart of cells: what it shows, and the cells chosen on it
    "told",  # when each part of what the map reports was told last
    "turn",  # of the map: what it showed last, and how often that has changed
    "stale",  # whether the rest of the page is behind the map
    "panel",
    "hand",  # one's own selection of the landscape, as `hand` keeps it
    "mine trouble",  # why one's own selection is not as it should be
    "listed",  # by the inspector, and of what
    "lines opened",  # of its list, how many so far
    "naming",  # a name that is taken
    "rule trouble",  # what is wrong with the rule or quota that was written
    "unsolved",  # why no budget reaches the wished coverage
    "wish",  # which way it is solved: coverage or budget
    "budget trouble",  # why a number that was given is no budget
    "unit",  # a budget's text, and the unit that it is shown in
    "followed picks",  # a slow method's selection, as it stood
    "picks trouble",
    "guide",  # whether the first minute was waved away
    "novelty",
    "stability",
    "slow methods",  # that may run
    "grid kind",
    "difference kind",
    "compared record",
    "study loss",
    "study unit",
    "study variants",
    "study trouble",
    "student",  # of the study that is being put together
    "deleting study",
    "followed study",
    "format",
    "validation",  # per cent of an export that are split off
    "cleaning",  # the folder of the latest search of each kind
    "cleaning trouble",
    "followed cleaning",
    "left out",  # rows that a search left out, by its kind
    "way",  # how a pool is given
    "path",
    "uploaded",  # where it lies, by what it is for
    "uploads",  # how often something was, so that each time has an uploader of its own
    "adding",  # whether further files come to those that were uploaded
    "trouble",
    "deleting",
    "followed build",
    "how to read",  # a pool
    "fields open",  # whether the editor of a pool's fields is
    "instructions only",
    "name",
    "tried",  # estimates of builds whose models were tried
]
"""What a screen may keep; a new one is a new name here."""

_NOTES = frozenset(get_args(Note))


# -- the view -------------------------------------------------------------------------------------


def view() -> View:
    """Return the present view; a new session takes it from its link."""
    if _VIEW not in st.session_state:
        st.session_state[_VIEW] = _of_link()
    return st.session_state[_VIEW]


def _of_link() -> View:
    """Return the view of the address bar; where it names no landscape, of the one given."""
    start, senseless = from_query(st.query_params.to_dict())
    remember("senseless", senseless)
    run = folders.opened_with()
    if "landscape" not in st.query_params and run and folders.is_run(run):
        start = replace(start, landscape=str(run))
    return start


def change(**values: Any) -> None:
    """Set fields of the view or of its spec. Another landscape drops what belonged to the old.

    A resolution counts the patches of one kind: patches of another start at the automatic one.
    """
    before = view()
    knobs = {name: values.pop(name) for name in KNOBS if name in values}
    if knobs.get("patches", before.spec.patches) != before.spec.patches:
        knobs.setdefault("resolution", USUAL.resolution)
    after = replace(before, spec=replace(before.spec, **knobs), **values)
    if after.landscape != before.landscape:
        of_another = {name: values.get(name, getattr(EMPTY, name)) for name in OF_LANDSCAPE}
        after = replace(after, **of_another)
        for note in ("hand", "listed"):
            taken(note)
    st.session_state[_VIEW] = after
    st.session_state[_TOUCHED] = True


def write_url() -> None:
    """Put the view into the address bar, leaving out what is as it starts."""
    wanted = to_query(view())
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state[_WRITTEN] = wanted
    st.session_state[_TOUCHED] = False


def _follow_address(*, moved: bool) -> None:
    """Take the view from the address bar where the visitor changed it: by Back, or by hand.

    A press on a widget may overtake the address that the run before it wrote; it has `touched` the
    view. The way to another screen (`moved`) loses what stands in the address.
    """
    touched, written = st.session_state.get(_TOUCHED), st.session_state.get(_WRITTEN)
    now = st.query_params.to_dict()
    if touched or written is None or now == written or (moved and not now):
        return
    before, after = view(), _of_link()
    change(**{field.name: getattr(after, field.name) for field in fields(View)
              if field.name != "spec"})  # fmt: skip
    st.session_state[_VIEW] = after
    if after != before:
        _forget_knobs()


def theme() -> Theme:
    """Return whether the page is light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def visitor() -> str:
    """Return the token by which the door knows this visitor; "" for none."""
    token = st.context.cookies.get(VISITOR, "")
    return token if is_token(token) else ""


folders.ask_visitor(visitor)


# -- notes ----------------------------------------------------------------------------------------


def recall(note: Note, default: Any = None, *, of: object = "") -> Any:
    """Return what a screen has noted, and of what where it keeps several."""
    return st.session_state.get(_key(note, of), default)


def remember(note: Note, value: Any, *, of: object = "") -> None:
    """Keep a value for a screen."""
    st.session_state[_key(note, of)] = value
    st.session_state[_TOUCHED] = True


def taken(note: Note, default: Any = None) -> Any:
    """Return what a screen has noted, and forget it: what is to be told once."""
    return st.session_state.pop(_key(note, ""), default)


def _key(note: Note, of: object) -> str:
    if note not in _NOTES:
        raise KeyError(f"{note} is no note; add it to session.Note.")
    return f"note_{note}:{of}"


# -- widgets --------------------------------------------------------------------------------------


def knob(name: str, value: Any) -> str:
    """Return the session key of a widget, set to `value`: for widgets that mirror what is kept."""
    key = f"knob_{name}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return key


def arrive(screen: str) -> None:
    """Forget the knobs of the screen that was left; they are set anew from the view.

    A key that two screens share names two widgets: one that still holds its value would not be
    set, and the other screen's widget would start at its least.
    """
    moved = recall("screen") != screen
    _follow_address(moved=moved)
    if moved:
        _forget_knobs()
        remember("screen", screen)
    write_url()  # at once: a screen may take seconds, and the way to it has emptied the address


def _forget_knobs() -> None:
    for key in [key for key in st.session_state if str(key).startswith("knob_")]:
        del st.session_state[key]


def turned(name: str) -> Any:
    """Return what a knob's widget was just set to."""
    return st.session_state[f"knob_{name}"]


def widget(key: str) -> Any:
    """Return the value of a screen's own widget, inside a callback."""
    return st.session_state[key]


def drop_uploads(uploader: str) -> None:
    """Let go of the bytes of what was uploaded, which Streamlit keeps for minutes else.

    `uploader` is the key of the widget, which is not to be drawn again.
    """
    files = st.session_state.pop(uploader)
    run = get_script_run_ctx()
    if run is not None:
        for file in files:
            run.uploaded_file_mgr.remove_file(run.session_id, file.file_id)


def follow(name: str) -> None:
    """Callback: the view's field takes the value of its knob."""
    value = turned(name)
    if value is not None:  # a click on the chosen segment would clear it
        change(**{name: value})


def event_of(key: str) -> Mapping[str, Any]:
    """Return what a chart or a table reported last."""
    return st.session_state.get(key) or {}


# -- what is asked for ----------------------------------------------------------------------------


def mine() -> Mine:
    """Return what the visitor has settled of the landscape that is open."""
    found = recall("hand")
    return Mine() if found is None else found.mine


def spec() -> Spec:
    """Return what the view asks of its landscape, with what the visitor's own selection adds.

    Knobs that the method does not read are at their default. UsageError for an unknown method.
    """
    asked = mine().added_to(view().spec)
    return find(asked.method).applied(asked)


def chance() -> Spec:
    """Return what random is asked for, to be held beside the selection of the view.

    It is measured with the kind of depth that the view's method takes.
    """
    asked = mine().added_to(view().spec)
    return find(CHANCE).applied(replace(asked, depth=spec().depth))
