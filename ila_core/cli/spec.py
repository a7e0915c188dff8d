"""What a selection is asked for, on the command line: the fields of Spec, and files of rows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.cli.arguments import add_arguments, given
from ila_core.cli.terminal import say
from ila_core.errors import PoolError
from ila_core.selection.spec import Spec, parameter

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


def add_spec(command: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """Add the folder, and what is asked of it."""
    command.add_argument("run_folder", metavar="RUN")
    add_arguments(command, Spec, without=without, required=("budget",))
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                         help="a parameter of the method's own (repeatable)")  # fmt: skip
    command.add_argument("--advice", metavar="STUDY",
                         help="folder of a study of this landscape, whose advice is taken over: "
                         "patches, depth and depth target that are not given")  # fmt: skip
    command.add_argument("--pin", metavar="FILE", help="row numbers that are chosen first")
    command.add_argument("--exclude", action="append", default=[], metavar="FILE",
                         help="row numbers that are never chosen (repeatable)")  # fmt: skip
    command.add_argument("--trained", action="append", default=[], metavar="FILE",
                         help="records that were trained on already, in any form that a pool may "
                         "have: they are never chosen (repeatable)")  # fmt: skip
    command.add_argument("--mine", metavar="NAME",
                         help="a selection of your own (ila mine RUN): its pins, exclusions, rules "
                         "and quotas are added")  # fmt: skip


def asked(options: argparse.Namespace, landscape: Landscape) -> dict[str, Any]:
    """Return the fields of Spec that were given, for a landscape; a saved selection adds its."""
    from ila_core.selection.locks import read_locks

    n = len(landscape)
    fields: dict[str, Any] = {
        **(advised(options.advice, landscape) if options.advice else {}),
        **given(options, Spec),
        "pinned": read_locks(options.pin, n) if options.pin else (),
        "excluded": excluded(options, landscape),
        "parameters": tuple(map(parameter, options.set)),
    }
    if options.mine:
        from ila_core.mine.shelf import Shelf

        mine = Shelf.of(options.run_folder).read(options.mine, landscape)
        for name in ("pinned", "excluded", "only", "quotas"):
            fields[name] = (*fields.get(name, ()), *getattr(mine, name))
    return fields


def excluded(options: argparse.Namespace, landscape: Landscape) -> np.ndarray:
    """Return the rows of all files that leave some out, ascending; say how many were known."""
    from ila_core.overlap.trained import trained
    from ila_core.selection.locks import read_locks

    parts = [read_locks(path, len(landscape)) for path in options.exclude]
    if options.trained:
        try:
            known = trained(landscape, options.trained)
        except PoolError as error:
            files = " ".join(options.trained)
            raise PoolError(
                f"{str(error).rstrip('.')}; --trained takes no map: ila trained "
                f"{options.run_folder} {files} --map instruction=FIELD,response=FIELD --out "
                "rows.txt finds these records, and --exclude rows.txt leaves them out.",
                error.fields,
            ) from error
        say(f"note: {known.sentence}")
        parts.append(known.rows)
    return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def advised(folder: str, landscape: Landscape) -> dict[str, Any]:
    """Return the fields of Spec that a study advises, and say what its advice rests on."""
    from ila_core.studies.advised import advice_for

    advice = advice_for(landscape, folder)
    say(f"note: {advice.summary()}")
    return advice.knobs
