"""Draw the README's figure of studies: what selections are worth beside random, pool by pool.

    python assets/make_study_figure.py STUDY... [--which micro|macro] [--curves A,B] [--out F.png]

A column a study, named by its folder; above at equal records, below at equal response tokens. The
lines are the loss on held-out records less random's, by budget: below 0 is better. Bars are the
standard deviation over seeds. Needs Playwright and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.subplots import make_subplots

from ila_core.errors import UsageError
from ila_core.studies.findings import Study
from ila_core.studies.tables import named
from ila_core.studies.variant import RANDOM, Loss, Unit

PICTURES = Path(__file__).parent / "pictures"
WIDTH, HEAD, PANEL = 900, 120, 250
INK, FAINT = "#1f2328", "#d8dee4"
# Okabe and Ito's colours, told apart also by those who do not see red and green apart; shapes
# and dashes say the same again.
LOOKS = {
    "ila": ("#0072B2", "circle", "solid", 3.5),
    "paper": ("#D55E00", "x", "solid", 2.0),
    "even-random": ("#000000", "circle-open", "dash", 2.0),
    "nested": ("#009E73", "square", "solid", 1.75),
    "ila grid": ("#56B4E9", "diamond", "dot", 1.75),
    "ila loss": ("#CC79A7", "star", "dot", 1.75),
    "ila q=1": ("#E69F00", "triangle-up", "dot", 1.75),
}
"""Colour, mark, dash and width of what may be drawn."""
CURVES = ("ila", "nested", "paper", "even-random")
"""What is drawn unless asked otherwise; the others stand far off on some pools."""
OTHERS = ("#999999", "#882255", "#44AA99", "#117733", "#661100")
LOSS: dict[Loss, str] = {"micro": "over all response tokens", "macro": "mean over domains"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("studies", nargs="+", help="the --out folders of ila study")
    parser.add_argument("--which", default="micro", choices=LOSS)
    parser.add_argument("--curves", default=",".join(CURVES), help="names as in the study's tables")
    parser.add_argument("--out", type=Path, default=PICTURES / "study.png")
    options = parser.parse_args()
    options.out.parent.mkdir(exist_ok=True)
    panels = figure(named(options.studies), options.which, options.curves.split(","))
    draw(panels, options.out)
    print(options.out)


def figure(studies: Mapping[str, Study], which: Loss, curves: Sequence[str]) -> go.Figure:
    """Return the panels of all studies; UsageError where there is nothing to draw."""
    units = list(dict.fromkeys(unit for study in studies.values() for unit in study.units))
    there = {str(variant) for study in studies.values() for variant in study.variants}
    shown = [name for name in curves if name in there and name != str(RANDOM)]
    if not shown:
        raise UsageError(f"None of {', '.join(curves)} is a curve here: {', '.join(sorted(there))}")
    panels = make_subplots(
        len(units), len(studies), shared_yaxes="rows", shared_xaxes=False,
        horizontal_spacing=0.025, vertical_spacing=0.12, column_titles=list(studies),
    )  # fmt: skip
    named_already: set[str] = set()
    for row, unit in enumerate(units, start=1):
        for column, study in enumerate(studies.values(), start=1):
            for number, name in enumerate(shown):
                aside = 0.06 * (number - (len(shown) - 1) / 2)
                if (trace := line(study, which, unit, name, aside)) is not None:
                    trace.showlegend = name not in named_already
                    named_already.add(name)
                    panels.add_trace(trace, row, column)
            panels.add_hline(0, row=row, col=column, line={"color": INK, "width": 1.25})
            budgets = [place.budget for place in study.places_of(unit)]
            panels.update_xaxes(
                row=row, col=column, tickvals=list(range(len(budgets))), ticktext=budgets
            )
        panels.update_yaxes(row=row, col=1, title_text=f"at equal {unit}")
    dress(panels, which, next(iter(studies.values())))
    panels.update_layout(width=WIDTH, height=HEAD + PANEL * len(units))
    return panels


def line(study: Study, which: Loss, unit: Unit, name: str, aside: float) -> go.Scatter | None:
    """Return one curve less random, put a little aside so that bars do not hide each other."""
    variant = next((one for one in study.variants if str(one) == name), None)
    if variant is None:
        return None
    gaps = [study.against_random(variant, place, which) for place in study.places_of(unit)]
    known = [(number, gap) for number, gap in enumerate(gaps) if gap is not None]
    other = OTHERS[len(name) % len(OTHERS)]
    colour, symbol, dash, width = LOOKS.get(name, (other, "cross", "solid", 1.75))
    return go.Scatter(
        x=[number + aside for number, _ in known],
        y=[gap.mean for _, gap in known],
        error_y={"array": [gap.std for _, gap in known], "thickness": 1.25, "width": 2.5},
        name=name.replace("q=", "target "), legendgroup=name, mode="lines+markers",
        line={"color": colour, "dash": dash, "width": width},
        marker={"symbol": symbol, "size": 8, "color": colour},
    )  # fmt: skip


def dress(panels: go.Figure, which: Loss, study: Study) -> None:
    """Give the panels their axes, legend and note."""
    panels.update_yaxes(gridcolor=FAINT, zeroline=False, ticks="outside", tickcolor=FAINT,
                        tickformat="+.2f")  # fmt: skip
    panels.update_xaxes(showgrid=False, zeroline=False, showline=True, ticks="outside",
                        tickcolor=FAINT, linecolor=FAINT)  # fmt: skip
    panels.update_annotations(font_size=16, font_color=INK)
    panels.update_layout(
        template="none", paper_bgcolor="white", plot_bgcolor="white",
        font={"family": "sans-serif", "size": 14, "color": INK},
        margin={"l": 80, "r": 15, "t": 85, "b": 60},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top",
                "entrywidth": 105, "font_size": 14},
    )  # fmt: skip
    seeds = len({row["seed"] for row in study.curves})
    panels.add_annotation(
        text=f"Loss on held-out records less random's, nats per token ({LOSS[which]}); below 0 is "
        f"better. Student: {study.student}. Bars: deviation over {seeds} seeds.",
        showarrow=False, xref="paper", yref="paper", x=0, y=0, yshift=-54, xanchor="left",
        yanchor="bottom", font={"size": 12}, xshift=-70,
    )  # fmt: skip


def draw(panels: go.Figure, path: Path) -> None:
    """Write a figure as a picture of twice its size, as screens with fine pixels show it."""
    page = panels.to_html(include_plotlyjs=True, full_html=True, config={"staticPlot": True})
    page = page.replace("<body>", '<body style="margin:0">')
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        sheet = browser.new_page(
            viewport={"width": int(panels.layout.width), "height": int(panels.layout.height)},
            device_scale_factor=2,
        )
        sheet.set_content(page)
        sheet.wait_for_selector(".js-plotly-plot .legend", timeout=60_000)
        sheet.locator(".js-plotly-plot").screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()
