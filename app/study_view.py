"""The Study screen: does a selection train a better model than chance does?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

import builds
import cache
import figures
import state
import studies
import tables
import widgets
from ila_core import methods, paths
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.progress import duration
from ila_core.studies import Study, StudySettings
from studies import Entry
from widgets import count, plain

LOSSES = {"micro": "All tokens", "macro": "By domain"}
LOSS_HELP = {
    "micro": "over all held-out tokens",
    "macro": "as the mean over the domains, each counting alike",
}
UNITS = {"records": "Records", "tokens": "Tokens"}
SAMPLE_STUDY = paths.SAMPLE / "study"
ICONS = {
    "better": ":material/trending_down: :blue[better]",
    "worse": ":material/trending_up: :orange[worse]",
    "even": ":material/trending_flat: :gray[no difference]",
}


def page() -> None:
    opened = widgets.opened()
    if opened is None:
        return
    view, landscape = opened
    runs = state.runs_folder()
    st.header("Does it train a better model?", anchor=False)
    st.markdown(
        "A study trains many small models, each on what one method keeps of this pool at one "
        "budget, and measures their loss on records that were held out before anything was "
        "selected. Lower is better; random is always among them, and when it wins this page says "
        "so."
    )
    if told := state.recall("study_trouble"):
        widgets.trouble(IlaError(told))
        state.remember("study_trouble", None)
    found = studies.of_landscape(runs, cache.identity(landscape), SAMPLE_STUDY)
    entry = chosen(view, runs, landscape, found)
    with st.sidebar:
        choose(found, entry)
        open_path(view)
        if entry is not None and entry.finished and entry.build.state != "running":
            switches()
    if entry is None:
        if not view.study:
            widgets.empty(
                "No study of this landscape yet",
                "Start one below: it runs beside this page and takes minutes, not hours. Or open "
                "the folder of one that was run elsewhere, in the sidebar.",
            )
        run_here(runs, landscape, open=True)
        return
    if entry.build.state == "running" or not entry.finished:
        progress_panel(runs, str(entry.folder), cache.identity(landscape))
    else:
        findings(landscape, entry)
    run_here(runs, landscape, open=False)


# -- which study ----------------------------------------------------------------------------------


def chosen(
    view: state.View, runs: Path, landscape: Landscape, found: Sequence[Entry]
) -> Entry | None:
    """Return the study of the link, else the latest of this landscape; None where there is none."""
    if not view.study:
        return found[0] if found else None
    try:
        folder = state.allowed(view.study)
        entry = studies.look(runs, folder, cache.identity(landscape))
        if entry is None:
            raise UsageError(
                f"{folder} holds no study (no study.json); name the folder that ila study wrote "
                "with --out."
            )
    except IlaError as error:
        widgets.trouble(error)
        if found:
            st.button("Show the latest study", on_click=state.change, kwargs={"study": ""})
        return None
    return entry


def choose(found: Sequence[Entry], entry: Entry | None) -> None:
    """Draw the studies to choose from."""
    entries = {str(one.folder): one for one in found}
    if entry is not None:
        entries.setdefault(str(entry.folder), entry)
    if not entries:
        return
    st.selectbox(
        "Study",
        list(entries),
        format_func=titles(list(entries.values())).get,
        key=state.knob("study", str(entry.folder) if entry else next(iter(entries))),
        on_change=state.follow,
        args=("study",),
    )
    if entry is None:
        return
    parts = [] if entry.folder == SAMPLE_STUDY else [stands(entry)]
    if entry.settings is not None:
        parts += studies.names_of(entry.settings)
    st.caption(plain(" · ".join(parts)))
    st.caption(plain(str(entry.folder)))
    if entry.ours and entry.build.state != "running":
        delete_button(entry)


def titles(entries: Sequence[Entry]) -> dict[str, str]:
    """Return a name for every study's folder; the same however it stands, and no two alike."""
    names = [entry.folder.name for entry in entries]
    found = {}
    for entry in entries:
        folder = entry.folder
        alone = names.count(folder.name) == 1
        found[str(folder)] = folder.name if alone else f"{folder.parent.name}/{folder.name}"
    if str(SAMPLE_STUDY) in found:
        found[str(SAMPLE_STUDY)] = "Sample study"
    return found


def stands(entry: Entry) -> str:
    """Return how a study stands."""
    return {
        "running": "running …",
        "done": time.strftime("%d %b %Y, %H:%M", time.localtime(entry.build.changed)),
        "failed": "failed",
        "stopped": "stopped",
    }[entry.build.state]


