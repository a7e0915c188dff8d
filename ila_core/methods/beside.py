"""A selection that takes long, made in a process of its own: its folder tells how far it is.

`ask` leaves what is wanted in a folder, `python -m ila_core.methods.beside FOLDER` makes it, and
`made` reads what has become of it. The folder holds asked.json, progress.json and picks.npz.
"""

from __future__ import annotations

import json
import signal
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ila_core.errors import IlaError
from ila_core.files import replacing, write_text
from ila_core.landscape.folder import open_run
from ila_core.landscape.landscape import Landscape
from ila_core.methods.registry import find
from ila_core.methods.select import select_by
from ila_core.progress import Monitor, listening
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec

ASKED, PICKS = "asked.json", "picks.npz"


def place_of(landscape: Landscape, spec: Spec) -> tuple[str, dict[str, Any]]:
    """Return what tells one such selection from another: JSON-able, for a key.

    Where the picks of a bigger budget begin with those of a smaller one, the budget is not part of
    it: one folder serves every budget up to its own.
    """
    prefix = find(spec.method).prefix
    told = replace(spec, budget=Spec().budget) if prefix else spec
    return landscape.fingerprint, told.as_dict()


def ask(folder: Path, run: Path, spec: Spec) -> None:
    """Leave in a folder what is wanted of the landscape in `run`."""
    text = json.dumps({"run": str(run.resolve()), "spec": spec.as_dict()}, ensure_ascii=False)
    write_text(folder / ASKED, text + "\n")


def asked(folder: Path) -> tuple[Path, Spec]:
    """Return which landscape and spec a folder asks for; IlaError where it asks for nothing."""
    try:
        entries = json.loads((folder / ASKED).read_text(encoding="utf-8"))
        return Path(entries["run"]), Spec.from_dict(entries["spec"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IlaError(f"{folder} asks for no selection ({error}); ask for it again.") from error


def make(folder: Path) -> Selection:
    """Make what a folder asks for, tell how far it is in progress.json, and leave its rows there.

    IlaError says why it cannot be made; progress.json has the same sentence.
    """
    with Monitor(folder).watching() as monitor:
        run, spec = asked(folder)
        with monitor.stage(spec.method) as progress, listening(progress):
            selection = select_by(open_run(run), spec).nonempty()
        with replacing(folder / PICKS) as temporary, open(temporary, "wb") as stream:
            told = json.dumps(selection.spec.as_dict())
            np.savez(stream, rows=selection.rows, filled=selection.filled, spec=told)
    return selection


def made(folder: Path, landscape: Landscape, spec: Spec) -> Selection | None:
    """Return the selection of a spec from what a folder holds; None where that is not enough.

    A smaller budget is cut from the start of a larger one where `Method.prefix` allows it.
    """
    try:
        with np.load(folder / PICKS) as picks:
            rows, filled = picks["rows"], int(picks["filled"])
            known = Spec.from_dict(json.loads(str(picks["spec"])))
    except (OSError, ValueError, KeyError, IlaError):
        return None
    kind: Any = landscape.by(spec.depth).kind
    spec = replace(spec, depth=kind)
    landscape = landscape.by(spec.depth)
    whole = Selection.of_rows(landscape, spec, rows, filled=filled)
    if known == spec:
        return whole
    size = spec.asked.cut(landscape, rows)
    enough = size < len(rows) or spec.asked.records(landscape) == len(rows)
    if not (find(spec.method).prefix and enough and size):
        return None
    return replace(whole.first(size), spec=spec)


def main(arguments: Sequence[str]) -> int:
    """Make what the named folder asks for; return 0, or 1 after a sentence that says why not."""
    warnings.simplefilter("ignore")  # of libraries
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        make(Path(arguments[0]))
    except IlaError as error:
        print(f"ila: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
