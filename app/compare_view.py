"""The Compare screen: several methods at one budget, and what only one of two keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import cache
import figures
import inspector
import knobs
import state
import tables
import widgets
from cache import Match
from cells import Cells
from ila_core import methods
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.methods import RANDOM_SEEDS, Comparison, Row
from ila_core.progress import duration
from ila_core.selection.selection import Budget, Selection
from widgets import count, plain, share

PATIENT = 5_000
"""From this many records on a slow method waits for a word, as it takes minutes."""
SMALL_SIDE = 48
"""Cells a side of the small maps."""
SECONDS_A_THOUSAND = 0.8
"""NovelSum of one selection, for a thousand records chosen; measured on two cores."""
MOST_LISTED = 100
LONG_TEXT = 1_200
"""Characters from which on a record's text scrolls in a box of its own."""
KINDS = {"share": "Share of patches", "records": "Records"}
"""What the maps may show of a selection."""
DIFFERENCE = "difference"


def page() -> None:
    opened = widgets.opened()
    if opened is None:
        return
    view, landscape = opened
    with st.sidebar:
        knobs.budget_knobs(view, landscape)
        names = choose_methods(view, landscape)
        novelty, stability = choose_extras(state.view(), landscape, names)
    view = state.view()
    st.header("Methods side by side", anchor=False)
    try:
        size = Budget.parse(view.budget).records(landscape)
    except IlaError as error:
        widgets.trouble(error)
        st.button("Back to 10 per cent", on_click=state.change, kwargs={"budget": "10%"})
        return
    st.markdown(
        f"{plain(widgets.title_of(landscape))}: {len(names)} way{'s' * (len(names) != 1)} to keep "
        f"{'about ' if view.budget.endswith('tokens') else ''}{count(size)} of "
        f"{count(len(landscape))} records, each with its automatic settings."
    )
    if state.locks():
        st.caption("What you pinned or excluded on the map has no part in this comparison.")
    matches = [Match(name, view.budget, view.seed, novelty, stability) for name in names]
    comparison = measure(landscape, matches)
    explain(comparison)
    rows = comparison.rows
    waiting(landscape, matches, rows)
    ways_out(landscape, comparison, view)
    by_grid(comparison)
    done = {row.name: row for row in comparison.done}
    frame = cache.frame(landscape, _selection(done["random"]), SMALL_SIDE, None)
    maps(view, cache.drawn(landscape, frame), comparison)
    pair(view, landscape, comparison)


# -- what is compared -----------------------------------------------------------------------------


def choose_methods(view: state.View, landscape: Landscape) -> list[str]:
    """Draw the methods to choose from, and return those chosen in the order of the table."""
    known = methods.methods()
    missing = {name: methods.lacking(about.needs, landscape) for name, about in known.items()}
    able = [name for name in known if missing[name] is None]
    wanted = view.methods or methods.fast_names()
    chosen = [name for name in known if name in wanted or name == "random"]
    quick = [name for name in able if is_quick(name) and name != "random"]
    slow = [name for name in able if not is_quick(name)]
    for key, label, options, help in (
        ("quick", "Methods beside random", quick, "Seconds at most, also on a large pool."),
        ("slow", "Slower methods", slow, "They compare records with each other: seconds on a small "
         "pool, minutes on a large one."),
    ):  # fmt: skip
        st.pills(
            label,
            options,
            selection_mode="multi",
            key=state.knob(key, [name for name in options if name in chosen]),
            on_change=set_methods,
            args=(key, tuple(chosen), tuple(options)),
            help=help,
        )
    if unable := {name: lack for name, lack in missing.items() if lack is not None}:
        told = "; ".join(f"**{name}** needs {plain(lack.what)}" for name, lack in unable.items())
        remedies = dict.fromkeys(plain(lack.remedy) for lack in unable.values())
        st.caption(f"Cannot run on this landscape: {told}. To have it, {' or '.join(remedies)}.")
    return [name for name in chosen if missing[name] is None]


def is_quick(name: str) -> bool:
    """Whether a method takes seconds at most on a large pool: it compares no vectors."""
    about = methods.find(name)
    return about.fast or (bool(about.needs) and "vectors" not in about.needs)