def delete_button(entry: Entry) -> None:
    """Offer to delete a study of ours, after a second word."""
    if state.recall("deleting_study") != entry.folder:
        st.button("Delete this study", icon=":material/delete:", type="tertiary",
                  on_click=state.remember, args=("deleting_study", entry.folder))  # fmt: skip
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Delete it for good?")
        st.button("Delete", key="delete_study", on_click=delete, args=(entry,))
        st.button("Keep", key="keep_study", on_click=state.remember, args=("deleting_study", None))


def delete(entry: Entry) -> None:
    """Callback: delete a study of ours."""
    state.remember("deleting_study", None)
    try:
        builds.delete(entry.folder.parent, entry.folder.name)
    except IlaError as error:
        state.remember("study_trouble", str(error))
        return
    state.change(study="")


def open_path(view: state.View) -> None:
    """Let a study's folder be named."""
    with st.expander("Open a study's folder", icon=":material/folder_open:"):
        st.text_input(
            "Folder that ila study wrote",
            key="study_path",
            placeholder=str(Path.home() / "study"),
            on_change=lambda: state.change(study=state.widget("study_path").strip()),
            help="It must lie under a folder this page was started with: "
            + ", ".join(str(root) for root in state.roots()),
        )


def switches() -> None:
    """Draw which loss is shown, and what is held equal."""
    for key, label, names, help in (
        ("study_loss", "Loss", LOSSES, "All tokens: each held-out token counts alike (micro). By "
         "domain: each domain counts alike (macro)."),
        ("study_unit", "At equal", UNITS, "Methods that keep long responses train on more tokens "
         "at as many records: at equal tokens that advantage is gone."),
    ):  # fmt: skip
        st.segmented_control(
            label,
            list(names),
            format_func=names.get,
            key=state.knob(key, state.recall(key, next(iter(names)))),
            on_change=lambda key=key: state.remember(key, state.turned(key)),
            required=True,
            width="stretch",
            help=help,
        )


# -- what was found -------------------------------------------------------------------------------


def findings(landscape: Landscape, entry: Entry) -> None:
    """Show a finished study: who wins, the curves, the numbers, and what explains them."""
    try:
        with st.spinner("Reading the study …"):
            study = cache.study(entry.folder)
    except IlaError as error:
        widgets.trouble(error)
        return
    if not entry.same:
        st.warning("This study is of another landscape than the one that is open.",
                   icon=":material/info:")  # fmt: skip
    which, unit = state.recall("study_loss", "micro"), state.recall("study_unit", "records")
    units = list(dict.fromkeys(of for of, _ in study.places))
    if units and unit not in units:
        st.caption(f"This study compares at equal {units[0]} alone.")
        unit = units[0]
    verdict(study)
    if units:
        left, right = st.columns([1.75, 1], gap="large")
        with left:
            curves(study, unit, which)
        with right:
            regression(study, which)
        table(study, unit, which)
        sweep(study, unit, which)
    else:
        regression(study, which)
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
        told = study.verdicts()
        if told:
            with st.expander("Budget by budget"):
                gaps = [study.against_random("ila", budget, of) for of, budget in study.places]
                for gap, line in zip([gap for gap in gaps if gap], told, strict=True):
                    st.markdown(f"{ICONS[gap.outcome]} · {plain(line)}")


def curves(study: Study, unit: str, which: str) -> None:
    """Draw loss against budget, one line a method."""
    lines = tables.scaling_lines(study, unit, which)
    hidden = [line.name for line in lines if " " in line.name]
    shown = lines if state.recall("study_variants") else [li for li in lines if " " not in li.name]
    title, switch = st.columns([2, 1], vertical_alignment="bottom")
    title.subheader(f"Loss at equal {unit}", anchor=False)
    if hidden:
        switch.toggle("Depth targets too", key=state.knob("study_variants",
                      bool(state.recall("study_variants", False))),
                      on_change=lambda: state.remember("study_variants",
                                                       state.turned("study_variants")))  # fmt: skip
    st.plotly_chart(
        figures.scaling(shown, axis=UNITS[unit].lower(), theme=state.theme()),
        key="scaling",
        theme=None,
        config=figures.CONFIG,
        alt=f"Loss of {len(shown)} methods against budget at equal {unit}; the table below says "
        "the same in numbers",
    )
    st.caption(f"Loss {LOSS_HELP[which]}; bars: one deviation over the seeds.")


