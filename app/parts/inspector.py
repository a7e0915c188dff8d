"""The inspector: the records of a place, page by page, and the full text of one of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

import numpy as np
import streamlit as st

import cache
import hand
import session
from ila_core.landscape.facets import Categories, Numbers, facet
from ila_core.landscape.landscape import Landscape
from ila_core.selection.rules import Rule
from ila_core.selection.selection import Selection
from parts.list_order import listed_by, order_button, rows_by, said_by, value_of
from parts.listing import Listing, listing, order_of
from parts.notices import empty
from parts.record_card import record_card
from parts.record_list import Line, Word, record_list
from parts.scope import Scope
from parts.texts import count, counted, first_line
from view import View

PAGE = 25
"""Records of a page: what a reader looks through before moving on."""
MOST_DOWNLOADED = 200_000
"""Records that are sent to a browser at once."""
MOST_NAMED = 20
"""Categories of a rule: more are no longer read as one sentence."""
LIST = "records"


def records_panel(view: View, selection: Selection, found: Scope) -> None:
    """List the records that are looked at a page at a time, chosen ones first, and show one.

    All of the pool where nothing is asked for.
    """
    landscape = selection.landscape
    if landscape.records is None:
        empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    number = listed_by(view, landscape)
    order = still_order(view, selection, found, number)
    if not len(order):
        empty(f"No record in {found.why}", "Choose another place on the map, zoom out, search "
              "for other words, or take a filter away.")  # fmt: skip
        beside(found)
        return
    at = order.place_of(view.record)
    headline(selection, order, found, said_by(view, number) or order_of(found))
    beside(found)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        order_button(view, landscape, number)
        pages(order, at)
    listed = order.part(at // PAGE * PAGE, PAGE)
    row = order.row(at)
    record_list(
        lines(selection, listed, cache.beginnings(landscape, listed), number),
        row,
        label=f"Records in {found.why}" if found.asked else "All records",
        key=LIST,
        look_at=look_at,
    )
    walk(landscape, order, at)
    why = selection.why(row).sentence
    record_card(landscape, row, cache.texts(landscape, np.array([row]))[0], why)
    all_fields(landscape, row)
    whole(view, landscape, order, found)


# -- which records, in which order ----------------------------------------------------------------


def still_order(view: View, selection: Selection, scope: Scope, number: Numbers | None) -> Listing:
    """Return the listed rows, whose order stands still while records are pinned and excluded.

    Who goes through a list with the keys meets every record of it once.
    """
    rows = scope.rows if scope.ranked is None else scope.ranked
    by = (number.name, view.way, view.spec.depth) if number else view.spec
    content = (view.landscape, by, scope.asked, scope.nearest, len(rows), zlib.crc32(rows))
    noted = session.recall("listed")
    if noted is None or noted[0] != content:
        noted = (content, listing(selection, scope, rows_by(view, number)))
        session.remember("listed", noted)
    return noted[1]


def look_at(row: int) -> None:
    """Callback: show this record."""
    session.change(record=row)


# -- what is drawn --------------------------------------------------------------------------------


def headline(selection: Selection, order: Listing, scope: Scope, said: str) -> None:
    """Say which records there are, how many, how many of them are kept, and in what order."""
    kept = int(selection.mask[order.rows].sum()) if scope.asked else len(selection)
    all_of = "All " * (not scope.asked and len(order) > 2)
    st.subheader(f"{all_of}{counted(len(order), 'record')}, {count(kept)} kept", anchor=False)
    if scope.asked:
        said = f"{scope.why}: {said}"
    elif said == order_of(scope):
        said = "click the map to read its records place by place"
    st.caption(f"{said[:1].upper()}{said[1:]}.")


def beside(scope: Scope) -> None:
    """Tell of what fits beside the place that was chosen, with the ways to it and to the place."""
    if not scope.elsewhere:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{count(scope.elsewhere)} more beside this place.", width="stretch")
        st.button("Look everywhere", on_click=session.change, kwargs={"region": None},
                  type="tertiary", key="look everywhere")  # fmt: skip
        st.button("All of the place", on_click=session.change, type="tertiary",
                  kwargs={"q": "", "like": None, "filters": (), "kept": ""},
                  key="all of the place")  # fmt: skip


def pages(order: Listing, at: int) -> None:
    """Say which page is shown, and offer the one before and the one after."""
    last = (len(order) - 1) // PAGE
    if not last:
        return
    page = at // PAGE
    first, end = page * PAGE + 1, min((page + 1) * PAGE, len(order))
    st.caption(f"{count(first)} to {count(end)}", width="stretch")
    for label, icon, other, there in (
        ("Page before", ":material/chevron_left:", page - 1, page > 0),
        ("Next page", ":material/chevron_right:", page + 1, page < last),
    ):
        row = order.row(other * PAGE) if there else 0
        st.button(label, icon=icon, disabled=not there, type="tertiary", on_click=look_at,
                  args=(row,))  # fmt: skip


def lines(
    selection: Selection, rows: np.ndarray, begun: list[str], number: Numbers | None
) -> list[Line]:
    """Return what the list says of records, which begin as told; the number they are listed by."""
    landscape, mine = selection.landscape, session.mine()
    pinned, excluded = set(mine.pinned), set(mine.excluded)
    round_of = {}
    if selection.cut is not None:
        inside = np.flatnonzero(np.isin(selection.rows, rows))
        round_of = dict(zip(selection.rows[inside].tolist(), selection.round[inside].tolist(),
                            strict=True))  # fmt: skip
    found = []
    for row, text in zip(rows.tolist(), begun, strict=True):
        depth = float(landscape.relative_depth[row])
        word: Word = "pinned" if row in pinned else "excluded" if row in excluded else ""
        tokens = int(np.nan_to_num(landscape.tokens[row]))
        note = f"round {round_of[row]}" if row in round_of and not word else ""
        if number is not None and number.name != "tokens":
            note = value_of(number, row)
        found.append(
            Line(
                row,
                first_line(text) or "(no instruction)",
                bool(selection.mask[row]),
                None if np.isnan(depth) else round(depth, 4),
                counted(tokens, "token") if landscape.total_tokens else "",
                note,
                word,
            )
        )
    return found


def walk(landscape: Landscape, order: Listing, at: int) -> None:
    """Offer the record before and the one after, and what a hand can say, by button and key."""
    row = order.row(at)
    mine, steps = session.mine(), hand.now().steps
    with st.container(horizontal=True, gap="small"):
        for label, key, by in (("Previous", "K", -1), ("Next", "J", 1)):
            st.button(label, shortcut=key, disabled=not 0 <= at + by < len(order), on_click=step,
                      args=(order, row, by))  # fmt: skip
        if landscape.vectors is not None:
            st.button("Similar", icon=":material/hub:", on_click=look_for_like, args=(row,),
                      type="tertiary",
                      help="The records nearest to this one, anywhere on the map")  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        pinned, excluded = row in mine.pinned, row in mine.excluded
        st.button(
            "Unpin" if pinned else "Pin", icon=":material/keep:", shortcut="P",
            on_click=say, args=(hand.release if pinned else hand.pin, order, row),
            help="Keep it whatever the rule says",
        )  # fmt: skip
        st.button(
            "Allow" if excluded else "Exclude", icon=":material/block:", shortcut="X",
            on_click=say, args=(hand.release if excluded else hand.exclude, order, row),
            help="Let it be chosen again" if excluded else "Never choose this record",
        )  # fmt: skip
        st.button(
            "Undo", icon=":material/undo:", shortcut="U", disabled=not steps, on_click=hand.undo,
            help=f"Take back: {steps[-1].did}" if steps else "Nothing to take back",
        )  # fmt: skip


def all_fields(landscape: Landscape, row: int) -> None:
    """Show the record with all the fields of its own, once it is asked for."""
    box = st.expander("All its fields", icon=":material/data_object:", key="all_fields",
                      on_change="rerun")  # fmt: skip
    if box.open:
        record = json.loads(originals(landscape, np.array([row])))
        text = json.dumps(record, indent=2, ensure_ascii=False)
        box.code(text, language=None, wrap_lines=True)


def step(order: Listing, drawn: int, by: int) -> None:
    """Callback: show the record so many lines on from the one that is open."""
    to = order.place_of(open_in(order, drawn)) + by
    if 0 <= to < len(order):
        look_at(order.row(to))


def say(word: Callable[[list[int]], None], order: Listing, drawn: int) -> None:
    """Callback: a hand's word on the record that is open, which stays the one that is read."""
    row = open_in(order, drawn)
    look_at(row)
    word([row])