def set_methods(key: str, before: tuple[str, ...], options: tuple[str, ...]) -> None:
    """Callback: one row of pills was changed; the other methods stay as they were."""
    now = {*state.turned(key), *(name for name in before if name not in options)}
    names = tuple(name for name in methods.names() if name in now)
    state.change(methods=() if list(names) == methods.fast_names() else names)


def choose_extras(
    view: state.View, landscape: Landscape, names: Sequence[str]
) -> tuple[bool, bool]:
    """Offer the numbers that cost time, and say how much."""
    st.markdown("**More numbers, at a cost**")
    extras = {
        "novelty": ("NovelSum", novelty_cost(view, landscape, len(names))),
        "stability": ("Stability", stability_cost(landscape)),
    }
    found = []
    for name, (label, cost) in extras.items():
        st.toggle(
            label,
            key=state.knob(name, bool(state.recall(name, False))),
            on_change=lambda name=name: state.remember(name, state.turned(name)),
            disabled=landscape.vectors is None,
        )
        st.caption(cost)
        found.append(landscape.vectors is not None and bool(state.recall(name, False)))
    return found[0], found[1]


def novelty_cost(view: state.View, landscape: Landscape, among: int) -> str:
    """Say what NovelSum is and what it costs: it sorts the distances between the chosen records."""
    if landscape.vectors is None:
        return "This landscape has no embeddings to measure it with."
    try:
        size = Budget.parse(view.budget).records(landscape)
    except IlaError:
        return ""
    seconds = SECONDS_A_THOUSAND * size / 1000 * (among + RANDOM_SEEDS - 1)
    return f"Diversity of what is chosen. About {duration(max(seconds, 1))} for these methods."


def stability_cost(landscape: Landscape) -> str:
    """Say what the stability is and what it costs: two more projections."""
    if landscape.vectors is None:
        return "This landscape has no embeddings to make other maps of."
    took = landscape.manifest.get("stages", {}).get("projection", {}).get("seconds")
    cost = f", about {duration(2 * took)} once" if took else ""
    return f"What survives a shifted grid and two other maps of the pool, made first{cost}."


# -- measuring ------------------------------------------------------------------------------------


def measure(landscape: Landscape, matches: Sequence[Match]) -> Comparison:
    """Measure one method after another, telling each, and draw the table as it fills.

    A slow method may have to wait for a word.
    """
    rows: list[Row] = []
    asked = state.recall("slow_asked", set())
    bar, slot = st.empty(), st.empty()
    extras = matches[0].novelty, matches[0].stability
    for number, match in enumerate(matches):
        ready = cache.ready(landscape, match)
        patient = is_quick(match.method) or len(landscape) < PATIENT or match.plain in asked
        if not (ready or patient or cache.ready(landscape, match.plain)):
            continue
        if not ready:
            bar.progress(number / len(matches), text=telling(match, number + 1, len(matches)))
        rows.append(cache.measured(landscape, match))
        if not ready:
            number_table(slot, Comparison(match.budget, tuple(rows)), *extras)
    bar.empty()
    comparison = Comparison(matches[0].budget, tuple(rows))
    number_table(slot, comparison, *extras)
    return comparison


def telling(match: Match, number: int, total: int) -> str:
    """Return what is being measured."""
    parts = [f"{match.method}, {number} of {total} methods"]
    if match.method == "random":
        parts.append("five draws")
    if match.novelty:
        parts.append("with NovelSum")
    if match.stability:
        parts.append("with the stability, for which two maps are made first")
    return ", ".join(parts)


def waiting(landscape: Landscape, matches: Sequence[Match], rows: Sequence[Row]) -> None:
    """Offer to run the slow methods that were chosen and have not run."""
    there = {row.name for row in rows}
    left = [match for match in matches if match.method not in there]
    if not left:
        return
    names = ", ".join(match.method for match in left)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/hourglass_empty: {names}: up to some minutes each on "
            f"{count(len(landscape))} records. The page waits for them.",
            width="stretch",
        )
        st.button("Run them" if len(left) > 1 else "Run it", key="run_slow", type="primary",
                  on_click=run_slow, args=(left,))  # fmt: skip


def run_slow(matches: Sequence[Match]) -> None:
    """Callback: these may run."""
    asked = {match.plain for match in matches}
    state.remember("slow_asked", state.recall("slow_asked", set()) | asked)


def _selection(row: Row) -> Selection:
    assert row.selection is not None
    return row.selection


