"""One's own selection: what is settled, told and taken back; its rules and quotas; its name."""

from __future__ import annotations

import streamlit as st

import hand
import session
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.selection.quota import Quota
from ila_core.selection.rules import Rule
from ila_core.selection.selection import Selection
from parts.filters import in_words
from parts.notices import trouble
from parts.rule_form import rule_form
from parts.texts import count, counted, plain


def panel(landscape: Landscape, selection: Selection | None) -> None:
    """Draw one's own selection for the side of a screen: all that can be done to it."""
    line()
    rules = st.expander("Quotas and filters", icon=":material/rule:", key="rules_panel",
                        on_change="rerun")  # fmt: skip
    if rules.open:  # what a rule can go by is read from the whole pool
        with rules:
            settled(selection)
            rule_form(landscape)
    named(landscape)


def line() -> None:
    """Say what is settled, and offer to take the last thing back: for every screen."""
    now = hand.now()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.markdown(f"**{plain(title())}**  \n:small[{plain(now.mine.summary)}]", width="stretch")
        last = now.steps[-1].did if now.steps else ""
        st.button("Undo", icon=":material/undo:", key="undo_mine", on_click=hand.undo,
                  disabled=not now.steps, type="tertiary",
                  help=f"Take back: {plain(last)}" if last else "Nothing to take back")  # fmt: skip
    if wrong := session.recall("mine trouble"):
        trouble(IlaError(wrong))


def cut_short(selection: Selection) -> None:
    """Say where quotas let fewer records be chosen than the budget holds."""
    wished = selection.unbound
    if wished is not None and len(selection) < len(wished):
        quotas = "Your quota lets" if len(selection.spec.quotas) == 1 else "Your quotas let"
        st.caption(f":material/rule: {quotas} {count(len(selection))} be chosen where the budget "
                   f"holds {count(len(wished))}: loosen or take one away to fill it.")  # fmt: skip


def title() -> str:
    """Return what one's own selection is called."""
    now = hand.now()
    if not now.mine.name:
        return "My selection"
    return now.saved_as or f"{now.mine.name}, changed"


def settled(selection: Selection | None) -> None:
    """List the rules and the quotas, each with a way to take it away."""
    mine = session.mine()
    tallies = {} if selection is None else {tally.quota: tally for tally in selection.tallies}
    for rule in mine.only:
        entry(f"Only {in_words(Rule.parse(rule))}", rule, {"rule": rule})
    for quota in mine.quotas:
        tally = tallies.get(quota)
        told = ""
        if tally is not None:
            ends = f"{count(tally.least)} to {count(tally.most)}"
            told = f"; {counted(tally.picks, 'pick')}, {ends} asked for"
        asked = Quota.parse(quota)
        words = f"{in_words(asked.rule)}: {asked.least or 0} to {asked.most or 'all'}"
        entry(words, f"{quota}{told}", {"quota": quota})
    if not (mine.only or mine.quotas):
        st.caption("Choose only among some records, or ask for a least and a most of some kind.")


def entry(text: str, note: str, which: dict[str, str]) -> None:
    """Draw one rule or quota, and the button that takes it away."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        below = f"  \n:small[:gray[{plain(note)}]]" if note else ""
        st.markdown(f"{plain(text)}{below}", width="stretch")
        st.button("", icon=":material/close:", key=f"drop_{next(iter(which.values()))}",
                  type="tertiary",
                  on_click=hand.drop, kwargs=which, help=f"Take away: {plain(text)}")  # fmt: skip


# -- under a name ---------------------------------------------------------------------------------


def named(landscape: Landscape) -> None:
    """Offer to save one's own selection under a name, and to open or delete those saved."""
    with st.popover("Save or open", icon=":material/bookmark:", width="stretch", key="named"):
        naming()
        names = hand.now().shelf.names()
        if not names:
            st.caption("Saved ones are listed here, for everybody who opens this landscape.")
        for name in names:
            saved_entry(landscape, name)
        if not session.mine().empty:
            st.button("Take everything back", icon=":material/restart_alt:", type="tertiary",
                      on_click=hand.clear)  # fmt: skip


def naming() -> None:
    """Ask for a name; one that is taken asks whether to take its place."""
    st.text_input("Name", key="mine_name", placeholder="my best", max_chars=60)
    st.button("Save", key="save_mine", on_click=save, disabled=session.mine().empty,
              help="Pins, exclusions, filters and quotas; ila select --mine NAME "
              "takes them")  # fmt: skip
    note = session.recall("naming")
    if note is None:
        return
    name, sentence = note
    st.caption(plain(sentence))
    if name in hand.now().shelf.names():
        st.button(f"Replace {plain(name)}", key="replace_mine", on_click=save, args=(name,))


def save(over: str = "") -> None:
    """Callback: save under the name that was written, or over the one that is named."""
    name = over or str(session.widget("mine_name"))
    session.remember("naming", None)
    try:
        hand.save(name, over=bool(over))
    except IlaError as error:
        taken = name.strip() in hand.now().shelf.names()
        why = f"There is one named {name.strip()} already: replace it, or choose another name."
        session.remember("naming", (name.strip(), why if taken else str(error)))


def saved_entry(landscape: Landscape, name: str) -> None:
    """Draw one saved selection: what it holds, and the ways to open and to delete it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        try:
            told = hand.now().shelf.read(name, landscape).summary
        except IlaError as error:
            told = str(error)
        st.markdown(f"**{plain(name)}**  \n:small[:gray[{plain(told)}]]", width="stretch")
        st.button("Open", key=f"open_mine_{name}", on_click=opened, args=(name, landscape))
        st.button("", icon=":material/delete:", key=f"delete_mine_{name}", type="tertiary",
                  on_click=deleted, args=(name,),
                  help=f"Delete {plain(name)} for good")  # fmt: skip


def opened(name: str, landscape: Landscape) -> None:
    """Callback: open the selection of a name."""
    try:
        hand.open_named(name, landscape)
    except IlaError as error:
        session.remember("mine trouble", str(error))


def deleted(name: str) -> None:
    """Callback: delete the selection of a name."""
    try:
        hand.delete_named(name)
    except IlaError as error:
        session.remember("mine trouble", str(error))
