"""Draw the README's scaling figure from a finished study.

    python assets/make_study_figure.py STUDY [--which micro|macro] [--out FILE.png]

Loss on held-out records against the budget, a line a method, bars from seed to seed: once at equal
records, once at equal response tokens. Needs Playwright and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.subplots import make_subplots

from ila_core.studies.findings import Study
from ila_core.studies.variant import RANDOM, Loss, Place, Variant

PICTURES = Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 800, 460
INK, FAINT = "#1f2328", "#d8dee4"
# Okabe and Ito's colours, told apart also by those who do not see red and green apart; shapes
# and dashes say the same again.
LOOKS = {
    Variant("random"): ("#000000", "circle-open", "dash", 2.5),
    Variant("ila"): ("#0072B2", "circle", "solid", 3.5),
    Variant("ila", 0.75): ("#0072B2", "triangle-down", "dot", 1.75),
    Variant("ila", 0.5): ("#0072B2", "triangle-up", "dashdot", 1.75),
    Variant("nested"): ("#009E73", "square", "solid", 1.75),
    Variant("coverage-only"): ("#56B4E9", "diamond", "solid", 1.75),
    Variant("depth-only"): ("#E69F00", "x", "solid", 1.75),
    Variant("deita"): ("#CC79A7", "star", "solid", 1.75),
}
OTHERS = ("#D55E00", "#999999", "#882255", "#44AA99")
LOSS: dict[Loss, str] = {"micro": "over all response tokens", "macro": "mean over domains"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", help="the --out folder of ila study")
    parser.add_argument("--which", default="micro", choices=LOSS)
    parser.add_argument("--out", type=Path, default=PICTURES / "study.png")
    options = parser.parse_args()
    options.out.parent.mkdir(exist_ok=True)
    draw(figure(Study.open(options.study), options.which), options.out)
    print(options.out)


def figure(study: Study, which: Loss) -> go.Figure:
    """Return the two panels; one alone where a study has budgets of one kind."""
    units = study.units
    panels = make_subplots(
        1, len(units), shared_yaxes=True, horizontal_spacing=0.04,
        subplot_titles=[f"At equal {unit}" for unit in units],
    )  # fmt: skip
    for column, unit in enumerate(units, start=1):
        mid = {place: middle(study, place) for place in study.places_of(unit)}
        places = sorted(mid, key=mid.__getitem__)
        for number, variant in enumerate(order(study)):
            panels.add_trace(line(study, which, places, mid, variant, number), 1, column)
        panels.update_xaxes(
            type="log", col=column, tickvals=[mid[place] for place in places], minor_ticks="",
            ticktext=[f"{place.budget}<br>{amount(mid[place])}" for place in places],
            title_text="response tokens" if unit == "tokens" else "records",
        )  # fmt: skip
    panels.update_traces(selector={"xaxis": "x2"}, showlegend=False)
    panels.update_yaxes(gridcolor=FAINT, zeroline=False, ticks="outside", tickcolor=FAINT)
    panels.update_yaxes(title_text=f"loss, nats per token<br>{LOSS[which]}", col=1)
    panels.update_xaxes(
        showgrid=False, showline=True, ticks="outside", tickcolor=FAINT, linecolor=FAINT
    )
    panels.for_each_xaxis(lambda axis: axis.title.update(font_size=14, standoff=6))
    panels.for_each_yaxis(lambda axis: axis.title.update(font_size=14))
    panels.update_annotations(font_size=16, font_color=INK)
    panels.update_layout(
        width=WIDTH, height=HEIGHT, template="none", paper_bgcolor="white", plot_bgcolor="white",
        font={"family": "sans-serif", "size": 14, "color": INK},
        margin={"l": 70, "r": 15, "t": 90, "b": 85},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top",
                "entrywidth": 125, "font_size": 14},
    )  # fmt: skip
    seeds = len({row["seed"] for row in study.curves})
    if seeds > 1:
        panels.add_annotation(
            text=f"Bars: standard deviation over {seeds} seeds. Dev: "
            f"{study.dev_records:,} held-out records. Student: {study.student}.",
            showarrow=False, xref="paper", yref="paper", x=0, y=0, yshift=-82, xanchor="left",
            yanchor="bottom", font={"size": 12}, xshift=-60,
        )  # fmt: skip
    return panels


def order(study: Study) -> list[Variant]:
    """Return the study's methods and depth targets: those with a look of their own first."""
    known = [variant for variant in LOOKS if variant in study.variants]
    return known + [variant for variant in study.variants if variant not in LOOKS]


def middle(study: Study, place: Place) -> float:
    """Return where a place stands on the axis: what random spent there."""
    spent = {one: study.mean(one, place, place.unit) for one in study.variants}
    chance = [spent[RANDOM]] if RANDOM in spent and spent[RANDOM].seeds else spent.values()
    known = [one.mean for one in chance if one.seeds]
    return sum(known) / len(known)


def line(
    study: Study, which: Loss, places: list[Place], mid: dict[Place, float], variant: Variant,
    number: int,
) -> go.Scatter:  # fmt: skip
    """Return one method's line, put a little aside so that bars do not hide each other."""
    means = [study.mean(variant, place, which) for place in places]
    colour, symbol, dash, width = LOOKS.get(
        variant, (OTHERS[number % len(OTHERS)], "cross", "solid", 1.75)
    )
    aside = 1.03 ** (number - (len(study.variants) - 1) / 2)
    return go.Scatter(
        x=[mid[place] * aside for place in places],
        y=[mean.mean for mean in means],
        error_y={"array": [mean.std for mean in means], "thickness": 1.25, "width": 3},
        name=str(variant).replace(" q=", ", target "),
        legendgroup=str(variant), showlegend=places[0].unit == study.units[0],
        mode="lines+markers", line={"color": colour, "dash": dash, "width": width},
        marker={"symbol": symbol, "size": 8, "color": colour},
    )  # fmt: skip


def amount(value: float) -> str:
    """Return a number as an axis has room for it.

    >>> amount(721), amount(21623), amount(1_260_000)
    ('721', '21.6k', '1.26M')
    """
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.0f}"


def draw(panels: go.Figure, path: Path) -> None:
    """Write a figure as a picture of twice its size, as screens with fine pixels show it."""
    page = panels.to_html(include_plotlyjs=True, full_html=True, config={"staticPlot": True})
    page = page.replace("<body>", '<body style="margin:0">')
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        size = {"width": WIDTH, "height": HEIGHT}
        sheet = browser.new_page(viewport=size, device_scale_factor=2)
        sheet.set_content(page)
        sheet.wait_for_selector(".js-plotly-plot .legend", timeout=60_000)
        sheet.locator(".js-plotly-plot").screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()