# -- the table ------------------------------------------------------------------------------------


def number_table(
    slot: DeltaGenerator, comparison: Comparison, novelty: bool, stability: bool
) -> None:
    """Draw the numbers, each beside random's; sorting is by the numbers themselves."""
    columns = [number for number in tables.NUMBERS if novelty or number.key != "novelsum"]
    survivals = list(tables.SURVIVALS) if stability else []
    frame = tables.table_frame(comparison, columns, survivals)
    slot.dataframe(
        tables.beside_random(frame, comparison, columns, survivals, state.theme()),
        hide_index=True,
        height="content",
        column_config={
            "Method": st.column_config.TextColumn(pinned=True, width=122),
            "Records": st.column_config.NumberColumn(width=66),
            "Filled up": st.column_config.NumberColumn(
                width=66, help="Picks of a method that ran dry, filled up with the deepest of "
                "the rest."),
            "Seconds": st.column_config.NumberColumn(width=66, help="To select, not to describe."),
            **{number.title: st.column_config.NumberColumn(width=116, help=number.help)
               for number in columns},
            **{tables.SURVIVALS[name][0]: st.column_config.NumberColumn(width=92,
                                                                 help=tables.SURVIVALS[name][1])
               for name in survivals},
        },
        alt="Numbers of every method, with the difference to random",
    )  # fmt: skip


def explain(comparison: Comparison) -> None:
    """Say how the table is read, and which methods did not run and why."""
    st.caption(
        "Behind each number its difference to random: :blue[**bold**] is better and "
        ":orange[coloured] worse by more than twice the spread of random's five seeds, grey is "
        "within it. Coverage and fidelity are measured on "
        f"{comparison.reference_grid} × {comparison.reference_grid} patches that no method selects "
        "with."
    )
    for row in comparison.rows:
        if row.selection is None:
            st.caption(f":material/block: **{row.name}** did not run: {plain(row.error)}")


