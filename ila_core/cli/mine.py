"""`ila mine`: the named selections of a landscape: listed, saved, put together, deleted."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_arguments, add_command, given
from ila_core.cli.terminal import say
from ila_core.errors import IlaError, UsageError
from ila_core.options import command as line
from ila_core.selection.spec import Spec

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.mine.mine import Mine
    from ila_core.mine.shelf import Shelf

SETS = {
    "union": "what is in either, the first's picks before the second's",
    "intersection": "what is in both, in the order of the first",
    "difference": "what is in the first alone",
}
SETTLED = ("only", "quotas")


def add(commands: Any) -> None:
    command = add_command(
        commands, "mine", run, "list, save, put together and delete named selections of your own"
    )
    command.add_argument("run_folder", metavar="RUN")
    for name, what in SETS.items():
        command.add_argument(f"--{name}", nargs=2, metavar=("A", "B"),
                             help=f"{what}; each is a name (its pinned records), a file of ila "
                             "select, or row numbers in a .txt")  # fmt: skip
    command.add_argument("--save", metavar="NAME", help="the name to save under: the records of a "
                         "set as its pins, or what --pin, --exclude, --only and --quota "
                         "say")  # fmt: skip
    command.add_argument("--pin", metavar="FILE", help="row numbers that are chosen first")
    command.add_argument("--exclude", metavar="FILE", help="row numbers that are never chosen")
    add_arguments(command, Spec, only=SETTLED)
    command.add_argument("--rename", nargs=2, metavar=("OLD", "NEW"), help="give another name")
    command.add_argument("--delete", metavar="NAME", help="delete one for good")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> None:
    from ila_core.mine.shelf import Shelf

    deeds = [name for name in (*SETS, "rename", "delete") if getattr(options, name)]
    if len(deeds) > 1:
        raise UsageError(f"--{deeds[0]} and --{deeds[1]} are two commands; give one at a time.")
    contents = [f"--{name}" for name in deeds if name in SETS] + _settled(options)
    if contents and not options.save:
        raise UsageError(f"{contents[0]} needs --save NAME, the name to keep it under.")
    if options.save and not contents:
        raise UsageError(
            "--save NAME needs something to keep: --union, --intersection or --difference of two, "
            "or --pin, --exclude, --only and --quota."
        )
    landscape, shelf = ila.open(options.run_folder), Shelf.of(options.run_folder)
    if options.save:
        _save(options, landscape, shelf, deeds)
    elif options.rename:
        old, new = options.rename
        shelf.rename(old, new, landscape)
        say(f"{old} is now {new}")
    elif options.delete:
        shelf.delete(options.delete)
        say(f"{options.delete} is deleted")
    else:
        _list(shelf, landscape, as_json=options.json)


def _settled(options: argparse.Namespace) -> list[str]:
    """Return the flags that were given of what a selection holds."""
    flags = [f"--{name}" for name in ("pin", "exclude") if getattr(options, name)]
    return flags + ["--quota" if name == "quotas" else "--only" for name in given(options, Spec)]


def _save(
    options: argparse.Namespace, landscape: Landscape, shelf: Shelf, deeds: list[str]
) -> None:
    """Save a set of two selections, or what was given, and say how to use it."""
    from ila_core.mine.mine import Mine
    from ila_core.mine.sets import BY_NAME, rows_of
    from ila_core.selection.locks import read_locks

    mine, n = Mine(options.save), len(landscape)
    for deed in deeds:
        first, second = (rows_of(landscape, one, shelf) for one in getattr(options, deed))
        rows = BY_NAME[deed](first, second)  # type: ignore[index]
        if not len(rows):
            raise UsageError(f"The {deed} of the two holds no record; nothing was saved.")
        mine = mine.pin(rows)
    if options.pin:
        mine = mine.pin(read_locks(options.pin, n))
    if options.exclude:
        mine = mine.exclude(read_locks(options.exclude, n))
    for rule in getattr(options, "only", ()):
        mine = mine.choose_only(rule)
    for quota in getattr(options, "quotas", ()):
        mine = mine.ask(quota)
    mine = shelf.save(mine.of(landscape), new=True)
    if options.json:
        print(json.dumps(_told(mine)))
        return
    print(f"{mine.name}: {mine.summary}")
    budget = len(mine.pinned) or "10%"
    say(line("select", options.run_folder, "--budget", budget, "--mine", mine.name))


def _list(shelf: Shelf, landscape: Landscape, *, as_json: bool) -> None:
    """Print what each selection holds, and of one that cannot be read why not."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in shelf.names():
        try:
            found[name] = _told(shelf.read(name, landscape))
        except IlaError as error:
            found[name] = {"error": str(error)}
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        say(f"No selection is saved in {shelf.folder}.")
    width = max(map(len, found), default=0)
    for name, told in found.items():
        print(
            f"{name:<{width}}  {told.get('error') or told['summary'] + ', saved ' + told['made']}"
        )
        for word in ("only", "quotas"):
            for text in told.get(word, ()):
                print(f"{'':<{width}}    {'--quota' if word == 'quotas' else '--only'} {text}")


def _told(mine: Mine) -> dict[str, Any]:
    """Return what is told of a selection, its rows as counts."""
    return {
        "name": mine.name,
        "summary": mine.summary,
        "pinned": len(mine.pinned),
        "excluded": len(mine.excluded),
        "only": list(mine.only),
        "quotas": list(mine.quotas),
        "made": mine.made,
    }
