"""A comparison in numbers: its table, how it is read, and the ways out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import session
from ila_core.landscape.landscape import Landscape
from ila_core.measure.compare import Comparison
from parts import tables
from parts.method_choice import Extra
from parts.notices import sideways
from parts.switch import switch
from parts.texts import plain


def number_table(slot: DeltaGenerator, comparison: Comparison, extras: Sequence[Extra]) -> None:
    """Draw the numbers, each beside random's; sorting is by the numbers themselves."""
    columns = [
        number
        for number in tables.NUMBERS
        if ("novelty" in extras or number.key != "novelsum")
        and any(np.isfinite(tables.number_of(row, number.key)) for row in comparison.done)
    ]  # one that is known of no method, as a depth is of a pool without responses, says nothing
    survivals = list(tables.SURVIVALS) if "stability" in extras else []
    frame = tables.table_frame(comparison, columns, survivals)
    slot.dataframe(
        tables.beside_random(frame, comparison, columns, survivals, session.theme()),
        hide_index=True,
        height="content",
        column_config={
            "Method": st.column_config.TextColumn(pinned=True, width=122),
            "Records": st.column_config.NumberColumn(width=66),
            "Filled up": st.column_config.NumberColumn(
                width=66, help="Picks of a method that ran dry, filled up with the deepest of "
                "the rest."),
            "Seconds": st.column_config.NumberColumn(width=66, help="To select, not to describe."),
            **{number.title: st.column_config.NumberColumn(width=105, help=number.help)
               for number in columns},
            **{tables.SURVIVALS[name][0]: st.column_config.NumberColumn(width=92,
                                                                 help=tables.SURVIVALS[name][1])
               for name in survivals},
        },
        alt="Numbers of every method, with the difference to random",
    )  # fmt: skip


def explain(comparison: Comparison) -> None:
    """Say how the table is read, and which methods did not run and why."""
    sideways()
    st.caption(
        "Behind each number its difference to random: :blue[**bold**] is better and "
        ":orange[coloured] worse by more than twice the spread of random's five seeds, grey is "
        "within it. Coverage, reach and fidelity are measured on "
        f"{comparison.reference_grid} × {comparison.reference_grid} patches that no method selects "
        "with."
    )
    for row in comparison.rows:
        if row.selection is None:
            st.caption(f":material/block: **{row.name}** did not run: {plain(row.error)}")


def ways_out(landscape: Landscape, comparison: Comparison) -> None:
    """Offer the table and the comparison as files, and the command line that repeats it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Table, CSV", lambda: tables.csv_of(comparison), "comparison.csv",
                           "text/csv", icon=":material/download:", on_click="ignore")  # fmt: skip
        st.download_button("Comparison, JSON",
                           lambda: json.dumps(comparison.as_dict(), indent=1) + "\n",
                           "comparison.json", "application/json", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
    st.code(comparison.command(landscape.run or "RUN"), language="bash", wrap_lines=True)


def by_grid(comparison: Comparison) -> None:
    """Show coverage and fidelity on the other reference grids."""
    with st.expander("On coarser and finer reference grids", icon=":material/grid_4x4:"):
        kinds = {"coverage": "Coverage", "fidelity": "Fidelity"}
        kind = switch("grid kind", "Number", kinds)
        frame = tables.grid_frame(comparison, kind).set_index("Method") * 100
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
