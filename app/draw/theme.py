"""What every figure takes from the page: its inks, its font, and the look of small charts."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from draw.layers import Theme

CONFIG = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's settings for every figure: the page has tools of its own."""
EMPTY = "rgba(0,0,0,0)"
FONT = "'Source Sans', 'Source Sans Pro', system-ui, sans-serif"


@dataclass(frozen=True)
class Ink:
    """The few colours that a figure takes from the theme."""

    text: str
    muted: str
    line: str
    paper: str
    accent: str
    second: str
    mark: str
    """Rings around chosen cells: apart from every scale."""


INKS: dict[Theme, Ink] = {
    "light": Ink("#1f2a30", "#66727a", "#dedad0", "#fcfbf8", "#0b7285", "#b5651d", "#d6336c"),
    "dark": Ink("#e4e8e8", "#95a2a9", "#2f3a40", "#12181c", "#3fb8c9", "#e0a458", "#ff6b9d"),
}
GREYS: dict[Theme, str] = {"light": "#c9c4b8", "dark": "#46535b"}
"""Bars of the whole pool, behind those of what is looked at."""
TONES: dict[Theme, tuple[str, str]] = {
    "light": ("#12608f", "#a8501a"),
    "dark": ("#7cc4f0", "#f0a868"),
}
"""Better and worse than random: blue and orange, which colour-blind people tell apart."""


def quiet(figure: go.Figure, theme: Theme, height: int) -> None:
    """Give a small chart the page's look: no frame, no tools, muted text."""
    figure.update_layout(look(theme, height))
    figure.update_xaxes(showgrid=False, fixedrange=True, zeroline=False)
    figure.update_yaxes(showgrid=False, gridcolor=INKS[theme].line, fixedrange=True, zeroline=False)


def look(theme: Theme, height: int) -> dict[str, object]:
    """Return the layout that every small chart has."""
    ink = INKS[theme]
    return {
        "template": "none",
        "height": height,
        "paper_bgcolor": EMPTY,
        "plot_bgcolor": EMPTY,
        "font": {"family": FONT, "size": 12, "color": ink.muted},
        "hoverlabel": {
            "bgcolor": ink.paper,
            "bordercolor": ink.line,
            "font": {"color": ink.text},
        },
    }


def with_axes(figure: go.Figure, theme: Theme, height: int) -> None:
    """Give a chart with axes the page's look: grid lines, titles, a legend above."""
    ink = INKS[theme]
    quiet(figure, theme, height)
    axis = {"showgrid": True, "gridcolor": ink.line, "ticks": "", "title": {"standoff": 8},
            "tickfont": {"size": 12, "color": ink.muted}, "automargin": True}  # fmt: skip
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(
        margin={"l": 8, "r": 12, "t": 8, "b": 8}, hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
                "font": {"size": 12.5, "color": ink.text}},
    )  # fmt: skip


def plain(text: str) -> str:
    """Return text that Plotly draws as it is: its labels would read tags and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgb({red},{green},{blue})"


def rgba(colour: str, alpha: float) -> str:
    return f"{rgb(colour)[:-1]},{alpha})".replace("rgb(", "rgba(")


def halo(colour: str) -> str:
    """Return a text shadow that lifts a name off whatever lies under it."""
    return ", ".join([f"0 0 2px {colour}"] * 3 + [f"0 0 5px {colour}"] * 2)
