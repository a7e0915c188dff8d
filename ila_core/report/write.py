"""The HTML file of a report: it needs no network, and any browser shows and prints it."""

from __future__ import annotations

from pathlib import Path

from ila_core.errors import UsageError
from ila_core.files import write_text
from ila_core.report.contents import contents
from ila_core.report.picture import (
    HEIGHT,
    WIDTH,
    density_picture,
    lines,
    names,
    representation_picture,
)
from ila_core.selection.selection import Selection

TEMPLATE = Path(__file__).with_name("report.html")


def report(selection: Selection) -> str:
    """Return a selection as an HTML page: what it keeps, how that compares, and how to repeat it.

    It holds its pictures itself and asks the network for nothing. Texts of the pool are shown as
    they are, and none of them is read as HTML.
    """
    from jinja2 import Environment, StrictUndefined

    landscape = selection.landscape
    template = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        said=contents(selection),
        pool=density_picture(landscape),
        kept=representation_picture(selection),
        lines=lines(landscape),
        names=names(landscape),
        width=WIDTH,
        height=HEIGHT,
    )


def write_report(selection: Selection, path: str | Path) -> Path:
    """Write the report of a selection; UsageError for a name that is no HTML file's."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{path} is not named as HTML; name it {path.with_suffix('.html')}.")
    write_text(path, report(selection))
    return path