def table(study: Study, unit: str, which: str) -> None:
    """Draw the losses, a line a method and a column a budget, coloured beside random."""
    budgets = [budget for of, budget in study.places if of == unit]
    names = [tables.named(method, target) for method, target in study.variants]
    means = [
        [study.mean(method, budget, unit, target, which) for budget in budgets]
        for method, target in study.variants
    ]
    gaps = [
        [study.against_random(method, budget, unit, target, which) for budget in budgets]
        for method, target in study.variants
    ]
    st.dataframe(
        tables.losses(names, budgets, means, gaps, state.theme()),
        hide_index=True,
        height="content",
        column_config={
            "Method": st.column_config.TextColumn(pinned=True, width=150),
            **{budget: st.column_config.NumberColumn(budget) for budget in budgets},
        },
        alt=f"Loss of every method at every budget, at equal {unit}",
    )
    st.caption(
        "Mean ± deviation over the seeds, and the difference to random on the same held-out "
        "records: :blue[blue] where it is better and :orange[orange] where it is worse, as "
        "differences count above. The lowest of a column is **bold**."
    )


def regression(study: Study, which: str) -> None:
    """Show how much of the loss coverage and depth explain."""
    st.subheader("What explains the loss", anchor=False)
    found = study.regression
    if not found:
        widgets.empty("No regression in this study", "It was run with --subsets 0.")
        return
    low, high = found[f"r2_{which}_cv_low"], found[f"r2_{which}_cv_high"]
    widgets.number_rows(
        [
            widgets.Figure(
                "R², cross-validated", f"{found[f'r2_{which}_cv']:.2f}",
                f"{low:.2f} to {high:.2f}, 95 %", None,
                "Share of the variance of the loss that coverage and depth explain on subsets the "
                "fit has not seen, with its bootstrap interval. Below 0: worse than the mean.",
            ),
            widgets.Figure(
                "R², in sample", f"{found[f'r2_{which}_in_sample']:.2f}", None, None,
                "The same on the subsets that it was fitted to: always flattering.",
            ),
        ]
    )  # fmt: skip
    actual, predicted = study.predictions(which)
    if len(actual):
        st.plotly_chart(
            figures.predictions(actual, predicted, state.theme()),
            key="predictions",
            theme=None,
            config=figures.CONFIG,
            alt="Loss of every subset against the loss that coverage and depth predict for it",
        )
    start, covered, deep = found[f"coefficients_{which}"]
    st.caption(
        f"{count(found['subsets'])} subsets that no method chose. Loss ≈ {start:.2f} "
        f"{signed(covered)} × log coverage {signed(deep)} × mean relative depth; each point is "
        "predicted by a fit that has not seen it."
    )


def signed(value: float) -> str:
    """Return a number as a term of a sum.

    >>> signed(0.5), signed(-1.234)
    ('+ 0.50', '− 1.23')
    """
    return f"{'−' if value < 0 else '+'} {abs(value):.2f}"


