"""What a study found: who wins, the curves, the numbers, and what explains them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import cache_files
import session
from draw import curves
from draw.theme import CONFIG
from ila_core.artifacts import FINDINGS
from ila_core.errors import IlaError
from ila_core.landscape.landscape import Landscape
from ila_core.studies.findings import ILA, Study
from ila_core.studies.variant import Loss, Unit
from jobs.studies import Entry
from parts import study_tables
from parts.advice import advice
from parts.figures import Figure, number_rows
from parts.notices import empty, sideways, trouble
from parts.switch import switch, toggle
from parts.texts import count, counted, plain

LOSSES = {"micro": "All tokens", "macro": "By domain"}
LOSS_HELP = {
    "micro": "over all held-out tokens",
    "macro": "as the mean over the domains, each counting alike",
}
UNITS = {"records": "Records", "tokens": "Tokens"}
ICONS = {
    "better": ":material/trending_down: :blue[better]",
    "worse": ":material/trending_up: :orange[worse]",
    "even": ":material/trending_flat: :gray[no difference]",
}


def switches() -> None:
    """Draw which loss is shown, and what is held equal."""
    look = {"label_visibility": "visible", "width": "stretch"}
    switch(
        "study loss", "Loss", LOSSES, **look,
        help="All tokens: each held-out token counts alike (micro). By domain: each domain counts "
        "alike (macro).",
    )  # fmt: skip
    switch(
        "study unit", "At equal", UNITS, **look,
        help="Methods that keep long responses train on more tokens at as many records: at equal "
        "tokens that advantage is gone.",
    )  # fmt: skip


def findings(landscape: Landscape, entry: Entry) -> None:
    """Show a finished study: who wins, the curves, the numbers, and what explains them."""
    try:
        with st.spinner("Reading the study …"):
            study = cache_files.study(entry.folder)
    except IlaError as error:
        trouble(error)
        return
    if not entry.same:
        st.warning("This study is of another landscape than the one that is open.",
                   icon=":material/info:")  # fmt: skip
    loss, unit = session.recall("study loss", "micro"), session.recall("study unit", "records")
    if study.units and unit not in study.units:
        unit = study.units[0]
        st.caption(f"This study compares at equal {unit} alone.")
    verdict(study)
    advice(landscape, study)
    if study.units:
        left, right = st.columns([1.75, 1], gap="large")
        with left:
            scaling(study, unit, loss)
            parts_taken_back(study, unit, loss)
        with right:
            regression(study, loss)
        table(study, unit, loss)
        sweep(study, unit, loss)
    else:
        regression(study, loss)
    ways_out(landscape, entry, study)


def verdict(study: Study) -> None:
    """Say in plain words who wins, budget by budget."""
    with st.container(border=True):
        st.markdown(f"**{plain(study.headline())}**")
        st.markdown(f"As the mean over domains: {plain(study.headline('macro'))}")
        st.caption(
            f"Student: {plain(study.student)}, judged by {count(study.dev_records)} held-out "
            "records, in the first line over all tokens. A difference counts if it has one sign on "
            "every seed and its 95 % interval (Student's t) leaves out 0."
        )
        lines = study.verdicts()
        if lines:
            with st.expander("Budget by budget"):
                gaps = [study.against_random(ILA, place) for place in study.places]
                for gap, line in zip([gap for gap in gaps if gap], lines, strict=True):
                    st.markdown(f"{ICONS[gap.outcome]} · {plain(line)}")


def scaling(study: Study, unit: Unit, loss: Loss) -> None:
    """Draw loss against budget, one line a method."""
    lines = study_tables.scaling_lines(study, unit, loss)
    plain_ones = [line for line in lines if " " not in line.name]
    title, choice = st.columns([2, 1], vertical_alignment="bottom")
    title.subheader(f"Loss at equal {unit}", anchor=False)
    shown = plain_ones
    if len(plain_ones) < len(lines):
        with choice:
            shown = lines if toggle("study variants", "ILA with a part changed") else plain_ones
    st.plotly_chart(
        curves.scaling(shown, axis=UNITS[unit].lower(), theme=session.theme()),
        key="scaling",
        theme=None,
        config=CONFIG,
        alt=f"Loss of {len(shown)} methods against budget at equal {unit}; the table below says "
        "the same in numbers",
    )
    st.caption(f"Loss {LOSS_HELP[loss]}; bars: one deviation over the seeds.")


def parts_taken_back(study: Study, unit: Unit, loss: Loss) -> None:
    """Draw what each part of ILA is worth, taken back alone; nothing where none was tried."""
    parts = study_tables.parts_lines(study, unit, loss)
    if not parts:
        return
    st.subheader("What each part is worth", anchor=False)
    st.plotly_chart(
        curves.parts_taken_back(parts, session.theme()),
        key="parts",
        theme=None,
        config=CONFIG,
        alt="What ILA loses by each part that is taken back: "
        + "; ".join(f"{part.name} {part.worth:+.3f}" for part in parts),
    )
    st.caption(
        f"Each line is ILA with one part taken back, at equal {unit}, as the mean over the budgets:"
        " right of the dashed line the part is worth having. Blue and orange count as differences "
        "do above; bars: 95 % over the seeds."
    )


def table(study: Study, unit: Unit, loss: Loss) -> None:
    """Draw the losses, a line a method and a column a budget, coloured beside random."""
    budgets = [place.budget for place in study.places_of(unit)]
    st.dataframe(
        study_tables.losses(study, unit, loss, session.theme()).styled,
        hide_index=True,
        height="content",
        column_config={
            "Method": st.column_config.TextColumn(pinned=True, width=150),
            **{budget: st.column_config.NumberColumn(budget) for budget in budgets},
        },
        alt=f"Loss of every method at every budget, at equal {unit}",
    )
    sideways()
    st.caption(
        "Mean ± deviation over the seeds, and the difference to random on the same held-out "
        "records: :blue[blue] where it is better and :orange[orange] where it is worse, as "
        "differences count above. The lowest of a column is **bold**."
    )


def regression(study: Study, loss: Loss) -> None:
    """Show how much of the loss coverage and depth explain."""
    st.subheader("What explains the loss", anchor=False)
    if not study.regression:
        empty("No regression in this study", "It was run with --subsets 0.")
        return
    fit = study.fit(loss)
    if fit is None:
        empty("Nothing to explain", "All subsets have the same loss.")
        return
    number_rows(
        [
            Figure(
                "R², cross-validated", f"{fit.r2_cv:.2f}",
                f"{fit.r2_cv_low:.2f} to {fit.r2_cv_high:.2f}, 95 %", None,
                "Share of the variance of the loss that coverage and depth explain on subsets the "
                "fit has not seen, with its bootstrap interval. Below 0: worse than the mean.",
            ),
            Figure(
                "R², in sample", f"{fit.r2_in_sample:.2f}", None, None,
                "The same on the subsets that it was fitted to: always flattering.",
            ),
        ]
    )  # fmt: skip
    actual, predicted = study.predictions(loss)
    if len(actual):
        st.plotly_chart(
            curves.predictions(actual, predicted, session.theme()),
            key="predictions",
            theme=None,
            config=CONFIG,
            alt="Loss of every subset against the loss that coverage and depth predict for it",
        )
    what_each_adds(study, loss)
    start, covered, deep = fit.coefficients
    st.caption(
        f"{counted(study.regression['subsets'], 'subset')} that no method chose. "
        f"Loss ≈ {start:.2f} {signed(covered)} × log coverage {signed(deep)} × mean relative "
        "depth; each point is predicted by a fit that has not seen it."
    )


def what_each_adds(study: Study, loss: Loss) -> None:
    """Show what every variable explains, and what it adds to another."""
    models, adds = study_tables.explained(study, loss), study_tables.added(study, loss)
    if not len(models):
        return
    share = st.column_config.NumberColumn(format="%.2f", width=50)
    st.dataframe(
        models, hide_index=True, height="content", alt="R² of every set of variables",
        column_config={"Explained by": st.column_config.TextColumn(width=190), "R²": share,
                       "95 %": st.column_config.TextColumn(width=104)},
    )  # fmt: skip
    with st.expander("What each variable adds to another", icon=":material/add:"):
        st.dataframe(
            adds, hide_index=True, height="content", alt="R² that each variable adds to another",
            column_config={"Adds": st.column_config.NumberColumn(format="%+.2f", width=58),
                           "95 %": st.column_config.TextColumn(width=112)},
        )  # fmt: skip
        st.caption("In cross-validated R². An interval that holds 0 leaves open whether it adds "
                   "anything.")  # fmt: skip


def signed(value: float) -> str:
    """Return a number as a term of a sum.

    >>> signed(0.5), signed(-1.234)
    ('+ 0.50', '− 1.23')
    """
    return f"{'−' if value < 0 else '+'} {abs(value):.2f}"


def sweep(study: Study, unit: Unit, loss: Loss) -> None:
    """Show what other depth targets do to ILA."""
    swept = [
        variant
        for variant in study.variants
        if variant.method == ILA.method and variant.swept is not None
    ]
    if len(swept) < 2:
        return
    lines, rows = study_tables.sweep_lines(study, unit, loss, swept)
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        st.subheader("How deep to pick", anchor=False)
        if any(line.x for line in lines):
            st.plotly_chart(
                curves.depth_sweep(lines, session.theme()),
                key="sweep",
                theme=None,
                config=CONFIG,
                alt="Loss of ILA less that of random, by depth target and budget",
            )
        else:
            st.caption("This study has no random to set it against.")
    with right:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height="content",
            column_config={
                "Budget": st.column_config.TextColumn(width=58),
                "q": st.column_config.NumberColumn(format="%g", width=44),
                "Loss": st.column_config.NumberColumn(format="%.3f", width=58),
                "Records": st.column_config.NumberColumn(format="%,d", width=66),
                "Tokens": st.column_config.NumberColumn(format="%,d", width=78),
            },
            alt="Loss, records and tokens of ILA by depth target",
        )
        st.caption(
            "q = 1 takes the deepest record of every patch first, 0.5 the median one: often "
            "fewer tokens at as many records. The knob is on the map."
        )


def ways_out(landscape: Landscape, entry: Entry, study: Study) -> None:
    """Offer study.json, and the command line that runs the same study."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(FINDINGS, lambda: (entry.folder / FINDINGS).read_bytes(),
                           FINDINGS, "application/json", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
        st.download_button("Findings in words", lambda: study.summary() + "\n", "study.txt",
                           "text/plain", icon=":material/description:",
                           on_click="ignore")  # fmt: skip
    if entry.settings is not None and entry.same:
        st.code(entry.settings.command(landscape.run or "RUN", "study"), language="bash",
                wrap_lines=True)  # fmt: skip
