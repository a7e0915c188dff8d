"""Draw the README's figure of builds: seconds and memory by the size of the pool.

    python assets/make_growth_figure.py FIGURES.json [--out F.png]

FIGURES.json is what tests/benchmarks/bench_growth.py --json writes. A panel a stage, the
axes logarithmic but for memory: what it takes, and dashed what its main part takes alone, measured
in the same run. Needs Playwright and Chromium.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go
from make_study_figure import FAINT, INK, PICTURES, draw
from plotly.subplots import make_subplots

OURS, BESIDE = "#0072B2", "#D55E00"
STAGES = {
    "records": ("Reading", "pandas"),
    "embedding": ("Vectors", "sentence-transformers"),
    "loss": ("N-gram loss", "tokenizing once"),
    "projection": ("Map", "umap-learn"),
    "select": ("Selection of a tenth", "a numpy pass"),
    "memory": ("Memory of the build", ""),
}
"""What is drawn, by its name in the figures: its title, and what is measured beside it."""
COLUMNS, WIDTH, HEIGHT = 3, 900, 560
DASHES, MARKS = ("solid", "dash"), ("circle", "x")
UNITS = {"memory": "GB"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figures", type=Path)
    parser.add_argument("--out", type=Path, default=PICTURES / "growth.png")
    options = parser.parse_args()
    found = json.loads(options.figures.read_text("utf-8"))
    draw(figure({int(size): figures for size, figures in found.items()}), options.out)
    print(options.out)


def figure(found: Mapping[int, Mapping[str, float]]) -> go.Figure:
    """Return the panels of what was measured, by the number of records."""
    sizes = sorted(found)
    rows = math.ceil(len(STAGES) / COLUMNS)
    panels = make_subplots(
        rows, COLUMNS, horizontal_spacing=0.09, vertical_spacing=0.17,
        subplot_titles=[title(name) for name in STAGES],
    )  # fmt: skip
    for number, name in enumerate(STAGES):
        place = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        for kind, key in enumerate((name, f"{name}, beside")):
            known = [size for size in sizes if key in found[size]]
            panels.add_scatter(
                x=known, y=[found[size][key] for size in known], mode="lines+markers",
                name=("this package", "its main part alone, by the library named")[kind],
                legendgroup=str(kind), showlegend=number == 0,
                line={"color": (OURS, BESIDE)[kind], "dash": DASHES[kind], "width": 2.5},
                marker={"symbol": MARKS[kind], "size": 8}, **place,
            )  # fmt: skip
        panels.update_yaxes(
            title={"text": UNITS.get(name, "seconds"), "standoff": 4, "font_size": 12}, **place
        )
    panels.update_xaxes(
        type="log", tickvals=sizes, ticktext=[short(size) for size in sizes], showgrid=False,
        showline=True, ticks="outside", linecolor=FAINT, tickcolor=FAINT,
        range=[math.log10(sizes[0]) - 0.15, math.log10(sizes[-1]) + 0.15],
    )  # fmt: skip
    panels.update_yaxes(type="log", gridcolor=FAINT, dtick=1, exponentformat="none")
    panels.update_yaxes(type="linear", rangemode="tozero", **place)  # memory, the last
    panels.update_annotations(font_size=15, font_color=INK)
    panels.update_layout(
        template="none", paper_bgcolor="white", plot_bgcolor="white", width=WIDTH, height=HEIGHT,
        font={"family": "sans-serif", "size": 13, "color": INK},
        margin={"l": 60, "r": 15, "t": 90, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
    )  # fmt: skip
    return panels


def title(name: str) -> str:
    """Return a panel's heading: the stage, and smaller what is measured beside it."""
    stage, beside = STAGES[name]
    return stage + (f"<br><span style='font-size:12px'>beside {beside}</span>" if beside else "")


def short(size: int) -> str:
    """Return a number of records as an axis says it.

    >>> short(30_000), short(1_000_000)
    ('30k', '1M')
    """
    return f"{size // 1_000_000}M" if size >= 1_000_000 else f"{size // 1000}k"


if __name__ == "__main__":
    main()
