"""The scripts of the page's own components: a component's files, joined to one module."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SHARED = Path(__file__).with_name("make.js")


def script(folder: Path, names: Iterable[str]) -> str:
    """Return a component's module: the shared part, then its files FOLDER/js/NAME.js in order.

    Without comments and indents: it travels with the data. None of the files reads another's names
    before it runs.
    """
    files = [SHARED, *(folder / "js" / f"{name}.js" for name in names)]
    lines = (line.strip() for file in files for line in file.read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