def open_in(order: Listing, drawn: int) -> int:
    """Return the record of a list that is open: keys come faster than pages are drawn.

    Who steps on and presses a key at once means the record of the step, not the one on the page.
    """
    asked = session.view().record
    return drawn if asked is None or order.row(order.place_of(asked)) != asked else asked


def look_for_like(row: int) -> None:
    """Callback: look at the records that are most like one, wherever they lie."""
    session.change(like=row, q="", region=None, record=row)


def whole(view: View, landscape: Landscape, order: Listing, scope: Scope) -> None:
    """Offer to keep or drop all that are listed, and to download them."""
    n = len(order)
    with st.container(horizontal=True, gap="small"):
        if scope.asked:
            with st.popover("All of them", icon=":material/select_all:"):
                st.caption(f"A word on {counted(n, 'record')} at once; Undo takes it back.")
                st.button(f"Keep all {count(n)}", on_click=hand.pin, args=(order.rows,),
                          key="keep_region")  # fmt: skip
                st.button(f"Drop all {count(n)}", on_click=drop, args=(view, landscape, order.rows),
                          key="drop_region")  # fmt: skip
                st.button("Free them", on_click=hand.release, args=(order.rows,), key="free_region",
                          help="Take back every word on them")  # fmt: skip
        most = min(n, MOST_DOWNLOADED)
        st.download_button(
            f"Download {count(most)}",
            lambda: originals(landscape, order.part(0, most)),
            file_name="records.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            on_click="ignore",
            help="The original records, in the order of the list, one a line"
            + ("" if most == n else f"; the first {count(most)} of {count(n)}"),
        )


def drop(view: View, landscape: Landscape, rows: np.ndarray) -> None:
    """Callback: choose none of these. What one filter alone means is dropped by a rule."""
    narrowed = view.kept or view.q or view.like is not None or view.region is not None
    rule = None if narrowed or len(view.filters) != 1 else others(landscape, view.filters[0])
    if rule is None:
        hand.exclude(rows)
    else:
        hand.choose_only(rule)


def others(landscape: Landscape, text: str) -> str | None:
    """Return the rule of the records that a rule does not mean, None where none says so."""
    rule = Rule.parse(text)
    sorted_by = facet(landscape, rule.name)
    if not isinstance(sorted_by, Categories) or sorted_by.row is not None:
        return None  # what is outside a range, or of several kinds, is no rule
    left = [name for name in sorted_by.names if name not in rule.values]
    return str(Rule(rule.name, tuple(left))) if 0 < len(left) <= MOST_NAMED else None


def originals(landscape: Landscape, rows: np.ndarray) -> bytes:
    """Return the original records of rows as JSON lines, in their order."""
    assert landscape.records is not None
    taken = landscape.records.take_originals(rows)
    return b"".join(f"{text}\n".encode() for text in taken)