def ways_out(landscape: Landscape, comparison: Comparison, view: state.View) -> None:
    """Offer the table and the comparison as files, and the command line that repeats it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Table, CSV", lambda: tables.csv_of(comparison), "comparison.csv",
                           "text/csv", icon=":material/download:", on_click="ignore")  # fmt: skip
        st.download_button("Comparison, JSON",
                           lambda: json.dumps(comparison.as_dict(), indent=1) + "\n",
                           "comparison.json", "application/json", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
        with st.container(width="stretch"):
            st.code(comparison.command(landscape.run or "RUN", seed=view.seed), language="bash")


def by_grid(comparison: Comparison) -> None:
    """Show coverage and fidelity on the other reference grids."""
    with st.expander("On coarser and finer reference grids", icon=":material/grid_4x4:"):
        kinds = {"coverage": "Coverage", "fidelity": "Fidelity"}
        kind = st.segmented_control(
            "Number",
            list(kinds),
            format_func=kinds.get,
            key=state.knob("grid_kind", state.recall("grid_kind", "coverage")),
            on_change=lambda: state.remember("grid_kind", state.turned("grid_kind")),
            label_visibility="collapsed",
            required=True,
        )
        frame = tables.grid_frame(comparison, str(kind)).set_index("Method") * 100
        st.dataframe(
            frame.reset_index(),
            hide_index=True,
            height="content",
            column_config={
                title: st.column_config.NumberColumn(format="%.1f%%", width=110)
                for title in frame.columns
            },
            alt=f"{kind} of every method on five reference grids",
        )
        st.caption("A coarse grid asks whether every region is there, a fine one whether every "
                   "neighbourhood is. Random: the mean of five seeds.")  # fmt: skip


# -- maps -----------------------------------------------------------------------------------------


def maps(view: state.View, cells: Cells, comparison: Comparison) -> None:
    """Draw where each method keeps, one small map beside the other on one scale."""
    title, switch = st.columns([2, 1], vertical_alignment="bottom")
    title.subheader("Where each of them keeps", anchor=False)
    with switch.container(horizontal_alignment="right"):
        what = kind_switch("map_kind", "share")
    kept = [
        (
            f"{row.name}  {share(tables.number_of(row, 'coverage'))}",
            cache.shares(cells, row, _match(row)),
        )
        for row in comparison.done
    ]
    st.plotly_chart(
        figures.small_maps(cells, kept, what=what, theme=state.theme()),
        key="small_maps",
        theme=None,
        config=figures.CONFIG,
        alt=f"Small maps of {len(kept)} methods on one scale: {KINDS[what].lower()} kept",
    )
    st.caption("Behind each name its coverage. A method without a grid of its own is shown on the "
               "automatic grid of the budget.")  # fmt: skip


def kind_switch(name: str, start: str) -> str:
    """Draw the choice of what a map shows, and return it."""
    st.segmented_control(
        "Shown",
        list(KINDS),
        format_func=KINDS.get,
        key=state.knob(name, state.recall(name, start)),
        on_change=lambda: state.remember(name, state.turned(name)),
        label_visibility="collapsed",
        required=True,
    )
    return str(state.recall(name, start))


def _match(row: Row) -> Match:
    rule = _selection(row).rule
    return Match(row.name, rule.budget, rule.seed)


# -- two of them ----------------------------------------------------------------------------------


def pair(view: state.View, landscape: Landscape, comparison: Comparison) -> None:
    """Draw what the methods share, and what only one of two keeps."""
    names = [row.name for row in comparison.done]
    st.subheader("What only one of two keeps", anchor=False)
    if len(names) < 2:
        widgets.empty("One method alone", "Choose another beside random to set the two against "
                      "each other.")  # fmt: skip
        return
    first, second = two_of(view, names)
    left, right = st.columns([1, 1.3], gap="large")
    with left:
        choose_pair(first, second, names)
        a, b = (_selection(comparison[name]) for name in (first, second))
        only_a, only_b = only(a, b), only(b, a)
        st.markdown(
            f"**{count(len(only_a))}** only {first} · **{count(len(a.rows) - len(only_a))}** both "
            f"· **{count(len(only_b))}** only {second}"
        )
        if st.button(f"Open {first} on the map", icon=":material/map:", type="tertiary"):
            state.change(method=first, resolution="auto", depth_target=1.0)
            st.switch_page("map_view.py")
        st.plotly_chart(
            figures.overlap(comparison.overlap, state.theme()),
            key="overlap",
            theme=None,
            config=figures.CONFIG,
            alt="Overlap of the methods, in per cent of the row's records",
        )
        st.caption(
            "Per cent of the row's records that the column keeps too. Two blind draws share "
            f"{share(len(a.rows) / max(len(landscape), 1), 0)}."
        )
    with right:
        cells, content = difference(view, landscape, comparison, first, second)
    picked = state.picked_for(content, DIFFERENCE)
    if picked:
        inside = cells.rows_of(picked)
        only_a, only_b = (rows[np.isin(rows, inside)] for rows in (only_a, only_b))
    lists(landscape, (first, second), (a, b), (only_a, only_b), len(picked))


def two_of(view: state.View, names: Sequence[str]) -> tuple[str, str]:
    """Return the two methods that are set against each other: the link's, else ILA and random."""
    if len(view.pair) == 2 and set(view.pair) <= set(names) and view.pair[0] != view.pair[1]:
        return view.pair[0], view.pair[1]
    first = next((name for name in ("ila", "nested") if name in names), names[-1])
    second = "random" if first != "random" else names[1]
    return first, second


def choose_pair(first: str, second: str, names: Sequence[str]) -> None:
    one, swap, other = st.columns([1, 0.5, 1], vertical_alignment="bottom", gap="small")
    for slot, key, label, name in ((one, "first", "A", first), (other, "second", "B", second)):
        slot.selectbox(
            label,
            names,
            key=state.knob(key, name),
            on_change=set_pair,
            args=(first, second),
        )
    swap.button(
        "Swap",
        key="swap",
        on_click=state.change,
        kwargs={"pair": (second, first)},
        width="stretch",
    )


def set_pair(first: str, second: str) -> None:
    """Callback: A or B was changed; choosing the other's method swaps the two."""
    one, other = state.turned("first"), state.turned("second")
    if one == other:
        one, other = second, first
    state.change(pair=(one, other))


def only(one: Selection, other: Selection) -> np.ndarray:
    """Return the rows that the first selection keeps and the other leaves, in pick order."""
    return one.rows[~other.mask[one.rows]]