def sweep(study: Study, unit: str, which: str) -> None:
    """Show what a depth target below the deepest does to ILA."""
    targets = sorted({target for method, target in study.variants if method == "ila"})
    if len(targets) < 2:
        return
    lines, rows = tables.sweep_lines(study, unit, which, targets)
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        st.subheader("How deep to pick", anchor=False)
        if any(line.x for line in lines):
            st.plotly_chart(
                figures.depth_sweep(lines, state.theme()),
                key="sweep",
                theme=None,
                config=figures.CONFIG,
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
        st.download_button("study.json", lambda: (entry.folder / "study.json").read_bytes(),
                           "study.json", "application/json", icon=":material/download:",
                           on_click="ignore")  # fmt: skip
        st.download_button("Findings in words", lambda: study.summary() + "\n", "study.txt",
                           "text/plain", icon=":material/description:",
                           on_click="ignore")  # fmt: skip
        if entry.settings is not None and entry.same:
            with st.container(width="stretch"):
                st.code(entry.settings.command(landscape.run or "RUN", "study"), language="bash")


# -- a study under way ----------------------------------------------------------------------------


@st.fragment(run_every=1.0)
def progress_panel(runs: Path, folder: str, identity: str) -> None:
    """Show how far a study is; once a second, without touching the rest of the page."""
    entry = studies.look(runs, Path(folder), identity)
    if entry is None:
        widgets.empty("This study is gone", "Start another below.")
        return
    seen = (folder, entry.build.state)
    before = state.recall("followed_study", seen)
    state.remember("followed_study", seen)
    if before != seen:
        st.rerun()  # the list beside it tells the same, and a finished one is shown
    st.subheader(plain(entry.folder.name), anchor=False)
    if entry.build.state == "running":
        running(entry)
    else:
        ended(entry)


def running(entry: Entry) -> None:
    told = entry.build.progress
    for notice in told.get("notices") or []:
        st.caption(plain(notice))
    with st.container(border=True):
        for stage in told.get("stages") or [{"stage": "starting", "state": "running"}]:
            widgets.stage_line(stage)
    passed = time.time() - float(told.get("started") or entry.build.changed)
    st.caption(f"{duration(passed)} so far. You may close this tab: the study goes on, and this "
               "page finds it again.")  # fmt: skip
    st.button("Stop", icon=":material/stop_circle:", key="stop_study", on_click=builds.stop,
              args=(entry.folder.parent, entry.folder.name),
              help="What is trained is kept")  # fmt: skip


def ended(entry: Entry) -> None:
    """Say why a study ended before it was done, and offer to go on."""
    if entry.build.state == "failed":
        st.error(plain(entry.build.message or "The study failed."), icon=":material/error:")
    else:
        st.warning(plain(entry.build.message or "Stopped. What is trained is kept."),
                   icon=":material/pause_circle:")  # fmt: skip
    if entry.ours:
        st.button("Go on" if entry.build.state == "stopped" else "Try again", type="primary",
                  key="resume_study", on_click=go_on, args=(entry,))  # fmt: skip


def go_on(entry: Entry) -> None:
    """Callback: start the same command again."""
    try:
        builds.resume(entry.folder.parent, entry.folder.name)
    except (IlaError, OSError) as error:
        state.remember("study_trouble", str(error))


# -- starting one ---------------------------------------------------------------------------------


def run_here(runs: Path, landscape: Landscape, *, open: bool) -> None:
    """Offer a study with the n-gram student: its make-up, its plan and cost, and the start."""
    with st.expander("Run a study here", icon=":material/science:", expanded=open):
        settings = make_up(landscape)
        if settings is None:
            return
        try:
            with st.spinner("Planning …"):
                told = cache.forecast(landscape, settings)
        except IlaError as error:
            widgets.trouble(error)
            return
        st.markdown(f":material/schedule: {plain(told[:1].upper() + told[1:])}.")
        shipped = landscape.run is None or landscape.run == paths.SAMPLE / "landscape"
        wished = "sample" if shipped else str(landscape.run)
        suggested = builds.free_name(studies.home(runs), wished)
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        name = left.text_input("Name of the study", value=suggested, key=f"name_{suggested}")
        right.button("Start the study", type="primary", width="stretch", key="start_study",
                     on_click=start, args=(runs, name, landscape, settings))  # fmt: skip
        out = landscape.run or "RUN"
        st.caption("A language model as the student is run from the command line, and opened here "
                   "by its folder:")  # fmt: skip
        st.code(f"ila study {out} --student lm --lm ID_OR_PATH --out DIR", language="bash")


def make_up(landscape: Landscape) -> StudySettings | None:
    """Let the study be put together; None while something in it is not understood."""
    known = methods.methods()
    able = [name for name in known if methods.lacking(known[name].needs, landscape) is None]
    usual = StudySettings()
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        chosen = st.multiselect(
            "Methods", able, default=[name for name in usual.methods if name in able],
            key="study_methods",
            help="Random should be among them: without it there is nothing to beat.",
        )  # fmt: skip
        budgets = st.text_input(
            "Budgets", ", ".join(usual.budgets), key="study_budgets",
            help="Shares such as 10%, counts, or tokens such as 2M-tokens.",
        )  # fmt: skip
    with right:
        seeds = st.number_input(
            "Seeds", 1, 20, usual.seeds, key="study_seeds",
            help="Splits of the pool: without several a difference may be chance.",
        )  # fmt: skip
        scored = landscape.scored > 0
        subsets = st.number_input(
            "Subsets of the regression", 0, 1000, usual.subsets if scored else 0, step=10,
            key="study_subsets", disabled=not scored,
            help="Drawn without any method; at least 10, 0 leaves the regression out.",
        )  # fmt: skip
        targets = st.multiselect(
            "Depth targets beside 1", [0.9, 0.75, 0.5, 0.25], default=list(usual.depth_targets),
            key="study_targets", help="ILA is also tried with these.",
        )  # fmt: skip
    try:
        return StudySettings.of(
            methods=chosen,
            budgets=[part.strip() for part in budgets.split(",") if part.strip()],
            seeds=int(seeds),
            subsets=int(subsets),
            depth_targets=targets,
        )
    except IlaError as error:
        widgets.trouble(error)
        return None


def start(runs: Path, name: str, landscape: Landscape, settings: StudySettings) -> None:
    """Callback: start the study and show how far it is."""
    try:
        if landscape.run is None:
            raise IlaError("A study needs a landscape that lies in a folder; build one first.")
        studies.start(runs, name.strip(), landscape.run, settings)
    except (IlaError, OSError) as error:
        state.remember("study_trouble", str(error))
        return
    state.change(study=str(studies.home(runs) / name.strip()))


page()