def difference(
    view: state.View, landscape: Landscape, comparison: Comparison, first: str, second: str
) -> tuple[Cells, object]:
    """Draw where one keeps more than the other; return its cells, and what it shows."""
    theme = state.theme()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Where {first} keeps more, and where {second}", width="stretch")
        what = kind_switch("difference_kind", "records")
    content = (view.landscape, view.budget, view.seed, first, second, theme, what)
    frame = cache.frame(landscape, _selection(comparison["random"]), view.cells, None)
    cells = cache.drawn(landscape, frame)
    rows = [comparison[name] for name in (first, second)]
    kept = [cache.shares(cells, row, _match(row)) for row in rows]
    st.plotly_chart(
        figures.difference_map(
            cells, kept[0], kept[1], names=(first, second), what=what, theme=theme,
            places=cache.names(landscape, cells), height=520,
        ),
        key=DIFFERENCE,
        on_select=partial(state.pick_for, content, DIFFERENCE),
        theme=None,
        config=figures.CONFIG,
        alt=f"Map of the difference: where {first} keeps more than {second}, and less. The lists "
        "below hold the records.",
    )  # fmt: skip
    return cells, content


def lists(
    landscape: Landscape,
    names: tuple[str, str],
    selections: tuple[Selection, Selection],
    rows: tuple[np.ndarray, np.ndarray],
    cells: int,
) -> None:
    """List what only A and what only B keeps; the record that is looked at stands below."""
    if landscape.records is None:
        widgets.empty("No texts", "This landscape was made from arrays; it holds no records.")
        return
    where = f" in {cells} chosen cell{'s' * (cells != 1)}" if cells else ""
    for slot, name, only_rows in zip(st.columns(2, gap="medium"), names, rows, strict=True):
        with slot:
            st.markdown(f"**Only {name}{where}: {count(len(only_rows))}**")
            record_list(landscape, name, only_rows)
    if not cells:
        st.caption("In the order of the picks. Click a cell of the map to list that place alone; "
                   "a double click there lists all again.")  # fmt: skip
    shown = [row for part in rows for row in part[:MOST_LISTED].tolist()]
    if shown:
        seen = state.recall("compared_record")
        card(landscape, names, selections, seen if seen in shown else shown[0])


def record_list(landscape: Landscape, name: str, rows: np.ndarray) -> None:
    """List records, one a line; a selected line opens below."""
    if not len(rows):
        st.caption("None.")
        return
    listed = rows[:MOST_LISTED]
    taken = cache.texts(landscape, listed)
    frame = pd.DataFrame(
        {
            "Depth": 100 * landscape.relative_depth[listed],
            "Tokens": landscape.tokens[listed],
            "Instruction": [widgets.first_line(record.instruction) for record in taken],
        }
    )
    key = f"only_{name}_{hash(tuple(listed.tolist())) & 0xFFFFFFFF:x}"
    st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * len(frame), 330),
        on_select=partial(look_at, key, tuple(listed.tolist())),
        selection_mode="single-row",
        key=key,
        column_config={
            "Instruction": st.column_config.TextColumn(width=320),
            "Depth": st.column_config.NumberColumn(
                format="%.1f%%", width=66,
                help="Relative depth: rank of the depth within its domain",
            ),
            "Tokens": st.column_config.NumberColumn(format="%d", width=66,
                                                    help="response tokens"),
        },
        alt=f"Records that only {name} keeps",
    )  # fmt: skip
    if len(rows) > len(listed):
        st.caption(f"The first {count(len(listed))} of {count(len(rows))}.")


def look_at(key: str, rows: tuple[int, ...]) -> None:
    """Callback: remember the record of the selected line."""
    lines = state.chart_event(key).get("selection", {}).get("rows", [])
    if lines and lines[0] < len(rows):
        state.remember("compared_record", rows[lines[0]])


def card(
    landscape: Landscape,
    names: tuple[str, str],
    selections: tuple[Selection, Selection],
    row: int,
) -> None:
    """Show one record: what each of the two says to it, its numbers, its text."""
    record = cache.texts(landscape, np.array([row]))[0]
    with st.container(border=True, key="record"):
        for name, selection in zip(names, selections, strict=True):
            st.markdown(f"**{name}** · {plain(selection.why(row).sentence)}")
        st.caption(plain(inspector.facts(landscape, row, record)))
        long = sum(len(turn.text) for turn in record.turns) > LONG_TEXT
        with st.container(height=380 if long else "content", border=False):
            widgets.record_text(record)


page()
